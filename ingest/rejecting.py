"""Lines that do not land, each with its reason, and columns of which too much cannot be read.

Belongs here: the words for what is wrong, and the file of rejects. Does not belong here: finding what is wrong
(`ingest.staging`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import duckdb

from ingest.binding import Bound, place_of
from ingest.contracts import Kind
from ingest.declarations import Quirk
from ingest.errors import IngestError, counted, shorten
from ingest.readers import BadLine, RawTable, batches
from ingest.sql import path_literal, text_literal
from ingest.staging import Staged

# source, table_name, line, reason, raw_text, is_known_quirk
Reject = tuple[str, str, int, str, str, bool]


@dataclass(frozen=True)
class Rejects:
    """The rejects of one file.

    Parameters
    ----------
    source, table
        Name of the file, and the table it was meant for.
    quirks
        Known faults of the public file.
    header
        Names of its raw columns.
    bound
        Where its columns come from.
    before
        Filled by `reasons`: for each malformed record how many well-formed ones stand before it.
    """

    source: str
    table: str
    quirks: tuple[Quirk, ...]
    header: Sequence[str]
    bound: Sequence[Bound]
    before: list[int] = field(default_factory=list)

    def reasons(self, lines: Iterator[BadLine], faults: Iterator[int]) -> Iterator[Reject]:
        """Pair the rows of the draft among the bad lines, in order, with the columns at fault."""
        for bad in lines:
            at = -1
            if bad.position is None:
                self.before.append(bad.before)
            else:
                at = next(faults)
            yield self._reject(bad, self.bound[at] if at >= 0 else None)

    def got(self, bound: Bound, bad: BadLine) -> str:
        """Say what stood in the cells of a column, as the end of a sentence."""
        cells = [(self.header[place], bad.cells.get(place, "")) for place in bound.inputs]
        if bound.expression is None or len(cells) == 1:
            text = cells[0][1]
            return f"'{shorten(text)}'" if text else "nothing"
        return ", ".join(f"{name} '{shorten(text, 40)}'" for name, text in cells) or "nothing"

    def told(self, unreadable: Mapping[str, int]) -> list[str]:
        """Say how many cells of landing rows could not be read, a sentence for each column."""
        return [
            f"{b.label}: {counted(unreadable[b.column.name], 'cell')} could not be read and became empty, expected "
            f"{b.column.expectation}."
            for b in self.bound
            if b.column.name in unreadable
        ]

    def _reject(self, bad: BadLine, bound: Bound | None) -> Reject:
        reason = bad.problem
        if bound is not None:
            reason = f"{bound.label}: expected {bound.column.expectation}, got {self.got(bound, bad)}"
            reason += f" ({bad.problem})" if bad.problem else ""
        quirk = next((quirk for quirk in self.quirks if self._shows(quirk, bad)), None)
        if quirk:
            reason += f" ({quirk.explanation})"
        return self.source, self.table, bad.line, reason, bad.text, quirk is not None

    def _shows(self, quirk: Quirk, bad: BadLine) -> bool:
        places = place_of(quirk.column, self.header)
        return any(re.fullmatch(quirk.pattern, bad.cells.get(place, "")) for place in places)


def is_too_many(bad: int, rows: int, share: float) -> bool:
    """Whether so many bad lines, or cells of a column, refuse a file of so many rows.

    The limit is there for wrong files. One bad line of three or more is none, whatever its share; unless none may be.
    """
    return bad > share * rows and not (share and bad == 1 and rows > 2)


def refuse_unreadable(  # noqa: PLR0917 - a draft is all of these
    connection: duckdb.DuckDBPyConnection,
    rejects: Rejects,
    raw: RawTable,
    staged: Staged,
    draft: Path,
    lands: str,
    most: float,
) -> dict[str, int]:
    """Count by column the cells of landing rows that become NULL unread.

    Raises
    ------
    IngestError
        When they are too many for the share `most` of a column's cells.
    """
    bits = [f"_unreadable & {1 << at} <> 0" for at in range(len(rejects.bound))]
    counts = [f"count(*) FILTER ({bit})" for bit in bits] + [
        f"min(file_row_number) FILTER ({bit})" for bit in bits
    ]
    rows = f"read_parquet({path_literal(draft)}, file_row_number = true)"
    found = connection.execute(f"SELECT {', '.join(counts)} FROM {rows} WHERE {lands}").fetchone() or ()
    total = staged.rows + staged.malformed
    unreadable = {}
    for bound, count, first in zip(rejects.bound, found[: len(bits)], found[len(bits) :], strict=True):
        if not count:
            continue
        unreadable[bound.column.name] = int(count)
        if is_too_many(count, total, most):
            lines = raw.bad_lines(connection, iter([int(first)]))
            example = next(line for line in lines if line.position == first)
            raise IngestError(
                f"{count:,} of {counted(total, 'cell')} of column '{bound.label}' ({count / total:.2%}) cannot be "
                f"read; at most {most:.2%} may. Line {example.line:,}: expected {bound.column.expectation}, "
                f"got {rejects.got(bound, example)}.",
                next_step=_remedy(bound, staged),
                where=rejects.source,
            )
    return unreadable


def _remedy(bound: Bound, staged: Staged) -> str:
    if asked := staged.order_asked(bound):
        return asked
    if bound.column.kind is Kind.DATE:
        return "Write days as 2021-01-22, or declare their order (order: day first), and run again."
    return "Correct the column, or say in a declaration how it is read, and run again."


def write_rejects(
    connection: duckdb.DuckDBPyConnection, rejects: Iterator[Reject], to: Path, *, limit: int | None
) -> int:
    """Write at most `limit` rejects and return how many of them are known quirks."""
    # Through DuckDB, because making an Arrow table of Python rows imports pandas, which takes over a second.
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE rejects (source VARCHAR, table_name VARCHAR, line BIGINT, reason VARCHAR, "
        "raw_text VARCHAR, is_known_quirk BOOLEAN)"
    )
    quirks = 0
    kept = islice(rejects, limit)
    for batch in batches(kept, lambda row: len(row[3]) + len(row[4])):
        quirks += sum(row[-1] for row in batch)
        columns = [list(column) for column in zip(*batch, strict=True)]
        connection.execute(f"INSERT INTO rejects SELECT {', '.join(['unnest(?)'] * len(columns))}", columns)
    connection.execute(f"COPY rejects TO {text_literal(str(to))} (FORMAT parquet)")
    return quirks
