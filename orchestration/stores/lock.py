"""The lock of a warehouse: who may write to it.

Belongs here: taking the lock, asking for it, saying who holds it. Does not belong here: names in the warehouse
(`layout`), what becomes of a run that died (`orchestration.tools.dead_runs`).

DuckDB allows one writing process or many readers, never both; so a run holds the lock of its warehouse
from the first step to the last, and everybody else reads the published Parquet.
"""

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


class WarehouseError(RuntimeError):
    """The warehouse cannot be used; the message says why and what to do."""


_held_here: set[Path] = set()


@contextmanager
def lock_warehouse(layout: WarehouseLayout, holder: str, *, inherit: bool = False) -> Iterator[None]:
    """Hold the warehouse for one run; the operating system frees it when the process ends, however it ends.

    With `inherit`, a lock that this process holds already is taken over: the command line locks before it lands,
    and the run it then starts is the same run.

    Raises
    ------
    WarehouseError
        When the folder cannot be written, another run holds it, or another program its database.
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
        msg = (
            f"cannot write to the warehouse {layout.root}: {error.strerror or error}. "
            "Choose another folder with --warehouse or MATINEE_WAREHOUSE."
        )
        raise WarehouseError(msg) from None
    try:
        _check_database(layout)
        facts = {
            "holder": holder,
            "pid": os.getpid(),
            "since": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        layout.lock_holder.write_text(json.dumps(facts))
        _held_here.add(layout.root)
        yield
    finally:
        _held_here.discard(layout.root)
        layout.lock_holder.unlink(missing_ok=True)
        lock.release()


def is_held(layout: WarehouseLayout) -> bool:
    """Return whether another process holds the warehouse."""
    if layout.root in _held_here or not layout.lock.exists():
        return False
    try:
        with filelock.FileLock(layout.lock, timeout=0):
            return False
    except filelock.Timeout:
        return True


def _check_database(layout: WarehouseLayout) -> None:
    """Open the database for writing: a program that holds it would stop the run after minutes of work."""
    if not layout.database.exists():
        return
    try:
        duckdb.connect(str(layout.database)).close()
    except duckdb.Error as error:
        held = re.search(r"lock is held in (?P<program>.+ \(PID \d+\))", str(error))
        msg = (
            f"{held['program']} holds {layout.database} open. Close it there, and run again; "
            "to look at results meanwhile, read the Parquet files that are published."
            if held
            else f"{layout.database} cannot be opened: {error}"
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


def _held_message(layout: WarehouseLayout) -> str:
    who = "{holder}, process {pid}, since {since}".format_map(_holder(layout))
    return (
        f"a run is already writing to {layout.root} ({who}). "
        "Wait for it to end; its last published results stay readable meanwhile."
    )
