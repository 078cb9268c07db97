"""How columns move together.

Belongs here: correlations of feature columns. Does not belong here: drawing them, anything about segments.
"""

import numpy as np
import polars as pl


def correlation_matrix(frame: pl.DataFrame, columns: list[str]) -> np.ndarray:
    """Return Pearson's correlation of every pair of columns, (d, d) float64, in their order.

    Parameters
    ----------
    frame : n rows
    columns
        d numeric columns; an empty value counts as 0, as in a profile.

    Returns
    -------
    Values in [-1, 1]; NaN in the row and the column of a feature that does not vary, its diagonal too.
    """
    X = frame.select(pl.col(columns).cast(pl.Float64).fill_null(0)).to_numpy()
    centred = X - X.mean(axis=0)
    lengths = np.sqrt(np.einsum("ij,ij->j", centred, centred))
    # A constant column may keep a rest of rounding after centring: its range says that it does not vary.
    lengths[X.min(axis=0) == X.max(axis=0)] = np.nan
    matrix = (centred.T @ centred) / np.outer(lengths, lengths)
    return matrix.clip(-1, 1)
