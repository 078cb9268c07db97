"""Turning one unpacked raw file into typed Parquet, and finding the lines that did not make it.

Here: the two kinds of file, CSV and Parquet, behind one shape: check the columns, stage all rows, name bad lines.
Not here: what happens to good and bad rows afterwards (`ingest.landing`).

CSV goes through DuckDB at full speed. Only when DuckDB refuses a line does a pass over the bytes set the malformed
records aside, and only when a row breaks the contract does such a pass look up its line (26 M lines: about 5 s).

Where all lines have one shape, of cells that hold digits only (and one point, in columns of numbers), no friendly
cast can misread them, and DuckDB's CSV reader makes numbers of them at once: that takes 3 s off 26 M lines. Whether
they have is known when the file has been hashed; until then it is read on the word of its first line, and read
again, as text, when that was not true or when DuckDB refuses a cell.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import duckdb
import numpy as np
import numpy.typing as npt

from ingest.checks import identifier, path_literal, plain_type, text_literal, typed_cell
from ingest.contracts import Column, Contract, Kind
from ingest.errors import IngestError, shorten
from ingest.rawfiles import DIGITS, Digest
from ingest.records import BYTE_ORDER_MARK, Record, UnterminatedRecordError, find_records

# With a million rows in a row group the bytes came out the same in every run; DuckDB's default of 122,880 let
# threads shift the boundaries by a few rows. LZ4 takes 2 % more room than Snappy and less time both ways.
_PARQUET_OPTIONS = "FORMAT parquet, ROW_GROUP_SIZE 1000000, COMPRESSION lz4"
_LONGEST_HEADER = 1 << 20
_NUMBER = "record_number"  # of a copy's records: their numbers in the file it was made from
_LONGEST_PLAIN_LINE = 10_000


@dataclass(frozen=True)
class Staged:
    """What staging found.

    Parameters
    ----------
    rows
        Rows in the staged Parquet: all well-formed records.
    malformed
        Records set aside because their cells do not add up.
    """

    rows: int
    malformed: int = 0


@dataclass(frozen=True)
class BadLine:
    """A line that will not land.

    Parameters
    ----------
    line
        Physical line where it starts (CSV; the header is 1) or row number from 1 (Parquet).
    text
        The line as it stands in the file; for Parquet the row as JSON.
    cells
        Text by raw column name.
    position
        Row in the staged Parquet; None for a malformed record.
    problem
        What is wrong with its shape; for a staged row a remark on its shape, mostly empty.
    """

    line: int
    text: str
    cells: Mapping[str, str]
    position: int | None
    problem: str


class LinesDisagreeError(Exception):
    """DuckDB and the pass over the bytes count a file's records differently: stage it carefully."""


class RawTable(Protocol):
    """A raw file that holds one table."""

    def stage(self, connection: duckdb.DuckDBPyConnection, to: Path, *, carefully: bool) -> Staged:
        """Write all well-formed rows, typed, in file order, to the Parquet file `to`.

        Carefully means: find the records in the bytes first, however fast DuckDB may be without.
        """
        ...

    def bad_lines(
        self, connection: duckdb.DuckDBPyConnection, positions: npt.NDArray[np.int64]
    ) -> Iterator[BadLine]:
        """Yield the malformed lines and those at the (ascending) staged positions, in file order."""
        ...


class CsvTable:
    """A CSV file under a contract.

    Parameters
    ----------
    contract
        The contract.
    path
        The unpacked file.
    name
        How to call it in errors.
    content
        Gives the digest of the file; asked only after DuckDB has read the file, so it may still be on its way.

    Raises
    ------
    IngestError
        When the header lacks a required column.
    """

    def __init__(self, contract: Contract, path: Path, name: str, content: Callable[[], Digest]) -> None:
        self._contract = contract
        self._path = path
        self._name = name
        self._content = content
        self._header = _read_header(path, name)
        self._places = match_columns(contract, self._header, name)
        self._staged = Staged(0)

    def stage(self, connection: duckdb.DuckDBPyConnection, to: Path, *, carefully: bool) -> Staged:
        """Write all well-formed rows to `to`; see `RawTable`."""
        staged = None
        if not carefully:
            staged = self._stage_plain(connection, to) or self._stage_fast(connection, to)
        self._staged = staged or self._stage_carefully(connection, to)
        return self._staged

    def _stage_plain(self, connection: duckdb.DuckDBPyConnection, to: Path) -> Staged | None:
        with self._path.open("rb") as stream:
            stream.readline(_LONGEST_HEADER)
            shape = stream.readline(_LONGEST_PLAIN_LINE).translate(None, DIGITS)
        if not self._is_plain(shape):
            return None
        staged = self._stage_fast(connection, to, is_plain=True)
        return staged if staged and self._content().line_shape == shape else None

    def _is_plain(self, shape: bytes) -> bool:
        """Whether cells of a line of this shape cannot be misread by the CSV reader."""
        cells = shape.rstrip(b"\r\n").split(b",")
        whole = {
            self._places[column.raw]
            for column in self._contract.columns
            if column.raw in self._places and plain_type(column.kind) == "BIGINT"
        }
        return len(cells) == len(self._header) and all(
            cell == b"" or (cell == b"." and place not in whole) for place, cell in enumerate(cells)
        )

    def _stage_fast(
        self, connection: duckdb.DuckDBPyConnection, to: Path, *, is_plain: bool = False
    ) -> Staged | None:
        try:
            rows = _copy(connection, self._select(self._path, is_plain=is_plain), to)
        except (duckdb.OutOfMemoryException, duckdb.IOException):
            raise
        except duckdb.Error:
            return None
        return Staged(rows) if self._content().is_regular else None

    def _stage_carefully(self, connection: duckdb.DuckDBPyConnection, to: Path) -> Staged:
        """Stage a copy of the file from which the malformed records are left out; the others keep their number."""
        clean = to.with_suffix(".clean.csv")
        kept = malformed = 0
        with clean.open("wb") as target:
            target.write(b",".join(b"c" for _ in (_NUMBER, *self._header)) + b"\n")

            def keep(raw: bytes) -> None:
                nonlocal kept
                kept += 1
                target.write(b"%d,%b" % (kept + malformed, raw))

            for _ in self._records(iter(()), keep):
                malformed += 1
        rows = _copy(connection, self._select(clean, is_numbered=True), to)
        clean.unlink()
        if rows != kept:
            raise LinesDisagreeError
        return Staged(rows, malformed)

    def bad_lines(
        self,
        connection: duckdb.DuckDBPyConnection,  # noqa: ARG002  - the shape that all tables share
        positions: npt.NDArray[np.int64],
    ) -> Iterator[BadLine]:
        """Yield the malformed lines and those at the staged positions; see `RawTable`."""
        found = malformed = 0
        for record in self._records(map(int, positions), None):
            found += 1
            malformed += record.position is None
            cells = record.cells()
            remark = record.problem
            if not remark and len(cells) < len(self._header):
                remark = f"the line has {len(cells)} of {len(self._header)} cells"
            named = {raw: cells[place] for raw, place in self._places.items() if place < len(cells)}
            yield BadLine(record.line, record.text, named, record.position, remark)
        if malformed != self._staged.malformed or found != malformed + len(positions):
            raise LinesDisagreeError

    def _records(self, wanted: Iterator[int], keep: Callable[[bytes], object] | None) -> Iterator[Record]:
        with self._path.open("rb") as stream:
            try:
                yield from find_records(
                    stream,
                    width=len(self._header),
                    pads_short=self._contract.pads_short_lines,
                    wanted=wanted,
                    keep=keep,
                )
            except UnterminatedRecordError as fault:
                raise IngestError(
                    f"the file is cut off: line {fault.line:,}: {fault.problem}.",
                    next_step="Download or export the file again, and run again.",
                    where=self._name,
                ) from fault

    def _select(self, path: Path, *, is_plain: bool = False, is_numbered: bool = False) -> str:
        types = ["VARCHAR"] * len(self._header)
        if is_plain:
            for column in self._contract.columns:
                if column.raw in self._places:
                    types[self._places[column.raw]] = plain_type(column.kind)
        columns = ", ".join(f"c{place}: '{kind}'" for place, kind in enumerate(types))
        if is_numbered:
            columns = f"{_NUMBER}: 'BIGINT', {columns}"
        number = _NUMBER if is_numbered else "row_number() OVER ()"
        source = (
            f"read_csv({path_literal(path)}, auto_detect = false, header = true, delim = ',', quote = '\"', "
            f"escape = '\"', columns = {{{columns}}})"
        )
        cells = {raw: f"c{place}" for raw, place in self._places.items()}
        return f"SELECT {_typed_columns(self._contract, cells, number, is_plain=is_plain)} FROM {source}"


class ParquetTable:
    """A Parquet file under a contract.

    Parameters
    ----------
    contract
        The contract.
    path
        The file.
    name
        How to call it in errors.
    connection
        Used to read the schema.

    Raises
    ------
    IngestError
        When a required column is missing or holds something that cannot be its type.
    """

    def __init__(
        self, contract: Contract, path: Path, name: str, connection: duckdb.DuckDBPyConnection
    ) -> None:
        self._contract = contract
        self._source = f"read_parquet({path_literal(path)}, file_row_number = true)"
        schema = _parquet_schema(connection, self._source, name)
        names = list(schema)
        places = match_columns(contract, names, name)
        self._cells = {
            column.raw: _parquet_cell(column, names[places[column.raw]], schema, name)
            for column in contract.columns
            if column.raw in places
        }
        self._names = names

    def stage(self, connection: duckdb.DuckDBPyConnection, to: Path, *, carefully: bool) -> Staged:  # noqa: ARG002
        """Write all rows to `to`; see `RawTable`."""
        columns = _typed_columns(self._contract, self._cells, "file_row_number + 1")
        select = f"SELECT {columns} FROM {self._source}"
        return Staged(_copy(connection, select, to))

    def bad_lines(
        self, connection: duckdb.DuckDBPyConnection, positions: npt.NDArray[np.int64]
    ) -> Iterator[BadLine]:
        """Yield the rows at the staged positions; see `RawTable`."""
        texts = [f"{identifier(name)}::VARCHAR" for name in self._names]
        rows = connection.execute(
            f"SELECT file_row_number, {', '.join([*texts, *self._cells.values()])} FROM {self._source} "
            "WHERE file_row_number IN (SELECT unnest(?::BIGINT[])) ORDER BY file_row_number",
            [positions.tolist()],
        )
        while batch := rows.fetchmany(10_000):
            for position, *values in batch:
                text = json.dumps(
                    dict(zip(self._names, values[: len(texts)], strict=True)), ensure_ascii=False
                )
                cells = {
                    raw: value or "" for raw, value in zip(self._cells, values[len(texts) :], strict=True)
                }
                yield BadLine(position + 1, text, cells, position, "")


def match_columns(contract: Contract, header: Sequence[str], name: str) -> dict[str, int]:
    """Return the place of each declared column in a header, by raw name; optional ones may be absent.

    A name counts as the same whatever its case and the spaces around it.

    Raises
    ------
    IngestError
        When a required column is missing or stands there twice.
    """
    places: dict[str, list[int]] = {}
    for place, found in enumerate(header):
        places.setdefault(found.strip().casefold(), []).append(place)
    matched: dict[str, int] = {}
    missing: list[str] = []
    for column in contract.columns:
        name_found = next((n for n in (column.raw, *column.also) if n.casefold() in places), column.raw)
        candidates = places.get(name_found.casefold(), [])
        if len(candidates) > 1 and column.required:
            raise IngestError(
                f"column '{name_found}' stands in the header {len(candidates)} times.",
                next_step="Keep one of them, and run again.",
                where=name,
            )
        if candidates:
            matched[column.raw] = candidates[0]
        elif column in contract.required_columns:
            missing.append(column.raw)
    if missing:
        raise _missing_columns(contract, header, missing, name)
    return matched


def _missing_columns(
    contract: Contract, header: Sequence[str], missing: Sequence[str], name: str
) -> IngestError:
    found = shorten(", ".join(cell.strip() for cell in header), 200)
    for delimiter, spelled in ((";", "semicolons"), ("\t", "tabs"), ("|", "vertical bars")):
        if len(header) == 1 and delimiter in header[0]:
            return IngestError(
                f"the columns are separated by {spelled}, expected commas. The header is: {found}.",
                next_step="Save the file with commas, and run again.",
                where=name,
            )
    columns = f"column {missing[0]!r} is" if len(missing) == 1 else f"columns {', '.join(missing)} are"
    return IngestError(
        f"{columns} missing, and {contract.table} cannot do without. The header is: {found}.",
        next_step="Check that this is the right file and that its first line names the columns "
        f"({', '.join(column.raw for column in contract.required_columns)}), and run again.",
        where=name,
    )


def _read_header(path: Path, name: str) -> list[str]:
    with path.open("rb") as stream:
        first = stream.readline(_LONGEST_HEADER)
    line = first.removeprefix(BYTE_ORDER_MARK).rstrip(b"\r\n")
    if b"\r" in line:
        raise IngestError(
            "the lines end in carriage returns only.",
            next_step="Save the file with line feeds (Unix or Windows line ends), and run again.",
            where=name,
        )
    text = line.decode("utf-8", errors="replace")
    if not text.strip():
        raise IngestError(
            "the first line is empty, expected the names of the columns.",
            next_step="Remove the empty lines at the top, and run again.",
            where=name,
        )
    try:
        return next(csv.reader([text], skipinitialspace=True))
    except csv.Error as error:
        raise IngestError(
            "the first line does not name columns.",
            next_step="Check that it is the right file, and run again.",
            where=name,
        ) from error


def _typed_columns(
    contract: Contract, cells: Mapping[str, str], number: str, *, is_plain: bool = False
) -> str:
    """Return the select list of the landing columns; `number` is the SQL expression of a row's number in the file."""
    return ", ".join(
        f"({number})::{column.kind.value} AS {identifier(column.name)}"
        if column.or_row_number and column.raw not in cells
        else typed_cell(column, cells.get(column.raw), is_plain=is_plain)
        for column in contract.columns
    )


def _parquet_schema(connection: duckdb.DuckDBPyConnection, source: str, name: str) -> dict[str, str]:
    try:
        rows = connection.execute(f"DESCRIBE SELECT * EXCLUDE (file_row_number) FROM {source}").fetchall()
    except duckdb.InvalidInputException as error:
        raise IngestError(
            "the Parquet file is cut off or damaged.",
            next_step="Download or export it again, and run again.",
            where=name,
        ) from error
    return {str(row[0]): str(row[1]) for row in rows}


def _parquet_cell(column: Column, found: str, schema: Mapping[str, str], name: str) -> str:
    """Return the SQL expression that gives a Parquet column as the text a CSV cell would hold."""
    kind, cell = schema[found], identifier(found)
    if kind.startswith("TIMESTAMP") and column.kind is Kind.EPOCH_SECONDS:
        return f"epoch({cell})::BIGINT::VARCHAR"
    if kind.startswith("TIMESTAMP") and not kind.endswith("ZONE") and column.kind is Kind.LOCAL_TIME:
        return f"{cell}::TIMESTAMP::VARCHAR"
    is_nested = kind.endswith("]") or kind.startswith(("STRUCT", "MAP", "UNION", "BLOB", "BIT"))
    is_time = kind.startswith(("DATE", "TIME", "INTERVAL")) and column.kind is not Kind.DATE
    if is_nested or is_time or (kind == "BOOLEAN" and column.kind is not Kind.FLAG):
        raise IngestError(
            f"column '{found}' has the Parquet type {shorten(kind)}, expected {column.expectation}.",
            next_step="Write the column as a number or as text, the way the CSV file has it, and run again.",
            where=name,
        )
    return f"nullif({cell}::VARCHAR, '')"


def _copy(connection: duckdb.DuckDBPyConnection, select: str, to: Path) -> int:
    row = connection.execute(f"COPY ({select}) TO {text_literal(str(to))} ({_PARQUET_OPTIONS})").fetchone()
    return int(row[0]) if row else 0


def copy_without(
    connection: duckdb.DuckDBPyConnection, contract: Contract, fault: str, staged: Path, to: Path
) -> int:
    """Copy the rows of a staged Parquet file that have no fault, in order.

    Returns
    -------
    int
        How many rows were copied.
    """
    names = ", ".join(identifier(column.name) for column in contract.columns)
    select = f"SELECT {names} FROM read_parquet({path_literal(staged)}) WHERE ({fault}) IS NULL"
    return _copy(connection, select, to)
