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


Words = Callable[[Row, Row], str]
"""How something of a user is told; takes the user's row and that of the typical user."""


@dataclass(frozen=True)
class Feature:
    """One number of a user; what several say together is told in the same words."""

    name: str
    of: Callable[[Known], np.ndarray]
    words: Words


def _silence(row: Row, _: Row) -> str:
    pace = max((row["window_days"] - row["recency_days"]) / row["active_days"], 1)
    return f"silent for {_days(row['recency_days'])}, active every {_days(pace)} until then"


def _active_days(row: Row, typical: Row) -> str:
    days = f"{row['active_days']:.0f} of {row['window_days']:.0f} days"
    return f"active on {days}, typical are {typical['active_days']:g}"


def _span(row: Row, typical: Row) -> str:
    if row["active_days"] == 1:
        return _active_days(row, typical)
    own, usual = (each["known_days"] - each["recency_days"] for each in (row, typical))
    return f"first and last active day {_days(own)} apart, typical are {usual:g}"


def _recent_days(row: Row, _: Row) -> str:
    half, active = row["window_days"] // 2, row["active_days"]
    return f"{row['recent_days']:.0f} of {_days(active, 'active ')} in the last {half:.0f} of {row['window_days']:.0f}"


def _events(row: Row, typical: Row) -> str:
    one, usual = (each["events"] / each["active_days"] for each in (row, typical))
    return f"{one:.1f} views or ratings on an active day, typical are {usual:.1f}"


def _minutes(row: Row, typical: Row) -> str:
    one, usual = (each["minutes"] / each["active_days"] for each in (row, typical))
    return f"{one:.0f} minutes on an active day, typical are {usual:.0f}"


def _days(number: float, kind: str = "") -> str:
    return f"{number:.0f} {kind}day{'' if round(number) == 1 else 's'}"


FEATURES = (
    Feature("recency_days", lambda known: known["recency_days"], _silence),
    Feature(
        "silence",
        lambda known: np.log1p(
            known["recency_days"] * known["active_days"] / (known["window_days"] - known["recency_days"])
        ),
        _silence,
    ),
    Feature("active_days", lambda known: np.log(known["active_days"]), _active_days),
    Feature(
        "recent_share",
        lambda known: (known["recent_days"] + 0.5) / (known["active_days"] + 1),
        _recent_days,
    ),
    Feature("events_per_day", lambda known: np.log(known["events"] / known["active_days"]), _events),
    Feature("minutes_per_day", lambda known: np.log1p(known["minutes"] / known["active_days"]), _minutes),
    Feature("span_days", lambda known: known["known_days"] - known["recency_days"], _span),
)
"""Silence is counted in the user's own pace, too: five days of it say more of a daily viewer than of a weekly one."""

RECENCY = FEATURES[:1]
"""What a model is compared with: recency alone."""


def known_of(frame: pl.DataFrame, window_days: int) -> Known:
    """Return the columns of a frame as numbers, with the length of the window."""
    columns = {name: frame[name].cast(pl.Float64).to_numpy() for name in COLUMNS}
    return columns | {"window_days": np.full(len(frame), float(window_days))}


def matrix(known: Known, features: tuple[Feature, ...] = FEATURES) -> np.ndarray:
    """Return one row per user and one column per feature."""
    return np.column_stack([feature.of(known) for feature in features])
