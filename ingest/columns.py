"""The columns of a file nothing is known of: how it is divided, what its columns are called and hold.

Belongs here: looking. Does not belong here: what the columns may mean (`ingest.guessing`).
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from ingest.contracts import CONTRACTS
from ingest.declarations import TableRule
from ingest.heads import Head
from ingest.opening import Opening
from ingest.rawfiles import Format, digest
from ingest.readers import CELL, DELIMITERS, RawTable, sep_of
from ingest.records import Dialect

_ROWS = 2_000
_DAY = r"\s*\d{4}-\d{2}-\d{2}\s*"
_CLOCK = r"[ T]\d{1,2}:\d{2}(:\d{2}([.,]\d+)?)?"
_PATTERNS = {
    "whole number": r"\s*[+-]?\d+\s*",
    "number": r"\s*[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?\s*",
    "duration": r"\s*\d{1,3}:[0-5]\d:[0-5]\d(\.\d+)?\s*",
    "date": _DAY,
    "day": r"\s*(\d{1,2}[/.-]\d{1,2}[/.-]\d{4}|\d{1,2}[ -][A-Z][a-z]+[ -]\d{4}|[A-Z][a-z]+ \d{1,2}, \d{4})\s*",
    "time with offset": rf"{_DAY[:-3]}{_CLOCK}\s*(Z|UTC|[+-]\d{{2}}(:?\d{{2}})?)\s*",
    "time": rf"{_DAY[:-3]}{_CLOCK}\s*",
    "local time": rf"\s*\d{{1,2}}[/.-]\d{{1,2}}[/.-]\d{{4}}{_CLOCK}\s*",
    "labels": r"\s*\[.*\]\s*",
    "flag": r"(?i)true|false",
}
_EPOCHS = (
    ("seconds", 10**8, 41 * 10**8),
    ("milliseconds", 10**11, 41 * 10**11),
    ("microseconds", 10**14, 41 * 10**14),
)
_MOST = 0.9
"""Share of the filled cells that must be of a kind for the column to be."""


@dataclass(frozen=True)
class Seen:
    """A raw column of a sample.

    Parameters
    ----------
    name
        Its raw name.
    kind
        What most of its cells are: text, whole number, number, seconds, milliseconds or microseconds (since 1970),
        time, local time, time with offset, date, day, duration, labels, flag or nothing.
    type
        Its DuckDB type in expressions.
    distinct
        How many different cells it has.
    least, most
        Of numbers.
    has_commas
        Whether some cells hold signs that divide labels.
    """

    name: str
    kind: str
    type: str
    distinct: int
    least: float | None = None
    most: float | None = None
    has_commas: bool = False


def look(head: Head, work: Path) -> tuple[TableRule, list[Seen]]:
    """Return how a file is read, and its columns.

    Raises
    ------
    IngestError
        When it holds no table.
    """
    work.mkdir(exist_ok=True)
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        divided = _divided(head.file.path) if head.kind is Format.CSV else {}
        rule = TableRule.model_validate({"files": (head.file.name,), **divided})
        opening = Opening(head.file, head.file.name, rule, CONTRACTS["views"], work, connection)
        opened = opening.open()
        if opened.is_text and not digest(opened.path).is_utf8:
            opened = opening.as_utf8(opened) or opened
        return rule, _columns(opened.raw, connection)


def _divided(path: Path) -> dict[str, object]:
    """Return the delimiter with which most first lines have as many cells, and names where the first has none."""
    with path.open("rb") as stream:
        data = stream.read(1 << 18)
    encoding = "utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    lines = data.decode(encoding, errors="replace").splitlines()[:100]
    declared = sep_of(lines[0])
    if declared:
        del lines[0]
    delimiters = [declared] if declared else list(DELIMITERS)
    options = [_rows(Dialect(delimiter=delimiter), lines) for delimiter in delimiters]
    fits = [(_fit(rows), delimiter, rows) for delimiter, rows in zip(delimiters, options, strict=True)]
    _, delimiter, rows = max(fits, key=lambda option: option[0])
    if _has_header(rows):
        return {"delimiter": delimiter}
    names = tuple(f"column{at}" for at in range(len(rows[0])))
    return {"delimiter": delimiter, "names": names}


def _rows(dialect: Dialect, lines: Sequence[str]) -> list[list[str]]:
    if len(dialect.delimiter) > 1:
        return [line.split(dialect.delimiter) for line in lines]
    reader, rows = dialect.reader(iter(lines)), []
    while True:
        try:
            rows.append(next(reader))
        except StopIteration:
            return rows
        except csv.Error:
            rows.append([])


def _fit(rows: Sequence[Sequence[str]]) -> tuple[bool, float, int]:
    width, count = Counter(map(len, rows)).most_common(1)[0]
    return width > 1, count / len(rows), width


def _has_header(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first row names columns: no cell of it is empty, twice there, or a number, time or address."""
    first = [cell.strip() for cell in rows[0]]
    values = [
        *(_PATTERNS[kind] for kind in ("number", "date", "time", "local time", "time with offset")),
        r".+@.+\..+",
    ]
    is_value = any(re.fullmatch(pattern, cell) for cell in first for pattern in values)
    return not is_value and len(set(first)) == len(first) and any(first)


def _columns(raw: RawTable, connection: duckdb.DuckDBPyConnection) -> list[Seen]:
    types = raw.sniffed(connection)
    connection.execute(f"CREATE TEMP TABLE sample AS SELECT * FROM {raw.relation()} LIMIT {_ROWS}")
    found = []
    for at, (name, native) in enumerate(zip(raw.names, raw.natives, strict=True)):
        text = f"{CELL}{at}::VARCHAR"
        counts = ", ".join(
            f"count(*) FILTER (regexp_full_match({text}, '{pattern}', 's'))" for pattern in _PATTERNS.values()
        )
        row = connection.execute(
            f"SELECT count({text}), count(DISTINCT {text}), min(TRY_CAST(replace({text}, ',', '.') AS DOUBLE)), "
            f"max(TRY_CAST(replace({text}, ',', '.') AS DOUBLE)), "
            f"count(*) FILTER (regexp_matches({text}, '[,|;]')) > 0, {counts} FROM sample"
        ).fetchone()
        if not name or row is None:
            continue
        filled, distinct, least, most, has_commas, *counted = row
        kind = _kind(native, filled, dict(zip(_PATTERNS, counted, strict=True)), least, most)
        found.append(Seen(name, kind, types.get(name, native), distinct, least, most, has_commas))
    return found


def _kind(native: str, filled: int, counts: dict[str, int], least: float | None, most: float | None) -> str:
    if native.endswith("]"):
        return "labels"
    if native.startswith("TIMESTAMP"):
        return "time with offset" if "ZONE" in native else "time"
    if native == "DATE":
        return "date"
    if not filled:
        return "nothing"
    kind = next((kind for kind, count in counts.items() if count >= _MOST * filled), "text")
    if kind in ("whole number", "number") and least is not None and most is not None:
        epoch = [unit for unit, low, high in _EPOCHS if low <= least and most < high]
        return epoch[0] if epoch else kind
    return kind
