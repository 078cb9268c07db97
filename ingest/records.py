"""Where a CSV record begins and ends in the bytes of a file, and whether its cells add up.

Here: one pass over binary lines that finds records of the wrong shape and the records at given positions, with
their physical line and their exact bytes.
Not here: types and ranges (`ingest.checks`). A clean file never comes here: DuckDB reads it several times faster.

Shape follows DuckDB's strict reader, so that a line fares the same whichever of the two looks at it: a quote opens
a cell only at its beginning (one space before it is skipped), nothing but spaces may follow the closing quote, empty
cells too many are forgiven, and blank lines are no records.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
MAX_RECORD_BYTES = 2_000_000

_COMMA_OR_QUOTE = re.compile(rb'[",]')


@dataclass(frozen=True, slots=True)
class Record:
    """One record of a file.

    Parameters
    ----------
    line
        Physical line it starts on; the header is line 1.
    raw
        Its bytes without the line end.
    position
        Its number among the well-formed records, from 0; None where `problem` is set.
    problem
        What is wrong with its shape, else an empty string.
    """

    line: int
    raw: bytes
    position: int | None
    problem: str = ""

    @property
    def text(self) -> str:
        """The record as text; bytes that are not UTF-8 are shown as escapes."""
        return self.raw.decode("utf-8", errors="backslashreplace")

    def cells(self) -> list[str]:
        """Return the cells as text."""
        return split_cells(self.text)


class UnterminatedRecordError(Exception):
    """The file ends inside a record: in an open quote, or before its last cells.

    Parameters
    ----------
    line
        Physical line on which that record starts.
    problem
        What shows it.
    """

    def __init__(self, line: int, problem: str) -> None:
        self.line = line
        self.problem = problem
        super().__init__(f"line {line}: {problem}")


def split_cells(text: str) -> list[str]:
    """Return the cells of one CSV record."""
    try:
        return next(csv.reader(io.StringIO(text, newline=""), skipinitialspace=True), [])
    except csv.Error:  # a cell longer than the csv module reads
        return []


def find_records(
    stream: BinaryIO,
    *,
    width: int,
    pads_short: bool,
    wanted: Iterator[int],
    keep: Callable[[bytes], object] | None = None,
) -> Iterator[Record]:
    """Yield, in file order, the records of the wrong shape and those at the wanted positions.

    Parameters
    ----------
    stream
        Binary file, read from the start of its header line.
    width
        Number of cells in the header.
    pads_short
        Whether a record with too few cells is well formed.
    wanted
        Ascending positions among the well-formed records.
    keep
        Called with each well-formed record, padded to `width` cells and ended by a line feed.

    Raises
    ------
    UnterminatedRecordError
        When the file ends inside a record.
    """
    commas = width - 1
    target = next(wanted, -1)
    position = -1
    number = 1
    next(stream)  # the header
    for line in stream:
        number += 1
        start = number
        padding = b""
        raw = line.rstrip(b"\r\n")
        plain = raw.count(b",") if b'"' not in raw else _commas_outside_quotes(raw)
        if plain != commas or not _is_plain_text(raw):
            if not raw:
                continue
            raw, found, problem, line, more = _whole_record(stream, line, start)  # noqa: PLW2901
            number += more
            if not problem and found < commas and not line.endswith((b"\n", b"\r")):
                message = f"the file ends after {found + 1} of {width} cells"
                raise UnterminatedRecordError(start, message)
            problem = problem or _width_problem(raw, found, commas, pads_short=pads_short)
            if problem:
                yield Record(start, raw, None, problem)
                continue
            padding = b"," * (commas - found)
        position += 1
        if keep is not None:
            keep(raw + padding + b"\n")
        if position == target:
            yield Record(start, raw, position)
            target = next(wanted, -1)


def _commas_outside_quotes(raw: bytes) -> int:
    """Count the commas of a record with tidy quotes that ends in its line; -1 for any other."""
    outside = raw.split(b'"')[::2]
    first, middle, last = outside[0], outside[1:-1], outside[-1]
    is_tidy = (
        raw.count(b'"') % 2 == 0
        and (not first or first.endswith(b","))
        and (not last or last.startswith(b","))
        # Nothing between two quotes is how a quote within a cell is written.
        and all(not part or (part.startswith(b",") and part.endswith(b",")) for part in middle)
    )
    return sum(part.count(b",") for part in outside) if is_tidy else -1


def _is_plain_text(raw: bytes) -> bool:
    return b"\r" not in raw and len(raw) <= MAX_RECORD_BYTES and (raw.isascii() or _is_utf8(raw))


def _whole_record(stream: BinaryIO, line: bytes, start: int) -> tuple[bytes, int, str, bytes, int]:
    """Read on until the quotes are closed.

    Returns
    -------
    tuple
        The record without its line end, its commas outside quotes, what is wrong with it, its last physical line,
        and how many lines were read on.
    """
    parts: list[bytes] = []
    commas = 0
    more = 0
    problem = ""
    is_open = False
    while True:
        parts.append(line)
        commas, is_open, found = _scan_line(line, commas, is_open=is_open)
        problem = problem or found
        if not is_open or problem:
            break
        line = next(stream, b"")
        if not line:
            raise UnterminatedRecordError(start, "a quote is opened there and never closed")
        more += 1
    raw = b"".join(parts).rstrip(b"\r\n")
    if not problem and len(raw) > MAX_RECORD_BYTES:
        problem = f"expected at most {MAX_RECORD_BYTES:,} bytes in a line, got {len(raw):,}"
    if not problem and not _is_utf8(raw):
        problem = "expected UTF-8 text, got other bytes"
    return raw, commas, problem, line, more


def _scan_line(line: bytes, commas: int, *, is_open: bool) -> tuple[int, bool, str]:
    """Count commas outside quotes in one physical line and tell whether a quote is open at its end."""
    body = line.rstrip(b"\r\n")
    cell_start = skip_to = 0
    closed_at = -1
    for match in _COMMA_OR_QUOTE.finditer(body):
        at = match.start()
        if at < skip_to:
            continue
        if match.group() == b'"':
            if is_open:
                if body[at + 1 : at + 2] == b'"':
                    skip_to = at + 2
                else:
                    is_open, closed_at = False, at + 1
            elif closed_at < 0 and body[cell_start:at] in (b"", b" "):
                is_open = True
        elif not is_open:
            if problem := _cell_problem(body, cell_start, closed_at, at):
                return commas, False, problem
            commas, cell_start, closed_at = commas + 1, at + 1, -1
    problem = "" if is_open else _cell_problem(body, cell_start, closed_at, len(body))
    return commas, is_open, problem


def _cell_problem(body: bytes, cell_start: int, closed_at: int, end: int) -> str:
    tail = body[closed_at:end] if closed_at >= 0 else body[cell_start:end]
    if closed_at >= 0 and tail.strip(b" "):
        return "expected a comma or the end of the line after a closing quote, got more text"
    if b"\r" in tail:
        return "expected one record in a line, got a carriage return within it"
    return ""


def _width_problem(raw: bytes, found: int, commas: int, *, pads_short: bool) -> str:
    if found == commas or (found < commas and pads_short):
        return ""
    if found > commas and re.search(rb'(,( ?"" *)?){%d}$' % (found - commas), raw):
        return ""
    return f"expected {commas + 1} cells, got {found + 1}"


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
