"""From a file as it came to one that DuckDB can read: unpacked, in UTF-8, its format and dialect known.

Belongs here: the order in which a file shows what it is. Does not belong here: each of these steps (`ingest.rawfiles`,
`ingest.readers`).
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb

from ingest.contracts import Contract
from ingest.declarations import TableRule
from ingest.errors import IngestError
from ingest.rawfiles import (
    Format,
    RawFile,
    encoding_of,
    ended,
    format_of,
    is_utf16,
    to_line_feeds,
    to_utf8,
    unpack,
    without_mark,
)
from ingest.readers import CELL, BadLine, CsvTable, JsonTable, ParquetTable, RawTable, sep_of
from ingest.sql import path_literal, text_literal

_HEAD_BYTES = 1 << 20
_DECLARED = {
    "csv": Format.CSV,
    "json lines": Format.JSON_LINES,
    "json": Format.JSON_LIST,
    "parquet": Format.PARQUET,
}


@dataclass(frozen=True)
class Opened:
    """A raw file that can be read.

    Parameters
    ----------
    path
        Where its bytes are, unpacked.
    raw
        Its rows.
    is_text
        Whether it is divided text, which may turn out not to be UTF-8.
    is_in_order
        Whether its lines are read one after the other.
    notes
        What a person should know of it, as sentences.
    """

    path: Path
    raw: RawTable
    is_text: bool
    is_in_order: bool = False
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Opening:
    """How one file is opened.

    Parameters
    ----------
    file, name
        The file, and how to call it in errors.
    rule, contract
        How it is read, as far as that is declared, and what it should hold.
    work
        Folder for what has to be unpacked or written anew.
    connection
        Used to look into it.
    """

    file: RawFile
    name: str
    rule: TableRule
    contract: Contract
    work: Path
    connection: duckdb.DuckDBPyConnection

    def open(self) -> Opened:
        """Open the file.

        Raises
        ------
        IngestError
            When it is nothing that could hold the table.
        """
        path, kind = self.file.path, format_of(self.file.path, name=self.name)
        if kind.is_packed:
            path = unpack(self.file, self.work / "unpacked")
            kind = format_of(path, name=self.name)
        if kind.is_packed:
            raise IngestError(
                f"the archive holds another archive ({kind.value}).",
                next_step="Unpack it by hand and point --source at the folder.",
                where=self.name,
            )
        notes = []
        encoding = self.rule.encoding or ("utf-16" if is_utf16(path) else "utf-8")
        if kind is not Format.PARQUET and encoding.lower() not in ("utf-8", "utf8"):
            path = to_utf8(path, encoding, self.work / "recoded", name=self.name)
            kind = format_of(path, name=self.name)
            notes += [] if self.rule.encoding else [f"read as {encoding.upper()}."]
        opened = self._open(path, _DECLARED[self.rule.format] if self.rule.format else kind)
        return replace(opened, notes=(*notes, *opened.notes))

    def as_utf8(self, opened: Opened) -> Opened | None:
        """Return the same file read in the encoding that its bytes show; None where that is UTF-8 after all."""
        is_recoded = opened.path == self.work / "recoded"
        encoding = None if self.rule.encoding or is_recoded else encoding_of(opened.path)
        if encoding is None:
            return None
        again = self._open(to_utf8(opened.path, encoding, self.work / "utf8", name=self.name), Format.CSV)
        return replace(again, notes=(*again.notes, "read as Windows-1252, for it is not UTF-8."))

    def with_line_feeds(self, opened: Opened) -> Opened | None:
        """Return the same file with every line ended by a line feed; None where that is so already."""
        to = self.work / "line_feeds"
        if not to_line_feeds(opened.path, to):
            return None
        return replace(self._open(to, Format.CSV), notes=opened.notes)

    def in_order(self, opened: Opened) -> Opened:
        """Return the same file read line after line."""
        return replace(self._open(opened.path, Format.CSV, in_order=True), notes=opened.notes)

    def _open(self, path: Path, kind: Format, *, in_order: bool = False) -> Opened:
        raw: RawTable
        notes: tuple[str, ...] = ()
        if kind is Format.PARQUET:
            raw = ParquetTable(path, self.name, self.connection)
        elif kind in (Format.JSON_LINES, Format.JSON_LIST):
            path = without_mark(path, self.work / "without_mark")
            if kind is Format.JSON_LINES:
                # DuckDB may give a last line without an end before all others, once its rows are joined.
                path = ended(path, self.work / "ended")
            raw = JsonTable(path, self.name, is_list=kind is Format.JSON_LIST)
        else:
            rule = self.rule
            if delimiter := _sep(path):
                path = _without_sep(path, self.work / "without_sep")
                rule = rule.model_copy(update={"delimiter": rule.delimiter or delimiter})
            if _has_backslashes(self.connection, path, rule):
                rule = rule.model_copy(update={"escape": "\\"})
                notes = ("quotes inside cells have a backslash before them.",)
            raw = CsvTable(path, self.name, rule, self.contract, in_order=in_order)
        if partition := {k: v for k, v in self.file.partition.items() if k not in raw.names}:
            raw = Partitioned(raw, partition)
        return Opened(path, raw, kind is Format.CSV, in_order, notes)


def _sep(path: Path) -> str | None:
    with path.open("rb") as stream:
        return sep_of(stream.readline(20).decode(errors="replace"))


def _without_sep(path: Path, to: Path) -> Path:
    """Write a file whose first line declares its delimiter with the header first; every other line keeps its number."""
    with path.open("rb") as source, to.open("wb") as target:
        source.readline()
        header = source.readline()
        target.write(header + header[len(header.rstrip(b"\r\n")) :])
        shutil.copyfileobj(source, target)
    return to


def _has_backslashes(connection: duckdb.DuckDBPyConnection, path: Path, rule: TableRule) -> bool:
    """Whether DuckDB's sniffer finds that quotes inside cells have a backslash before them."""
    if rule.escape is not None or rule.quote == "":
        return False
    with path.open("rb") as stream:
        if b'\\"' not in stream.read(_HEAD_BYTES):
            return False
    said = {"delim": rule.delimiter, "quote": rule.quote}
    options = "".join(f", {name} = {text_literal(sign)}" for name, sign in said.items() if sign)
    try:
        found = connection.execute(
            f"SELECT Escape FROM sniff_csv({path_literal(path)}, ignore_errors = true{options})"
        ).fetchall()
    except duckdb.Error:
        return False
    return found == [("\\",)]


class Partitioned(RawTable):
    """A raw table with columns more, whose one value the folders of its path give (``day=2024-01-31``)."""

    def __init__(self, raw: RawTable, partition: Mapping[str, str]) -> None:
        self.raw, self._partition = raw, partition
        self.names = [*raw.names, *partition]
        self.natives = [*raw.natives, *("VARCHAR" for _ in partition)]
        self.is_json, self.has_decimal_commas = raw.is_json, raw.has_decimal_commas

    def relation(self) -> str:
        """See `RawTable`."""
        own = len(self.raw.names)
        values = ", ".join(
            f"{text_literal(value)} AS {CELL}{own + at}" for at, value in enumerate(self._partition.values())
        )
        return f"(SELECT *, {values} FROM {self.raw.relation()})"

    def forget(self, connection: duckdb.DuckDBPyConnection) -> None:
        """See `RawTable`."""
        self.raw.forget(connection)

    def malformed(self, connection: duckdb.DuckDBPyConnection) -> int:
        """See `RawTable`."""
        return self.raw.malformed(connection)

    def check(self, records: int) -> None:
        """See `RawTable`."""
        self.raw.check(records)

    def bad_lines(
        self, connection: duckdb.DuckDBPyConnection, positions: Iterator[int], limit: int | None = None
    ) -> Iterator[BadLine]:
        """See `RawTable`."""
        own = len(self.raw.names)
        values = {own + at: value for at, value in enumerate(self._partition.values())}
        for bad in self.raw.bad_lines(connection, positions, limit):
            yield replace(bad, cells={**bad.cells, **values})

    def sniffed(self, connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
        """See `RawTable`."""
        return {**self.raw.sniffed(connection), **dict.fromkeys(self._partition, "VARCHAR")}
