"""What segments say of a feature and what they do not.

Belongs here: the variance that segments explain, and which segments may be said to differ from everybody.
Does not belong here: profiles (`profile`), how good a clustering is in its own space (`quality`), drawing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import polars as pl
from scipy.special import chdtrc

from ml.plots.words import within_sentence
from ml.segmentation.errors import SegmentationError
from ml.segmentation.resampling import LEAST_MEMBERS, mean_interval

_SEPARATION = {
    "feature": pl.String,
    "eta_squared": pl.Float64,
    "kruskal_p": pl.Float64,
    "best_column": pl.String,
    "best_eta_squared": pl.Float64,
    "best_kruskal_p": pl.Float64,
}
_CLAIMS = {
    "segment_id": pl.Int32,
    "feature": pl.String,
    "segment_mean": pl.Float64,
    "base_mean": pl.Float64,
    "interval_low": pl.Float64,
    "interval_high": pl.Float64,
    "mean_without_largest": pl.Float64,
    "is_supported": pl.Boolean,
    "sentence": pl.String,
    "reason": pl.String,
}


def separation(
    frame: pl.DataFrame, segment_ids: np.ndarray, features: Sequence[str], against: Sequence[str] = ()
) -> pl.DataFrame:
    """Say how much of each feature the segments explain, beside the best single column.

    Parameters
    ----------
    frame
        One row per entity.
    segment_ids : (n,) int
        The segment of each row.
    features
        The judged columns, numeric; rows without a value do not count.
    against
        Columns of categories; the one that explains most of a feature is the best.

    Returns
    -------
    One row per feature: feature, eta_squared (share of its variance that lies between the segments, 0 to 1),
    kruskal_p (Kruskal and Wallis, 1952: the p-value of ranks alike in all segments, which one extreme value
    cannot sway), best_column, best_eta_squared, best_kruskal_p. Null where the feature does not vary; a p-value
    also where there is one group only.

    Raises
    ------
    SegmentationError
        When a column is absent or a judged one is not numeric.
    """
    _require(frame, features, against)
    groups = {column: _codes(frame[column]) for column in against}
    rows = []
    for feature in features:
        values = _values(frame, feature)
        eta_squared, p = _explained(values, segment_ids)
        single = {column: _explained(values, codes) for column, codes in groups.items()}
        best = max(single, key=lambda column: single[column][0] or 0.0, default=None)
        rows.append((feature, eta_squared, p, best, *(single[best] if best else (None, None))))
    return pl.DataFrame(rows, schema=_SEPARATION, orient="row")


def claims(
    frame: pl.DataFrame,
    segment_ids: np.ndarray,
    segment_names: Sequence[str],
    features: Sequence[str],
    *,
    rng: np.random.Generator,
    labels: Mapping[str, str] | None = None,
) -> pl.DataFrame:
    """Say which segments differ from everybody in the mean of a feature, and why nothing is said of the others.

    A segment may be said to differ when the 95 % interval of its mean leaves out the mean of all rows, and its
    largest member alone does not decide the direction. The interval is a bootstrap-t (Efron and Tibshirani,
    1993, chapter 12), which holds for skewed amounts where the plain one is too narrow. Each interval stands
    for itself: of twenty segments that do not differ, one will seem to.

    Parameters
    ----------
    frame
        One row per entity.
    segment_ids : (n,) int
        The segment of each row, 0 to k - 1.
    segment_names
        k names.
    features
        The judged columns, numeric; rows without a value do not count.
    rng
        Draws the resamples.
    labels
        What a column is called in sentences, where its name does not say it.

    Returns
    -------
    One row per segment and feature: segment_id, feature, segment_mean, base_mean, interval_low, interval_high
    (null where there is no interval), mean_without_largest (null for a single member), is_supported, sentence
    (null unless supported) and reason (null when supported).

    Raises
    ------
    SegmentationError
        When a column is absent or not numeric.
    """
    _require(frame, features, ())
    rows = []
    for feature in features:
        values = _values(frame, feature).fill_null(float("nan")).to_numpy()
        present = ~np.isnan(values)
        base = float(values[present].mean()) if present.any() else None
        own = [values[present & (segment_ids == i)] for i in range(len(segment_names))]
        place = _places([float(members.mean()) if len(members) else None for members in own])
        for i, name in enumerate(segment_names):
            claim: dict[str, Any] = {"segment_id": i, "feature": feature, "base_mean": base}
            if base is None or not len(own[i]):
                claim |= {"is_supported": False, "reason": "no member has a value"}
            else:
                difference = _Difference.of(own[i], base, rng)
                claim |= difference.figures() | difference.in_words(
                    f"{name}: {_words(feature, labels or {})}", place.get(i)
                )
            rows.append(claim)
    return pl.DataFrame(rows, schema=_CLAIMS).sort("segment_id", maintain_order=True)


@dataclass(frozen=True)
class _Difference:
    """A segment's mean beside the mean of all."""

    members: int
    mean: float
    base: float
    interval: tuple[float, float] | None
    without_largest: float | None

    @classmethod
    def of(cls, values: np.ndarray, base: float, rng: np.random.Generator) -> Self:
        n = len(values)
        return cls(
            members=n,
            mean=float(values.mean()),
            base=base,
            interval=mean_interval(values, rng),
            without_largest=float((values.sum() - values.max()) / (n - 1)) if n > 1 else None,
        )

    def figures(self) -> dict[str, Any]:
        low, high = self.interval or (None, None)
        return {
            "segment_mean": self.mean,
            "interval_low": low,
            "interval_high": high,
            "mean_without_largest": self.without_largest,
        }

    def in_words(self, subject: str, place: str | None) -> dict[str, Any]:
        """Return the sentence, or the reason why there is none; `place` says that no segment's mean is beyond it."""
        doubts = self._doubts()
        if not doubts:
            side = "above" if self.mean > self.base else "below"
            sentence = (
                f"{subject} {_figure(self.mean)} on average, {side} the {_figure(self.base)} of all "
                f"({self._interval_in_words()})"
            )
            return {"is_supported": True, "sentence": sentence, "reason": None}
        reason = "; ".join(doubts)
        if place:
            reason = f"its mean is the {place} of all segments, but {reason}"
        return {"is_supported": False, "sentence": None, "reason": reason}

    def _doubts(self) -> list[str]:
        doubts = []
        if self.members < LEAST_MEMBERS:
            few = "one member is" if self.members == 1 else f"{self.members} members are"
            doubts.append(f"{few} too few for an interval")
        elif self.interval is None:
            doubts.append("nearly all members have the same value, so that no interval can be told")
        elif self.interval[0] <= self.base <= self.interval[1]:
            doubts.append(f"the {self._interval_in_words()} includes the {_figure(self.base)} of all")
        without = self.without_largest
        if without is not None:
            turns = (self.mean - self.base) * (without - self.base) < 0
            if turns or (doubts and abs(self.mean - without) > abs(self.mean - self.base)):
                doubts.append(
                    f"rests on one member: {_figure(self.mean)} with it, {_figure(without)} without"
                )
        return doubts

    def _interval_in_words(self) -> str:
        low, high = self.interval or (self.mean, self.mean)
        return f"95 % interval {_figure(low)} to {_figure(high)}"


def _places(means: Sequence[float | None]) -> dict[int, str]:
    """Return which segment has the highest mean and which the lowest, where segments differ."""
    known = {i: mean for i, mean in enumerate(means) if mean is not None}
    if len(set(known.values())) < 2:
        return {}
    return {
        max(known, key=lambda i: known[i]): "highest",
        min(known, key=lambda i: known[i]): "lowest",
    }


def _explained(values: pl.Series, groups: np.ndarray) -> tuple[float | None, float | None]:
    """Return eta squared and the Kruskal-Wallis p-value of values, nulls left out, over groups from 0."""
    present = values.is_not_null().to_numpy()
    values, groups = values.drop_nulls(), np.unique(groups[present], return_inverse=True)[1]
    n = len(values)
    if n == 0 or values.min() == values.max():
        return None, None
    sizes = np.bincount(groups)
    x = values.to_numpy()
    means = np.bincount(groups, x) / sizes
    eta_squared = float((sizes * (means - x.mean()) ** 2).sum() / ((x - x.mean()) ** 2).sum())
    if len(sizes) < 2:
        return eta_squared, None
    ranks = np.bincount(groups, values.rank("average").to_numpy()) / sizes
    tied = values.value_counts()["count"].to_numpy().astype(np.float64)
    spread = (sizes * (ranks - (n + 1) / 2) ** 2).sum() * 12 / (n * (n + 1))
    h = spread / (1 - (tied**3 - tied).sum() / (float(n) ** 3 - n))
    return eta_squared, float(chdtrc(len(sizes) - 1, h))


def _values(frame: pl.DataFrame, feature: str) -> pl.Series:
    return frame[feature].cast(pl.Float64).fill_nan(None)


def _codes(column: pl.Series) -> np.ndarray:
    """Return the number of each row's category; an empty value is one of them."""
    return np.unique(column.cast(pl.String).fill_null("").to_numpy(), return_inverse=True)[1]


def _require(frame: pl.DataFrame, features: Sequence[str], against: Sequence[str]) -> None:
    for role, columns in (("judge.features", features), ("judge.against", against)):
        for column in columns:
            if column not in frame.columns:
                msg = f"{role}: no column {column!r}; there are: {', '.join(frame.columns)}"
                raise SegmentationError(msg)
    if texts := [c for c in features if not (frame.schema[c].is_numeric() or frame.schema[c] == pl.Boolean)]:
        msg = f"judge.features must be numbers; not a number: {', '.join(texts)}"
        raise SegmentationError(msg)


def _words(feature: str, labels: Mapping[str, str]) -> str:
    return within_sentence(labels.get(feature, feature.replace("_", " ")))


def _figure(value: float) -> str:
    return f"{value:,.2f}" if abs(value) >= 1 or value == 0 else f"{value:.3g}"
