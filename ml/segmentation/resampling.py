"""How sure a mean is.

Belongs here: the interval of a mean by resampling. Does not belong here: what is said of it (`separation`,
`profile`).
"""

import numpy as np

RESAMPLES = 999
LEAST_MEMBERS = 10
"""An interval from fewer members says more about the method than about them."""
MOST_PARTS = 5_000
"""More members than this are averaged by lot into as many parts, and those are resampled: sums of parts have the
spread and the skew of sums of members, at a cost that no longer grows with them."""

_MOST_DRAWN = 500_000


def mean_interval(
    values: np.ndarray, rng: np.random.Generator, *, most_parts: int = MOST_PARTS
) -> tuple[float, float] | None:
    """Return the 95 % interval of the mean by the bootstrap-t (Efron and Tibshirani, 1993, chapter 12).

    It holds for skewed amounts where the plain one is too narrow.

    Parameters
    ----------
    values : (n,) float
    rng
        Draws the resamples.
    most_parts
        More values than this are averaged by lot into as many parts.

    Returns
    -------
    Both ends; None for fewer than `LEAST_MEMBERS` values or where one end is nowhere to be found.
    """
    if len(values) < LEAST_MEMBERS:
        return None
    mean, error = float(values.mean()), float(values.std(ddof=1) / np.sqrt(len(values)))
    if values.min() == values.max():
        return mean, mean
    parts = _parts(values, most_parts, rng)
    centre, root = parts.mean(), np.sqrt(len(parts))
    t = np.empty(RESAMPLES)
    at_once = max(1, _MOST_DRAWN // len(parts))
    for first in range(0, RESAMPLES, at_once):
        some = t[first : first + at_once]
        drawn = parts[rng.integers(len(parts), size=(len(some), len(parts)))]
        away, spread = drawn.mean(axis=1) - centre, drawn.std(axis=1, ddof=1)
        # A resample of one value only is infinitely sure of it.
        some[:] = np.copysign(np.inf, away)
        np.divide(root * away, spread, out=some, where=drawn.min(axis=1) < drawn.max(axis=1))
    t.sort()
    tail = (RESAMPLES + 1) // 40 - 1
    low, high = mean - t[-1 - tail] * error, mean - t[tail] * error
    return (float(low), float(high)) if np.isfinite([low, high]).all() else None


def _parts(values: np.ndarray, most: int, rng: np.random.Generator) -> np.ndarray:
    if len(values) <= most:
        return values
    edges = np.linspace(0, len(values), most + 1).astype(np.int64)
    return np.add.reduceat(rng.permutation(values), edges[:-1]) / np.diff(edges)
