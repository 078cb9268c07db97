"""What is known of a user as of a day, as numbers a model learns from and in words.

Belongs here: the features, each with its words. Does not belong here: counting activity (SQL), weights.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

COLUMNS = ("recency_days", "active_days", "recent_days", "events", "minutes", "known_days")
"""Of the window up to the day: days since the last activity, days with any, those in its later half, views and ratings,
minutes watched, days since the first activity."""

Known = Mapping[str, np.ndarray]
"""`COLUMNS` of some users and `window_days`, the same for all."""
Row = Mapping[str, float]
"""The same of one user."""


@dataclass(frozen=True)
class Feature:
    """One number of a user, and how it is told; `words` takes the user's row and the typical value."""

    name: str
    of: Callable[[Known], np.ndarray]
    words: Callable[[Row, float], str]


def _every(known: Known) -> np.ndarray:
    """Return after how many days a user came back, while they did."""
    return (known["window_days"] - known["recency_days"]) / known["active_days"]


FEATURES = (
    Feature(
        "silence",
        lambda known: np.log1p(known["recency_days"] / _every(known)),
        lambda row, _: (
            f"silent for {_days(row['recency_days'])}, active every "
            f"{_days(max((row['window_days'] - row['recency_days']) / row['active_days'], 1))} until then"
        ),
    ),
    Feature(
        "active_days",
        lambda known: np.log(known["active_days"]),
        lambda row, typical: (
            f"active on {row['active_days']:.0f} of {row['window_days']:.0f} days, typical are {np.exp(typical):.0f}"
        ),
    ),
    Feature(
        "recent_share",
        lambda known: (known["recent_days"] + 0.5) / (known["active_days"] + 1),
        lambda row, _: (
            f"{row['recent_days']:.0f} of {row['active_days']:.0f} active days in the last "
            f"{row['window_days'] // 2:.0f} of {row['window_days']:.0f}"
        ),
    ),
    Feature(
        "events_per_day",
        lambda known: np.log(known["events"] / known["active_days"]),
        lambda row, typical: (
            f"{row['events'] / row['active_days']:.1f} views or ratings on an active day, typical are "
            f"{np.exp(typical):.1f}"
        ),
    ),
    Feature(
        "minutes_per_day",
        lambda known: np.log1p(known["minutes"] / known["active_days"]),
        lambda row, typical: (
            f"{row['minutes'] / row['active_days']:.0f} minutes on an active day, typical are {np.expm1(typical):.0f}"
        ),
    ),
    Feature(
        "known_days",
        lambda known: np.log1p(known["known_days"]),
        lambda row, typical: (
            f"first active {row['known_days']:.0f} of {row['window_days']:.0f} days before, typical are "
            f"{np.expm1(typical):.0f}"
        ),
    ),
)
"""Silence is told in the user's own pace: five days of it say more of a daily viewer than of a weekly one."""

RECENCY = (Feature("recency_days", lambda known: known["recency_days"], lambda _, __: ""),)
"""What a model is compared with: recency alone."""


def _days(number: float) -> str:
    return f"{number:.0f} day" if round(number) == 1 else f"{number:.0f} days"


def known_of(frame: pl.DataFrame, window_days: int) -> Known:
    """Return the columns of a frame as numbers, with the length of the window."""
    columns = {name: frame[name].cast(pl.Float64).to_numpy() for name in COLUMNS}
    return columns | {"window_days": np.full(len(frame), float(window_days))}


def matrix(known: Known, features: tuple[Feature, ...] = FEATURES) -> np.ndarray:
    """Return one row per user and one column per feature."""
    return np.column_stack([feature.of(known) for feature in features])
