"""How sure a mean is.

Belongs here: the interval of a mean by resampling. Does not belong here: what is said of it (`separation`,
`profile`).
"""

import numpy as np

from ml.segmentation.assignment import one_thread_each

RESAMPLES = 999
LEAST_MEMBERS = 10
"""An interval from fewer members says more about the method than about them."""
MOST_PARTS = 1_000
"""More members than this are averaged by lot into as many parts, and those are resampled: sums of parts have the
spread and the skew of sums of members, at a cost that no longer grows with them."""

_SURE = 1e-9
"""Variance, of that of all parts, under which rounding may have made it."""


def mean_interval(
    values: np.ndarray, rng: np.random.Generator, *, most_parts: int = MOST_PARTS
) -> tuple[float, float] | None:
    """Return the interval that `mean_intervals` gives for a single column (n,)."""
    low, high = mean_intervals(values[:, None], rng, most_parts=most_parts)[0].tolist()
    return (low, high) if np.isfinite([low, high]).all() else None


def mean_intervals(
    values: np.ndarray, rng: np.random.Generator, *, most_parts: int = MOST_PARTS
) -> np.ndarray:
    """Return the 95 % interval of the mean of each column by the bootstrap-t (Efron and Tibshirani, 1993, chapter 12).

    It holds for skewed amounts where the plain one is too narrow. All columns are resampled alike: two products of
    matrices hold the means and the variances of all.

    Parameters
    ----------
    values : (n, d) float
    rng
        Draws the resamples.
    most_parts
        More values than this are averaged by lot into as many parts.

    Returns
    -------
    (d, 2): both ends; not a number for fewer than `LEAST_MEMBERS` rows or where an end is nowhere to be found.
    """
    n, d = values.shape
    if n < LEAST_MEMBERS:
        return np.full((d, 2), np.nan)
    mean, error = values.mean(axis=0), values.std(axis=0, ddof=1) / np.sqrt(n)
    parts = _parts(values, most_parts, rng)
    parts = parts - parts.mean(axis=0)
    variance = parts.var(axis=0)
    drawn = rng.integers(len(parts), size=(RESAMPLES, len(parts)), dtype=np.int32)
    times = np.array([np.bincount(of_one, minlength=len(parts)) for of_one in drawn], dtype=np.float64)
    with one_thread_each("blas"):
        away, squares = times @ parts / len(parts), times @ parts**2 / len(parts)
    spread = squares - away**2
    unsure = (spread <= _SURE * variance) & (variance > 0)
    for column in np.flatnonzero(unsure.any(axis=0)):
        again = parts[:, column][drawn[unsure[:, column]]]
        spread[unsure[:, column], column] = again.var(axis=1) * (again.min(axis=1) < again.max(axis=1))
    # A resample of one value only is infinitely sure of it.
    t = np.copysign(np.inf, away)
    np.divide(np.sqrt(len(parts) - 1) * away, np.sqrt(np.maximum(spread, 0)), out=t, where=spread > 0)
    t.sort(axis=0)
    tail = (RESAMPLES + 1) // 40 - 1
    t = t[[-1 - tail, tail]].T
    t[~np.isfinite(t).all(axis=1)] = np.nan
    t[values.min(axis=0) == values.max(axis=0)] = 0  # as sure as can be
    return mean[:, None] - t * error[:, None]


def _parts(values: np.ndarray, most: int, rng: np.random.Generator) -> np.ndarray:
    if len(values) <= most:
        return values
    lot = rng.permutation(len(values)) % most
    return np.stack([np.bincount(lot, column) for column in values.T], axis=1) / np.bincount(lot)[:, None]
