"""Land a source into a warehouse, now or ahead of time.

Belongs here: choosing the source, landing its files and switching to the new set. Does not belong here:
parsing and checking (`ingest`), telling Dagster (`orchestration.assets.landing`). Nothing here imports
Dagster, so that landing can begin while Dagster is still being imported.
"""

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from ingest import landing
from ingest.landing import LandedFile
from ingest.sources import Source, resolve_source
from orchestration.settings import Settings
from orchestration.stores.layout import WarehouseLayout, write_landed_source


@dataclass(frozen=True)
class LandedSource:
    """A source and its landed files, not yet switched to."""

    source: Source
    files: tuple[LandedFile, ...]


_ahead: dict[Settings, Future[LandedSource]] = {}


def start_landing(settings: Settings) -> Future[LandedSource]:
    """Begin to land in a thread; `land` then waits for it instead of landing again.

    Parsing runs outside the interpreter, on cores that the imports of the next seconds leave idle. Nothing that
    readers see changes before `switch_to`.
    """
    pool = ThreadPoolExecutor(max_workers=1)
    _ahead[settings] = pool.submit(_land, settings)
    pool.shutdown(wait=False)
    return _ahead[settings]


def land(settings: Settings) -> LandedSource:
    """Land every file of the source that the settings name.

    Raises
    ------
    IngestError
        When the source cannot be had or a file cannot be used; what readers see stays as it was.
    """
    future = _ahead.pop(settings, None)
    return future.result() if future else _land(settings)


def switch_to(landed: LandedSource, layout: WarehouseLayout) -> None:
    """Make the landed files the current set, all at once."""
    landing.switch(layout.landing, landed.files)
    # A database has no folder; where it is declared will do.
    folder = next(
        (file.path.parent for file in landed.source.files.values()), Path(landed.source.description).parent
    )
    write_landed_source(layout, landed.source.description, folder)


def _land(settings: Settings) -> LandedSource:
    layout = WarehouseLayout(settings.warehouse)
    source = _open_source(settings, layout)
    files = landing.land(
        source,
        layout.landing,
        memory_limit=settings.memory_limit,
        threads=settings.threads,
        max_rejected_share=settings.max_rejected_share,
        today=settings.today,
    )
    return LandedSource(source, files)


def _open_source(settings: Settings, layout: WarehouseLayout) -> Source:
    """Resolve a source; the demo world is written first where it is not there yet."""
    if settings.source != "demo":
        return resolve_source(settings.source, download_dir=layout.downloads)
    from ingest.demo import write_demo_world  # noqa: PLC0415 - only for those who want the demo

    folder = layout.demo / settings.demo_scale
    if not folder.exists():
        unfinished = folder.with_name(f".{folder.name}")
        write_demo_world(unfinished, scale=settings.demo_scale)
        unfinished.rename(folder)
    world = resolve_source(str(folder), download_dir=layout.downloads)
    return replace(world, description=f"the demo world ({settings.demo_scale})")
