"""Raw file in, typed Parquet landing out, with every line that breaks the contract kept and explained.

Here: the order of events for one file (`land_file`); `land` does it for each file of a source.
Not here: the declarations (`ingest.contracts`), the reading (`ingest.readers`), the folder (`ingest.store`).

Nothing that readers see changes before the switch: a file that is refused leaves the current set as it was.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from ingest.checks import fault, path_literal, text_literal
from ingest.contracts import CONTRACTS, Column, Contract
from ingest.errors import IngestError, shorten
from ingest.rawfiles import Digest, Format, RawFile, digest, format_of, unpack
from ingest.readers import BadLine, CsvTable, LinesDisagreeError, ParquetTable, RawTable, copy_without
from ingest.sources import Source
from ingest.store import (
    LandedFile,
    may_have_landed,
    read_slot,
    slot,
    switch,
    workspace,
    write_manifest,
)

__all__ = ["LandedFile", "land", "land_file", "switch"]

# source, table_name, line, reason, raw_text, is_known_quirk
_Reject = tuple[str, str, int, str, str, bool]

_BATCH_ROWS = 50_000
# A file that is refused for its rejects keeps this many of them: enough to see what is wrong with it.
_KEPT_WHEN_REFUSED = 100_000


def land(
    source: Source,
    landing_dir: Path,
    *,
    memory_limit: str = "2GB",
    threads: int = 2,
    max_rejected_share: float = 0.01,
) -> tuple[LandedFile, ...]:
    """Land every file of a source; `switch` then makes them the current set.

    Parameters
    ----------
    source
        What `ingest.sources.resolve_source` found.
    landing_dir
        The landing folder; made where it does not exist.
    memory_limit, threads
        Limits for DuckDB.
    max_rejected_share
        Largest share (0 to 1) of a file's lines that may be rejected; known quirks do not count.

    Returns
    -------
    Counts and paths, one per table, in the order of the source.

    Raises
    ------
    IngestError
        When a file cannot be used; the current set stays as it was.
    """
    return tuple(
        land_file(
            CONTRACTS[table],
            file,
            landing_dir,
            memory_limit=memory_limit,
            threads=threads,
            max_rejected_share=max_rejected_share,
        )
        for table, file in source.files.items()
    )


def land_file(
    contract: Contract,
    file: RawFile | Path,
    landing_dir: Path,
    *,
    memory_limit: str = "2GB",
    threads: int = 2,
    max_rejected_share: float = 0.01,
) -> LandedFile:
    """Land one raw file; the current set does not change.

    Parameters
    ----------
    contract
        What the file must look like.
    file
        The raw file: CSV or Parquet, plain or compressed.
    landing_dir
        The landing folder; made where it does not exist.
    memory_limit, threads
        Limits for DuckDB.
    max_rejected_share
        Largest share (0 to 1) of the lines that may be rejected; known quirks do not count.

    Returns
    -------
    LandedFile
        Counts and paths. A file that has landed before under the same contract is not read again.

    Raises
    ------
    IngestError
        When the file cannot be used, or the folder cannot be written.
    """
    started = time.perf_counter()
    raw = RawFile(file) if isinstance(file, Path) else file
    with _explained(raw, landing_dir), workspace(landing_dir) as work:
        job = _Job(contract, raw, landing_dir, work, max_rejected_share)
        landed = job.run(memory_limit=memory_limit, threads=threads)
    return replace(landed, seconds=time.perf_counter() - started)


@dataclass(frozen=True)
class _Job:
    """One file on its way into the landing."""

    contract: Contract
    file: RawFile
    landing_dir: Path
    work: Path
    max_rejected_share: float

    def run(self, *, memory_limit: str, threads: int) -> LandedFile:
        before = self.file.path.stat()
        kind = format_of(self.file.path, name=self.file.name)
        with ThreadPoolExecutor(1) as pool:
            hashed = pool.submit(digest, self.file.path)
            is_packed = kind in (Format.GZIP, Format.ZIP)
            if is_packed or may_have_landed(self.landing_dir, self.contract, before.st_size):
                known = read_slot(slot(self.landing_dir, self.contract, hashed.result().sha256))
                if known is not None:
                    self._refuse_too_many(known)
                    return known
            content = hashed
            path = self.file.path
            if is_packed:
                path = unpack(self.file, self.work / "unpacked")
                kind = format_of(path, name=self.file.name)
                content = pool.submit(digest, path)
            with _connect(memory_limit, threads, self.work) as connection:
                table = self._open(path, kind, content, connection)
                counts = self._counted(table, connection)
                found = hashed.result()
                self._refuse_if_changed(before)
                return self._keep(counts, found, connection)

    def _refuse_if_changed(self, before: os.stat_result) -> None:
        after = self.file.path.stat()
        if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
            raise IngestError(
                "the file changed while it was being read.",
                next_step="Wait until it is written completely, and run again.",
                where=self.file.name,
            )

    def _open(
        self, path: Path, kind: Format, content: Future[Digest], connection: duckdb.DuckDBPyConnection
    ) -> RawTable:
        if kind is Format.PARQUET:
            return ParquetTable(self.contract, path, self.file.name, connection)
        if kind is Format.CSV:
            return CsvTable(self.contract, path, self.file.name, content.result)
        raise IngestError(
            f"the archive holds another archive ({kind.value}).",
            next_step="Unpack it by hand and point --source at the folder.",
            where=self.file.name,
        )

    def _counted(self, table: RawTable, connection: duckdb.DuckDBPyConnection) -> _Counts:
        try:
            return self._draft(table, connection, carefully=False)
        except LinesDisagreeError:
            pass
        try:
            return self._draft(table, connection, carefully=True)
        except LinesDisagreeError as error:
            raise IngestError(
                "its lines cannot be told apart: two readings count them differently.",
                next_step="Look for stray quotes in the file, correct them, and run again.",
                where=self.file.name,
            ) from error

    def _draft(self, table: RawTable, connection: duckdb.DuckDBPyConnection, *, carefully: bool) -> _Counts:
        """Write the table and the rejects into the work folder and count them."""
        staged_path = self.work / "staged.parquet"
        staged = table.stage(connection, staged_path, carefully=carefully)
        positions, faults = _faulty_rows(connection, self.contract, staged_path)
        rows_read = staged.rows + staged.malformed
        rejected = staged.malformed + len(positions)
        if rows_read == 0:
            raise IngestError(
                "the file has a header but no lines below it.",
                next_step="Download or export it again, and run again.",
                where=self.file.name,
            )
        is_refused = rejected > self.max_rejected_share * rows_read
        limit = _KEPT_WHEN_REFUSED if is_refused else None
        bad_lines = table.bad_lines(connection, positions[:limit]) if rejected else iter(())
        quirks = _write_rejects(
            connection, self._rejects(bad_lines, faults), self.work / "rejects.parquet", limit=limit
        )
        if len(positions):
            landed = copy_without(
                connection, self.contract, fault(self.contract), staged_path, self.work / "table.parquet"
            )
        else:
            landed = staged.rows
            staged_path.replace(self.work / "table.parquet")
        if landed != rows_read - rejected:
            raise LinesDisagreeError
        return _Counts(rows_read=rows_read, landed=landed, rejected=rejected, quirks=quirks)

    def _rejects(self, bad_lines: Iterator[BadLine], faults: npt.NDArray[np.int64]) -> Iterator[_Reject]:
        """Pair the staged rows among the bad lines, in order, with the columns at fault."""
        columns = (self.contract.columns[index] for index in faults)
        for bad in bad_lines:
            yield self._reject(bad, None if bad.position is None else next(columns))

    def _reject(self, bad: BadLine, column: Column | None) -> _Reject:
        if column is None:
            reason = bad.problem
        else:
            value = bad.cells.get(column.raw, "")
            got = f"'{shorten(value)}'" if value else "nothing"
            reason = f"{column.raw}: expected {column.expectation}, got {got}"
            reason += f" ({bad.problem})" if bad.problem else ""
        quirk = next((quirk for quirk in self.contract.quirks if quirk.shows_in(bad.cells)), None)
        if quirk:
            reason += f" ({quirk.explanation})"
        return self.file.name, self.contract.table, bad.line, reason, bad.text, quirk is not None

    def _keep(self, counts: _Counts, content: Digest, connection: duckdb.DuckDBPyConnection) -> LandedFile:
        """Move the finished files into the store, the manifest last: it is what makes them landed."""
        place = slot(self.landing_dir, self.contract, content.sha256)
        landed = LandedFile(
            table=self.contract.table,
            source=self.file.name,
            key=place.key,
            sha256=content.sha256,
            size_bytes=content.size_bytes,
            rows_read=counts.rows_read,
            rows_landed=counts.landed,
            rows_rejected=counts.rejected,
            known_quirks=counts.quirks,
            landed_at=datetime.now(UTC).replace(tzinfo=None),
            path=place.path,
            rejects_path=place.rejects_path,
            manifest_path=place.manifest_path,
        )
        (self.work / "rejects.parquet").replace(place.rejects_path)
        self._refuse_too_many(landed)
        (self.work / "table.parquet").replace(place.path)
        write_manifest(connection, landed, self.work / "manifest.parquet")
        (self.work / "manifest.parquet").replace(place.manifest_path)
        return landed

    def _refuse_too_many(self, landed: LandedFile) -> None:
        """Refuse a file of which too much is wrong; its rejects stay where they are."""
        bad = landed.rows_rejected - landed.known_quirks
        if landed.rows_landed and bad <= self.max_rejected_share * landed.rows_read:
            return
        rejects = pq.read_table(landed.rejects_path, columns=["line", "reason", "is_known_quirk"])
        examples = [row for row in rejects.slice(0, 1000).to_pylist() if not row["is_known_quirk"]][:3]
        shown = "; ".join(f"line {row['line']:,}: {row['reason']}" for row in examples)
        kept = (
            "They are" if rejects.num_rows == landed.rows_rejected else f"The first {rejects.num_rows:,} are"
        )
        raise IngestError(
            f"{bad:,} of {landed.rows_read:,} lines ({bad / landed.rows_read:.2%}) break the contract of "
            f"{landed.table}; at most {self.max_rejected_share:.2%} may. {shown}. "
            f"{kept} kept in {landed.rejects_path}.",
            next_step="Correct the file, or check that it is the right one, and run again.",
            where=self.file.name,
        )


@dataclass(frozen=True)
class _Counts:
    rows_read: int
    landed: int
    rejected: int
    quirks: int


def _faulty_rows(
    connection: duckdb.DuckDBPyConnection, contract: Contract, staged: Path
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the ascending positions of the rows that break the contract, and for each which column does."""
    found = connection.execute(
        f"SELECT position, column_index FROM (SELECT file_row_number AS position, {fault(contract)} AS column_index "
        f"FROM read_parquet({path_literal(staged)}, file_row_number = true)) "
        "WHERE column_index IS NOT NULL ORDER BY position"
    ).fetchnumpy()
    return np.asarray(found["position"]), np.asarray(found["column_index"])


def _write_rejects(
    connection: duckdb.DuckDBPyConnection, rejects: Iterator[_Reject], to: Path, *, limit: int | None
) -> int:
    """Write at most `limit` rejects and return how many of them are known quirks."""
    # Through DuckDB, because making an Arrow table of Python rows imports pandas, which takes over a second.
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE rejects (source VARCHAR, table_name VARCHAR, line BIGINT, reason VARCHAR, "
        "raw_text VARCHAR, is_known_quirk BOOLEAN)"
    )
    quirks = 0
    kept = islice(rejects, limit)
    while batch := list(islice(kept, _BATCH_ROWS)):
        quirks += sum(row[-1] for row in batch)
        columns = [list(column) for column in zip(*batch, strict=True)]
        connection.execute(f"INSERT INTO rejects SELECT {', '.join(['unnest(?)'] * len(columns))}", columns)
    connection.execute(f"COPY rejects TO {text_literal(str(to))} (FORMAT parquet)")
    return quirks


@contextmanager
def _connect(memory_limit: str, threads: int, work: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    connection = duckdb.connect(
        config={
            "memory_limit": memory_limit,
            "threads": threads,
            "temp_directory": str(work / "spill"),
            "autoinstall_known_extensions": False,
        }
    )
    try:
        yield connection
    finally:
        connection.close()


@contextmanager
def _explained(file: RawFile, landing_dir: Path) -> Iterator[None]:
    """Turn what the disk and DuckDB say into a sentence for a person."""
    try:
        yield
    except OSError as error:
        if error.filename is not None and Path(error.filename) == file.path:
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
            where=file.name,
        ) from error
    except (duckdb.Error, pa.ArrowException) as error:
        raise IngestError(
            f"the file cannot be read: {shorten(str(error).splitlines()[0], 200)}.",
            next_step="Check that it is complete and the right file, and run again.",
            where=file.name,
        ) from error
