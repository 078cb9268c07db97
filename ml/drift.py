"""How far a distribution has moved from an earlier one: the population stability index.

Belongs here: the index, the histograms it is taken over. Does not belong here: where a reference is kept
(`orchestration.stores.segmentations`), what is told of it.

The index is Jeffreys' divergence of two histograms. Bins are deciles of the reference, and below .1 nothing has moved,
from .25 on much (N. Siddiqi, *Credit Risk Scorecards*, Wiley 2006, ch. 9). Without any drift it is about
(bins - 1) (1/n + 1/m) (B. Yurdakul, *Statistical Properties of Population Stability Index*, 2018, ch. 3): where that
alone is half of .1 nothing is said.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

MOVED, MOVED_MUCH = 0.1, 0.25
MOST_ROWS = 50_000
"""Rows of which a histogram is made: with more, what chance alone gives is far below what is told."""
_MOST_BY_CHANCE = MOVED / 2
_LEAST_SHARE = 1e-4
"""Stands for a share of nobody, whose logarithm is not finite."""
_DECILES = np.linspace(0.1, 0.9, 9)

Histogram = Mapping[str, Any]
"""Plain JSON: `edges`, the upper ends of all bins but the last, and `counts` of each bin and of missing values."""


def stability_index(reference: Sequence[float], now: Sequence[float]) -> float:
    """Return the population stability index of two histograms over the same bins.

    Parameters
    ----------
    reference, now
        Counts or shares of the bins; each sums to more than 0. A share below 0.0001 counts as that.

    Returns
    -------
    0 for the same shares, else above; the same whichever of the two is the reference.

    Raises
    ------
    ValueError
        When the bins are not as many, or nobody is in any.

    Examples
    --------
    >>> round(stability_index([50, 50], [40, 60]), 4)
    0.0405
    """
    one, other = np.asarray(reference, dtype=float), np.asarray(now, dtype=float)
    if one.shape != other.shape or not one.sum() > 0 or not other.sum() > 0:
        msg = (
            f"stability_index: two histograms over the same bins, none of them empty; given {one} and {other}"
        )
        raise ValueError(msg)
    p, q = (np.maximum(counts / counts.sum(), _LEAST_SHARE) for counts in (one, other))
    return float(np.sum((p - q) * np.log(p / q)))


def histograms(frame: pl.DataFrame, columns: Iterable[str]) -> dict[str, Histogram]:
    """Return the histogram of each column over its own deciles; of more than 50,000 rows, of evenly spaced ones.

    Parameters
    ----------
    frame
        One row per entity, a row at least; the columns hold numbers.
    columns
        Of which.
    """
    rows = _sampled(frame)
    found: dict[str, Histogram] = {}
    for column in columns:
        values = _numbers(rows[column])
        edges = _edges(values[~np.isnan(values)])
        found[column] = {"edges": edges.tolist(), "counts": _counts(values, edges)}
    return found


def drift(reference: Mapping[str, Histogram], frame: pl.DataFrame) -> pl.DataFrame:
    """Return how far the columns of a frame have moved from their reference.

    Parameters
    ----------
    reference
        What `histograms` returned of an earlier frame.
    frame
        Of now.

    Returns
    -------
    column and stability_index, those that moved most first. Columns that the frame lacks, and those with too few rows
    then or now to tell, are left out.
    """
    rows = _sampled(frame)
    moved = []
    for column, then in reference.items():
        if column not in rows.columns:
            continue
        counts = _counts(_numbers(rows[column]), np.array(then["edges"]))
        if is_telling(then["counts"], counts):
            moved.append((column, stability_index(then["counts"], counts)))
    schema = {"column": pl.String, "stability_index": pl.Float64}
    found = pl.DataFrame(moved, schema=schema, orient="row")
    return found.sort("stability_index", descending=True, maintain_order=True)


def is_telling(reference: Sequence[float], now: Sequence[float]) -> bool:
    """Return whether two histograms count enough that chance alone would hardly look like a move."""
    n, m = sum(reference), sum(now)
    bins = sum(1 for pair in zip(reference, now, strict=True) if any(pair))
    return min(n, m) > 0 and (bins - 1) * (1 / n + 1 / m) <= _MOST_BY_CHANCE


def _sampled(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.gather_every(-(-len(frame) // MOST_ROWS)) if len(frame) > MOST_ROWS else frame


def _numbers(values: pl.Series) -> np.ndarray:
    return values.cast(pl.Float64).fill_null(float("nan")).to_numpy()


def _edges(values: np.ndarray) -> np.ndarray:
    """Return the different deciles, each a value that occurs, so that no monotone change of scale moves a row."""
    if not len(values):
        return np.empty(0)
    edges = np.unique(np.quantile(values, _DECILES, method="inverted_cdf"))
    low = values.min()
    # Whatever most have in common is a bin of its own also from below: a constant that fell is seen.
    return np.insert(edges, 0, np.nextafter(low, -np.inf)) if edges[0] == low else edges


def _counts(values: np.ndarray, edges: np.ndarray) -> list[int]:
    missing = np.isnan(values)
    places = np.searchsorted(edges, values[~missing], side="left")
    return [*np.bincount(places, minlength=len(edges) + 1).tolist(), int(missing.sum())]
