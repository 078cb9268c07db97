"""What a warehouse holds and no longer uses, when it is older than the retention.

Belongs here: finding it, and removing it so that a kill at any moment leaves nothing half used. Does not belong here:
Dagster's records of runs (`orchestration.tools.records`), people (`orchestration.tasks.forgetting`).

What is in force, a candidate, refused last, or of the set before the current one is used, however old; so are numbers
of ids, the list of who is kept out, and receipts.
"""

import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from pathlib import Path

from ingest import ids, store
from ingest.arrivals import Account
from ingest.contracts import CONTRACTS
from orchestration.stores.layout import ModelNotFoundError, WarehouseLayout
from orchestration.stores.versions import VersionedStore
from published.finding import set_before


@dataclass(frozen=True)
class Old:
    """Something that is to go.

    Attributes
    ----------
    kind : what it is one of, in the plural.
    name : as a person finds it.
    size_bytes : how much room it takes.
    remove : removes it.
    """

    kind: str
    name: str
    size_bytes: int
    remove: Callable[[], None]


def find_old(layout: WarehouseLayout, before: datetime) -> list[Old]:
    """Return what is no longer used and was last written before a time, in the order in which it may go.

    Raises
    ------
    IngestError
        When the account of what arrived cannot be read.
    """
    finders = (_landing, _dropped, _published, _models, _plots, _dbt)
    return [old for finder in finders for old in finder(layout, before)]


def published_runs(layout: WarehouseLayout) -> set[str]:
    """Return the first eight digits of the ids of the runs whose tables are kept."""
    return {folder.name.rpartition("-")[2] for folder in layout.published_sets.glob("*")}


def _landing(layout: WarehouseLayout, before: datetime) -> Iterator[Old]:
    """Yield sets neither in force nor a candidate, then files that no other set names and that did not arrive."""
    used = {(layout.landing / name).resolve() for name in ("current", "candidate")}
    sets = [folder for folder in sorted((layout.landing / "sets").glob("*")) if folder not in used]
    gone = [folder for folder in sets if _is_old([folder], before)]
    yield from (_old("landed sets", folder, layout) for folder in gone)
    staying = [folder for folder in (layout.landing / "sets").glob("*") if folder not in gone]
    named = {link.readlink().name for folder in staying for link in folder.glob("*/*.parquet")}
    named |= {f"{one.table}-{one.key}.parquet" for one in Account.read(layout.landing).arrivals}
    # Of a file that was refused only the rejects are there; else the manifest goes first, for it makes a file landed.
    files = sorted((layout.landing / "files").glob("*-*.parquet"), key=_slot)
    for _, slot in groupby(files, key=_slot):
        parts = sorted(slot, key=lambda part: ".manifest." not in part.name)
        if (
            not parts[0].name.startswith("ids-")
            and not named & {part.name for part in parts}
            and _is_old(parts, before)
        ):
            yield _old("landed files", parts[-1], layout, parts)


def _slot(path: Path) -> str:
    return path.name.partition(".")[0]


def _dropped(layout: WarehouseLayout, before: datetime) -> Iterator[Old]:
    """Yield what failed on old days, and raw files of old days whose landed copy stands and need not be made again."""
    yield from (_old("days of files that failed", day, layout) for day in _days(layout.failed, before))
    arrived = {one.kept: one for one in Account.read(layout.landing).arrivals}

    def stands(file: Path) -> bool:
        one = arrived.get(file.relative_to(layout.processed).as_posix())
        if one is None or one.contract != CONTRACTS[one.table].fingerprint:
            return False
        landed = store.slot(layout.landing, one.table, one.key)
        return store.read_slot(landed, ids.last_number(layout.landing)) is not None

    for day in _days(layout.processed, before):
        files = [file for file in sorted(day.rglob("*")) if file.is_file()]
        goes = [file for file in files if stands(file)]
        if goes == files:
            yield _old("days of raw files that landed", day, layout)
        else:
            yield from (_old("raw files that landed", file, layout) for file in goes)


def _days(folder: Path, before: datetime) -> Iterator[Path]:
    """Yield the folders of the days that are over the retention."""
    for day in sorted(folder.glob("*/")):
        with suppress(ValueError):  # no folder of a day
            if date.fromisoformat(day.name) < before.date():
                yield day


def _published(layout: WarehouseLayout, before: datetime) -> Iterator[Old]:
    current = layout.published.resolve()
    used = {current, set_before(current) if current.is_dir() else None}
    for folder in sorted(layout.published_sets.glob("*")):
        if folder not in used and _is_old([folder], before):
            yield _old("published sets", folder, layout)


def _models(layout: WarehouseLayout, before: datetime) -> Iterator[Old]:
    for folder in sorted(layout.models.glob("*/")):
        with suppress(ModelNotFoundError):  # a damaged pointer: who knows what it named
            kept = VersionedStore(folder).kept
            for version in sorted(folder.glob("*/")):
                if version.name not in kept and _is_old([version], before):
                    yield _old("versions of models", version, layout)


def _plots(layout: WarehouseLayout, before: datetime) -> Iterator[Old]:
    for folder in sorted(layout.plot_sets.glob("*/")):
        with suppress(ModelNotFoundError):
            used = {folder / str(name) for name in VersionedStore(folder).kept}
            used.add((layout.plots / folder.name).resolve())
            for version in sorted(folder.glob("*/")):
                if version not in used and _is_old([version], before):
                    yield _old("sets of plots", version, layout)


def _dbt(layout: WarehouseLayout, before: datetime) -> Iterator[Old]:
    for file in sorted(layout.dbt_target.rglob("*")):
        if file.is_file() and _is_old([file], before):
            yield _old("files of dbt", file, layout)


def _old(kind: str, path: Path, layout: WarehouseLayout, parts: Iterable[Path] = ()) -> Old:
    whole = list(parts) or [path]
    return Old(kind, str(path.relative_to(layout.root)), sum(map(_size, whole)), lambda: _remove(whole))


def _remove(paths: Iterable[Path]) -> None:
    for path in paths:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def _size(path: Path) -> int:
    files = path.rglob("*") if path.is_dir() else (path,)
    return sum(file.lstat().st_size for file in files if file.is_file() and not file.is_symlink())


def _is_old(paths: Iterable[Path], before: datetime) -> bool:
    return all(path.stat().st_mtime < before.timestamp() for path in paths)
