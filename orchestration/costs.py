"""What a stage of a run takes: seconds, CPU, memory, rows and bytes.

Belongs here: measuring the stage that is under way. Does not belong here: which stages there are and where their costs
are kept (`orchestration.stores.ledger`).

Who works says what it read, wrote or spent elsewhere, and need not know whether a stage is being measured: outside
`measured`, in a worker and in other commands, nothing is kept.
"""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import polars as pl

_BETWEEN_LOOKS = 0.1
"""Seconds between two looks at memory. The kernel's own peak would be exact, but to begin it anew for each stage would
falsify what others measure of the whole process."""
_PROC = Path("/proc")


@dataclass
class Costs:
    """What a stage took up to now; None is what is not known.

    Attributes
    ----------
    seconds : by the clock.
    cpu_seconds : of this process meanwhile, and of workers for the stage's tasks.
    peak_bytes : largest resident memory of this process and its helpers together, as far as looks at it saw.
    rows_in, bytes_in : what was read.
    rows_out, bytes_out : what was written.
    """

    seconds: float = 0.0
    cpu_seconds: float = 0.0
    peak_bytes: int | None = None
    rows_in: int | None = None
    rows_out: int | None = None
    bytes_in: int | None = None
    bytes_out: int | None = None
    files: set[Path] = field(default_factory=set, repr=False)
    """Those that were counted as read."""


class Moment(NamedTuple):
    """When something began, by the clock and by this process's CPU time."""

    clock: float
    cpu: float

    @classmethod
    def now(cls) -> "Moment":
        """Return this moment."""
        return cls(time.perf_counter(), time.process_time())


@dataclass
class _Stage:
    costs: Costs
    began: Moment = field(default_factory=Moment.now)


_under_way: list[_Stage] = []
helpers: set[int] = set()
"""Ids of processes that work for this one; their children are counted with them."""


@contextmanager
def measured(costs: Costs) -> Iterator[None]:
    """Add to `costs` what the `with` block takes, however it ends."""
    stage, over = _Stage(costs), threading.Event()

    def look() -> None:
        if (resident := _resident_bytes()) is not None:
            costs.peak_bytes = max(costs.peak_bytes or 0, resident)

    def watch() -> None:
        look()
        while not over.wait(_BETWEEN_LOOKS):
            look()

    watcher = threading.Thread(target=watch, daemon=True)
    _under_way.append(stage)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()
        look()
        _under_way.remove(stage)
        ended = Moment.now()
        costs.seconds += ended.clock - stage.began.clock
        costs.cpu_seconds += ended.cpu - stage.began.cpu


def began(moment: Moment) -> None:
    """Say that the stage under way began earlier, before it was measured."""
    if _under_way:
        _under_way[-1].began = moment


def spent(cpu_seconds: float) -> None:
    """Say what another process spent for the stage under way."""
    if _under_way:
        _under_way[-1].costs.cpu_seconds += cpu_seconds


def read(*, rows: int = 0, size_bytes: int = 0) -> None:
    """Say what the stage under way read."""
    if _under_way:
        costs = _under_way[-1].costs
        costs.rows_in = (costs.rows_in or 0) + rows
        costs.bytes_in = (costs.bytes_in or 0) + size_bytes


def read_parquet(*files: Path) -> None:
    """Say which Parquet files the stage under way read; one that it reads again counts once."""
    for file in files if _under_way else ():
        if file not in _under_way[-1].costs.files:
            _under_way[-1].costs.files.add(file)
            rows = pl.scan_parquet(file).select(pl.len()).collect().item()
            read(rows=rows, size_bytes=file.stat().st_size)


def wrote(*, rows: int | None = None, size_bytes: int | None = None) -> None:
    """Say what the stage under way wrote; None is what is not known."""
    if _under_way:
        costs = _under_way[-1].costs
        if rows is not None:
            costs.rows_out = (costs.rows_out or 0) + rows
        if size_bytes is not None:
            costs.bytes_out = (costs.bytes_out or 0) + size_bytes


def _resident_bytes() -> int | None:
    """Return the resident memory of this process and its helpers; None where the system has no `/proc`."""
    if not _PROC.is_dir():
        return None
    children = (int(child) for pid in tuple(helpers) for child in _text(pid, f"task/{pid}/children").split())
    pages = (_text(pid, "statm").split()[1:2] for pid in (os.getpid(), *helpers, *children))
    return sum(int(resident) for found in pages for resident in found) * os.sysconf("SC_PAGE_SIZE")


def _text(pid: int, file: str) -> str:
    try:
        return (_PROC / str(pid) / file).read_text()
    except OSError:  # it has ended
        return ""
