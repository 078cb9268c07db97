"""Which set is published now, which one before it, and how old one is.

Belongs here: the link `published` and the folders of sets. Does not belong here: reading a set (`published.sets`).

A run switches the link to a new folder and removes old folders after a while. So a reader resolves the link once and
asks one folder only: it never mixes two sets, never waits for a run and never makes one wait.
"""

import atexit
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from published.errors import NothingPublishedError, SchemaError
from published.schema import why_unreadable
from published.sets import PublishedSet, open_set


def current_set(warehouse: Path) -> PublishedSet:
    """Return the set that is published now.

    Raises
    ------
    NothingPublishedError
        When there is none; the message says which command publishes one.
    SchemaError
        When this Matinee does not read sets of its shape.
    """
    link = warehouse / "published"
    for _ in range(10):  # between resolving and reading, the link may move on and the folder go
        folder = link.resolve()
        try:
            found = _kept_open(folder, folder.stat().st_mtime_ns)
        except (FileNotFoundError, NothingPublishedError):
            continue
        if found.columns or found.damaged:
            return found
    if not warehouse.is_dir():
        msg = f"There is no warehouse at {warehouse}."
    elif (warehouse / ".run.json").exists():
        msg = f"The first run on {warehouse} has not published its results yet."
    else:
        msg = f"Nothing is published in {warehouse} yet."
    raise NothingPublishedError(msg)


@lru_cache(maxsize=6)
def _kept_open(folder: Path, _modified: int) -> PublishedSet:
    """Open a set once; the time tells when somebody changed what never changes."""
    return open_set(folder)


# A connection that outlives the interpreter makes DuckDB complain at its end.
atexit.register(_kept_open.cache_clear)


def warehouse_of(data: PublishedSet) -> Path:
    """Return the warehouse that a set stands in."""
    above = data.folder.parent
    return above.parent if above.name == "published.d" else above


def set_before(published_dir: Path) -> Path | None:
    """Return the published set before a given one, by the names of their folders; None where none can be read."""
    older = [
        folder
        for folder in published_dir.parent.iterdir()
        if folder.is_dir() and not folder.name.startswith(".") and folder.name < published_dir.name
        if not why_unreadable(folder)
    ]
    return max(older, default=None, key=lambda folder: folder.name)


def set_of_run(data: PublishedSet, run_id: str) -> PublishedSet | None:
    """Return the set that a run published beside this one; None where it is no longer kept."""
    for folder in data.folder.parent.glob(f"*-{run_id[:8]}"):
        try:
            return _kept_open(folder, folder.stat().st_mtime_ns)
        except (FileNotFoundError, NothingPublishedError, SchemaError):
            break
    return None


def age_in_words(published_at: datetime, now: datetime) -> str:
    """Return how long ago something was published: `4 minutes ago`, `3 days ago`."""
    seconds = max((now - published_at).total_seconds(), 0)
    for unit, length in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= length:
            count = int(seconds // length)
            return f"{count:,} {unit}{'s' if count > 1 else ''} ago"
    return "just now"
