"""What a plot is given: rows that can be drawn, or a word that there are none.

Belongs here: what plots of tables check before they draw, which of many rows are drawn. Does not belong here: drawing.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl


class NothingToDrawError(ValueError):
    """No row has what a plot needs; the message says what that is."""


def drawable(frame: pl.DataFrame, *columns: str) -> pl.DataFrame:
    """Return the rows in which none of some columns is missing (null or NaN).

    Raises
    ------
    NothingToDrawError
        When no row is left, or a column is absent.
    """
    if absent := [column for column in columns if column not in frame.columns]:
        raise NothingToDrawError(f"the table has no column {' and no '.join(absent)}")
    numeric = [column for column in columns if frame.schema[column].is_float()]
    known = frame.filter(pl.all_horizontal(pl.col(*columns).is_not_null()))
    if numeric:
        known = known.filter(pl.all_horizontal(pl.col(*numeric).is_not_nan()))
    if not len(known):
        raise NothingToDrawError(f"no row has {' and '.join(columns)}")
    return known


def as_matrix(
    frame: pl.DataFrame, rows: Sequence[Any], columns: Sequence[Any], *, absent: float = 0.0
) -> np.ndarray:
    """Return the third column of a frame by what stands in its first and second one, (r, c) float.

    Where a pair occurs several times its values are summed up; one that does not occur, or has no value, is `absent`.
    """
    matrix = np.full((len(rows), len(columns)), absent)
    places = [{key: i for i, key in enumerate(keys)} for keys in (rows, columns)]
    known = frame.drop_nulls(frame.columns[2]).group_by(frame.columns[:2], maintain_order=True).sum()
    for row, column, value in known.iter_rows():
        matrix[places[0][row], places[1][column]] = value
    return matrix


def balanced_subsample(segment_ids: np.ndarray, per_segment: int, rng: np.random.Generator) -> np.ndarray:
    """Return row numbers with at most `per_segment` rows of each segment, in random order.

    Parameters
    ----------
    segment_ids : (n,) int
    per_segment
        Rows kept of each segment; a smaller segment is kept whole.
    rng
        Decides which rows, and their order.
    """
    chosen = [np.array([], dtype=np.intp)]
    for segment in np.unique(segment_ids):
        rows = np.flatnonzero(segment_ids == segment)
        chosen.append(rng.choice(rows, per_segment, replace=False) if len(rows) > per_segment else rows)
    return rng.permutation(np.concatenate(chosen))
