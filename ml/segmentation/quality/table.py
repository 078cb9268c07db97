"""The figures that judge a segmentation, as rows of one table.

Belongs here: what a figure is, its interval, the thresholds it must hold. Does not belong here: any measure.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

COVERED = 0.95
"""Share of the resamples that lies between `low` and `high`."""
AT_MOST = frozenset({"largest_share"})
"""Measures whose threshold is an upper bound; that of every other one is a lower bound."""
_NULLS = {"random": "random labels", "volume": "volume", "shuffled": "shuffled"}
_SCHEMA = {
    "segment_id": pl.Int32,
    "measure": pl.String,
    "value": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "beside": pl.String,
    **{f"beside_{null}": pl.Float64 for null in _NULLS},
    "threshold": pl.Float64,
    "passed": pl.Boolean,
}


@dataclass(frozen=True)
class Figure:
    """One measured value.

    Attributes
    ----------
    measure : its name, the same in thresholds and table.
    value : None where the data are too few to measure it.
    low, high : its interval over resamples, None where nothing was resampled.
    segment_id : None for the whole segmentation.
    beside : what random labels of the same sizes, quantiles of volume and the same labels fitted on shuffled
        titles or genres come to, by `random`, `volume` and `shuffled`; without those that do not apply.
    """

    measure: str
    value: float | None
    low: float | None = None
    high: float | None = None
    segment_id: int | None = None
    beside: Mapping[str, float] | None = None

    @property
    def error(self) -> float:
        """The standard error that an interval of 95 % stands for; not a number without one."""
        return float("nan") if self.low is None or self.high is None else (self.high - self.low) / (2 * 1.96)


def resampled(
    measure: str,
    value: float,
    resamples: np.ndarray,
    *,
    segment_id: int | None = None,
    beside: Mapping[str, float] | None = None,
) -> Figure:
    """Return a figure whose interval is the central 95 % of its resamples (the percentile bootstrap).

    What is not a number, for want of data, is left out.
    """
    known = resamples[np.isfinite(resamples)]
    if not np.isfinite(value) or not len(known):
        return Figure(measure, None, segment_id=segment_id)
    low, high = np.quantile(known, [(1 - COVERED) / 2, (1 + COVERED) / 2]).tolist()
    compared = {null: other for null, other in (beside or {}).items() if np.isfinite(other)}
    return Figure(measure, float(value), low, high, segment_id, compared)


def sizes(labels: np.ndarray, k: int) -> list[Figure]:
    """Return the share of the smallest and of the largest of k segments; labels (n,) int."""
    shares = np.bincount(labels, minlength=k) / len(labels)
    return [Figure("smallest_share", float(shares.min())), Figure("largest_share", float(shares.max()))]


def quality_table(figures: Iterable[Figure], thresholds: Mapping[str, float] | None = None) -> pl.DataFrame:
    """Put figures beside the thresholds that are declared for them.

    A threshold binds the figure of the whole segmentation. A measure that has a threshold and no figure gets a row
    without a value that does not pass: what could not be measured was not shown to hold.

    Parameters
    ----------
    figures
        In the order of the rows.
    thresholds
        Measure to the least value that passes; to the most for `largest_share`.

    Returns
    -------
    One row per figure: segment_id (null for the whole), measure, value, low, high, beside (the nulls in words),
    beside_random, beside_volume, beside_shuffled, threshold, passed (null without a threshold).
    """
    bounds, figures = dict(thresholds or {}), list(figures)
    known = {figure.measure for figure in figures if figure.segment_id is None}
    figures += [Figure(measure, None) for measure in bounds if measure not in known]
    return pl.DataFrame([_row(figure, bounds) for figure in figures], schema=_SCHEMA)


def _row(figure: Figure, bounds: Mapping[str, float]) -> dict[str, object]:
    bound = bounds.get(figure.measure) if figure.segment_id is None else None
    beside = figure.beside or {}
    words = [f"{word} {beside[null]:.2f}" for null, word in _NULLS.items() if null in beside]
    return {
        "segment_id": figure.segment_id,
        "measure": figure.measure,
        "value": figure.value,
        "low": figure.low,
        "high": figure.high,
        "beside": ", ".join(words) or None,
        **{f"beside_{null}": beside.get(null) for null in _NULLS},
        "threshold": bound,
        "passed": None if bound is None else _holds(figure, bound),
    }


def _holds(figure: Figure, bound: float) -> bool:
    if figure.value is None:
        return False
    return figure.value <= bound if figure.measure in AT_MOST else figure.value >= bound
