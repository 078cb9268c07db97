"""One raw file as rows of cells: CSV, JSON or Parquet, behind one shape.

Belongs here: how a file is divided into columns and rows, and the lines of given rows.
Does not belong here: which column is which (`ingest.binding`), what is done with the rows (`ingest.staging`).

DuckDB reads the files. What it does not do is done here: it needs the names of columns to tell semicolons from commas,
so they choose the delimiter; a row that it sets aside it knows by number or byte, and not as it stands in the file.
"""

from __future__ import annotations

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import duckdb

from ingest.binding import missing_columns, spelling
from ingest.contracts import Contract
from ingest.declarations import TableRule
from ingest.errors import IngestError, shorten
from ingest.rawfiles import STRAY_RETURN
from ingest.records import (
    Dialect,
    LinesDisagreeError,
    Record,
    UnterminatedRecordError,
    count_records,
    find_records,
)
from ingest.sql import identifier, path_literal, text_literal

T = TypeVar("T")

CELL = "_cell_"
"""Start of the names of a relation's columns; their place in the header follows."""

DELIMITERS: Mapping[str, str] = {
    ",": "commas",
    ";": "semicolons",
    "\t": "tabs",
    "|": "vertical bars",
    "::": "::",
}
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_LONGEST_HEADER = 1 << 20
_SAMPLE_ROWS = 20_000
_IS_OBJECT = "coalesce(json_type(_line) = 'OBJECT', false)"
_BLANKS = b" \t\r\n"  # what a line may hold and count as none, for DuckDB's reader of JSON
_POSITIONS_AT_ONCE, _ROWS_AT_ONCE, _LETTERS_AT_ONCE = 100_000, 10_000, 1 << 24


@dataclass(frozen=True)
class BadLine:
    """A line that will not land.

    Parameters
    ----------
    line
        Physical line where it starts, from 1; row number from 1 in formats without lines.
    text
        The line as it stands in the file; without lines the row as JSON.
    cells
        Text of the cells, by place.
    position
        Row in the relation; None for a malformed record.
    problem
        What is wrong with its shape; for a row of the relation a remark on its shape, mostly empty.
    before
        How many rows of the relation stand before a malformed record.
    """

    line: int
    text: str
    cells: Mapping[int, str]
    position: int | None
    problem: str = ""
    before: int = 0


class RawTable(ABC):
    """A raw file that holds one table."""

    names: list[str]
    natives: list[str]
    is_json = False
    has_decimal_commas = False
    """Whether a comma in a number can stand before its fraction."""

    @abstractmethod
    def relation(self) -> str:
        """Return SQL of all well-formed rows, in file order, with the columns `_cell_0` and so on."""

    def forget(self, connection: duckdb.DuckDBPyConnection) -> None:  # noqa: B027 - where nothing is remembered
        """Forget what an earlier reading could not read."""

    def malformed(self, connection: duckdb.DuckDBPyConnection) -> int:  # noqa: ARG002
        """Return how many records the last reading of the relation could not read."""
        return 0

    def check(self, records: int) -> None:  # noqa: B027 - where DuckDB loses no record
        """Refuse a file of which records were read as part of others; `records` is how many were found."""

    @abstractmethod
    def bad_lines(
        self, connection: duckdb.DuckDBPyConnection, positions: Iterator[int], limit: int | None = None
    ) -> Iterator[BadLine]:
        """Yield the malformed lines (of all files the first `limit`) and those at the (ascending) positions, in order.

        Meanwhile the connection may be used for other things.
        """

    def sniffed(self, connection: duckdb.DuckDBPyConnection) -> dict[str, str]:  # noqa: ARG002
        """Return the type that each column has in expressions."""
        return dict(zip(self.names, self.natives, strict=True))


class CsvTable(RawTable):
    """A file of divided text, in UTF-8.

    Parameters
    ----------
    path
        The file.
    name
        How to call it in errors.
    rule, contract
        How it is read, as far as that is declared; and what it should hold, which tells the delimiter.
    in_order
        Whether its lines are read one after the other: slow, and the one way to see a line longer than a buffer.

    Raises
    ------
    IngestError
        When the first line cannot name columns.
    """

    def __init__(
        self, path: Path, name: str, rule: TableRule, contract: Contract, *, in_order: bool = False
    ) -> None:
        self.path, self._name, self._rule = path, name, rule
        self._in_order = in_order or rule.padded
        self.dialect, self.names = find_dialect(path, name, rule, contract)
        self.natives = ["VARCHAR"] * len(self.names)
        self.has_decimal_commas = self.dialect.delimiter != ","

    def relation(self) -> str:
        """See `RawTable`."""
        columns = ", ".join(f"{CELL}{at}: 'VARCHAR'" for at in range(len(self.names)))
        return self._reader(f"columns = {{{columns}}}")

    def forget(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Forget what an earlier reading could not read."""
        connection.execute("DROP TABLE IF EXISTS reject_errors; DROP TABLE IF EXISTS reject_scans")

    def malformed(self, connection: duckdb.DuckDBPyConnection) -> int:
        """See `RawTable`."""
        # Kept apart: the next reading, whatever for, begins the table of errors anew. That one holds the lines too.
        row = connection.execute(
            "CREATE OR REPLACE TEMP TABLE malformed AS SELECT line_byte_position - 1 AS place, "
            "max(error_type::VARCHAR) AS problem FROM reject_errors GROUP BY ALL"
        ).fetchone()
        self.forget(connection)
        return int(row[0]) if row else 0

    def check(self, records: int) -> None:
        """See `RawTable`: reading one after the other, DuckDB takes a quote that is never closed for one long cell."""
        if not self._in_order:
            return
        with self.path.open("rb") as stream:
            try:
                found = count_records(stream, self.dialect)
            except UnterminatedRecordError as fault:
                raise self._unclosed(fault) from fault
        if found != records:
            raise LinesDisagreeError

    def bad_lines(
        self, connection: duckdb.DuckDBPyConnection, positions: Iterator[int], limit: int | None = None
    ) -> Iterator[BadLine]:
        """See `RawTable`."""
        width = len(self.names)
        rows = connection.execute(
            "SELECT place, problem FROM malformed ORDER BY place"
            + (f" LIMIT {limit}" if limit is not None else "")
        ).fetchall()
        with self.path.open("rb") as stream:
            malformed = {_start(stream, int(offset)): str(problem) for offset, problem in rows}
            stream.seek(0)
            try:
                for found in find_records(stream, self.dialect, malformed=malformed, wanted=positions):
                    record = replace(found, raw=found.raw.replace(STRAY_RETURN, b"\r"))
                    cells = self.dialect.split(record.text)
                    problem = self._problem(found, len(cells))
                    if record.is_last and record.problem == "MISSING COLUMNS":
                        raise self._cut_off(
                            f"line {record.line:,}: the file ends after {len(cells)} of {width} cells"
                        )
                    if not problem and len(cells) < width:
                        problem = f"the line has {len(cells)} of {width} cells"
                    yield BadLine(
                        record.line,
                        record.text,
                        dict(enumerate(cells)),
                        record.position,
                        problem,
                        record.before,
                    )
            except UnterminatedRecordError as fault:
                raise self._unclosed(fault) from fault

    def sniffed(self, connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
        """See `RawTable`: what DuckDB's sniffer finds, where a cast of the text gives it."""
        names = f"names = [{', '.join(text_literal(f'{CELL}{at}') for at in range(len(self.names)))}]"
        try:
            rows = connection.execute(
                f"DESCRIBE SELECT * FROM {self._reader(f'{names}, all_varchar = false', sniffs=True)}"
            ).fetchall()
        except duckdb.Error:
            rows = []
        found = {str(row[0]): str(row[1]) for row in rows}
        types = [found.get(f"{CELL}{at}", "VARCHAR") for at in range(len(self.names))]
        typed = [at for at, kind in enumerate(types) if kind != "VARCHAR"]
        if typed:
            # The sniffer reads dates in forms that a cast of the text does not.
            misses = ", ".join(
                f"count({CELL}{at}) > 0 AND count(TRY_CAST({CELL}{at} AS {types[at]})) = 0" for at in typed
            )
            sample = f"(SELECT * FROM {self.relation()} LIMIT {_SAMPLE_ROWS})"
            missed = connection.execute(f"SELECT {misses} FROM {sample}").fetchone() or ()
            for at, misses_all in zip(typed, missed, strict=True):
                types[at] = "VARCHAR" if misses_all else types[at]
        return dict(zip(reversed(self.names), reversed(types), strict=True))

    def _reader(self, columns: str, *, sniffs: bool = False) -> str:
        dialect = self.dialect
        padding = ", null_padding = true" if self._rule.padded else ""
        padding += ", parallel = false" if self._in_order else ""
        kept = ", ignore_errors = true" if sniffs else ", store_rejects = true"
        return (
            f"read_csv({path_literal(self.path)}, auto_detect = {str(sniffs).lower()}, "
            f"header = {str(dialect.has_header).lower()}, delim = {text_literal(dialect.delimiter)}, "
            f"quote = {text_literal(dialect.quote)}, escape = {text_literal(dialect.escape)}, "
            f"{columns}{kept}{padding})"
        )

    def _problem(self, record: Record, cells: int) -> str:
        found, raw = record.problem, record.raw
        if not found:
            return ""
        if STRAY_RETURN in raw:
            return "expected one record in a line, got a carriage return within it"
        if found in ("UNQUOTED VALUE", "UNTERMINATED QUOTES"):
            return self._quote_problem(raw)
        return {
            "MISSING COLUMNS": f"expected {len(self.names)} cells, got {cells}",
            "TOO MANY COLUMNS": f"expected {len(self.names)} cells, got {cells}",
            "INVALID ENCODING": "expected UTF-8 text, got other bytes",
            "LINE SIZE OVER MAXIMUM": f"expected at most 2,000,000 bytes in a line, got {len(raw):,}",
        }.get(found, f"the line cannot be read ({found.lower()})")

    def _quote_problem(self, raw: bytes) -> str:
        noun = {",": "a comma", ";": "a semicolon", "\t": "a tab"}.get(self.dialect.delimiter, "a delimiter")
        hint = (
            "; a backslash stands before the quote: say so in a declaration (escape)" if b'\\"' in raw else ""
        )
        return f"expected {noun} or the end of the line after a closing quote, got more text{hint}"

    def _unclosed(self, fault: UnterminatedRecordError) -> IngestError:
        return self._cut_off(f"line {fault.line:,}: a quote is opened there and never closed")

    def _cut_off(self, problem: str) -> IngestError:
        return IngestError(
            f"the file is cut off: {problem}.",
            next_step="Download or export the file again, and run again.",
            where=self._name,
        )


class JsonTable(RawTable):
    """A file of JSON objects, one a line or in one list; every member is a column of text.

    Parameters
    ----------
    path, name
        The file, and how to call it in errors.
    is_list
        Whether the objects stand in a list.

    Raises
    ------
    IngestError
        When it holds no objects.
    """

    is_json = True

    def __init__(self, path: Path, name: str, *, is_list: bool) -> None:
        self.path, self._is_list = path, is_list
        try:
            found = self._structure()
        except duckdb.Error as error:
            raise self._no_table(name, shorten(str(error).splitlines()[0], 160)) from error
        structure = json.loads(found) if found else {}
        if not isinstance(structure, dict) or not structure:
            raise self._no_table(name, "there are no objects with members")
        # A member without a name is no column: no path leads to it.
        self.names = [member for member in structure if member]
        self._types = {member: _json_type(structure[member]) for member in self.names}
        self.natives = ["VARCHAR"] * len(self.names)

    def _structure(self) -> str | None:
        """Return the members of the first objects and their types, as JSON."""
        sample = f"(SELECT _line FROM {self._lines()} WHERE {_IS_OBJECT} LIMIT {_SAMPLE_ROWS})"
        openers = r"len(regexp_replace(_line::VARCHAR, '[^\[{]', '', 'g'))"
        try:
            return _first(f"SELECT json_group_structure(_line)::VARCHAR FROM {sample}")
        except duckdb.InternalException:
            # Things within more than 128 things end DuckDB's whole instance, which is why it is one of its own.
            return _first(f"SELECT json_group_structure(_line)::VARCHAR FROM {sample} WHERE {openers} < 128")

    @staticmethod
    def _no_table(name: str, why: str) -> IngestError:
        return IngestError(
            f"this is not JSON that holds a table: {why.rstrip('.')}.",
            next_step="Write one object a line, or a list of objects, and run again.",
            where=name,
        )

    def relation(self) -> str:
        """See `RawTable`; `_is_bad` tells the lines that are no JSON objects."""
        return (
            f"(SELECT {self._cells('CASE WHEN NOT _is_bad THEN _line END')}, _is_bad "
            f"FROM (SELECT *, NOT ({_IS_OBJECT}) AS _is_bad FROM {self._lines()}))"
        )

    def _cells(self, line: str) -> str:
        return ", ".join(
            f"nullif(json_extract_string({line}, {text_literal('$.' + json.dumps(name, ensure_ascii=False))}), '') "
            f"AS {CELL}{at}"
            for at, name in enumerate(self.names)
        )

    def bad_lines(
        self,
        connection: duckdb.DuckDBPyConnection,
        positions: Iterator[int],
        limit: int | None = None,  # noqa: ARG002
    ) -> Iterator[BadLine]:
        """See `RawTable`."""
        # DuckDB tells the cells, as it has told what is JSON: Python reads half a character, and no number of 5,000
        # digits.
        line = "CASE WHEN json_valid(_text) THEN _text::JSON END AS _line"
        query = (
            f"SELECT {_IS_OBJECT}, {self._cells('_line')} "
            f"FROM (SELECT {line} FROM (SELECT unnest(?::VARCHAR[]) AS _text))"
        )
        for batch in batches(self._texts(connection, positions), lambda row: len(row[2])):
            rows = connection.execute(query, [[text for _, _, text in batch]]).fetchall()
            for (position, number, text), (is_object, *cells) in zip(batch, rows, strict=True):
                problem = "" if is_object else "expected a JSON object"
                yield BadLine(
                    number, text, {at: cell or "" for at, cell in enumerate(cells)}, position, problem
                )

    def sniffed(self, connection: duckdb.DuckDBPyConnection) -> dict[str, str]:  # noqa: ARG002
        """See `RawTable`; things within things stay JSON."""
        return self._types

    def _lines(self) -> str:
        kind = "'array'" if self._is_list else "'newline_delimited', ignore_errors = true"
        reader = f"read_json_objects({path_literal(self.path)}, format = {kind})"
        return f"(SELECT json AS _line FROM {reader})"

    def _texts(
        self, connection: duckdb.DuckDBPyConnection, positions: Iterator[int]
    ) -> Iterator[tuple[int, int, str]]:
        if self._is_list:
            numbered = f"(SELECT row_number() OVER () - 1 AS _position, _line::VARCHAR FROM {self._lines()})"
            yield from ((at, at + 1, text) for at, text in _at(connection, numbered, positions))
            return
        position, target = -1, next(positions, -1)
        with self.path.open("rb") as stream:
            for number, raw in enumerate(stream, start=1):
                if target == -1:
                    return
                if not raw.strip(_BLANKS):
                    continue
                position += 1
                if position == target:
                    text = raw.decode("utf-8", errors="backslashreplace").rstrip("\r\n")
                    yield position, number, text
                    target = next(positions, -1)
        if target != -1:
            raise LinesDisagreeError


class ParquetTable(RawTable):
    """A Parquet file.

    Parameters
    ----------
    path, name
        The file, and how to call it in errors.
    connection
        Used to read the schema.

    Raises
    ------
    IngestError
        When the file is damaged.
    """

    def __init__(self, path: Path, name: str, connection: duckdb.DuckDBPyConnection) -> None:
        self._source = f"read_parquet({path_literal(path)})"
        try:
            rows = connection.execute(f"DESCRIBE SELECT * FROM {self._source}").fetchall()
        except duckdb.InvalidInputException as error:
            raise IngestError(
                "the Parquet file is cut off or damaged.",
                next_step="Download or export it again, and run again.",
                where=name,
            ) from error
        self.names = [str(row[0]) for row in rows]
        self.natives = [str(row[1]) for row in rows]

    def relation(self) -> str:
        """See `RawTable`."""
        cells = ", ".join(
            f"nullif({identifier(name)}, '') AS {CELL}{at}"
            if kind == "VARCHAR"
            else f"{identifier(name)} AS {CELL}{at}"
            for at, (name, kind) in enumerate(zip(self.names, self.natives, strict=True))
        )
        return f"(SELECT {cells} FROM {self._source})"

    def bad_lines(
        self,
        connection: duckdb.DuckDBPyConnection,
        positions: Iterator[int],
        limit: int | None = None,  # noqa: ARG002
    ) -> Iterator[BadLine]:
        """See `RawTable`."""
        texts = ", ".join(f"{identifier(name)}::VARCHAR" for name in self.names)
        rows = f"(SELECT row_number() OVER () - 1 AS _position, {texts} FROM {self._source})"
        for position, *values in _at(connection, rows, positions):
            text = json.dumps(dict(zip(self.names, values, strict=True)), ensure_ascii=False)
            yield BadLine(position + 1, text, {at: cell or "" for at, cell in enumerate(values)}, position)


def _at(
    connection: duckdb.DuckDBPyConnection, rows: str, positions: Iterator[int]
) -> Iterator[tuple[Any, ...]]:
    """Yield the rows at the (ascending) positions; the first column of `rows` is `_position`."""
    # A connection of its own: what comes next on the same one would end the reading.
    with connection.cursor() as cursor:
        while wanted := list(islice(positions, _POSITIONS_AT_ONCE)):
            cursor.execute(
                f"SELECT * FROM {rows} WHERE _position IN (SELECT unnest(?::BIGINT[])) ORDER BY _position",
                [wanted],
            )
            while batch := cursor.fetchmany(_ROWS_AT_ONCE):
                yield from batch


def batches(items: Iterator[T], size_of: Callable[[T], int]) -> Iterator[list[T]]:
    """Yield the items some at a time: so many that few steps are needed, and so few that they need little memory."""
    batch: list[T] = []
    size = 0
    for item in items:
        batch.append(item)
        size += size_of(item)
        if len(batch) == _ROWS_AT_ONCE or size > _LETTERS_AT_ONCE:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _start(stream: BinaryIO, offset: int) -> int:
    """Return where a record begins; after Windows or blank lines DuckDB names a byte of the line ends before it."""
    stream.seek(offset)
    while (byte := stream.read(1)) and byte in b"\r\n":
        offset += 1
    return offset


def _first(query: str) -> str | None:
    with duckdb.connect() as own:
        row = own.execute(query).fetchone()
    return row[0] if row else None


def _json_type(kind: object) -> str:
    if not isinstance(kind, str):
        return "JSON"
    return {"UBIGINT": "BIGINT", "NULL": "VARCHAR"}.get(kind, kind)


def find_dialect(path: Path, name: str, rule: TableRule, contract: Contract) -> tuple[Dialect, list[str]]:
    """Tell how a text file is divided, and what its columns are called, by its first line and what it should hold."""
    return dialect_of(first_line(path, name), rule, contract)


def sep_of(line: str) -> str | None:
    """Return the delimiter that a line of a spreadsheet's own (``sep=;``) declares; None where it is no such line."""
    said = re.fullmatch(r'"?sep=(.)"?', line.removeprefix("\ufeff").rstrip("\r\n"), re.IGNORECASE)
    return said[1] if said else None


def dialect_of(line: str, rule: TableRule, contract: Contract) -> tuple[Dialect, list[str]]:
    """Tell the same of a first line that has been read."""
    quote = '"' if rule.quote is None else rule.quote
    dialect = Dialect(quote=quote, escape=quote if rule.escape is None else rule.escape)
    dialect = replace(dialect, has_header=not rule.names if rule.header is None else rule.header)
    found = []
    for delimiter in [rule.delimiter] if rule.delimiter else DELIMITERS:
        candidate = replace(dialect, delimiter=delimiter)
        cells = candidate.split(line)
        names = _names(cells, rule, dialect)
        missing = missing_columns(contract, rule, names)
        said = {spelling(word) for column in rule.columns.values() for word in column.value}
        known = len(said & {spelling(cell) for cell in names})
        fits = not rule.names or len(cells) == len(rule.names)
        found.append(((fits, -len(missing), known, len(cells)), candidate, names))
    _, dialect, names = max(found, key=lambda option: option[0])
    return dialect, names


def _names(cells: Sequence[str], rule: TableRule, dialect: Dialect) -> list[str]:
    if dialect.has_header:
        return [cell.strip() for cell in cells]
    named = list(rule.names[: len(cells)])
    return named + [f"column{at}" for at in range(len(named), max(len(cells), len(rule.names)))]


def first_line(path: Path, name: str, encoding: str | None = None) -> str:
    """Return the first line of a text file.

    Raises
    ------
    IngestError
        When it is empty, or the lines end in carriage returns only.
    """
    with path.open("rb") as stream:
        first = stream.readline(_LONGEST_HEADER)
    line = first.removeprefix(_BYTE_ORDER_MARK).rstrip(b"\r\n")
    if b"\r" in line:
        raise IngestError(
            "the lines end in carriage returns only.",
            next_step="Save the file with line feeds (Unix or Windows line ends), and run again.",
            where=name,
        )
    text = line.decode(encoding or "utf-8", errors="replace")
    if not text.strip():
        raise IngestError(
            "the first line is empty, expected the names of the columns.",
            next_step="Remove the empty lines at the top, and run again.",
            where=name,
        )
    return text
