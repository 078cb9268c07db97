"""The warehouse folder: names inside it, who may write to it, and writing so that readers never see half.

Belongs here: the layout, the lock, atomic writes. Does not belong here: what is written, DuckDB, Dagster.

DuckDB allows one writing process or many readers, never both; so a run holds the lock of its warehouse
from the first step to the last, and everybody else reads the published Parquet.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import filelock

KEPT_SETS = 3
"""A reader that resolved a set before a switch can finish; so a few old ones stay."""


class WarehouseError(RuntimeError):
    """The warehouse cannot be used; the message says why and what to do."""


class WarehouseLayout:
    """Names inside a warehouse folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.database = root / "matinee.duckdb"
        self.landing = root / "landing"
        self.models = root / "models"
        self.recommender = self.models / "recommender"
        self.catalogue_similarity = self.models / "catalogue_similarity"
        self.plots = root / "plots"
        self.plot_sets = root / "plots.d"
        self.published = root / "published"
        self.published_sets = root / "published.d"
        self.report = root / "report"
        self.demo = root / "demo"
        self.downloads = root / "downloads"
        self.dbt_target = root / ".dbt"
        self.temporary = root / ".tmp"
        self.lock = root / ".run.lock"
        self.lock_holder = root / ".run.json"


_held_here: set[Path] = set()


@contextmanager
def lock_warehouse(layout: WarehouseLayout, holder: str, *, inherit: bool = False) -> Iterator[None]:
    """Hold the warehouse for one run; the operating system frees it when the process ends, however it ends.

    With `inherit`, a lock that this process holds already is taken over: the command line locks before it lands,
    and the run it then starts is the same run.

    Raises
    ------
    WarehouseError
        When the folder cannot be written or another run holds it.
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


def _held_message(layout: WarehouseLayout) -> str:
    try:
        facts = json.loads(layout.lock_holder.read_text())
        who = f"{facts['holder']}, process {facts['pid']}, since {facts['since']}"
    except (OSError, ValueError, KeyError):
        who = "another process"
    return (
        f"a run is already writing to {layout.root} ({who}). "
        "Wait for it to end; its last published results stay readable meanwhile."
    )


def switch_symlink(link: Path, target: Path) -> None:
    """Point `link` at `target` in one step, so that a reader sees the old folder or the new one."""
    temporary = link.with_name(f".{link.name}.{os.getpid()}")
    temporary.unlink(missing_ok=True)
    temporary.symlink_to(os.path.relpath(target, link.parent))
    temporary.replace(link)


def write_atomically(path: Path, content: bytes | str) -> None:
    """Write a file so that a reader sees the old content or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    if isinstance(content, bytes):
        temporary.write_bytes(content)
    else:
        temporary.write_text(content, encoding="utf-8")
    temporary.replace(path)


def write_landed_source(layout: WarehouseLayout, description: str, folder: Path) -> None:
    """Remember where the landed files came from."""
    facts = {"description": description, "folder": str(folder.resolve())}
    write_atomically(layout.landing / "source.json", json.dumps(facts) + "\n")


def read_landed_source(layout: WarehouseLayout) -> dict[str, str] | None:
    """Return description and folder of what was landed last; None when nothing was."""
    try:
        return json.loads((layout.landing / "source.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
