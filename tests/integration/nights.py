"""A world so small that a night on it takes seconds, and nights that a test may stop at any moment.

A process that has imported everything forks off each night: a night costs its own work and no start.
"""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from importlib import import_module
from itertools import count
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, Literal

import pytest

HEADER = "user_id,title_id,rating,rated_at"
FILLER = "of somebody else"
_LONGEST_NIGHT = 300
"""Seconds after which a night hangs; it takes ten."""
Fault = Literal["killed", "disk full", "little memory"]
SPILLING = "24MB"
"""So little memory that DuckDB spills even of this world; no setting may be so little."""
SEGMENTATIONS = ("title_reception", "user_ratings")
_GENRES = ("Drama", "Comedy", "Action", "Horror")


def write_small_world(folder: Path) -> Path:
    """Write 150 users' ratings of 60 titles, as canonical tables."""
    rng = random.Random(0)
    folder.mkdir()
    titles = [f"t{number},Film {number},{'|'.join(rng.sample(_GENRES, 2))}" for number in range(60)]
    (folder / "titles.csv").write_text("\n".join(["title_id,title,genres", *titles]) + "\n")
    pairs = sorted({(rng.randrange(150), rng.randrange(60)) for _ in range(2_500)})
    rows = [
        f"u{user},t{title},{1 + (user + title * (user % 3)) % 9 / 2},{1_400_000_000 + rng.randrange(10**8)}"
        for user, title in pairs
    ]
    (folder / "ratings.csv").write_text("\n".join([HEADER, *rows]) + "\n")
    return folder


def add_ratings(world: Path) -> None:
    """Write down what twenty users, five of them new, rated since."""
    rng = random.Random(1)
    rows = [
        f"u{user},t{title},{rng.randint(2, 10) / 2},1600000000"
        for user in range(135, 155)
        for title in rng.sample(range(60), 5)
    ]
    with (world / "ratings.csv").open("a") as file:
        file.write("\n".join(rows) + "\n")


@dataclass(frozen=True)
class Night:
    """A run in a process group of its own: the run itself and its two workers."""

    pid: int
    said: Path

    @property
    def processes(self) -> list[int]:
        """The run's process, and those that it started."""
        return [self.pid, *_below(self.pid)]

    @property
    def is_over(self) -> bool:
        return _state(self.pid) in ("Z", "")

    def wait_until(self, sentence: str) -> None:
        """Wait until it has said something."""
        while sentence not in self.said.read_text():
            assert not self.is_over, self.said.read_text()
            time.sleep(0.02)

    def kill(self) -> None:
        """End all its processes without a word."""
        os.killpg(self.pid, signal.SIGKILL)

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Keep every process where it is: what lies on the disk is what a SIGKILL of them all would leave."""
        with suppress(ProcessLookupError):  # it may end at this very moment
            os.killpg(self.pid, signal.SIGSTOP)
        try:
            while any(_state(process) not in ("T", "Z", "") for process in self.processes):
                time.sleep(0.001)
            yield
        finally:
            with suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGCONT)


@dataclass(frozen=True)
class Nights:
    """Starts nights; `ended` gives the exit code of one."""

    asked: Connection
    root: Path
    going: dict[int, Night] = field(default_factory=dict)
    """The nights that nobody waited for yet."""

    @property
    def warehouse(self) -> Path:
        return self.root / "warehouse"

    def begin(self, *args: object, at: tuple[str, int, Fault] | None = None) -> Night:
        """Begin `matinee run` with these arguments.

        With `at`, a function (`module:name`), a number and a fault, that befalls it at that call of the function.
        """
        said = self.root.with_suffix(".said")
        said.write_text("")
        command = ["run", *map(str, args), "--warehouse", str(self.warehouse)]
        self.asked.send((command, str(self.root / "home"), str(said), at))
        night = Night(self.asked.recv(), said)
        self.going[night.pid] = night
        return night

    def put_back(self, kept: Path) -> None:
        """Make warehouse and Dagster's records what they were when they were kept.

        A night that a failed test left going is killed first.
        """
        for night in list(self.going.values()):
            night.kill()
            self.ended(night)
        for _ in range(50):  # a worker that outlived a killed run for a moment may still write
            shutil.rmtree(self.root, ignore_errors=True)
            if not self.root.exists():
                break
            time.sleep(0.1)
        shutil.copytree(kept, self.root, symlinks=True)

    def keep(self, to: Path) -> Path:
        """Copy warehouse and Dagster's records, and return where to."""
        return Path(shutil.copytree(self.root, to, symlinks=True))

    def ended(self, night: Night) -> int:
        """Wait for a night, and return its exit code; -9 where it was killed."""
        self.asked.send(night.pid)
        if not self.asked.poll(_LONGEST_NIGHT):
            os.killpg(night.pid, signal.SIGABRT)
            pytest.fail(f"a night did not end in {_LONGEST_NIGHT} s: {night.said.read_text()}")
        code = self.asked.recv()
        del self.going[night.pid]
        return code

    def whole(self, *args: object) -> str:
        """Run a night to its end, which must be good, and return what it said."""
        night = self.begin(*args)
        code = self.ended(night)
        assert code == 0, night.said.read_text()
        return night.said.read_text()


@contextmanager
def started_nights(root: Path, dagster_yaml: Path) -> Iterator[Nights]:
    """Give nights on the folder `root`, which holds a warehouse and the Dagster instance that records it."""
    (root / "home").mkdir(parents=True)
    shutil.copy(dagster_yaml, root / "home")
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, str(root)), daemon=False)
    with _no_main():
        process.start()
    theirs.close()
    assert ours.recv(), "what was imported has started threads, and a fork would wait for them"
    try:
        yield Nights(ours, root)
    finally:
        ours.close()
        process.join()


@contextmanager
def _no_main() -> Iterator[None]:
    """Let a process that starts import nothing as its main module.

    Streamlit's tests of pages leave a page as the main module of pytest: it would run, and polars with it.
    """
    ours, sys.modules["__main__"] = sys.modules["__main__"], ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = ours


def _serve(asked: Connection, root: str) -> None:
    """Import all that a run imports, then fork off runs until nobody asks any more."""
    os.environ["MATINEE_WAREHOUSE"] = str(Path(root) / "warehouse")
    import orchestration.commands.run.summary  # noqa: F401, PLC0415
    from orchestration import definitions  # noqa: PLC0415
    from orchestration.commands.run import job  # noqa: PLC0415
    from orchestration.tasks import worker_tasks  # noqa: F401, PLC0415
    from orchestration.tools import dbt  # noqa: PLC0415

    segmentations = _few(definitions._load_declarations()[0])
    definitions._load_declarations = lambda: (segmentations, [])
    built = definitions.build_defs()
    job.build_defs = lambda _: built  # type: ignore[assignment]
    dbt.project()
    # A fork of a process in which polars works already waits for threads that it has not got.
    asked.send(not any("tokio" in task.read_text() for task in Path("/proc/self/task").glob("*/comm")))
    while True:
        try:
            question = asked.recv()
        except EOFError:
            return
        if isinstance(question, int):
            asked.send(os.waitstatus_to_exitcode(os.waitpid(question, 0)[1]))
            continue
        pid = os.fork()
        if not pid:
            asked.close()
            _run(*question)
        asked.send(pid)


def _few(segmentations: Any) -> Any:
    """Leave out all segmentations but two: what befalls a night befalls any number of them."""
    import dagster as dg  # noqa: PLC0415

    def is_one(key: dg.AssetKey) -> bool:
        return key.path[0] in SEGMENTATIONS

    return dg.Definitions(
        assets=[asset for asset in segmentations.assets if all(map(is_one, asset.keys))],
        asset_checks=[
            check
            for check in segmentations.asset_checks
            if all(is_one(key.asset_key) for key in check.check_keys)
        ],
    )


def _run(command: list[str], home: str, said: str, at: tuple[str, int, Fault] | None) -> None:
    from orchestration.commands.cli import app  # noqa: PLC0415
    from orchestration.tasks import worker  # noqa: PLC0415

    os.setsid()
    os.environ["DAGSTER_HOME"] = home
    output = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.dup2(output, 1)
    os.dup2(output, 2)
    worker.subprocess = SimpleNamespace(Popen=_ForkedWorker, DEVNULL=None)  # type: ignore[assignment]
    if at:
        _befall(*at, command[-1])
    worker.start_workers()  # before there are threads, which a fork does not survive
    worker.subprocess = subprocess
    code: object = 0
    try:
        app(command)
    except SystemExit as end:
        code = end.code or 0
    except BaseException:
        import traceback  # noqa: PLC0415

        traceback.print_exc()
        code = 99
    os._exit(int(code) if isinstance(code, int) else 1)


def _befall(function: str, call: int, fault: Fault, warehouse: str) -> None:
    module, _, path = function.partition(":")
    *owners, name = path.split(".")
    owner: Any = import_module(module)
    for part in owners:
        owner = getattr(owner, part)
    real, calls = getattr(owner, name), count(1)

    def befallen(*args: Any, **options: Any) -> Any:
        if next(calls) == call:
            if fault == "killed":
                os.killpg(0, signal.SIGKILL)
            if fault == "little memory":
                os.environ["MATINEE_MEMORY_LIMIT"] = SPILLING
            else:
                fill(Path(warehouse))
        return real(*args, **options)

    setattr(owner, name, befallen)


def fill(folder: Path) -> None:
    """Leave no room on the disk of a folder; `make_room` gives it back."""
    with (folder / FILLER).open("ab", buffering=0) as file, suppress(OSError):  # it is full
        while (free := shutil.disk_usage(folder).free) > 0:
            file.write(bytes(min(free, 1 << 16)))


def make_room(folder: Path) -> None:
    """Take away what fills the disk."""
    (folder / FILLER).unlink()


class _ForkedWorker:
    """Stands for `subprocess.Popen` of the workers: forked, they need not import."""

    def __init__(self, command: list[str], *, pass_fds: Sequence[int], **_: object) -> None:
        from orchestration.tasks import worker_process  # noqa: PLC0415

        self.pid = os.fork()
        if self.pid:
            return
        for end in [int(link.name) for link in Path("/proc/self/fd").iterdir()]:
            if end > 2 and end not in pass_fds:
                try:
                    os.close(end)
                except OSError:
                    continue  # the one that listed them
        worker_process.serve(command[-2], json.loads(command[-1]))

    def wait(self) -> None:
        os.waitpid(self.pid, 0)


def _state(process: int) -> str:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return ""


def _below(process: int) -> list[int]:
    try:
        tasks = list(Path(f"/proc/{process}/task").iterdir())
        children = [int(child) for task in tasks for child in (task / "children").read_text().split()]
    except OSError:
        return []
    return [found for child in children for found in (child, *_below(child))]
