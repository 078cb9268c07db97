"""Land a source into a warehouse, now or ahead of time.

Belongs here: choosing the source, landing its datasets, each for itself, and making a set of them. Does not belong
here: parsing and checking (`ingest`), telling Dagster (`orchestration.assets.landing`), putting the set in force
(`orchestration.assets.publish`). Nothing here imports Dagster, so that landing can begin while Dagster is still being
imported.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path

from ingest import landing, store
from ingest.contracts import DATASETS
from ingest.errors import IngestError
from ingest.landing import LandedFile
from ingest.sources import PartlyRefusedError, Source, resolve_source
from orchestration import costs
from orchestration.progress import Progress, counting, doing
from orchestration.settings import Settings
from orchestration.stores.layout import WarehouseLayout
from orchestration.tasks.switching import finish_switch


@dataclass(frozen=True)
class LandedSource:
    """A source and its landed files, not yet a set."""

    source: Source
    files: tuple[LandedFile, ...]
    refused: dict[str, str] = field(default_factory=dict)
    """Table to why a file of its dataset was refused; its files, where there are any, are those in force."""

    @property
    def facts(self) -> dict[str, object]:
        """What is remembered of the source with the set of its files."""
        # A database has no folder; where it is declared will do.
        files = [file.path.parent for file in self.source.files.values()]
        folder = next(iter(files), Path(self.source.description).parent)
        return {
            "description": self.source.description,
            "folder": str(folder.resolve()),
            "refused": self.refused,
        }


_ahead: dict[Settings, tuple[costs.Moment, Future[LandedSource]]] = {}


def start_landing(settings: Settings) -> Future[LandedSource]:
    """Begin to land in a thread; `land` then waits for it instead of landing again.

    Parsing runs outside the interpreter, on cores that the imports of the next seconds leave idle. No set changes
    before `stage`.
    """
    pool = ThreadPoolExecutor(max_workers=1)
    future = pool.submit(_land, settings)
    _ahead[settings] = costs.Moment.now(), future
    pool.shutdown(wait=False)
    return future


def land(settings: Settings) -> LandedSource:
    """Land every dataset of the source that the settings name.

    A dataset with a file that cannot be used keeps the files in force, and the others land.

    Raises
    ------
    IngestError
        When the source cannot be had, or nothing of it lands, or the files in force of a dataset that is refused
        come from another source: nothing changes then.
    """
    if settings in _ahead:
        moment, future = _ahead.pop(settings)
        costs.began(moment)
        landed = future.result()
    else:
        landed = _land(settings)
    for file in landed.files:
        if not file.was_already_landed:
            costs.read(rows=file.rows_read, size_bytes=file.size_bytes)
            costs.wrote(rows=file.rows_landed, size_bytes=file.path.stat().st_size)
    return landed


def stage(landed: LandedSource, layout: WarehouseLayout) -> None:
    """Make the landed files the candidate, which dbt reads, and which publishing puts in force."""
    store.stage(layout.landing, landed.files, landed.facts)


def _land(settings: Settings) -> LandedSource:
    layout = WarehouseLayout(settings.warehouse)
    finish_switch(layout)  # before anything else becomes a candidate
    refused: dict[str, IngestError] = {}
    try:
        source = _open_source(settings, layout)
    except PartlyRefusedError as error:
        source, refused = error.rest, dict(error.refused)
    files: list[LandedFile] = []
    with doing("landing"):
        for dataset in source.datasets:
            try:
                files += landing.land(
                    dataset,
                    layout.landing,
                    memory_limit=settings.memory_limit,
                    threads=settings.threads,
                    max_rejected_share=settings.max_rejected_share,
                    today=settings.today,
                    watch=_watch,
                )
            except IngestError as error:
                refused |= dict.fromkeys((table.table for table in dataset.tables), error)
    if refused and not files:
        raise next(iter(refused.values()))
    for tables in DATASETS:
        if refusal := next((refused[table] for table in tables if table in refused), None):
            files += _in_force(tables, source, layout.landing, refusal)
    return LandedSource(source, tuple(files), {table: str(error) for table, error in refused.items()})


def _watch(name: str, size_bytes: int, share: Callable[[], float]) -> AbstractContextManager[None]:
    return doing(lambda: Progress(name, share() * size_bytes, size_bytes, "bytes"))


def _in_force(
    tables: Sequence[str], source: Source, landing_dir: Path, refusal: IngestError
) -> tuple[LandedFile, ...]:
    """Return the files in force of a dataset that is refused; what another source gave is no stand-in."""
    kept = store.kept(landing_dir, tables)
    current = store.source_of(landing_dir, "current") or {}
    if current.get("description") == source.description and kept:
        return kept
    if any((landing_dir / "current" / table).exists() for table in tables):
        raise refusal
    return ()


def _open_source(settings: Settings, layout: WarehouseLayout) -> Source:
    """Resolve a source; the demo world is written first where it is not there yet."""
    if settings.source != "demo":
        # Kaggle's own client shows how far a download is.
        with doing("" if settings.source == "kaggle" else "looking at the files"):
            return resolve_source(settings.source, download_dir=layout.downloads)
    from ingest.demo import write_demo_world  # noqa: PLC0415 - only for those who want the demo

    folder = layout.demo / settings.demo_scale
    if not folder.exists():
        unfinished = folder.with_name(f".{folder.name}")
        with counting("writing the demo world", "rows") as tell:
            write_demo_world(unfinished, scale=settings.demo_scale, tell=tell)
        unfinished.rename(folder)
    world = resolve_source(str(folder), download_dir=layout.downloads)
    return replace(world, description=f"the demo world ({settings.demo_scale})")
