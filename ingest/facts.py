"""What stands in the landed rows of a sample: kinds of ids, scale, genres, times, reasons of rejects.

Belongs here: reading it off. Does not belong here: landing the sample (`ingest.inspect`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb

from ingest import ids
from ingest.contracts import CONTRACTS, Kind
from ingest.sql import identifier, path_literal
from ingest.store import LandedFile

MOST_REASONS = 3
_MOST_GENRES = 8
_MOST_STEPS = 101


@dataclass
class FileReport:
    """One file, or the like of several.

    Parameters
    ----------
    name, files
        Its name, and how many files are like it.
    what
        What it is: ``CSV, semicolons, quotes "", Windows-1252, with a header``.
    table
        What it would become; None: nothing.
    columns
        Landing column → raw column or expression.
    unused
        Raw columns that feed nothing.
    doubts
        Landing column → what in the guess needs a person.
    rows, is_whole
        Rows that were looked at, and whether these are all.
    rejected, left_out, reasons
        Rows of them that would not land, and the first reasons.
    unreadable
        Cells of them that could not be read, by landing column.
    notes
        How columns are read, as sentences.
    ids, scale, genres, times
        What stands in the columns.
    problem
        Why it would be refused; empty where it lands.
    """

    name: str
    files: int = 1
    what: str = ""
    table: str | None = None
    columns: dict[str, str] = field(default_factory=dict)
    unused: list[str] = field(default_factory=list)
    doubts: dict[str, str] = field(default_factory=dict)
    rows: int = 0
    is_whole: bool = True
    rejected: int = 0
    left_out: int = 0
    reasons: list[str] = field(default_factory=list)
    unreadable: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    ids: dict[str, dict[str, int]] = field(default_factory=dict)
    scale: dict[str, float | None] = field(default_factory=dict)
    genres: dict[str, Any] = field(default_factory=dict)
    times: dict[str, list[str]] = field(default_factory=dict)
    problem: str = ""


class Facts:
    """What stands in the landed rows of a table."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, landing: Path, landed: Sequence[LandedFile], table: str
    ) -> None:
        self.connection, self.rows, self.contract = connection, relation(landed), CONTRACTS[table]
        paths = ", ".join(path_literal(path) for path in ids.segments(landing))
        self.texts = (
            f"read_parquet([{paths}])" if paths else "(SELECT NULL::BIGINT AS number, NULL AS id WHERE false)"
        )

    def fill(self, report: FileReport) -> None:
        """Write the facts into the report."""
        for column in self.contract.columns:
            if column.name not in report.columns:
                continue
            name = identifier(column.name)
            if column.kind is Kind.ID:
                report.ids[column.name] = self._ids(name)
            elif column.name == "rating":
                report.scale = self._scale(name)
            elif column.name == "genres":
                report.genres = self._genres(column.kind)
            elif column.kind in (Kind.DATE, Kind.MOMENT, Kind.LOCAL_TIME):
                least, most = self._one(f"SELECT min({name})::VARCHAR, max({name})::VARCHAR FROM {self.rows}")
                report.times |= {column.name: [least, most]} if least else {}

    def _one(self, query: str) -> tuple[Any, ...]:
        return self.connection.execute(query).fetchone() or ()

    def _ids(self, name: str) -> dict[str, int]:
        """Return how many different ids are whole numbers, UUIDs, e-mails, hashes and other text."""
        rows = self.connection.execute(
            "SELECT CASE WHEN id IS NULL THEN 'whole numbers' "
            r"WHEN regexp_full_match(id, '[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}') THEN 'UUIDs' "
            r"WHEN regexp_full_match(id, '[^@\s]+@[^@\s]+\.[^@\s]+') THEN 'e-mails' "
            "WHEN regexp_full_match(id, '[0-9a-fA-F]{16,}') THEN 'hashes' ELSE 'text' END AS kind, count(*) "
            f"FROM (SELECT DISTINCT {name} AS own FROM {self.rows} WHERE {name} IS NOT NULL) "
            f"LEFT JOIN {self.texts} ON own = number GROUP BY kind ORDER BY count(*) DESC"
        ).fetchall()
        return {str(kind): int(total) for kind, total in rows}

    def _scale(self, name: str) -> dict[str, float | None]:
        rows = self.connection.execute(
            f"SELECT DISTINCT {name} FROM {self.rows} WHERE {name} IS NOT NULL ORDER BY 1 LIMIT {_MOST_STEPS + 1}"
        ).fetchall()
        values = [float(row[0]) for row in rows]
        steps = [round(high - low, 6) for low, high in pairwise(values)]
        least, most = self._one(f"SELECT min({name}), max({name}) FROM {self.rows}")
        return {
            "least": least,
            "most": most,
            "step": min(steps) if steps and len(values) <= _MOST_STEPS else None,
        }

    def _genres(self, kind: Kind) -> dict[str, Any]:
        labels = (
            "genres"
            if kind is Kind.LABELS
            else "list_transform(string_split(genres, ','), lambda g: trim(g))"
        )
        rows = self.connection.execute(
            f"SELECT genre, count(*) FROM (SELECT unnest({labels}) AS genre FROM {self.rows}) "
            "WHERE genre <> '' GROUP BY genre ORDER BY count(*) DESC, genre"
        ).fetchall()
        return {"different": len(rows), "most": dict(rows[:_MOST_GENRES])}


def reasons(landed: LandedFile) -> list[str]:
    """Return the first reasons for which lines of a file did not land."""
    rejects = f"read_parquet({path_literal(landed.rejects_path)})"
    with duckdb.connect() as connection:
        rows = connection.execute(
            f"SELECT source || ' line ' || line || ': ' || reason FROM {rejects} "
            f"WHERE NOT is_known_quirk LIMIT {MOST_REASONS}"
        ).fetchall()
    return [str(row[0]) for row in rows]


def relation(landed: Sequence[LandedFile]) -> str:
    """Return SQL of the rows of landed files."""
    return f"read_parquet([{', '.join(path_literal(file.path) for file in landed)}])"
