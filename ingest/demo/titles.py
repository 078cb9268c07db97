"""The invented films: ids in three id spaces, genres, quality and how well known they are.

Belongs here: drawing the numbers that every file about films agrees on.
Does not belong here: their texts (`words`), the files (`movie_files`), who rates them (`ratings`).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ingest.demo.genres import draw_genres
from ingest.demo.personas import TASTES, Taste
from ingest.demo.sizes import Sizes
from ingest.demo.streams import stream

SHIFTED_ROWS: Final = 3
"""Malformed rows of the catalogue, at every scale as in the real file."""

_WITHOUT_GENRES: Final = 2_442 / 45_463
_ID_DENSITY_MOVIELENS: Final = ((0.20, 0.054), (0.05, 0.28), (0.25, 0.62), (0.25, 0.82), (0.25, 1.0))
_ID_DENSITY_TMDB: Final = ((0.18, 0.027), (0.07, 0.056), (0.25, 0.128), (0.25, 0.336), (0.25, 1.0))
"""Share of the ids in each stretch of the id space, and where (share of the largest id) the stretch ends.

Both id spaces are dense at the low end, where the well-known films are: that is why a join of the two
succeeds for many ratings, with the wrong film.
"""
_LARGEST_MOVIELENS: Final = 176_279 / 45_843
_LARGEST_TMDB: Final = 469_172 / 45_843
_LARGEST_IMDB: Final = 7_158_814
_POPULARITY_OF_SECOND_ITEM: Final = 0.3
_SHORT_FILMS: Final = 0.08
_WITHOUT_RUNTIME: Final = 0.035
_LAST_YEAR: Final = 2017
_ZIPF_FLATTENING: Final = 0.0012
_ERAS: Final = (1988, 2002)
"""Years in which the middle and the last of three eras begin."""
_ODD_ONES: Final = 0.1
"""Share of the films that please another taste than their era and popularity say."""


@dataclass(frozen=True)
class Titles:
    """Every film of the world, best known first, the few that the catalogue lacks included.

    Arrays have shape (films,), `genres` (films, 20).
    """

    tmdb_id: NDArray[np.int64]
    imdb_id: NDArray[np.int64]
    genres: NDArray[np.int8]
    """Place of each genre in the title's list, 0 where it has not got it (see `draw_genres`)."""
    popularity: NDArray[np.float64]
    """Weight of being rated by anybody, Zipf-like; the sum is 1."""
    quality: NDArray[np.float32]
    """Stars above or below what a viewer gives on average."""
    taste: NDArray[np.int8]
    released: NDArray[np.int64]
    """Days since 1970-01-01."""
    runtime: NDArray[np.int64]
    """Minutes; 0 where nobody has entered it."""
    in_catalogue: NDArray[np.bool_]
    tmdb_id_known: NDArray[np.bool_]
    """False where `links.csv` has no tmdbId."""


@dataclass(frozen=True)
class Items:
    """The rows of `links.csv`, by movieId: what users rate. Arrays have shape (items,)."""

    movie_id: NDArray[np.int64]
    film: NDArray[np.int64]
    """Index into `Titles`; a few films have two or three items."""
    imdb_id: NDArray[np.int64]
    popularity: NDArray[np.float64]
    """Weight of being rated by anybody; a film's second item has a part of the film's own."""


def draw_titles(seed: int, sizes: Sizes) -> Titles:
    """Draw the films of a world."""
    rng = stream(seed, "titles")
    listed = sizes.title_rows - SHIFTED_ROWS - repeated_rows(sizes)
    without_link, unlisted = sizes.quirks(219, least=8), sizes.quirks(160, least=6)
    n = listed + without_link + unlisted

    rank = np.arange(1, n + 1)
    popularity = 1 / (rank + _ZIPF_FLATTENING * n + 20)
    genres = draw_genres(rng, n)
    # Films nobody has labelled are little known ones; the same holds for films missing from a file.
    obscure = rng.permutation(np.arange(n // 4, n))
    genres[obscure[: round(_WITHOUT_GENRES * listed)]] = 0
    missing = rng.permutation(np.arange(n // 4, n))[: without_link + unlisted]
    in_catalogue = np.ones(n, dtype=bool)
    in_catalogue[missing] = False
    tmdb_id_known = np.ones(n, dtype=bool)
    tmdb_id_known[missing[:without_link]] = False

    year_age = np.minimum(rng.exponential(20, size=n), 100)
    released = np.floor((_LAST_YEAR - 1970 + 0.4 - year_age) * 365.25).astype(np.int64)
    return Titles(
        tmdb_id=_ids(rng, n, _ID_DENSITY_TMDB, _LARGEST_TMDB, spread=0.2),
        imdb_id=np.sort(rng.choice(_LARGEST_IMDB, size=n, replace=False) + 1)[
            np.argsort(np.argsort(released + rng.normal(0, 2_000, size=n)))
        ],
        genres=genres,
        popularity=popularity / popularity.sum(),
        quality=rng.normal(0, 0.42, size=n).astype(np.float32),
        taste=_tastes(rng, released, popularity),
        released=released,
        runtime=_runtimes(rng, n),
        in_catalogue=in_catalogue,
        tmdb_id_known=tmdb_id_known,
    )


def _tastes(
    rng: np.random.Generator, released: NDArray[np.int64], popularity: NDArray[np.float64]
) -> NDArray[np.int8]:
    """Tell whose taste a film is: by its era and, of old and new ones, by how well known it is; of some by neither."""
    years = 1970 + released / 365.25
    era = np.searchsorted(_ERAS, years, side="right")
    # Of an era the best known films, which together have half of its ratings, are mainstream.
    mainstream = np.zeros(len(released), dtype=bool)
    for number in range(len(_ERAS) + 1):
        part = np.flatnonzero(era == number)
        mainstream[part] = np.cumsum(popularity[part]) <= popularity[part].sum() / 2
    kinds = np.array([
        [Taste.NICHE_CLASSICS, Taste.CLASSICS],
        [Taste.NINETIES, Taste.NINETIES],
        [Taste.NEW_AND_NICHE, Taste.BLOCKBUSTERS],
    ])  # fmt: skip
    taste = kinds[era, mainstream.astype(int)]
    other = rng.random(len(taste)) < _ODD_ONES
    taste[other] = rng.integers(len(TASTES), size=int(other.sum()))
    return taste.astype(np.int8)


def _runtimes(rng: np.random.Generator, films: int) -> NDArray[np.int64]:
    """Draw minutes: feature films around 95, some shorts, and the zeros of the real file."""
    minutes = np.maximum(np.rint(rng.normal(98, 17, size=films)), 60)
    short = rng.random(films) < _SHORT_FILMS
    minutes[short] = rng.integers(5, 60, size=int(short.sum()))
    minutes[rng.random(films) < _WITHOUT_RUNTIME] = 0
    return minutes.astype(np.int64)


def draw_items(seed: int, sizes: Sizes, titles: Titles) -> Items:
    """Give every film its movieId, and a few well-known films a second or third one."""
    rng = stream(seed, "items")
    films = len(titles.tmdb_id)
    shared = sizes.quirks(29, least=4)
    twice = rng.choice(np.flatnonzero(titles.in_catalogue)[: films // 4], size=shared, replace=False)
    film = np.concatenate([np.arange(films), twice, twice[: max(1, shared // 14)]])
    # Items are numbered from the best known film on, as MovieLens did; the extra ones come with their film.
    movie_id = np.empty(len(film), dtype=np.int64)
    movie_id[np.argsort(film, kind="stable")] = _ids(
        rng, len(film), _ID_DENSITY_MOVIELENS, _LARGEST_MOVIELENS, spread=0.03
    )
    # No real row has the same number in both id spaces; such a row trades its movieId with a neighbour.
    for _ in range(100):
        same = np.flatnonzero(movie_id == titles.tmdb_id[film])
        if not len(same):
            break
        other = (same + 1) % len(film)
        movie_id[same], movie_id[other] = movie_id[other], movie_id[same]
    imdb_id = titles.imdb_id[film].copy()
    imdb_id[films:] = _LARGEST_IMDB + 1 + np.arange(len(film) - films)
    popularity = titles.popularity[film]
    popularity[films:] *= _POPULARITY_OF_SECOND_ITEM
    order = np.argsort(movie_id)
    return Items(movie_id[order], film[order], imdb_id[order], popularity[order])


def repeated_rows(sizes: Sizes) -> int:
    """Count the catalogue rows that say again what another row has said (30 in the real file)."""
    return sizes.quirks(30, least=6)


def _ids(
    rng: np.random.Generator,
    n: int,
    density: tuple[tuple[float, float], ...],
    largest_per_row: float,
    spread: float,
) -> NDArray[np.int64]:
    """Draw `n` distinct ids; roughly, the better known (the earlier in the list) the lower the id."""
    largest = round(largest_per_row * n)
    parts, drawn, start = [], 0, 0
    share_so_far = 0.0
    for share, end_share in density:
        share_so_far += share
        end = round(end_share * largest)
        count = min(round(share_so_far * n) - drawn, end - start)
        parts.append(start + 1 + np.sort(rng.choice(end - start, size=count, replace=False)))
        drawn, start = drawn + count, end
    ids = np.concatenate(parts)
    order = np.argsort(np.arange(n) / n + rng.normal(0, spread, size=n), kind="stable")
    result = np.empty(n, dtype=np.int64)
    result[order] = ids
    return result
