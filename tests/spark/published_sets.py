"""Two warehouses side by side: what must be equal whatever built the tables."""

import re
from pathlib import Path

import duckdb
import polars as pl

_TABLES = """
    select schema_name, table_name from duckdb_tables() where schema_name in ('intermediate', 'features', 'marts')
    union
    select schema_name, view_name from duckdb_views() where schema_name in ('intermediate', 'features', 'marts')
"""
"""What dbt built."""
_OF_A_RUN = ("runs", "checks", "run_ledger")
"""Tables that tell of the run and not of the data."""
_TIMES_OF_A_RUN = ("happened_at", "trained_at", "entered_at", "left_at", "decided_at", "landed_at")
_TOLERANCE = 1e-6
_FRACTION = re.compile(r"-?\d+\.\d+(e-?\d+)?", re.IGNORECASE)


def differences(one: Path, other: Path) -> list[str]:
    """Return what differs between the tables of two warehouses, a line for each; floats may by a millionth.

    Those that are published, and those that dbt built.
    """
    left, right = _tables(one), _tables(other)
    assert any(name.startswith("published.") for name in left), "nothing is published"
    # Which tables between models are views is each engine's own.
    names = {name for name in left.keys() | right.keys() if not name.startswith("intermediate.")}
    names |= left.keys() & right.keys()
    told = {
        name: _difference(left[name], right[name]) if name in left and name in right else "is in one only"
        for name in sorted(names)
    }
    return [f"{name}: {why}" for name, why in told.items() if why]


def _tables(warehouse: Path) -> dict[str, pl.DataFrame]:
    published = (warehouse / "published").glob("*.parquet")
    found = {f"published.{file.stem}": pl.read_parquet(file) for file in published}
    with duckdb.connect(str(warehouse / "matinee.duckdb"), read_only=True) as connection:
        for schema, table in connection.execute(_TABLES).fetchall():
            found[f"{schema}.{table}"] = connection.table(f"{schema}.{table}").pl()
    return {name: frame for name, frame in found.items() if name.partition(".")[2] not in _OF_A_RUN}


def _difference(one: pl.DataFrame, other: pl.DataFrame) -> str | None:
    frames = [frame.drop(_TIMES_OF_A_RUN, strict=False) for frame in (one, other)]
    if frames[0].schema != frames[1].schema:
        return f"{frames[0].schema} and {frames[1].schema}"
    if len(frames[0]) != len(frames[1]):
        return f"{len(frames[0])} rows and {len(frames[1])}"
    left, right = map(_sorted, frames)
    for column, dtype in left.schema.items():
        if dtype.is_float():
            apart = (left[column] - right[column]).abs() > _TOLERANCE * (1 + left[column].abs())
            apart = apart.fill_null(False) | (left[column].is_null() != right[column].is_null())
        else:
            apart = left[column].ne_missing(right[column])
        if apart.any():
            row = apart.arg_max()
            return f"{column} in {apart.sum()} rows, such as {left[column][row]} and {right[column][row]}"
    return None


def _sorted(frame: pl.DataFrame) -> pl.DataFrame:
    """Return rows in one order, texts with their fractions as exact as floats are compared."""
    texts = [column for column, dtype in frame.schema.items() if dtype == pl.String]
    frame = frame.with_columns(pl.col(column).map_elements(_rounded, pl.String) for column in texts)
    floats = [column for column, dtype in frame.schema.items() if dtype.is_float()]
    first = [column for column in frame.columns if column not in floats]
    by = [*map(pl.col, first), *(pl.col(column).round_sig_figs(6) for column in floats)]
    return frame.sort(by, nulls_last=True)


def _rounded(text: str) -> str:
    return _FRACTION.sub(lambda found: f"{float(found[0]):.6g}", text)
