"""What is different in what landed beside what is in force: rows that are gone, columns of raw files.

Belongs here: the comparison, in words. Does not belong here: refusing a file that lacks what it must hold (`ingest`),
telling Dagster (`orchestration.assets.landing`).
"""

import json
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from ingest import store
from ingest.errors import counted
from orchestration.stores.layout import WarehouseLayout
from orchestration.tasks.landing import LandedSource

_KINDS = {
    r"VARCHAR|UUID|ENUM.*": "text",
    r"U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|FLOAT|DOUBLE|DECIMAL.*": "numbers",
    r"DATE|TIME.*|INTERVAL": "times",
    r"BOOLEAN": "true or false",
}
"""What a person tells apart, by DuckDB's types: whole numbers that get a fraction have not changed."""
_MOST_NAMED = 8
Columns = Mapping[str, Collection[str]]
"""Raw columns in the order of the file, with what they hold; of several files all of it."""


@dataclass(frozen=True)
class Landed:
    """One table as it landed: rows, and raw columns where they are known."""

    rows: int = 0
    columns: Columns | None = None


@dataclass(frozen=True)
class Comparison:
    """What landed, beside what is in force, by table; or why the two cannot be compared."""

    now: Mapping[str, Landed]
    before: Mapping[str, Landed]
    incomparable: str | None = None


def compare(landed: LandedSource, layout: WarehouseLayout) -> Comparison:
    """Return what landed beside what is in force."""
    now = _landed(file.manifest_path for file in landed.files)
    current = store.source_of(layout.landing, "current")
    if current is None:
        return Comparison(now, {}, "nothing was published before")
    if current["description"] != landed.source.description:
        return Comparison(now, {}, "what is published came from another source")
    return Comparison(now, _landed((layout.landing / "current" / "manifest").glob("*.parquet")))


def lost_rows(table: str, now: Landed, before: Landed, most: float) -> str | None:
    """Say that a table has lost more than the given share (0 to 1) of its rows; None where it has not."""
    if now.rows >= before.rows * (1 - most):
        return None
    if not now.rows:
        return f"{table} has no rows; {before.rows:,} are published."
    return (
        f"{table} has {counted(now.rows, 'row')}, {1 - now.rows / before.rows:.1%} fewer than the {before.rows:,} "
        f"published; at most {most:.0%} fewer are expected."
    )


def changed_columns(now: Columns, before: Columns) -> str:
    """Say which raw columns are new, gone, called otherwise or hold something else; empty where all is as it was."""
    gone = [name for name in before if name not in now]
    new = [name for name in now if name not in before]
    places, earlier = {name: at for at, name in enumerate(now)}, dict(enumerate(before))
    renamed = {
        earlier[places[name]]: name
        for name in new
        if earlier.get(places[name]) in gone and set(now[name]) & set(before[earlier[places[name]]])
    }
    said = [f"{was} is now called {name}" for was, name in renamed.items()]
    said += [f"{name} is gone" for name in gone if name not in renamed]
    said += [f"{name} is new" for name in new if name not in renamed.values()]
    said += [
        f"{name} held {' and '.join(sorted(before[name]))} and now holds {' and '.join(sorted(now[name]))}"
        for name in now
        if name in before and not set(now[name]) & set(before[name])
    ]
    more = f"; and {len(said) - _MOST_NAMED} more" if len(said) > _MOST_NAMED else ""
    return f"Columns of the raw file: {'; '.join(said[:_MOST_NAMED])}{more}." if said else ""


def _landed(manifests: Iterable[Path]) -> dict[str, Landed]:
    found: dict[str, Landed] = {}
    for file in sorted(manifests):
        row = pl.read_parquet(file).row(0, named=True)
        known = found.get(row["table_name"], Landed(columns={}))
        found[row["table_name"]] = Landed(
            known.rows + row["rows_landed"], _with(known.columns, row.get("raw_columns"))
        )
    return found


def _with(known: Columns | None, written: str | None) -> Columns | None:
    """Return known columns and those of one more file; None where those of a file are not known."""
    if known is None or not written:  # it landed before they were remembered
        return None
    types: dict[str, str] = json.loads(written)
    return {**known, **{name: {*known.get(name, ()), _kind(of_type)} for name, of_type in types.items()}}


def _kind(of_type: str) -> str:
    return next((kind for types, kind in _KINDS.items() if re.fullmatch(types, of_type)), of_type.lower())
