"""As of which days departure is learned, judged and foretold.

Belongs here: the days, and how long the window before each is. Does not belong here: counting what users did in it.

A user who was active in the window up to a day *departs* when nothing follows within the horizon after it. That is
known only of days a horizon before the newest one. So with the newest day as `score`: judged as of a horizon before it,
learned as of a horizon before that: what is learned from was over before the judged time began.
"""

from dataclasses import dataclass
from datetime import date, timedelta

from ml.segmentation.errors import UntrainableError

HORIZON_DAYS = 30
MOST_WINDOW_DAYS = 90


@dataclass(frozen=True)
class Dates:
    """The three days, each with the same window before it and the same horizon after it."""

    learn: date
    judge: date
    score: date
    window_days: int
    horizon_days: int = HORIZON_DAYS


def dates_of(first: date, newest: date, horizon_days: int = HORIZON_DAYS) -> Dates:
    """Return the days for activity that is known from `first` to `newest`.

    The window is as long as what is known allows before the first of the days, from one horizon to `MOST_WINDOW_DAYS`.

    Raises
    ------
    UntrainableError
        Where less than three horizons are known.
    """
    known = (newest - first).days + 1
    if known < 3 * horizon_days:
        msg = (
            f"activity is known of {known} days, {first} to {newest}; {3 * horizon_days} are needed: "
            f"{horizon_days} to look back on, {horizon_days} to learn from and {horizon_days} to judge by"
        )
        raise UntrainableError(msg)
    horizon = timedelta(days=horizon_days)
    window = min(known - 2 * horizon_days, MOST_WINDOW_DAYS)
    return Dates(newest - 2 * horizon, newest - horizon, newest, window, horizon_days)
