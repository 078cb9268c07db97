"""Turn feature columns into the matrix that is clustered; fitted once, stored with the model.

Belongs here: missing values, constant columns, limits, log1p, standardisation, weights, and their fitted state.
Does not belong here: choosing k, distances, anything about segments.
"""

from dataclasses import dataclass
from textwrap import shorten
from typing import Any, Self

import numpy as np
import polars as pl

from ml.segmentation.errors import SegmentationError, UntrainableError
from ml.segmentation.spec import Features, PrepareStep, select_columns

_NORMAL_QUARTILES = 1.3489795003921634
"""Distance of the quartiles of a normal distribution, in standard deviations."""


@dataclass(frozen=True)
class Preparation:
    """Fitted preparation of `d` feature columns.

    Attributes
    ----------
    columns : the feature columns, in matrix order.
    fill : (d,) value that replaces a missing one; NaN where a missing value is refused.
    low, high : (d,) limits beyond which a value becomes the limit; infinite where there is none.
    log1p : (d,) bool, whether log(1 + x) is taken.
    shift, scale : (d,) the matrix is (x - shift) / scale after log1p.
    dropped : declared columns with one value only, which can separate nobody; new rows need not have them.
    """

    columns: tuple[str, ...]
    fill: np.ndarray
    low: np.ndarray
    high: np.ndarray
    log1p: np.ndarray
    shift: np.ndarray
    scale: np.ndarray
    dropped: tuple[str, ...] = ()

    @property
    def has_limits(self) -> bool:
        """Whether any column is winsorized."""
        return bool(np.isfinite(self.low).any() or np.isfinite(self.high).any())

    @classmethod
    def fit(cls, frame: pl.DataFrame, features: Features) -> Self:
        """Fit on the training frame.

        Raises
        ------
        SegmentationError
            When a pattern matches nothing, a column is not numeric, a value is missing or infinite
            where that is refused, or a column is constant where that is refused.
        UntrainableError
            When every column is constant.
        """
        declared = columns = _feature_columns(frame, features.columns)
        raw = _as_matrix(frame, columns)
        fill = _fitted_fill(raw, columns, features.missing)
        missing = np.isnan(raw)
        filled = np.where(missing, fill, raw) if missing.any() else raw

        varying = filled.min(axis=0) < filled.max(axis=0)
        constant = tuple(column for column, varies in zip(columns, varying, strict=True) if not varies)
        if not varying.any():
            named = shorten(", ".join(constant), 60, placeholder=" and others")
            msg = f"no feature is left: each of {named} has the same value in all {len(raw):,} rows"
            raise UntrainableError(msg)
        if constant:
            if features.constant == "error":
                msg = (
                    f"constant feature: {', '.join(constant)} has the same value in all {len(raw):,} rows "
                    "and can separate nobody; leave it out of `columns` or set `constant: drop`"
                )
                raise SegmentationError(msg)
            columns = [column for column in columns if column not in constant]
            filled, fill = filled[:, varying], fill[varying]

        steps = _Steps(tuple(columns), filled)
        for step in features.prepare:
            chosen = set(select_columns(step.columns, declared))  # one that was dropped may be named
            steps.fit(step, np.array([column in chosen for column in columns]))
        return cls(
            tuple(columns), fill, steps.low, steps.high, steps.log1p, steps.shift, steps.scale, constant
        )

    def transform(self, frame: pl.DataFrame) -> np.ndarray:
        """Return the prepared matrix, (n, d) float32, C order.

        Raises
        ------
        SegmentationError
            When a column is absent, not numeric, or holds a missing value that no rule fills.
        """
        absent = [column for column in self.columns if column not in frame.columns]
        if absent:
            msg = f"missing feature column: {', '.join(absent)}; there are: {', '.join(frame.columns)}"
            raise SegmentationError(msg)
        raw = _as_matrix(frame, list(self.columns))
        missing = np.isnan(raw)
        if missing.any():
            if (missing & np.isnan(self.fill)).any():
                raise SegmentationError(_missing_message(self.columns, missing & np.isnan(self.fill)))
            raw = np.where(missing, self.fill, raw)
        prepared = np.empty(raw.shape, dtype=np.float32)
        limited = self.has_limits
        # Column by column: at 270 K x 40 every whole float64 copy is 86 MB.
        for j in range(raw.shape[1]):
            column = raw[:, j]
            if limited:
                column = column.clip(self.low[j], self.high[j])
            if self.log1p[j]:
                column = np.log1p(column)
            prepared[:, j] = (column - self.shift[j]) / self.scale[j]
        return prepared

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values; `from_dict` gives the same preparation back, bit for bit."""
        state: dict[str, Any] = {
            "columns": list(self.columns),
            "fill": _or_none(self.fill),
            "log1p": self.log1p.tolist(),
            "shift": self.shift.tolist(),
            "scale": self.scale.tolist(),
        }
        if self.has_limits:  # a preparation without limits keeps the form it had before there were any
            state |= {"low": _or_none(self.low), "high": _or_none(self.high)}
        if self.dropped:
            state["dropped"] = list(self.dropped)
        return state

    @classmethod
    def from_dict(cls, state: dict[str, Any]) -> Self:
        """Rebuild a preparation that `to_dict` described."""
        none = [None] * len(state["columns"])
        return cls(
            columns=tuple(state["columns"]),
            fill=_or(np.nan, state["fill"]),
            low=_or(-np.inf, state.get("low", none)),
            high=_or(np.inf, state.get("high", none)),
            log1p=np.array(state["log1p"], dtype=bool),
            shift=np.array(state["shift"], dtype=float),
            scale=np.array(state["scale"], dtype=float),
            dropped=tuple(state.get("dropped", ())),
        )


class _Steps:
    """The state of the steps while they are fitted one after the other, each on what those before it left."""

    def __init__(self, columns: tuple[str, ...], X: np.ndarray) -> None:
        d = len(columns)
        self.columns = columns
        self.values = [X[:, j] for j in range(d)]  # one by one: X is not ours to write into
        self.low, self.high = np.full(d, -np.inf), np.full(d, np.inf)
        self.log1p, self.weighed = np.zeros(d, dtype=bool), np.zeros(d, dtype=bool)
        self.shift, self.scale = np.zeros(d), np.ones(d)

    def fit(self, step: PrepareStep, mask: np.ndarray) -> None:
        """Fit a step on the masked columns."""
        scaled = (self.scale != 1) | (self.shift != 0)
        if step.step in {"winsorize", "log1p"} and scaled[mask].any():
            msg = f"prepare: {step.step} must come before standardize and robust"
            raise SegmentationError(msg)
        if step.step == "winsorize":
            self._winsorize(step.share or 0.0, mask)
        elif step.step == "log1p":
            self._log1p(mask)
        elif step.step in {"standardize", "robust"}:
            self._scale(step.step, mask)
        else:
            variances = [(self.values[j] / self.scale[j]).var() for j in np.flatnonzero(mask)]
            self.scale[mask] *= np.sqrt(sum(variances))
            self.weighed |= mask

    def _winsorize(self, share: float, mask: np.ndarray) -> None:
        if self.log1p[mask].any():
            msg = "prepare: winsorize must come before log1p"
            raise SegmentationError(msg)
        for j in np.flatnonzero(mask):
            self.low[j], self.high[j] = np.quantile(self.values[j], [share, 1 - share])
            self.values[j] = self.values[j].clip(self.low[j], self.high[j])
        alike = mask & (self.low == self.high)
        if alike.any():
            msg = (
                f"winsorize with share {share:g} leaves one value in {self._listed(alike)}: too few rows differ "
                "from the others; name in `columns` only those with extreme values, or lower the share"
            )
            raise UntrainableError(msg)

    def _log1p(self, mask: np.ndarray) -> None:
        negative = mask & np.array([values.min() < 0 for values in self.values])
        if negative.any():
            msg = f"log1p needs values of 0 or more; negative values in {self._listed(negative)}"
            raise SegmentationError(msg)
        self.log1p |= mask
        for j in np.flatnonzero(mask):
            self.values[j] = np.log1p(self.values[j])

    def _scale(self, step: str, mask: np.ndarray) -> None:
        if self.weighed[mask].any():
            msg = f"prepare: weigh_as_one must come after {step}"
            raise SegmentationError(msg)
        for j in np.flatnonzero(mask):
            values = self.values[j]
            self.shift[j], self.scale[j] = values.mean(), values.std()
            if step == "robust":
                low, median, high = np.quantile(values, [0.25, 0.5, 0.75])
                # Where half of the rows are alike their spread says nothing, and the standard deviation stays.
                self.shift[j] = median
                if high > low:
                    self.scale[j] = (high - low) / _NORMAL_QUARTILES

    def _listed(self, mask: np.ndarray) -> str:
        return ", ".join(column for column, chosen in zip(self.columns, mask, strict=True) if chosen)


def _feature_columns(frame: pl.DataFrame, patterns: tuple[str, ...]) -> list[str]:
    """Return the columns to cluster on; a glob passes over text, a column named in full is never passed over."""
    columns = select_columns(patterns, frame.columns)
    schema = frame.schema
    numbers = [column for column in columns if column in patterns or _is_number(schema[column])]
    return numbers or columns


def _is_number(dtype: pl.DataType) -> bool:
    return dtype.is_numeric() or dtype == pl.Boolean


def _or_none(values: np.ndarray) -> list[float | None]:
    return [float(value) if np.isfinite(value) else None for value in values]


def _or(value: float, values: list[float | None]) -> np.ndarray:
    return np.array([value if given is None else given for given in values], dtype=float)


def _as_matrix(frame: pl.DataFrame, columns: list[str]) -> np.ndarray:
    schema = frame.schema  # which each time it is asked for is made anew
    texts = [column for column in columns if not _is_number(schema[column])]
    if texts:
        msg = f"feature columns must be numbers; not a number: {', '.join(texts)}"
        raise SegmentationError(msg)
    # Fortran order keeps each column together, which is how it comes and how it is worked on.
    matrix = frame.select(pl.col(columns).cast(pl.Float64).fill_null(float("nan"))).to_numpy(order="fortran")
    if np.isinf(matrix).any():
        bad = [column for j, column in enumerate(columns) if np.isinf(matrix[:, j]).any()]
        msg = f"infinite value in {', '.join(bad)}; feature columns must be finite numbers"
        raise SegmentationError(msg)
    return matrix


def _fitted_fill(raw: np.ndarray, columns: list[str], rule: str) -> np.ndarray:
    missing = np.isnan(raw)
    if rule == "zero":
        return np.zeros(raw.shape[1])
    if rule == "mean":
        if missing.all(axis=0).any():
            raise SegmentationError(_missing_message(columns, missing & missing.all(axis=0)))
        return np.nanmean(raw, axis=0)
    if missing.any():
        raise SegmentationError(_missing_message(columns, missing))
    return np.full(raw.shape[1], np.nan)


def _missing_message(columns: tuple[str, ...] | list[str], missing: np.ndarray) -> str:
    counts = missing.sum(axis=0)
    listed = ", ".join(
        f"{column} ({count:,})" for column, count in zip(columns, counts, strict=True) if count
    )
    return f"missing values in {listed}; fill them upstream or set `missing: zero` or `missing: mean`"
