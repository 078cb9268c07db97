"""The five planted personas: how many of them, how much they rate, what, and how high.

Members differ, so that clusters overlap about as they do for real viewers. Measured at full scale, seed 0:
K-Means on the 20 mean ratings finds the personas with an adjusted Rand index of 0.89; on counts and means
k = 2..5 explain .26, .38, .45 and .51 of the variance (published .28, .41, .49, .53). Clusters still lie
further apart than the real ones (silhouette at k = 5, mean ratings: 0.24, published 0.11).

Belongs here: the declaration of the personas, dealing them out to users, and how members differ.
Does not belong here: drawing the ratings themselves (`ratings`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ingest.demo.draws import deal
from ingest.demo.genres import GENRES
from ingest.demo.sizes import Sizes
from ingest.demo.streams import stream


@dataclass(frozen=True)
class Persona:
    """One planted kind of viewer."""

    name: str
    users: int
    """Members published for the real data; only the proportions are used."""
    titles_per_user: float
    """Mean published for the real data; only the proportions are used."""
    rating: float
    """Mean rating, in stars, of a title of average quality."""
    years_active: float
    """Mean time between a user's first and last rating."""
    genre_shares: Mapping[str, float]
    """Share of the persona's titles that carry each genre; a genre not named is not sought."""
    avoiding: float
    """Chance that a member never watches one of these genres, Drama and Comedy apart."""
    trying: float
    """Chance, per genre that the persona does not seek, that a member tries a title or two of it."""
    count_spread: float
    """Standard deviation of the logarithm of the members' numbers of titles."""


_FIRST_FIVE = {"Drama": 0.44, "Comedy": 0.40, "Thriller": 0.30, "Romance": 0.28, "Action": 0.28}
_NINE = {
    "Drama": 0.36, "Comedy": 0.30, "Thriller": 0.30, "Romance": 0.22, "Action": 0.30, "Adventure": 0.22,
    "Crime": 0.22, "Science Fiction": 0.19, "Fantasy": 0.17,
}  # fmt: skip
_FOURTEEN = {
    "Drama": 0.33, "Comedy": 0.28, "Thriller": 0.25, "Romance": 0.17, "Action": 0.26, "Adventure": 0.20,
    "Crime": 0.16, "Science Fiction": 0.14, "Fantasy": 0.12, "Family": 0.12, "Mystery": 0.11,
    "Animation": 0.10, "Horror": 0.10, "War": 0.07,
}  # fmt: skip
_TWENTY = _FOURTEEN | {
    "Drama": 0.36, "Documentary": 0.08, "History": 0.07, "Music": 0.06, "Foreign": 0.06, "Western": 0.05,
    "TV Movie": 0.05,
}  # fmt: skip

PERSONAS: Final = (
    Persona(
        "Quiet Viewers (Churn Risk)", 36_158, 4.83, 2.3, 0.15, {"Drama": 0.62, "Comedy": 0.52},
        avoiding=0.0, trying=0.12, count_spread=0.3,
    ),
    Persona("New Explorers", 57_188, 9.23, 3.4, 0.3, _FIRST_FIVE, avoiding=0.02, trying=0.1, count_spread=0.3),
    Persona("Expanding Enthusiasts", 70_813, 17.70, 3.7, 0.8, _NINE, avoiding=0.05, trying=0.04, count_spread=0.4),
    Persona("Loyalists", 65_504, 68.53, 3.6, 2.5, _FOURTEEN, avoiding=0.18, trying=0.05, count_spread=0.6),
    Persona("Premium Loyalists", 36_185, 135.47, 3.6, 5.0, _TWENTY, avoiding=0.18, trying=0.0, count_spread=0.75),
)  # fmt: skip
"""In the order of titles per user, fewest first: the published names follow this rank."""


class Taste(IntEnum):
    """Hidden tastes that cut across personas, by era and popularity: a title pleases one, a user prefers one."""

    CLASSICS = 0
    NICHE_CLASSICS = 1
    NINETIES = 2
    BLOCKBUSTERS = 3
    NEW_AND_NICHE = 4


TASTES: Final = tuple(Taste)
_TASTES_OF_NEW_FILMS: Final = (Taste.BLOCKBUSTERS, Taste.NEW_AND_NICHE)
_NEW_FILMS_FROM: Final = 1_262_304_000  # 2010-01-01: who left earlier had few of them to choose from

_SOUGHT_BY_ALL: Final = ("Drama", "Comedy")
"""Nobody avoids these, so that everybody has something to watch."""

_LIKING_SPREAD: Final = 0.3
_GENRE_STARS_SPREAD: Final = 0.4
_WHOLE_STARS_ONLY: Final = 0.35
_USER_MOOD_SPREAD: Final = 0.25
_DAY: Final = 86_400
_FIRST_RATING_AT: Final = 825_638_400  # 1996-03-01
_LAST_RATING_AT: Final = 1_501_804_800  # 2017-08-04


@dataclass(frozen=True)
class Users:
    """Everything about the users that is drawn before any rating; arrays of shape (users,).

    User number `i` has the id `i + 1`. The ids are dealt at random, so they tell nothing of the persona.
    """

    persona: NDArray[np.int8]
    """Index into `PERSONAS`: the planted truth."""
    taste: NDArray[np.int8]
    liking: NDArray[np.float32]
    """Shape (users, 21): chance, per genre, to take up a title offered; 0 if avoided, 1 for no genre."""
    tries: NDArray[np.bool_]
    """Shape (users, 20): genres the user gives a try although the persona does not seek them."""
    genre_stars: NDArray[np.float32]
    """Shape (users, 21): stars given to a genre above (or below) the user's others; 0 for no genre."""
    ratings: NDArray[np.int64]
    """Rows of `ratings.csv`, at least 1."""
    mood: NDArray[np.float32]
    """Stars the user gives above (or below) the persona's mean."""
    whole_stars_only: NDArray[np.bool_]
    """Users who never give half a star; in the real data whole stars are the more common."""
    first_rating_at: NDArray[np.int64]
    """Epoch seconds."""
    last_rating_at: NDArray[np.int64]
    """Epoch seconds, at least two days after the first."""


def draw_users(seed: int, sizes: Sizes, most_ratings: NDArray[np.int64]) -> Users:
    """Deal personas and habits out to the users.

    Parameters
    ----------
    seed
        Seed of the world.
    sizes
        Row counts; the users' ratings add up to `sizes.ratings` exactly.
    most_ratings
        Shape (personas,): the most ratings one user watching like that persona can give.
    """
    rng = stream(seed, "users")
    n = sizes.users
    persona = rng.permutation(deal([p.users for p in PERSONAS], n).astype(np.int8))
    means = np.array([p.titles_per_user for p in PERSONAS])[persona]
    spread = np.array([p.count_spread for p in PERSONAS])[persona]
    expected = means * rng.lognormal(-(spread**2) / 2, spread)
    years = np.array([p.years_active for p in PERSONAS])
    # At least two days, so that a film and its rating fit in; and more users join the later it is.
    active = np.maximum(rng.exponential(years[persona]) * 365 * _DAY, 2 * _DAY).astype(np.int64)
    open_for = _LAST_RATING_AT - _FIRST_RATING_AT - 2 * _DAY
    first = _FIRST_RATING_AT + (np.sqrt(rng.random(n)) * open_for).astype(np.int64)
    last = np.minimum(first + active, _LAST_RATING_AT)
    liking, tries = _inclinations(rng, persona)
    genre_stars = _GENRE_STARS_SPREAD * rng.standard_normal((n, len(GENRES)), dtype=np.float32)
    return Users(
        persona=persona,
        liking=_with_none(liking, 1),
        tries=tries,
        genre_stars=_with_none(genre_stars, 0),
        taste=_tastes(rng, last),
        ratings=_whole_counts(expected, sizes.ratings, most_ratings[persona]),
        mood=rng.normal(0, _USER_MOOD_SPREAD, size=n).astype(np.float32),
        whole_stars_only=rng.random(n) < _WHOLE_STARS_ONLY,
        first_rating_at=first,
        last_rating_at=last,
    )


def _tastes(rng: np.random.Generator, last_rating_at: NDArray[np.int64]) -> NDArray[np.int8]:
    """Deal tastes out: that of new films to those who are there to see them."""
    taste = rng.integers(len(TASTES), size=len(last_rating_at), dtype=np.int8)
    older = rng.integers(len(TASTES) - len(_TASTES_OF_NEW_FILMS), size=len(taste), dtype=np.int8)
    too_early = np.isin(taste, _TASTES_OF_NEW_FILMS) & (last_rating_at < _NEW_FILMS_FROM)
    return np.where(too_early, older, taste)


def _inclinations(
    rng: np.random.Generator, persona: NDArray[np.int8]
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Draw how users differ from their persona: how they like each genre, and which others they try."""
    shape = (len(persona), len(GENRES))
    sought = np.array([[genre in p.genre_shares for genre in GENRES] for p in PERSONAS])[persona]
    avoiding = np.array([p.avoiding for p in PERSONAS])[persona, None]
    trying = np.array([p.trying for p in PERSONAS])[persona, None]
    # Half of the genres are liked as well as can be, so that few titles offered are turned down.
    liking = np.exp(np.minimum(_LIKING_SPREAD * rng.standard_normal(shape, dtype=np.float32), 0))
    chance = rng.random(shape, dtype=np.float32)
    liking[sought & ~np.isin(GENRES, _SOUGHT_BY_ALL) & (chance < avoiding)] = 0
    return liking, ~sought & (chance < trying)


def _with_none(values: NDArray[np.float32], value: float) -> NDArray[np.float32]:
    """Add a column for "no genre", which titles with few genres are filled up with."""
    return np.pad(values, ((0, 0), (0, 1)), constant_values=value)


def _whole_counts(expected: NDArray[np.float64], total: int, most: NDArray[np.int64]) -> NDArray[np.int64]:
    """Scale `expected` to whole numbers between 1 and `most` that add up to `total` exactly."""
    if not len(expected) <= total <= int(most.sum()):
        raise ValueError(f"{len(expected)} users cannot give {total} ratings")
    low, high = 0.0, float(most.max()) / float(expected.min())
    for _ in range(80):  # bisection, because the bounds make the total a step function of the factor
        middle = (low + high) / 2
        fits = np.clip(np.floor(expected * middle), 1, most).sum() <= total
        low, high = (middle, high) if fits else (low, middle)
    counts = np.clip(np.floor(expected * low), 1, most).astype(np.int64)
    missing = total - int(counts.sum())
    open_users = np.flatnonzero(counts < most)[:missing]
    counts[open_users] += 1
    return counts
