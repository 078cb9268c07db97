"""Turn feature columns into the matrix that is clustered; fitted once, stored with the model.

Belongs here: missing values, constant columns, log1p, standardisation, and their fitted state.
Does not belong here: choosing k, distances, anything about segments.
"""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import polars as pl

from ml.errors import SegmentationError
from ml.segmentation.spec import Features, select_columns


@dataclass(frozen=True)
class Preparation:
    """Fitted preparation of `d` feature columns.

    Attributes
    ----------
    columns : the feature columns, in matrix order.
    fill : (d,) value that replaces a missing one; NaN where a missing value is refused.
    log1p : (d,) bool, whether log(1 + x) is taken.
    shift, scale : (d,) the matrix is (x - shift) / scale after log1p.
    """

    columns: tuple[str, ...]
    fill: np.ndarray
    log1p: np.ndarray
    shift: np.ndarray
    scale: np.ndarray

    @classmethod
    def fit(cls, frame: pl.DataFrame, features: Features) -> Self:
        """Fit on the training frame.

        Raises
        ------
        SegmentationError
            When a pattern matches nothing, a column is not numeric, a value is missing or infinite
            where that is refused, or a column is constant where that is refused.
        """
        columns = select_columns(features.columns, frame.columns)
        raw = _as_matrix(frame, columns)
        fill = _fitted_fill(raw, columns, features.missing)
        missing = np.isnan(raw)
        filled = np.where(missing, fill, raw) if missing.any() else raw

        varying = filled.min(axis=0) < filled.max(axis=0)
        if not varying.all():
            constant = [column for column, varies in zip(columns, varying, strict=True) if not varies]
            if features.constant == "error" or not varying.any():
                msg = (
                    f"constant feature: {', '.join(constant)} has the same value in all {len(raw):,} rows "
                    "and can separate nobody; leave it out of `columns` or set `constant: drop`"
                )
                raise SegmentationError(msg)
            columns = [column for column in columns if column not in constant]
            filled, fill = filled[:, varying], fill[varying]

        log1p = np.zeros(len(columns), dtype=bool)
        shift, scale = np.zeros(len(columns)), np.ones(len(columns))
        for step in features.prepare:
            chosen = set(select_columns(step.columns, columns))
            mask = np.array([column in chosen for column in columns])
            if step.step == "log1p":
                if (filled[:, mask] < 0).any():
                    bad = [c for c, m in zip(columns, mask, strict=True) if m and (frame[c] < 0).any()]
                    msg = f"log1p needs values of 0 or more; negative values in {', '.join(bad)}"
                    raise SegmentationError(msg)
                if (scale[mask] != 1).any() or (shift[mask] != 0).any():
                    msg = "prepare: log1p must come before standardize"
                    raise SegmentationError(msg)
                log1p |= mask
                filled[:, mask] = np.log1p(filled[:, mask])
            else:
                for j in np.flatnonzero(mask):  # a mask would copy all columns
                    shift[j], scale[j] = filled[:, j].mean(), filled[:, j].std()
        return cls(tuple(columns), fill, log1p, shift, scale)

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
        # Column by column: at 270 K x 40 every whole float64 copy is 86 MB.
        for j in range(raw.shape[1]):
            column = np.log1p(raw[:, j]) if self.log1p[j] else raw[:, j]
            prepared[:, j] = (column - self.shift[j]) / self.scale[j]
        return prepared

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values; `from_dict` gives the same preparation back, bit for bit."""
        return {
            "columns": list(self.columns),
            "fill": [None if np.isnan(value) else float(value) for value in self.fill],
            "log1p": self.log1p.tolist(),
            "shift": self.shift.tolist(),
            "scale": self.scale.tolist(),
        }

    @classmethod
    def from_dict(cls, state: dict[str, Any]) -> Self:
        """Rebuild a preparation that `to_dict` described."""
        return cls(
            columns=tuple(state["columns"]),
            fill=np.array([np.nan if value is None else value for value in state["fill"]], dtype=float),
            log1p=np.array(state["log1p"], dtype=bool),
            shift=np.array(state["shift"], dtype=float),
            scale=np.array(state["scale"], dtype=float),
        )


def _as_matrix(frame: pl.DataFrame, columns: list[str]) -> np.ndarray:
    texts = [column for column in columns if not frame.schema[column].is_numeric()]
    texts = [column for column in texts if frame.schema[column] != pl.Boolean]
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
