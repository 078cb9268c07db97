"""The twenty genres: their real frequencies, which ones go together, and which titles get them.

Belongs here: genre names, ids, frequencies, and drawing the genres of titles.
Does not belong here: who likes which genre (`personas`).
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

GENRES: Final = (
    "Action", "Adventure", "Animation", "Comedy", "Crime", "Documentary", "Drama", "Family", "Fantasy",
    "Foreign", "History", "Horror", "Music", "Mystery", "Romance", "Science Fiction", "Thriller", "TV Movie",
    "War", "Western",
)  # fmt: skip

TMDB_GENRE_IDS: Final = (
    28, 12, 16, 35, 80, 99, 18, 10751, 14, 10769, 36, 27, 10402, 9648, 10749, 878, 53, 10770, 10752, 37,
)  # fmt: skip

REAL_TAGS: Final = np.array([
    6_596, 3_496, 1_935, 13_182, 4_307, 3_932, 20_265, 2_770, 2_313, 1_622, 1_398, 4_673, 1_598, 2_467, 6_735,
    3_049, 7_624, 767, 1_323, 1_042,
])  # fmt: skip
"""Titles of the real catalogue that carry each genre, in the order of `GENRES`."""

REAL_TITLES_WITH_GENRES: Final = 43_021
"""Rows of the real catalogue with at least one genre: what `REAL_TAGS` counts over."""

GENRES_PER_TITLE: Final = (0.335, 0.335, 0.21, 0.12)
"""Share of titles with 1, 2, 3 and 4 genres; the mean is the real one, 2.12."""

_MOODS: Final = (
    ("Action", "Adventure", "Science Fiction", "Fantasy", "Thriller"),
    ("Animation", "Family", "Fantasy", "Adventure", "Comedy"),
    ("Comedy", "Romance", "Drama", "Music"),
    ("Crime", "Thriller", "Mystery", "Drama", "Action"),
    ("Horror", "Thriller", "Mystery", "Science Fiction"),
    ("Drama", "Romance", "Foreign", "TV Movie"),
    ("War", "History", "Drama", "Western"),
    ("Documentary", "Music", "History"),
)
"""Genres that go together; a title is drawn to one mood, so that pairs are as plausible as real ones."""

_MOOD_SHARES: Final = (0.14, 0.08, 0.22, 0.14, 0.11, 0.17, 0.06, 0.08)
_MOOD_PULL: Final = 2.5
_CALIBRATION_ROUNDS: Final = 60


def draw_genres(rng: np.random.Generator, titles: int) -> NDArray[np.int8]:
    """Draw 1 to 4 genres for each title, in the real frequencies.

    Returns
    -------
    ndarray of shape (titles, 20)
        0 where the title lacks the genre, else 1, 2, 3 or 4: the genre's place in the title's list.
    """
    wanted = rng.choice(4, size=titles, p=GENRES_PER_TITLE) + 1
    mood = rng.choice(len(_MOODS), size=titles, p=_MOOD_SHARES)
    pull = np.array([[_MOOD_PULL if genre in genres else 0.0 for genre in GENRES] for genres in _MOODS])
    scores = pull[mood] + rng.gumbel(size=(titles, len(GENRES)))

    target = REAL_TAGS / REAL_TITLES_WITH_GENRES
    offset = np.log(target)
    # The same random scores are kept while the offsets move, until the shares come out as the real ones.
    for _ in range(_CALIBRATION_ROUNDS):
        share = (_places(scores + offset, wanted) > 0).mean(axis=0)
        offset += 0.5 * np.log(target / np.maximum(share, 0.5 / titles))
    return _places(scores + offset, wanted)


def _places(scores: NDArray[np.float64], wanted: NDArray[np.int64]) -> NDArray[np.int8]:
    """Rank the genres of each title by score and keep the best `wanted` of them."""
    best = np.argsort(-scores, axis=1, kind="stable")[:, :4]
    places = np.zeros(scores.shape, dtype=np.int8)
    place = np.broadcast_to(np.arange(1, 5, dtype=np.int8), best.shape)
    np.put_along_axis(places, best, np.where(place <= wanted[:, None], place, 0).astype(np.int8), axis=1)
    return places
