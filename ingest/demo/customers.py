"""The customers of an online course: `customer_segmentation_data.csv` with its eight planted segments.

Belongs here: the segments as declared rules, the draw, and the file's quirks. Does not belong here: viewers
of films (`personas`); the two files describe different people.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ingest.demo.draws import deal
from ingest.demo.sizes import Sizes
from ingest.demo.streams import csv_file, stream

CUSTOMER_COLUMNS: Final = ("minutes_watched", "CLV", "region", "channel")


@dataclass(frozen=True)
class CustomerSegment:
    """One planted kind of customer: who belongs (channels and regions), and published means."""

    name: str
    customers: int
    minutes: float
    clv: float
    channels: Mapping[int, float]
    """Share of each channel: 1 Google, 2 Facebook, 3 YouTube, 4 LinkedIn, 5 Twitter, 6 Instagram, 7 Friend,
    8 Other."""
    regions: Mapping[int, float]
    """Share of each region: 0 USA, Canada, UK, Australia; 1 Western Europe; 2 rest of the world."""


SEGMENTS: Final = (
    CustomerSegment("Instagram Explorers", 289, 1299.33, 115.18, {6: 1}, {0: 0.31, 1: 0.19, 2: 0.50}),
    CustomerSegment("LinkedIn Networkers", 391, 1801.27, 91.12, {4: 1}, {2: 1}),
    CustomerSegment("Friends' Influence", 424, 2018.97, 109.12, {7: 1}, {0: 0.29, 2: 0.71}),
    CustomerSegment("Google-YouTube Mix", 939, 2326.89, 103.94, {1: 0.35, 3: 0.54, 8: 0.11}, {2: 1}),
    CustomerSegment(
        "Anglo-Saxon Multi-Channel", 1055, 1539.15, 136.33, {1: 0.25, 3: 0.43, 4: 0.18, 8: 0.14}, {0: 1}
    ),
    CustomerSegment(
        "European Multi-Channel", 372, 1874.75, 157.92, {1: 0.22, 3: 0.34, 4: 0.19, 7: 0.14, 8: 0.11}, {1: 1}
    ),
    CustomerSegment("Twitter Devotees", 58, 985.33, 93.15, {5: 1}, {0: 0.17, 1: 0.05, 2: 0.78}),
    # Its published mean, 2,767.64 minutes, is made by the one outlier: 1,830.79 without it.
    CustomerSegment("Facebook Followers", 306, 1830.79, 108.26, {2: 1}, {0: 0.29, 1: 0.10, 2: 0.61}),
)

_MINUTES_SPREAD: Final = 1.75
_MOST_MINUTES: Final = 120_000
_OUTLIER_MINUTES: Final = 288_508
_LIGHT_MINUTES: Final = 1_500
_OUTLIER_SEGMENT: Final = 7
_WITHOUT_MINUTES: Final = 109 / 3_834
_REPEATED: Final = 43 / 3_834
_CLV_SPREAD: Final = 0.6
_CLV_FOLLOWS_MINUTES: Final = 0.4
_PRICES: Final = (119.0, 59.9, 149.9, 39.5, 179.7, 19.95)
"""Plans of the invented course; many customers paid for exactly one."""
_CLOSE_TO_A_PRICE: Final = 0.12


@dataclass(frozen=True)
class Customers:
    """The rows of the file as text, and the planted segment of each row."""

    rows: list[list[str]]
    segment: NDArray[np.int64]
    """Index into `SEGMENTS`."""


def draw_customers(seed: int, sizes: Sizes) -> Customers:
    """Draw the customers, in an order that has nothing to do with their segment."""
    rng = stream(seed, "customers")
    segment = rng.permutation(deal([s.customers for s in SEGMENTS], sizes.customers))
    region, channel = np.empty(len(segment), dtype=np.int64), np.empty(len(segment), dtype=np.int64)
    for number, one in enumerate(SEGMENTS):
        members = np.flatnonzero(segment == number)
        region[members] = _shuffled(rng, one.regions, len(members))
        channel[members] = _shuffled(rng, one.channels, len(members))
    unknown = rng.choice(len(segment), size=round(_WITHOUT_MINUTES * len(segment)), replace=False)
    minutes, clv = _minutes_and_clv(rng, segment, unknown)
    minutes_text = minutes.astype("U8")
    minutes_text[unknown] = ""
    minutes_text[np.flatnonzero(segment == _OUTLIER_SEGMENT)[0]] = str(_OUTLIER_MINUTES)
    rows = [
        [minutes_cell, f"{value:.2f}".rstrip("0").rstrip("."), str(region_cell), str(channel_cell)]
        for minutes_cell, value, region_cell, channel_cell in zip(
            minutes_text.tolist(), clv.tolist(), region.tolist(), channel.tolist(), strict=True
        )
    ]
    _repeat_some(rng, rows, segment)
    return Customers(rows, segment)


def write_customers(path: Path, customers: Customers) -> int:
    """Write the file; give the number of rows.

    There is no customer id, as in the real file: a customer is its row number, from 1.
    """
    with csv_file(path, CUSTOMER_COLUMNS) as write_row:
        for row in customers.rows:
            write_row(row)
    return len(customers.rows)


def _minutes_and_clv(
    rng: np.random.Generator, segment: NDArray[np.int64], unknown: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Draw both, skewed and a little correlated; each segment's means are the published ones.

    The published means count unknown minutes as 0.
    """
    n = len(segment)
    shared = rng.standard_normal(n)
    minutes = np.exp(_MINUTES_SPREAD * shared)
    minutes[unknown] = 0
    own = rng.standard_normal(n)
    clv = np.exp(_CLV_SPREAD * (_CLV_FOLLOWS_MINUTES * shared + np.sqrt(1 - _CLV_FOLLOWS_MINUTES**2) * own))
    for number, one in enumerate(SEGMENTS):
        members = segment == number
        minutes[members] *= one.minutes / minutes[members].mean()
        clv[members] *= one.clv / clv[members].mean()
    prices = np.array(_PRICES)
    nearest = prices[np.abs(clv[:, None] - prices).argmin(axis=1)]
    clv = np.where(np.abs(clv / nearest - 1) < _CLOSE_TO_A_PRICE, nearest, clv)
    return np.minimum(np.rint(minutes), _MOST_MINUTES).astype(np.int64), clv


def _repeat_some(rng: np.random.Generator, rows: list[list[str]], segment: NDArray[np.int64]) -> None:
    """Overwrite some rows by another one of the same segment, so that they stand twice in the file.

    Only light viewers are copied and overwritten, so that the segments' means stay.
    """
    ordinary = np.array([bool(row[0]) and int(row[0]) < _LIGHT_MINUTES for row in rows])
    by_chance = len(rows) - len(set(map(tuple, rows)))
    wanted = max(round(_REPEATED * len(rows)) - by_chance, 0)
    chosen = rng.choice(np.flatnonzero(ordinary), size=wanted, replace=False)
    for place in chosen.tolist():
        like = np.flatnonzero(ordinary & (segment == segment[place]))
        rows[place] = list(rows[int(rng.choice(like))])


def _shuffled(rng: np.random.Generator, shares: Mapping[int, float], n: int) -> NDArray[np.int64]:
    """Deal the keys of `shares` to `n` places, in those shares."""
    keys = np.array(list(shares))
    return rng.permutation(keys[deal(shares.values(), n)])
