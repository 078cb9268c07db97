"""Two published sets side by side: what must be equal whatever built the tables."""

import re
from pathlib import Path

import polars as pl

OF_A_RUN = ("runs", "checks", "run_ledger")
"""Tables that tell of the run and not of the data."""
_TIMES_OF_A_RUN = ("happened_at", "trained_at", "entered_at", "left_at", "decided_at", "landed_at")
_TOLERANCE = 1e-6
_FRACTION = re.compile(r"-?\d+\.\d+(e-?\d+)?", re.IGNORECASE)


def differences(one: Path, other: Path) -> list[str]:
    """Return what differs between the sets of two warehouses, a line for each table; floats may by a millionth."""
    tables = {file.name for folder in (one, other) for file in (folder / "published").glob("*.parquet")}
    told = {
        table: _difference(*(folder / "published" / table for folder in (one, other)))
        for table in sorted(tables)
        if table.removesuffix(".parquet") not in OF_A_RUN
    }
    assert told, "nothing is published"
    return [f"{table}: {why}" for table, why in told.items() if why]


def _difference(one: Path, other: Path) -> str | None:
    if not (one.exists() and other.exists()):
        return "is in one set only"
    frames = [pl.read_parquet(file).drop(_TIMES_OF_A_RUN, strict=False) for file in (one, other)]
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
