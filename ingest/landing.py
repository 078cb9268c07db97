"""Raw file in, typed Parquet landing out, with every line that breaks the contract kept and explained.

Belongs here: the order of events for one file (`land_file`); `land` does it for each file of a source.
Does not belong here: the declarations (`ingest.declarations`), the reading (`ingest.staging`), the folder
(`ingest.store`).

A file is read, which looks at the landing and changes nothing but a folder of its own, so that many can be read at once
and anywhere; then it is kept, one after the other in the order of the source, which gives its ids their numbers.

Nothing that readers see changes before the switch: a file that is refused leaves the current set as it was.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from functools import cached_property
from itertools import islice, tee
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from ingest import ids
from ingest.binding import Bound
from ingest.buckets import StoredFile
from ingest.cells import MACROS, end_of_time
from ingest.contracts import CONTRACTS, Contract, Kind
from ingest.databases import DatabaseTable
from ingest.errors import IngestError, counted, shorten
from ingest.opening import Opened, Opening
from ingest.rawfiles import Digest, RawFile, digest, format_of
from ingest.recognise import Raw, TableSource, table_source
from ingest.records import LinesDisagreeError
from ingest.rejecting import Rejects, is_too_many, refuse_unreadable, write_rejects
from ingest.running import RunEach, in_turn
from ingest.sources import Source
from ingest.sql import copy, path_literal
from ingest.staging import ORDER_ASKED, KeptOut, Staged, fault, landing_columns, stage_of
from ingest.store import (
    LandedFile,
    key_of,
    may_have_landed,
    read_slot,
    slot,
    stage,
    switch,
    workspace,
    write_manifest,
)
from ingest.suppressing import LEFT_OUT, PEOPLE, Suppressed, read_suppressed

__all__ = ["LandedFile", "land", "land_file", "stage", "switch"]

# In parallel, DuckDB drops lines longer than its buffer of 32 MB without a word.
_LONG_LINE = 1 << 24
# Bytes. Hashing so many takes less time than to look at what else has landed.
_HASHED_FIRST = 1 << 24
# A file that is refused for its rejects keeps this many of them: enough to see what is wrong with it.
_KEPT_WHEN_REFUSED = 100_000


Watch = Callable[[str, int, Callable[[], float]], AbstractContextManager[None]]
"""Entered while a file is read, with its name, its bytes, and what tells which share of them has been read: any thread
may ask inside the `with` block. Where the file is read again, the share begins anew."""


def _unwatched(_name: str, _size_bytes: int, _share: Callable[[], float]) -> AbstractContextManager[None]:
    return nullcontext()


class TooManyRejectsError(IngestError):
    """Too many lines of a file break its contract; `landed` counts them, and its rejects stay."""

    def __init__(self, landed: LandedFile, problem: str, *, next_step: str, where: str) -> None:
        super().__init__(problem, next_step=next_step, where=where)
        self.landed = landed


def land(
    source: Source,
    landing_dir: Path,
    *,
    memory_limit: str = "2GB",
    threads: int = 2,
    max_rejected_share: float = 0.01,
    today: date | None = None,
    watch: Watch = _unwatched,
    run_each: RunEach = in_turn,
) -> tuple[LandedFile, ...]:
    """Land every file of a source; `stage` then makes a set of them, and `switch` puts it in force.

    Parameters
    ----------
    source
        What `ingest.sources.resolve_source` found.
    landing_dir
        The landing folder; made where it does not exist.
    memory_limit, threads
        Limits for DuckDB.
    max_rejected_share
        Largest share (0 to 1) of a file's lines that may be rejected, and of the cells of a column that may be
        unreadable; known quirks do not count, and one line or cell of three or more is never too many but at 0.
    today
        The day (UTC) after which, by more than a day, no rating or view can be; the day it is when left out.
    watch
        Entered while each file is read; see `Watch`. It has to be left out where `run_each` reads them elsewhere.
    run_each
        Reads the files. Whatever does, what lands is the same. Where other machines do, source and landing folder lie
        on a disk that all of them have.

    Returns
    -------
    Counts and paths, one per file, in the order of the source. Files of the same content land once.

    Raises
    ------
    IngestError
        When a file cannot be used; the current set stays as it was.
    """
    limits = _Limits(memory_limit, threads, max_rejected_share, today or datetime.now(UTC).date(), watch)
    files = [(replace(table, files=(file,)), file) for table in source.tables for file in table.files]
    landed = {(found.table, found.key): found for found in _land_each(files, landing_dir, limits, run_each)}
    return tuple(landed.values())


def land_file(
    table: TableSource | Contract,
    file: Raw | Path,
    landing_dir: Path,
    *,
    memory_limit: str = "2GB",
    threads: int = 2,
    max_rejected_share: float = 0.01,
    today: date | None = None,
    watch: Watch = _unwatched,
) -> LandedFile:
    """Land one raw file; the current set does not change.

    Parameters
    ----------
    table
        What the file becomes and how it is read; of a contract alone, the known layout that fits the file.
    file
        The raw file, or the table of a database.
    landing_dir
        The landing folder; made where it does not exist.
    memory_limit, threads, max_rejected_share, today, watch
        As for `land`.

    Returns
    -------
    LandedFile
        Counts and paths. A file that has landed before in the same way is not read again, unless it held
        times of a future that may have come since.

    Raises
    ------
    IngestError
        When the file cannot be used, or the folder cannot be written.
    """
    raw = RawFile(file) if isinstance(file, Path) else file
    if isinstance(table, Contract):
        with _explained(raw, landing_dir):
            table = table_source(table, raw)
    limits = _Limits(memory_limit, threads, max_rejected_share, today or datetime.now(UTC).date(), watch)
    (landed,) = _land_each([(table, raw)], landing_dir, limits, in_turn)
    return landed


def _land_each(
    files: Sequence[tuple[TableSource, Raw]],
    landing_dir: Path,
    limits: _Limits,
    run_each: RunEach,
) -> Iterator[LandedFile]:
    """Read the files, and keep each as soon as those before it are kept."""
    with ExitStack() as stack:
        with _explained(None, landing_dir):
            work = stack.enter_context(workspace(landing_dir))
        connection = stack.enter_context(connect(limits.memory_limit, limits.threads, work))
        numbers = ids.Numbers(connection, landing_dir)
        # Where many are read at once, each gets one thread.
        each = limits if run_each is in_turn else replace(limits, threads=1)
        jobs = [_Job(table, file, landing_dir, work, each) for table, file in files]
        for job, read in zip(jobs, stack.enter_context(closing(run_each(_read, jobs))), strict=True):
            yield read if isinstance(read, LandedFile) else job.keep(read, connection, numbers)


def may_read_more(known: LandedFile, today: date) -> bool:
    """Whether a time that was in the future when a file landed may have come since, or was not there yet."""
    columns = CONTRACTS[known.table].columns
    times = {c.name for c in columns if c.kind in (Kind.MOMENT, Kind.LOCAL_TIME)}
    lost = known.rows_rejected if any(c.required for c in columns if c.name in times) else 0
    return known.landed_at.date() != today and bool(lost or times & set(known.unreadable))


@dataclass(frozen=True)
class _Counts:
    read: int
    landed: int
    rejected: int = 0
    left_out: int = 0
    quirks: int = 0
    unreadable: dict[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    raw_columns: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Limits:
    """What `land` says of every file."""

    memory_limit: str
    threads: int
    max_rejected_share: float
    today: date
    watch: Watch


@dataclass(frozen=True)
class _Read:
    """What a file became, in a folder of its own: its table, its rejects, and which numbers its ids have there."""

    counts: _Counts
    content: Digest
    work: Path
    seconds: float


@dataclass(frozen=True)
class _Draft:
    """A file's rows, typed, before good and bad are told apart."""

    opened: Opened
    bound: list[Bound]
    staged: Staged
    path: Path
    proposal: ids.Proposal
    kept_out: KeptOut

    @property
    def rows_read(self) -> int:
        kept_out = self.kept_out.rows if self.staged.is_final else 0  # not in a table that is final
        return self.staged.rows + self.staged.malformed + kept_out


@dataclass(frozen=True)
class _Job:
    """One file on its way into the landing."""

    table: TableSource
    file: Raw
    landing_dir: Path
    work: Path
    limits: _Limits

    def __str__(self) -> str:
        return self.file.name

    @property
    def contract(self) -> Contract:
        return CONTRACTS[self.table.table]

    @cached_property
    def fingerprint(self) -> str:
        partition = {} if isinstance(self.file, DatabaseTable) else self.file.partition
        parts = f"{self.contract.fingerprint}{self.table.rule.fingerprint}{sorted(partition.items()) or ''}"
        return hashlib.sha256(parts.encode()).hexdigest()[:8]

    @cached_property
    def suppressed(self) -> Suppressed:
        return read_suppressed(self.landing_dir)

    @cached_property
    def shown(self) -> str:
        """What is remembered as the file's name: of people who were forgotten the hash."""
        return self.suppressed.renamed(self.file.name)

    def read(self) -> _Read | LandedFile:
        """Read the file into a folder of its own; one that has landed before is not read."""
        started = time.perf_counter()
        remembered = isinstance(self.file, StoredFile) and self.file.remembered(self.landing_dir)
        if remembered and (known := self._known(remembered)):
            return replace(known, source=self.shown, seconds=time.perf_counter() - started)
        file = self._here()
        before = file.path.stat()
        with ThreadPoolExecutor(1) as pool:
            hashed = pool.submit(digest, file.path)
            if self._is_hashed_first(file, before.st_size) and (known := self._known(hashed.result().sha256)):
                # The same content may have had another name.
                return replace(known, source=self.shown, seconds=time.perf_counter() - started)
            with (
                connect(self.limits.memory_limit, self.limits.threads, self.work) as connection,
                self.limits.watch(
                    self.file.name, before.st_size, lambda: max(connection.query_progress(), 0) / 100
                ),
            ):
                connection.execute(end_of_time(self.limits.today))
                opening = Opening(file, self.file.name, self.table.rule, self.contract, self.work, connection)
                opened = opening.open()
                content = hashed if opened.path == file.path else pool.submit(digest, opened.path)
                counts = self._counted(opening, opened, content)
            after = file.path.stat()
            if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
                raise IngestError(
                    "the file changed while it was being read.",
                    next_step="Wait until it is written completely, and run again.",
                    where=self.file.name,
                )
            return _Read(counts, hashed.result(), self.work, time.perf_counter() - started)

    def _here(self) -> RawFile:
        """Return the file on this disk, fetched where it lies elsewhere."""
        if isinstance(self.file, DatabaseTable):
            return RawFile(self.file.export(self.work))
        return self.file.fetch(self.work) if isinstance(self.file, StoredFile) else self.file

    def _is_hashed_first(self, file: RawFile, size_bytes: int) -> bool:
        """Whether hashing the file may spare reading it, or takes no time."""
        return (
            size_bytes <= _HASHED_FIRST
            or format_of(file.path, name=self.file.name).is_packed
            or may_have_landed(self.landing_dir, self.contract.table, self.fingerprint, size_bytes)
        )

    def _known(self, sha256: str) -> LandedFile | None:
        """Return the file as it has landed before."""
        place = slot(self.landing_dir, self.contract.table, key_of(sha256, self.fingerprint))
        known = read_slot(place, ids.last_number(self.landing_dir))
        if known is None or may_read_more(known, self.limits.today):
            return None
        self._refuse_too_many(known)
        return known

    def _counted(self, opening: Opening, opened: Opened, content: Future[Digest]) -> _Counts:
        counts = disagree = None
        first = opened
        try:
            counts = self._drafted(opening, opened)
        except LinesDisagreeError as error:
            disagree = error
        except duckdb.InvalidInputException as error:
            # DuckDB reads no file whose lines end in two ways.
            if not opened.is_text or (again := opening.with_line_feeds(opened)) is None:
                raise
            opened, disagree = again, LinesDisagreeError(str(error))
            counts = self._drafted(opening, opened)
        if opened.is_text and not content.result().is_utf8 and (again := opening.as_utf8(first)):
            with ThreadPoolExecutor(1) as pool:
                return self._counted(opening, again, pool.submit(digest, again.path))
        if opened.is_text and not opened.is_in_order and content.result().longest_line > _LONG_LINE:
            return self._counted(opening, opening.in_order(opened), content)
        if counts is None:
            raise IngestError(
                "its lines cannot be told apart: two readers count them differently.",
                next_step="Look for stray quotes in the file, correct them, and run again.",
                where=self.file.name,
            ) from disagree
        kinds = opened.raw.sniffed(opening.connection)
        return replace(counts, raw_columns={name: kinds[name] for name in opened.raw.names})

    def _drafted(self, opening: Opening, opened: Opened) -> _Counts:
        """Write the table and the rejects into the work folder and count them."""
        raw, rule, connection = opened.raw, self.table.rule, opening.connection
        stage = stage_of(self.contract, rule, raw, connection, self.file.name)
        stage = replace(stage, kept_out=stage.find_kept_out(connection, self.suppressed))
        bound, kept_out = stage.bound, stage.kept_out
        path = self.work / "draft.parquet"
        proposal = ids.Proposal(connection, self.landing_dir, self.work)
        staged = stage.run(connection, path, proposal)
        draft = _Draft(opened, bound, staged, path, proposal, kept_out)
        raw.check(draft.rows_read)
        if not draft.rows_read:
            raise IngestError(
                "the file has a header but no lines below it.",
                next_step="Download or export it again, and run again.",
                where=self.file.name,
            )
        if staged.is_final:
            path.replace(self.work / "table.parquet")
            write_rejects(connection, iter(()), self.work / "rejects.parquet", limit=None)
            notes = (*opened.notes, *_told(kept_out.rows), *staged.told(bound))
            return _Counts(draft.rows_read, staged.rows, left_out=kept_out.rows, notes=notes)
        return self._finish(draft, opening)

    def _finish(self, draft: _Draft, opening: Opening) -> _Counts:
        """Set the faulty rows of a draft aside, number the ids of the others, and write the table."""
        raw, bound, staged, connection = draft.opened.raw, draft.bound, draft.staged, opening.connection
        is_faulty = fault(self.contract, bound)
        faulty = (
            f"(SELECT file_row_number AS position, {is_faulty} AS fault "
            f"FROM read_parquet({path_literal(draft.path)}, file_row_number = true)) WHERE fault IS NOT NULL"
        )
        found = int((connection.execute(f"SELECT count(*) FROM {faulty}").fetchone() or (0,))[0])
        rejected = staged.malformed + found
        too_many = is_too_many(rejected, draft.rows_read, self.limits.max_rejected_share)
        limit = _KEPT_WHEN_REFUSED if too_many else None
        rejects = Rejects(self.shown, self.contract.table, self.table.rule.quirks, raw.names, bound)
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT position, fault FROM {faulty} ORDER BY position")
            positions, faults = tee(islice(_fetched(cursor), limit))
            lines = raw.bad_lines(connection, (at for at, _ in positions), limit) if rejected else iter(())
            reasons = self.suppressed.redacted(
                self.contract.table, rejects.reasons(lines, (fault for _, fault in faults))
            )
            quirks = write_rejects(connection, reasons, self.work / "rejects.parquet", limit=limit)
        lands = f"NOT _is_left_out AND ({is_faulty}) IS NULL"
        unreadable = refuse_unreadable(
            connection, rejects, raw, staged, draft.path, lands, self.limits.max_rejected_share
        )
        rows = (
            f"(SELECT * FROM read_parquet({path_literal(draft.path)}, file_row_number = true) WHERE {lands})"
        )
        written = ids.written(connection, rows, [b.column.name for b in bound if b.column.kind is Kind.ID])
        draft.proposal.make(ids.query(rows, written))
        joins, numbers = ids.numbered(written)
        before = f"len(list_filter({rejects.before}::BIGINT[], lambda count: count <= file_row_number))"
        have = {b.column.name for b in bound}
        row_number = f"file_row_number + 1 + {before}"
        columns = landing_columns(self.contract, have, numbers, row_number)
        forgotten = self._forgotten_rows(have, opening, draft.rows_read)
        those = f" WHERE ({row_number}) NOT IN ({', '.join(map(str, forgotten))})" if forgotten else ""
        landed = copy(
            connection, f"SELECT {columns} FROM {rows} AS draft{joins}{those}", self.work / "table.parquet"
        )
        left_out = staged.rows - found - landed
        kept_out = draft.kept_out.rows + len(forgotten)
        return _Counts(
            read=draft.rows_read,
            landed=landed,
            rejected=rejected,
            left_out=left_out,
            quirks=quirks,
            unreadable=unreadable,
            notes=(
                *draft.opened.notes,
                *self._left_out(left_out - kept_out),
                *_told(kept_out),
                *staged.told(bound),
                *rejects.told(unreadable),
            ),
        )

    def _forgotten_rows(self, have: set[str], opening: Opening, rows: int) -> list[int]:
        """Return which rows are customers who were forgotten, of a file in which they have no ids."""
        kind, column = PEOPLE.get(self.contract.table, ("", ""))
        if kind != "customer" or column in have or not self.suppressed.of("customer"):
            return []
        sha256, listed = digest(opening.file.path).sha256, self.suppressed.of("customer")
        return [row for row in range(1, rows + 1) if self.suppressed.hash_of_row(sha256, row) in listed]

    def _left_out(self, count: int) -> list[str]:
        because = [f"all but those where {self.table.rule.where}"] if self.table.rule.where else []
        because += [self.contract.left_out_because] if self.contract.left_out else []
        return [f"{counted(count, 'row')} left out ({'; '.join(because)})."] if count else []

    def keep(self, read: _Read, connection: duckdb.DuckDBPyConnection, numbers: ids.Numbers) -> LandedFile:
        """Move what a file became into the store, the manifest last: it is what makes it landed."""
        started = time.perf_counter()
        content, counts = read.content, read.counts
        table, rejects, manifest = (
            read.work / f"{name}.parquet" for name in ("table", "rejects", "manifest")
        )
        with _explained(self.file, self.landing_dir):
            if known := self._known(content.sha256):  # from a file before it, or from another run
                return replace(known, source=self.shown, seconds=read.seconds)
            place = slot(self.landing_dir, self.contract.table, key_of(content.sha256, self.fingerprint))
            landed = LandedFile(
                table=self.contract.table,
                source=self.shown,
                key=place.key,
                sha256=content.sha256,
                size_bytes=content.size_bytes,
                rows_read=counts.read,
                rows_landed=counts.landed,
                rows_rejected=counts.rejected,
                rows_left_out=counts.left_out,
                unreadable=counts.unreadable,
                notes=counts.notes,
                layout=self.table.layout,
                known_quirks=counts.quirks,
                raw_columns=counts.raw_columns,
                landed_at=datetime.now(UTC).replace(tzinfo=None),
                path=place.path,
                rejects_path=place.rejects_path,
                manifest_path=place.manifest_path,
            )
            rejects.replace(place.rejects_path)
            self._refuse_too_many(landed)
            told = numbers.give(ids.proposed(read.work), table, self.contract)
            landed = replace(landed, notes=(*landed.notes, *told))
            table.replace(place.path)
            write_manifest(connection, landed, ids.last_number(self.landing_dir), manifest)
            manifest.replace(place.manifest_path)
            if isinstance(self.file, StoredFile):
                self.file.remember(self.landing_dir, content.sha256)
            shutil.rmtree(read.work, ignore_errors=True)
        return replace(landed, seconds=read.seconds + time.perf_counter() - started)

    def _refuse_too_many(self, landed: LandedFile) -> None:
        """Refuse a file of which too much is wrong; its rejects stay where they are."""
        bad = landed.rows_rejected - landed.known_quirks
        is_empty = not landed.rows_landed and not landed.has_left_out_people
        if not is_empty and not is_too_many(bad, landed.rows_read, self.limits.max_rejected_share):
            return
        rejects = pq.read_table(landed.rejects_path, columns=["line", "reason", "is_known_quirk"])
        examples = [row for row in rejects.slice(0, 1000).to_pylist() if not row["is_known_quirk"]][:3]
        shown = "; ".join(f"line {row['line']:,}: {row['reason']}" for row in examples)
        kept = (
            "They are" if rejects.num_rows == landed.rows_rejected else f"The first {rejects.num_rows:,} are"
        )
        asked = [note for note in landed.notes if ORDER_ASKED in note]
        remedy = asked[0] if asked else "Correct the file, or check that it is the right one, and run again."
        if examples and all(re.match(r"expected \d+ cells", row["reason"]) for row in examples):
            remedy = (
                "If numbers have decimal commas, divide the cells by semicolons or write points. " + remedy
            )
        raise TooManyRejectsError(
            landed,
            f"{bad:,} of {landed.rows_read:,} lines ({bad / landed.rows_read:.2%}) break the contract of "
            f"{landed.table}; at most {self.limits.max_rejected_share:.2%} may. {shown}. "
            f"{kept} kept in {landed.rejects_path}.",
            next_step=remedy,
            where=self.file.name,
        )


def _read(job: _Job) -> _Read | LandedFile:
    with _explained(job.file, job.landing_dir):
        # Of its own also where the same file is read a second time because the first attempt died.
        work = job.work / secrets.token_hex(8)
        work.mkdir()
        return replace(job, work=work).read()


def _fetched(cursor: duckdb.DuckDBPyConnection) -> Iterator[tuple[int, int]]:
    while batch := cursor.fetchmany(10_000):
        yield from batch


def _told(kept_out: int) -> list[str]:
    return [f"{counted(kept_out, 'row')} {LEFT_OUT}"] if kept_out else []


@contextmanager
def connect(memory_limit: str, threads: int, work: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open DuckDB in memory as raw files are read by it; `work` is for what does not fit."""
    connection = duckdb.connect(
        config={
            "memory_limit": memory_limit,
            "threads": threads,
            "temp_directory": str(work / "spill"),
            "autoinstall_known_extensions": False,
            "TimeZone": "UTC",
        }
    )
    try:
        connection.execute(MACROS)
        # DuckDB tells how far it is only where it has a bar, which it would draw on standard output.
        connection.execute("SET enable_progress_bar_print = false; SET enable_progress_bar = true")
        # The rows of a file stay on the probing side of a join, which keeps their order.
        # A list of words stays a condition: as one more table to join, DuckDB could not tell how far the file is read.
        connection.execute("SET disabled_optimizers = 'build_side_probe_side,in_clause'")
        yield connection
    finally:
        connection.close()


@contextmanager
def _explained(file: Raw | None, landing_dir: Path) -> Iterator[None]:
    """Turn what the disk and DuckDB say into a sentence for a person."""
    name = file.name if file else str(landing_dir)
    try:
        yield
    except OSError as error:
        if isinstance(file, RawFile) and error.filename is not None and Path(error.filename) == file.path:
            raise IngestError(
                f"the file cannot be read ({error.strerror}).",
                next_step="Check its path and permissions, and run again.",
                where=str(file.path),
            ) from error
        raise IngestError(
            f"the landing folder cannot be written ({error.strerror or error}).",
            next_step="Check its permissions and the room on its disk, or choose another warehouse, "
            "and run again.",
            where=str(landing_dir),
        ) from error
    except duckdb.OutOfMemoryException as error:
        raise IngestError(
            "reading the file needs more memory than DuckDB may use.",
            next_step="Raise the memory limit, and run again.",
            where=name,
        ) from error
    except (duckdb.Error, pa.ArrowException) as error:
        raise IngestError(
            f"the file cannot be read: {shorten(str(error).splitlines()[0], 200)}.",
            next_step="Check that it is complete and the right file, and run again.",
            where=name,
        ) from error
