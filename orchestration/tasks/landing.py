"""Land a source into a warehouse, now or ahead of time.

Belongs here: choosing the source, landing its datasets, each for itself, and what came through the drop folder, and
making a set of them. Does not belong here: parsing and checking (`ingest`), telling Dagster
(`orchestration.assets.landing`), putting the set in force (`orchestration.assets.publish`). Nothing here imports
Dagster, so that landing can begin while Dagster is still being imported.
"""

from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from ingest import arrivals, ids, landing, store
from ingest.arrivals import Account, Arrival, DropFolder, TakenIn
from ingest.contracts import CONTRACTS, DATASETS
from ingest.errors import IngestError, counted
from ingest.landing import LandedFile
from ingest.recognise import TableSource
from ingest.running import RunEach, in_turn
from ingest.sources import INCOMING, KAGGLE, KAGGLE_DESCRIBED, PartlyRefusedError, Source, resolve_source
from ingest.suppressing import read_suppressed
from orchestration import costs
from orchestration.progress import Progress, counting, doing
from orchestration.settings import Settings
from orchestration.stores.layout import WarehouseLayout
from orchestration.tasks.switching import finish_switch


@dataclass(frozen=True)
class LandedSource:
    """A source and its landed files, those that arrived by themselves behind them, not yet a set."""

    source: Source
    files: tuple[LandedFile, ...]
    refused: dict[str, str] = field(default_factory=dict)
    """Table to why a file of its dataset was refused; its files, where there are any, are those in force."""
    own: tuple[LandedFile, ...] = ()
    """Those of the files that the source holds or held."""
    gone: tuple[LandedFile, ...] = ()
    """Those of its own that the source held once and has no more."""
    taken: TakenIn = field(default_factory=TakenIn)
    """What came through the drop folder now."""
    said: tuple[str, ...] = ()
    """What a person should know, as sentences."""

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
            "files": [[file.table, file.source, file.key] for file in self.own],
            "gone": [[file.table, file.source, file.key] for file in self.gone],
        }


_ahead: dict[Settings, tuple[costs.Moment, Future[LandedSource]]] = {}


def start_landing(settings: Settings, since: date | None = None) -> Future[LandedSource]:
    """Begin to land in a thread; `land` then waits for it instead of landing again.

    Parsing runs outside the interpreter, on cores that the imports of the next seconds leave idle. No set changes
    before `stage`.
    """
    pool = ThreadPoolExecutor(max_workers=1)
    future = pool.submit(_land, settings, since, in_turn)
    _ahead[settings] = costs.Moment.now(), future
    pool.shutdown(wait=False)
    return future


def land(settings: Settings, since: date | None = None, run_each: RunEach = in_turn) -> LandedSource:
    """Land every dataset of the source that the settings name, and what lies in the drop folder.

    A dataset with a file that cannot be used keeps the files in force, and the others land. With `since`, files that
    came through the drop folder on that day or later are read again, those that failed then too. The files of the
    source are read by `run_each` (`orchestration.tools.spark_tasks.run_each_on`), those of the drop folder in turn.

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
        landed = _land(settings, since, run_each)
    for file in landed.files:
        if not file.was_already_landed:
            costs.read(rows=file.rows_read, size_bytes=file.size_bytes)
            costs.wrote(rows=file.rows_landed, size_bytes=file.path.stat().st_size)
    return landed


def source_described(settings: Settings) -> str:
    """Return what a set remembers of the source that the settings name."""
    named = {
        "demo": f"the demo world ({settings.demo_scale})",
        KAGGLE: KAGGLE_DESCRIBED,
        INCOMING: str(WarehouseLayout(settings.warehouse).incoming),
    }
    return named.get(settings.source, settings.source)


def drop_folder(layout: WarehouseLayout) -> DropFolder:
    """Return the folders of a warehouse through which files come by themselves."""
    return DropFolder(layout.incoming, layout.processed, layout.failed)


def land_days_again(
    settings: Settings, days: Collection[date]
) -> tuple[list[tuple[Arrival, LandedFile]], list[str]]:
    """Read again what arrived on these days; return it, and what a person should know. No set changes.

    Raises
    ------
    IngestError
        When the source cannot be had, or an arrival can be read no more.
    """
    layout = WarehouseLayout(settings.warehouse)
    try:
        source = _open_source(settings, layout)
    except PartlyRefusedError as error:
        source = error.rest
    one = _one(settings, layout)
    files, said = arrivals.arrived(
        drop_folder(layout), layout.landing, _declared(source), one, days, today=settings.today
    )
    came = zip(Account.read(layout.landing).arrivals, files, strict=True)
    return [(arrival, file) for arrival, file in came if arrival.day in days], said


def remove_file(layout: WarehouseLayout, table: str, name: str) -> str:
    """Take a file out of every set that is made from now on; return what was done, as a sentence.

    Raises
    ------
    IngestError
        When neither such a file has arrived nor the source has lost one of this name, or it still holds it.
    """
    current = store.source_of(layout.landing, "current") or {}
    gone = [(source, key) for of, source, key in current.get("gone", ()) if of == table]
    lost = [key for source, key in gone if source == name]
    for key in lost:
        arrivals.take_out(layout.landing, table, key)
    if lost:
        return f"{name} of {table}, which its source has no more, counts no longer."
    try:
        arrival = arrivals.take_back(layout.landing, table, name, [source for source, _ in gone])
    except IngestError as error:
        if [table, name] in [held[:2] for held in current.get("files", ())]:
            raise IngestError(
                "it is still in the source.", next_step="Take it out there first, and run.", where=name
            ) from error
        raise
    lies = layout.processed / arrival.kept
    where = f"it lies in {lies}" if lies.exists() else "its raw file was removed"
    return f"{arrival.shown}, which arrived on {arrival.day}, counts no longer; {where}."


def stage(landed: LandedSource, layout: WarehouseLayout) -> None:
    """Make the landed files the candidate, which dbt reads, and which publishing puts in force."""
    store.stage(layout.landing, landed.files, landed.facts)


def _land(settings: Settings, since: date | None, run_each: RunEach) -> LandedSource:
    layout = WarehouseLayout(settings.warehouse)
    finish_switch(layout)  # before anything else becomes a candidate
    refused: dict[str, IngestError] = {}
    try:
        source = _open_source(settings, layout, run_each)
    except PartlyRefusedError as error:
        source, refused = error.rest, dict(error.refused)
    own: list[LandedFile] = []
    limits = _limits(settings)
    if run_each is not in_turn:  # who reads elsewhere shows how far it is
        del limits["watch"]
    with doing("landing"):
        for dataset in source.datasets:
            try:
                own += landing.land(dataset, layout.landing, **limits, run_each=run_each)
            except IngestError as error:
                refused |= dict.fromkeys((table.table for table in dataset.tables), error)
        if refused and not own:
            raise next(iter(refused.values()))
        before = Account.read(layout.landing)
        came = {(arrival.table, arrival.key) for arrival in before.arrivals}
        for tables in DATASETS:
            if refusal := next((refused[table] for table in tables if table in refused), None):
                own += _in_force(tables, source, layout.landing, refusal, came)
        arrivals.take_in_again(layout.landing, {(file.table, file.key) for file in own})
        own, gone = _with_those_gone(source, own, layout.landing, before, refused)
        drop, one, days = drop_folder(layout), _one(settings, layout), _days_since(since)
        arrivals.put_back_failed(drop, days)
        taken = arrivals.take_in(drop, layout.landing, _declared(source), one)
        arrived, said = arrivals.arrived(
            drop, layout.landing, _declared(source), one, days, today=settings.today
        )
    if not own and not arrived:
        raise IngestError(
            "nothing has come yet.",
            next_step=f"Put files into the folders of their tables there ({', '.join(CONTRACTS)}), and run again.",
            where=str(layout.incoming),
        )
    # Of the same content twice the later one counts, as with rows, also where it is declared in another way.
    came = {(file.table, file.sha256) for file in arrived}
    every = [*(file for file in own if (file.table, file.sha256) not in came), *arrived]
    last = {(file.table, file.key): place for place, file in enumerate(every)}
    files = [file for place, file in enumerate(every) if last[file.table, file.key] == place]
    return LandedSource(
        source,
        tuple(files),
        {table: str(error) for table, error in refused.items()},
        own=tuple(own),
        gone=tuple(gone),
        taken=taken,
        said=(*map(_of_gone, gone), *taken.said, *said),
    )


def _limits(settings: Settings) -> dict[str, Any]:
    return {
        "memory_limit": settings.memory_limit,
        "threads": settings.threads,
        "max_rejected_share": settings.max_rejected_share,
        "today": settings.today,
        "watch": _watch,
    }


def _one(settings: Settings, layout: WarehouseLayout) -> arrivals.Land:
    """Return what lands one file."""
    limits = _limits(settings)
    return lambda table, file: landing.land_file(table, file, layout.landing, **limits)


def _declared(source: Source) -> dict[str, TableSource]:
    return {table.table: table for table in source.tables} if source.kind == "declaration" else {}


def _days_since(since: date | None) -> list[date]:
    today = datetime.now(UTC).date()
    return [] if since is None else [since + timedelta(days=n) for n in range((today - since).days + 1)]


def _of_gone(file: LandedFile) -> str:
    return (
        f"{file.source} is no longer in the source; what it holds of {file.table} stays "
        f"({counted(file.rows_landed, 'row')}). `matinee remove {file.table} {file.source}` takes it out."
    )


def _with_those_gone(
    source: Source, own: list[LandedFile], landing_dir: Path, account: Account, refused: Collection[str]
) -> tuple[list[LandedFile], list[LandedFile]]:
    """Return a source's files in the order in which they arrived, with those that it held and has no more, and these.

    Files come and go only where a declaration names a folder or a pattern; a file whose name is there with other
    content has been replaced, and arrived now.
    """
    current = store.source_of(landing_dir, "current") or {}
    if source.kind != "declaration" or current.get("description") != source.description:
        return own, []
    declared = {table.table for table in source.tables} - set(refused)
    hidden = read_suppressed(landing_dir).renamed
    names = {(table.table, hidden(file.name)) for table in source.tables for file in table.files}
    there = {(file.table, file.key): file for file in own}
    order, gone, last_id = dict[tuple[str, str], LandedFile](), [], ids.last_number(landing_dir)
    for table, name, key in current.get("files", ()):
        if (table, key) in there:
            order[table, key] = there[table, key]
        elif (
            table in declared
            and (table, name) not in names
            and (table, key) not in account.removed
            and (file := store.read_slot(store.slot(landing_dir, table, key), last_id))
        ):
            gone.append(replace(file, source=name))
            order[table, key] = gone[-1]
    return list((order | there).values()), gone


def _watch(name: str, size_bytes: int, share: Callable[[], float]) -> AbstractContextManager[None]:
    return doing(lambda: Progress(name, share() * size_bytes, size_bytes, "bytes"))


def _in_force(
    tables: Sequence[str],
    source: Source,
    landing_dir: Path,
    refusal: IngestError,
    arrived: Collection[tuple[str, str]],
) -> list[LandedFile]:
    """Return the files in force of a dataset that is refused, but for those that arrived by themselves.

    What another source gave is no stand-in.
    """
    kept = [file for file in store.kept(landing_dir, tables) if (file.table, file.key) not in arrived]
    current = store.source_of(landing_dir, "current") or {}
    if current.get("description") == source.description and kept:
        return kept
    links = [link for table in tables for link in (landing_dir / "current" / table).glob("*.parquet")]
    if any((link.parent.name, store.key_in(link)) not in arrived for link in links):
        raise refusal
    return []


def _open_source(settings: Settings, layout: WarehouseLayout, run_each: RunEach = in_turn) -> Source:
    """Resolve a source; the demo world is written first where it is not there yet."""
    if settings.source == INCOMING:
        return Source("incoming", source_described(settings), ())
    if settings.source != "demo":
        # Kaggle's own client shows how far a download is.
        with doing("" if settings.source == "kaggle" else "looking at the files"):
            return resolve_source(settings.source, download_dir=layout.downloads, run_each=run_each)
    from ingest.demo import write_demo_world  # noqa: PLC0415 - only for those who want the demo

    folder = layout.demo / settings.demo_scale
    if not folder.exists():
        unfinished = folder.with_name(f".{folder.name}")
        with counting("writing the demo world", "rows") as tell:
            write_demo_world(unfinished, scale=settings.demo_scale, tell=tell)
        unfinished.rename(folder)
    world = resolve_source(str(folder), download_dir=layout.downloads)
    return replace(world, description=source_described(settings))
