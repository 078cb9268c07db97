"""The locks of a warehouse: who may write to it, and who may change what is in force in it.

Belongs here: taking a lock, asking for it, saying who holds it. Does not belong here: names in the warehouse
(`layout`), what becomes of a run that died (`orchestration.tools.dead_runs`).

DuckDB allows one writing process or many readers, never both; so a run holds the lock of its warehouse
from the first step to the last, and everybody else reads the published Parquet.
"""

import fcntl
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import filelock

from orchestration.stores.layout import WarehouseLayout
from published.schema import is_current, why_unreadable, write_schema


class WarehouseError(RuntimeError):
    """The warehouse cannot be used; the message says why and what to do."""


_SWITCHING_SECONDS = 60
_held_here: set[Path] = set()


@contextmanager
def lock_warehouse(layout: WarehouseLayout, holder: str, *, inherit: bool = False) -> Iterator[None]:
    """Hold the warehouse for one run; the operating system frees it when the process ends, however it ends.

    With `inherit`, a lock that this process holds already is taken over: the command line locks before it lands,
    and the run it then starts is the same run.

    Raises
    ------
    WarehouseError
        When the folder cannot be written, another run holds it, another program its database, or it has a shape that
        this Matinee does not read.
    """
    if inherit and layout.root in _held_here:
        yield
        return
    try:
        layout.root.mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(layout.lock, timeout=0)
        lock.acquire()
    except filelock.Timeout:
        raise WarehouseError(_held_message(layout)) from None
    except OSError as error:
        raise _unwritable(layout, error) from None
    try:
        _check_schema(layout)
        _check_database(layout)
        facts = {
            "holder": holder,
            "pid": os.getpid(),
            "since": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        try:
            layout.lock_holder.write_text(json.dumps(facts))
        except OSError as error:
            raise _unwritable(layout, error) from None
        _held_here.add(layout.root)
        yield
    finally:
        _held_here.discard(layout.root)
        layout.lock_holder.unlink(missing_ok=True)
        lock.release()


def is_held(layout: WarehouseLayout) -> bool:
    """Return whether another process holds the warehouse; who asks need not be allowed to write there."""
    if layout.root in _held_here or not layout.lock.exists():
        return False
    # As filelock locks, which would open the file to write.
    with layout.lock.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


@contextmanager
def switching(layout: WarehouseLayout) -> Iterator[None]:
    """Keep what is in force as it is for others: a run switches and removes within, a backup pins within.

    Seconds at most, beside the lock of the run; the operating system frees it, too.

    Raises
    ------
    WarehouseError
        When another process keeps it for a minute.
    """
    lock = filelock.FileLock(layout.switch_lock, timeout=_SWITCHING_SECONDS)
    try:
        lock.acquire()
    except filelock.Timeout:
        msg = f"another process has kept {layout.switch_lock} for {_SWITCHING_SECONDS} s. End it, and try again."
        raise WarehouseError(msg) from None
    try:
        yield
    finally:
        lock.release()


def _check_schema(layout: WarehouseLayout) -> None:
    """Refuse a shape that this Matinee does not read; what is older and can be read becomes today's."""
    if why := why_unreadable(layout.root):
        raise WarehouseError(why)
    if not is_current(layout.root):
        write_schema(layout.root)


def _check_database(layout: WarehouseLayout) -> None:
    """Open the database for writing: a program that holds it would stop the run after minutes of work."""
    if not layout.database.exists():
        return
    if not layout.database.stat().st_size:  # a run was killed as it began the file
        layout.database.unlink()
        return
    try:
        duckdb.connect(str(layout.database)).close()
    except duckdb.Error as error:
        held = re.search(r"lock is held in (?P<program>.+ \(PID \d+\))", str(error))
        msg = (
            f"{held['program']} holds {layout.database} open. Close it there, and run again; "
            "to look at results meanwhile, read the Parquet files that are published."
            if held
            else f"{layout.database} is damaged or no DuckDB file ({str(error).splitlines()[0]}). Remove it (and "
            f"{layout.database.name}.wal), and run again: it is made anew from what has landed, and nothing is lost."
        )
        raise WarehouseError(msg) from None


def held_by(layout: WarehouseLayout) -> dict[str, Any] | None:
    """Return who holds the warehouse, its `pid` and `since` when; None where nobody does."""
    # Whoever asks takes the lock for a moment, in which a run could not: so nobody asks unless one may be going.
    return _holder(layout) if layout.lock_holder.exists() and is_held(layout) else None


def _holder(layout: WarehouseLayout) -> dict[str, Any]:
    facts = {"holder": "another process", "pid": None, "since": None}
    with suppress(OSError, ValueError):
        facts |= json.loads(layout.lock_holder.read_text())
    return facts


def _unwritable(layout: WarehouseLayout, error: OSError) -> WarehouseError:
    return WarehouseError(
        f"cannot write to the warehouse {layout.root}: {error.strerror or error}. "
        "Make room there, or choose another folder with --warehouse or MATINEE_WAREHOUSE."
    )


def _held_message(layout: WarehouseLayout) -> str:
    who = "{holder}, process {pid}, since {since}".format_map(_holder(layout))
    return (
        f"a run is already writing to {layout.root} ({who}). "
        "Wait for it to end; its last published results stay readable meanwhile."
    )
