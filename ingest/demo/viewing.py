"""What the rating users watch: `users.csv` and `watch_events.csv`.

Belongs here: subscriptions, regions, devices, times of viewing. Does not belong here: which genres a
persona seeks (`personas`); viewing follows the same choice as rating does (`ratings`).
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ingest.demo.draws import pick
from ingest.demo.ratings import Setting, draw_items_for
from ingest.demo.sizes import Sizes
from ingest.demo.streams import stream

SUBSCRIPTIONS: Final = ("Basic", "Standard", "Premium")
REGIONS: Final = ("USA", "India", "UK", "Canada", "Germany", "Brazil")
DEVICES: Final = ("Mobile", "TV", "Desktop", "Tablet")

_SUBSCRIPTION_SHARES: Final = np.array([
    [0.75, 0.20, 0.05], [0.60, 0.33, 0.07], [0.35, 0.50, 0.15], [0.12, 0.53, 0.35], [0.04, 0.26, 0.70],
])  # fmt: skip
"""Per persona, in the order of `PERSONAS`: who watches more pays for more."""

_REGION_SHARES: Final = (0.36, 0.24, 0.14, 0.10, 0.09, 0.07)

_DEVICES_OF_SUBSCRIPTION: Final = np.array([
    [0.55, 0.15, 0.20, 0.10], [0.30, 0.38, 0.20, 0.12], [0.15, 0.62, 0.13, 0.10],
])  # fmt: skip
_DEVICES_OF_PERSONA: Final = np.array([
    [1.1, 0.9, 1.2, 0.8], [1.5, 0.6, 0.9, 1.0], [1.1, 0.9, 1.0, 1.3], [0.8, 1.2, 1.1, 1.0], [0.7, 1.5, 0.8, 0.9],
])  # fmt: skip
_COMPLETION_OF_DEVICE: Final = np.array([0.55, 0.86, 0.68, 0.74])
"""Mean share of a film that is watched."""

_FIRST_MONDAY: Final = np.datetime64("2017-06-05T00:00:00", "ms")
"""Local time of the viewer; every film is out by then."""
_WEEKS: Final = 13
_DAY_WEIGHTS: Final = np.array([0.80, 0.78, 0.83, 0.90, 1.20, 1.50, 1.35])
"""Monday to Sunday."""
_WORKDAY_HOURS: Final = np.array(
    [3, 1, 0.5, 0.3, 0.2, 0.3, 0.8, 1.5, 1.5, 1, 1, 1.3, 2, 1.8, 1.5, 1.8, 2.5, 4, 6, 8.5, 10, 10, 8, 5.5]
)
_WEEKEND_HOURS: Final = np.array(
    [5, 3, 1.5, 0.6, 0.3, 0.3, 0.6, 1.5, 2.5, 3.5, 4, 4, 4, 4.5, 5, 5, 5, 5.5, 6.5, 8, 9.5, 10, 9, 7]
)
_HOURS_PER_WEEK: Final = 168
_LEAVING: Final = 0.2
"""Share of the users who leave if they watch less than another, drawn, does: they watched as much while they stayed."""
_WEEKS_OF_LEAVING: Final = 6
"""So long they watch less and less before they are gone: what foretells it is falling activity, not silence alone."""
_USUAL_RUNTIME: Final = 95

EFFECT: Final = 0.5
"""Planted in `draw_views_after`: who was sent something watches so much more, as a share."""
_WEEKS_AFTER: Final = 5
"""A horizon of 30 days, with some to spare."""


@dataclass(frozen=True)
class Viewing:
    """The rows of both files: one per user by user_id, and one per watch event by time."""

    users: pl.DataFrame
    events: pl.DataFrame


def draw_viewing(seed: int, sizes: Sizes, setting: Setting) -> Viewing:
    """Draw subscriptions and regions of the users, and what they watch."""
    rng = stream(seed, "viewing")
    persona = setting.users.persona.astype(np.int64)
    subscription = pick(rng, _SUBSCRIPTION_SHARES[persona])
    region = rng.choice(len(REGIONS), size=len(persona), p=_REGION_SHARES)
    users = pl.DataFrame(
        {
            "user_id": np.arange(1, len(persona) + 1),
            "subscription": pl.Series(SUBSCRIPTIONS).gather(subscription),
            "region": pl.Series(REGIONS).gather(region),
            "joined_on": pl.from_epoch(pl.Series(setting.users.first_rating_at), time_unit="s").dt.date(),
        }
    )
    return Viewing(users, _events(rng, sizes.watch_events, subscription, setting))


def draw_views_after(seed: int, setting: Setting, before: Viewing, sent: Collection[int]) -> pl.DataFrame:
    """Draw what everybody watches in the five weeks after `before`: as much as in its last five, `sent` more.

    `sent` are ids of users whom a campaign reached when it ended; they watch more by `EFFECT`.
    """
    rng = stream(seed, "views after a campaign")
    monday = _FIRST_MONDAY + np.timedelta64(_WEEKS, "W")
    late = before.events.filter(pl.col("watched_at") >= pl.lit(monday - np.timedelta64(_WEEKS_AFTER, "W")))
    ids = before.users["user_id"]
    usual = np.bincount(late["user_id"].to_numpy() - 1, minlength=len(ids))
    more = EFFECT * ids.is_in(list(sent)).to_numpy()
    views = np.floor(usual * (1 + more) + rng.random(len(ids))).astype(np.int64)
    user = np.repeat(np.arange(len(ids)), views)
    subscription = before.users["subscription"].cast(pl.Enum(SUBSCRIPTIONS)).to_physical().to_numpy()
    watched = _watched(rng, user, subscription, setting)
    return _at(_moments(rng, monday, rng.integers(_WEEKS_AFTER, size=len(user))), watched)


def _events(
    rng: np.random.Generator, events: int, subscription: NDArray[np.int64], setting: Setting
) -> pl.DataFrame:
    """Draw who watches what, when, on which device and for how long."""
    users = len(subscription)
    # Who rates more watches more, but less than in proportion.
    eagerness = setting.users.ratings**0.6 * rng.lognormal(0, 0.4, size=users)
    user = np.repeat(np.arange(users), rng.multinomial(events, eagerness / eagerness.sum()))
    watched = _watched(rng, user, subscription, setting)
    return _at(_moments(rng, _FIRST_MONDAY, _weeks(rng, user, users)), watched)


def _watched(
    rng: np.random.Generator, user: NDArray[np.int64], subscription: NDArray[np.int64], setting: Setting
) -> pl.DataFrame:
    """Draw what each entry of `user` (sorted) watches, on which device and for how long."""
    item = draw_items_for(rng, user, setting)
    film = setting.items.film[item]
    weights = _DEVICES_OF_SUBSCRIPTION[subscription] * _DEVICES_OF_PERSONA[setting.users.persona]
    device = pick(rng, (weights / weights.sum(axis=1, keepdims=True))[user])
    runtime = np.where(setting.titles.runtime[film] > 0, setting.titles.runtime[film], _USUAL_RUNTIME)
    liked = 0.06 * setting.titles.quality[film]
    completion = np.clip(_COMPLETION_OF_DEVICE[device] + liked + rng.normal(0, 0.22, size=len(user)), 0.03, 1)
    return pl.DataFrame(
        {
            "user_id": user + 1,
            "movie_id": setting.items.movie_id[item],
            "device": pl.Series(DEVICES).gather(device),
            "minutes_watched": np.maximum(np.rint(runtime * completion), 1).astype(np.int64),
        }
    )


def _at(moments: pl.Series, watched: pl.DataFrame) -> pl.DataFrame:
    frame = watched.insert_column(2, moments.alias("watched_at"))
    return frame.sort("watched_at", "user_id", "movie_id", maintain_order=True)


def _weeks(rng: np.random.Generator, user: NDArray[np.int64], users: int) -> NDArray[np.int64]:
    """Draw the week of each view, `user` being sorted: users come back at a pace of their own, and some leave."""
    views = np.bincount(user, minlength=users)
    of_another = rng.permutation(views)
    leaves = (rng.random(users) < _LEAVING) & (views < of_another)
    gone = np.where(leaves, _WEEKS * views / np.maximum(of_another, 1) + _WEEKS_OF_LEAVING / 2, np.inf)
    pace = np.clip((gone[:, None] - np.arange(_WEEKS) - 0.5) / _WEEKS_OF_LEAVING, 0, 1)
    until = np.cumsum(pace, axis=1) / pace.sum(axis=1, keepdims=True)
    # In any order: the titles of a user come sorted.
    step = np.lexsort((rng.random(len(user)), user)) - np.searchsorted(user, user)
    place = (step + rng.random(users)[user]) / views[user]
    week = np.zeros_like(user)
    for end in until.T[:-1]:
        week += place >= end[user]
    return week


def _moments(rng: np.random.Generator, monday: np.datetime64, week: NDArray[np.int64]) -> pl.Series:
    """Draw local times in these weeks from a Monday on: more at weekends, most in the evening."""
    hours = np.stack([_WEEKEND_HOURS if day >= 5 else _WORKDAY_HOURS for day in range(7)])
    weights = (hours / hours.sum(axis=1, keepdims=True) * _DAY_WEIGHTS[:, None]).ravel()
    hour_of_week = rng.choice(_HOURS_PER_WEEK, size=len(week), p=weights / weights.sum())
    seconds = (week * _HOURS_PER_WEEK + hour_of_week) * 3_600 + rng.integers(3_600, size=len(week))
    return pl.Series(monday + (seconds * 1_000).astype("timedelta64[ms]"))
