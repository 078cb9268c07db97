"""What the invented streaming service shows: its own genres, its own titles.

Belongs here: the labels, drawing the titles, and choosing one on a given day. Does not belong here: who
likes which label (`audience`); the films of the other form (`titles`).
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ingest.demo.draws import deal
from ingest.demo.streams import stream, whole_file
from ingest.demo.words import PICKS_PER_TEXT, Film, Picks


@dataclass(frozen=True)
class Label:
    """One genre of the service."""

    name: str
    share: float
    """Share of the titles that it leads."""
    minutes: int
    """Usual length of a film or an episode."""
    beside: tuple[int, ...]
    """Places in `LABELS` of what a title of this label may be called as well."""
    words: str
    """Genre of the films whose words name its titles."""


LABELS: Final = (
    Label("Drama Series", 0.13, 50, (1, 2, 3), "Drama"),
    Label("K-Drama", 0.07, 62, (0, 2, 5), "Romance"),
    Label("Thriller", 0.09, 95, (0, 3), "Thriller"),
    Label("True Crime", 0.07, 48, (2, 10), "Crime"),
    Label("Reality", 0.09, 42, (5, 12, 13), "TV Movie"),
    Label("Dating Shows", 0.06, 45, (4, 6), "Romance"),
    Label("Stand-up", 0.06, 58, (4, 12), "Comedy"),
    Label("Kids", 0.08, 14, (8, 9), "Family"),
    Label("Animation", 0.08, 24, (7, 9), "Animation"),
    Label("Family Films", 0.06, 96, (7, 8), "Family"),
    Label("Documentary", 0.08, 55, (3, 11, 13), "Documentary"),
    Label("Nature & Science", 0.05, 50, (10, 7), "Documentary"),
    Label("Cooking", 0.05, 30, (4, 10), "Documentary"),
    Label("Sport Stories", 0.03, 52, (10, 4), "History"),
)

FIRST_DAY: Final = np.datetime64("2024-01-01")
DAYS: Final = 366

_MORE_LABELS: Final = 0.6
"""Share of the titles with a second label or, nearly half of these, a third one."""
_WITHOUT_LABELS: Final = 0.02
_WITHOUT_LENGTH: Final = 0.03
_NEW: Final = 0.12
"""Share of the titles that the service begins to show during the year, when they are new."""
_BUZZ, _BUZZ_DAYS = 5.0, 20.0
"""How much more a title is watched on its first day, and how fast that wears off."""
_ZIPF_FLATTENING, _ZIPF_POWER = 4, 0.9
_LANGUAGES: Final = ("en", "en", "en", "en", "pt", "fr", "es", "is", "de")


@dataclass(frozen=True)
class Shows:
    """Every title, ordered by its leading label; arrays of shape (titles,)."""

    id: pl.Series
    """Numbered in no order that tells anything."""
    label: NDArray[np.int64]
    popularity: NDArray[np.float64]
    launched: NDArray[np.int64]
    """Day of the year from which it is shown; far below 0 for those always there."""
    minutes: NDArray[np.int64]

    def choose(self, rng: np.random.Generator, day: int, label: NDArray[np.int64]) -> NDArray[np.int64]:
        """Choose one title for each entry of `label`, among those that it leads and that are shown."""
        age = day - self.launched
        buzz = 1 + _BUZZ * np.exp(-np.maximum(age, 0) / _BUZZ_DAYS)
        ends = np.cumsum(np.where(age >= 0, self.popularity * buzz, 0))
        bounds = np.append(0, ends)[np.searchsorted(self.label, np.arange(len(LABELS) + 1))]
        place = bounds[label] + rng.random(len(label)) * (bounds[label + 1] - bounds[label])
        return np.minimum(np.searchsorted(ends, place, side="right"), len(ends) - 1)


def draw_shows(seed: int, titles: int) -> Shows:
    """Draw the titles of a service."""
    rng = stream(seed, "shows")
    label = deal([one.share for one in LABELS], titles)
    rank = rng.permutation(titles) + 1
    new = rng.random(titles) < _NEW
    minutes = np.array([one.minutes for one in LABELS])[label] * rng.lognormal(0, 0.15, size=titles)
    return Shows(
        id=pl.Series([f"ttl-{number:04d}" for number in rng.permutation(titles)]),
        label=label,
        popularity=1 / (rank + _ZIPF_FLATTENING) ** _ZIPF_POWER,
        launched=np.where(new, rng.integers(DAYS, size=titles), -DAYS),
        minutes=np.maximum(np.rint(minutes), 5).astype(np.int64),
    )


def write_shows(path: Path, seed: int, shows: Shows) -> int:
    """Write `titles.jsonl`, by id; give the number of rows."""
    titles = len(shows.id)
    rng = stream(seed, "show texts")
    numbers = rng.integers(2**31, size=(titles, PICKS_PER_TEXT)).tolist()
    year = int(str(FIRST_DAY)[:4]) - np.where(shows.launched >= 0, 0, 1 + rng.exponential(8, titles)).astype(
        int
    )
    rows = [
        _row(Picks(picks), LABELS[label], minutes, year)
        for picks, label, minutes, year in zip(
            numbers, shows.label.tolist(), shows.minutes.tolist(), year.tolist(), strict=True
        )
    ]
    with whole_file(path) as file:
        pl.DataFrame(rows).insert_column(0, shows.id.alias("content_id")).sort("content_id").write_ndjson(
            file
        )
    return titles


def _row(picks: Picks, label: Label, minutes: int, year: int) -> dict[str, object]:
    """Say what the file tells of one title; of a few it tells no labels or no length."""
    others = [LABELS[place].name for place in label.beside]
    tags = [label.name]
    if picks.chance(_MORE_LABELS):
        tags += picks.some(others, most=2)
    return {
        "name": Film(picks, label.words, year).title(),
        "tags": [] if picks.chance(_WITHOUT_LABELS) else tags,
        "year": year,
        "length_minutes": None if picks.chance(_WITHOUT_LENGTH) else minutes,
        "language": "ko" if label.name == "K-Drama" else picks.one(_LANGUAGES),
    }
