"""Where the records of a text file lie: their physical lines and exact bytes.

Belongs here: one pass over the bytes that finds given records. Does not belong here: which records are bad; DuckDB
judges that, and a file without bad lines never comes here.

DuckDB tells where a malformed record begins, but not its physical line where cells hold line ends, nor its bytes where
they are not UTF-8; of a row that it could read and that breaks the contract it tells neither. Python's `csv` finds the
same records in the bytes.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO

csv.field_size_limit(1 << 26)  # more in one cell is a quote that is never closed, not data


@dataclass(frozen=True)
class Dialect:
    """How the cells of a text file are divided.

    Parameters
    ----------
    delimiter
        Between cells, one to four characters.
    quote, escape
        Around cells, and before a quote inside; empty: none.
    has_header
        Whether the first record names the columns.
    """

    delimiter: str = ","
    quote: str = '"'
    escape: str = '"'
    has_header: bool = True

    def split(self, text: str) -> list[str]:
        """Return the cells of one record."""
        if len(self.delimiter) > 1 or not self.quote:
            return text.rstrip("\r\n").split(self.delimiter)
        try:
            return next(self.reader(iter(text.splitlines(keepends=True))), [])
        except csv.Error:
            return text.rstrip("\r\n").split(self.delimiter)

    def reader(self, lines: Iterator[str]) -> Iterator[list[str]]:
        """Return Python's reader of these lines."""
        escape = self.escape if self.escape not in ("", self.quote) else None
        return csv.reader(
            lines,
            delimiter=self.delimiter,
            quotechar=self.quote,
            escapechar=escape,
            doublequote=escape is None,
            skipinitialspace=True,
            strict=True,
        )


@dataclass(frozen=True, slots=True)
class Record:
    """One record of a file.

    Parameters
    ----------
    line
        Physical line it starts on; the first of the file is 1.
    raw
        Its bytes without the line end.
    position
        Its number among the well-formed records, from 0; None where DuckDB could not read it.
    problem
        What DuckDB could not read, as it calls it.
    is_last
        Whether the file ends in it, without a line end.
    before
        How many well-formed records stand before it.
    """

    line: int
    raw: bytes
    position: int | None
    problem: str = ""
    is_last: bool = False
    before: int = 0

    @property
    def text(self) -> str:
        """The record as text; bytes that are not UTF-8 are shown as escapes."""
        return self.raw.decode("utf-8", errors="backslashreplace")


class UnterminatedRecordError(Exception):
    """The file ends inside an open quote; `line` is the physical line on which that record starts."""

    def __init__(self, line: int) -> None:
        self.line = line
        super().__init__(f"line {line}")


class LinesDisagreeError(Exception):
    """DuckDB and the pass over the bytes find different records in a file."""


def find_records(
    stream: BinaryIO, dialect: Dialect, *, malformed: Mapping[int, str], wanted: Iterator[int]
) -> Iterator[Record]:
    """Yield, in file order, the malformed records and those at the wanted positions.

    Parameters
    ----------
    stream
        Binary file, at its start.
    dialect
        How it is divided.
    malformed
        What is wrong, by the offset of the byte at which a malformed record begins.
    wanted
        Ascending positions among the well-formed records.

    Raises
    ------
    UnterminatedRecordError
        When the file ends inside a quote.
    LinesDisagreeError
        When a malformed or wanted record is not found.
    """
    target = next(wanted, -1)
    position = -1
    left = set(malformed)
    for at, (line, offset, raw) in enumerate(records(stream, dialect)):
        body = raw.rstrip(b"\r\n")
        if not body or (at == 0 and dialect.has_header):
            continue
        is_last = len(body) == len(raw)
        if offset in malformed:
            left.discard(offset)
            yield Record(line, body, None, malformed[offset], is_last, position + 1)
            continue
        position += 1
        if position == target:
            yield Record(line, body, position, "", is_last)
            target = next(wanted, -1)
    if left or target != -1:
        raise LinesDisagreeError


def count_records(stream: BinaryIO, dialect: Dialect) -> int:
    """Return how many records there are, the header not counted, nor blank lines.

    Raises
    ------
    UnterminatedRecordError
        When the file ends inside a quote.
    """
    count = sum(1 for _, _, raw in records(stream, dialect) if raw.rstrip(b"\r\n"))
    return count - dialect.has_header


def records(stream: BinaryIO, dialect: Dialect) -> Iterator[tuple[int, int, bytes]]:
    """Yield physical line, offset and bytes of every record, blank lines among them."""
    taken: list[bytes] = []

    def lines() -> Iterator[str]:
        for line in stream:
            taken.append(line)
            yield line.decode("latin-1")  # byte for byte: only quotes, delimiters and line ends matter here

    follow: Callable[[], object] = lines().__next__
    if len(dialect.delimiter) == 1 and dialect.quote:
        follow = dialect.reader(lines()).__next__
    line, offset = 1, 0
    while True:
        try:
            follow()
        except StopIteration:
            return
        except csv.Error as error:
            is_open = "field limit" in str(error) and len(taken) > 1
            if is_open or "unexpected end" in str(error):
                raise UnterminatedRecordError(line) from error
            if not taken:
                return
        raw = b"".join(taken)
        yield line, offset, raw
        line += len(taken)
        offset += len(raw)
        taken.clear()
