"""What the accounts of the invented streaming service watch, day by day.

Belongs here: who watches on a day, what, when, on which device and for how long. Does not belong here: how
the groups differ (`audience`), which titles there are (`shows`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ingest.demo.audience import DEVICES, GROUPS, TASTES, Accounts
from ingest.demo.draws import pick
from ingest.demo.shows import DAYS, FIRST_DAY, Shows
from ingest.demo.streams import stream, whole_file

_SITTING: Final = np.array([group.sitting for group in GROUPS])
_HOURS: Final = np.array([group.hours for group in GROUPS])
_DEVICES: Final = np.array([group.devices for group in GROUPS], dtype=np.float32)
_COMPLETION: Final = np.array([group.completion for group in GROUPS])
_COMPLETION_SPREAD: Final = 0.25
_PREVIEWS: Final = 0.05
"""Plays of 0 seconds: a trailer ran in the list of titles, and nobody pressed the button."""
_ANYTIME: Final = 0.08
"""Plays at any time between waking up and midnight, whatever the group."""
_WAKING: Final = 7
_GO_ON: Final = 0.35
"""Chance that a play goes on with the title of the play before: the next episode, the same film again."""
_SEASON, _DARKEST_DAY = 0.25, 5
"""How much more is watched in the dark of winter than on average."""


@dataclass(frozen=True)
class Service:
    """All that is drawn before the first play."""

    accounts: Accounts
    shows: Shows
    eagerness: NDArray[np.float64]
    """Shape (accounts,): plays on a day of weight 1."""


def day_weights() -> NDArray[np.float64]:
    """Weigh each day of the year for each group, by the day of the week and the season; shape (groups, days)."""
    day = np.arange(DAYS)
    season = 1 + _SEASON * np.cos(2 * np.pi * (day - _DARKEST_DAY) / DAYS)
    factor = np.array([group.weekend for group in GROUPS])[:, None]
    of_week = np.where(np.is_busday(FIRST_DAY + day), 1, factor) / (5 + 2 * factor)
    return of_week * season


def eagerness(accounts: Accounts, plays: int) -> NDArray[np.float64]:
    """Scale the accounts' paces so that about `plays` plays come of them."""
    so_far = np.pad(np.cumsum(day_weights(), axis=1), ((0, 0), (1, 0)))
    begin, end = np.maximum(accounts.joined, 0), np.minimum(accounts.last_day + 1, DAYS)
    weight = so_far[accounts.group, end] - so_far[accounts.group, begin]
    return accounts.pace * plays / float((accounts.pace * weight).sum())


def months() -> Iterator[tuple[str, range]]:
    """Give each month with its days of the year."""
    days = FIRST_DAY + np.arange(DAYS)
    for month in np.unique(days.astype("datetime64[M]")):
        of_month = np.flatnonzero(days.astype("datetime64[M]") == month)
        yield str(month), range(int(of_month[0]), int(of_month[-1]) + 1)


def write_plays(path: Path, seed: int, days: range, service: Service) -> int:
    """Write the plays of some days as Parquet, in the order of time; give the number of rows."""
    weights = day_weights()
    frame = pl.concat([_plays(stream(seed, "plays", day), day, weights[:, day], service) for day in days])
    frame = frame.sort("started_ms", "account", maintain_order=True)
    account, content = service.accounts.id.gather(frame["account"]), service.shows.id.gather(frame["content"])
    with whole_file(path) as file:
        frame.with_columns(account=account, content=content).write_parquet(file)
    return len(frame)


def _plays(
    rng: np.random.Generator, day: int, weights: NDArray[np.float64], service: Service
) -> pl.DataFrame:
    """Draw the plays of one day; accounts and titles are still numbers."""
    accounts, shows = service.accounts, service.shows
    account = _who_watches(rng, day, weights, service)
    plays = len(account)
    is_guest = rng.random(plays) < accounts.guest_share[account]
    group = np.where(is_guest, accounts.guest[account], accounts.group[account])
    show = shows.choose(rng, day, _pick_scaled(rng, TASTES[group], accounts.taste[account]))
    goes_on = (np.diff(account, prepend=-1) == 0) & (rng.random(plays) < _GO_ON)
    show = show[np.maximum.accumulate(np.where(goes_on, 0, np.arange(plays)))]
    completion = np.clip(rng.normal(_COMPLETION[group], _COMPLETION_SPREAD), 0.02, 1)
    watched = np.where(rng.random(plays) < _PREVIEWS, 0, shows.minutes[show] * 60 * completion)
    device = _pick_scaled(rng, _DEVICES[group], accounts.device[account])
    start = (FIRST_DAY + day).astype("datetime64[ms]").astype(np.int64)
    return pl.DataFrame(
        {
            "account": account.astype(np.uint32),
            "content": show.astype(np.uint32),
            "started_ms": start + (1_000 * _seconds_of_day(rng, group)).astype(np.int64),
            "watched_seconds": watched.astype(np.int32),
            "device_type": pl.Series(DEVICES).gather(device),
        }
    )


def _who_watches(
    rng: np.random.Generator, day: int, weights: NDArray[np.float64], service: Service
) -> NDArray[np.int64]:
    """Draw the accounts that watch on the day, each as often as it plays something."""
    accounts = service.accounts
    there = np.flatnonzero((accounts.joined <= day) & (day <= accounts.last_day))
    group = accounts.group[there]
    chance = service.eagerness[there] * weights[group] / _SITTING[group]
    watching = there[rng.random(len(there)) < chance]
    return np.repeat(watching, 1 + rng.poisson(_SITTING[accounts.group[watching]] - 1))


def _pick_scaled(
    rng: np.random.Generator, shares: NDArray[np.floating], factors: NDArray[np.float32]
) -> NDArray[np.int64]:
    scaled = shares * factors
    return pick(rng, scaled / scaled.sum(axis=1, keepdims=True))


def _seconds_of_day(rng: np.random.Generator, group: NDArray[np.int64]) -> NDArray[np.float64]:
    """Draw the time of each play on the viewer's clock; what is past midnight is early on the same day."""
    hour, spread = _HOURS[group, rng.integers(_HOURS.shape[1], size=len(group))].T
    usual = rng.normal(hour, spread) % 24
    anytime = rng.uniform(_WAKING, 24, size=len(group))
    return 3_600 * np.where(rng.random(len(group)) < _ANYTIME, anytime, usual)
