"""Interactions, cut so that segments can be judged by what they were not made from.

Belongs here: which users, which of their interactions are held out, the labels found on the rest. Does not belong
here: what is measured on them (`lift`).

Interactions are a user × title matrix: what is stored was watched or rated, the values (ratings, weights) are for
whoever makes labels of them. Draws depend on the order of the rows, so hand users in sorted by id.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
import scipy.sparse as sp

from ml.recommendation.metrics import stored
from ml.segmentation.embedding import Embedding
from ml.segmentation.quality.nulls import random_labels, volume_quantiles
from ml.segmentation.quality.stability import aligned
from ml.segmentation.spec import EmbeddingSpec

SHARE = 0.25
"""Of each user's interactions, as in the published comparisons of recommenders."""
_USERS_IN_ALL = 4_000
_MOST_CUTS = 5

Label = Callable[[sp.csr_array], np.ndarray]
"""Takes interactions (n, titles), gives the segment of each row, 0 to k - 1: the whole way from interactions to
segments, fitted on what it is given."""


@dataclass(frozen=True)
class Judged:
    """What is judged, and what it is compared with.

    Attributes
    ----------
    interactions : (n, titles) csr, users sorted by id.
    segments : (n,) int, the published segment of each user, 0 to k - 1.
    k : how many segments there are.
    label : finds the segments anew on a part of the interactions. Without it the published ones are judged as they
        are: they were made from the held-out interactions too, which flatters them a little.
    shuffled : the same on what is shuffled: `nulls.shuffle_titles` of what it is given, or its genres shuffled.
    genres : (titles, genres) csr, what is stored is a genre of the title; without it nothing is said of genres.
    """

    interactions: sp.csr_array
    segments: np.ndarray
    k: int
    label: Label | None = None
    shuffled: Label | None = None
    genres: sp.csr_array | None = None

    def sampled(self, users: int, rng: np.random.Generator) -> "Judged":
        """Return the same of a random sample of users, in their order."""
        interactions, segments = sample_users(self.interactions, self.segments, users=users, rng=rng)
        return replace(self, interactions=interactions, segments=segments)

    def labellings(self, train: sp.csr_array, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """Return the labels found on the training part, `own`, and those of each null, (n,) int each.

        Labels are called as the published segments that they share most users with.
        """
        own = aligned(self.label(train), self.segments, self.k) if self.label else self.segments
        found = {
            "own": own,
            "random": random_labels(own, rng),
            "volume": volume_quantiles(np.diff(train.indptr), self.k),
        }
        return found | ({"shuffled": self.shuffled(train)} if self.shuffled else {})


@dataclass(frozen=True)
class Cut:
    """Interactions in two parts.

    Attributes
    ----------
    train, held_out : (n, titles) csr float32 of ones.
    """

    train: sp.csr_array
    held_out: sp.csr_array


def interactions_of(
    entities: pl.Series, labels: np.ndarray, pairs: pl.DataFrame, genres: pl.DataFrame | None = None
) -> tuple[sp.csr_array, np.ndarray, sp.csr_array | None, list[str]]:
    """Put what users did in a matrix.

    Parameters
    ----------
    entities : (n,)
        Users, ascending.
    labels : (n,) int
        The segment of each.
    pairs
        Two columns, user and title, each pair once; `rating` beside them where it is known.
    genres
        Two columns, title and genre.

    Returns
    -------
    interactions : (m, titles) csr of ratings, NaN where there is none, of ones where `rating` is not given; for the m
        of the users who did anything, in their order
    labels : (m,) int
    genres : (titles, genres) csr of ones; None where no genre of these titles is given
    names : of the genres
    """
    rows = pl.DataFrame({"user": entities, "segment": labels}).with_row_index("row")
    rating = pl.col("rating").fill_null(float("nan")) if "rating" in pairs.columns else pl.lit(1.0)
    known = pairs.select(pl.nth(0).alias("user"), pl.nth(1).alias("title"), rating.alias("rating"))
    known = known.join(rows, on="user")
    titles = known["title"].unique().sort()
    columns = pl.DataFrame({"title": titles}).with_row_index("column")
    placed = known.join(columns, on="title").sort("row", "column")
    users, row = np.unique(placed["row"].to_numpy(), return_inverse=True)
    interactions = _matrix(
        row, placed["column"].to_numpy(), (len(users), len(titles)), placed["rating"].to_numpy()
    )
    return interactions, labels[users], *_genre_matrix(genres, columns)


def embedded_anew(
    interactions: sp.csr_array, declared: EmbeddingSpec, rng: np.random.Generator
) -> np.ndarray:
    """Fit the embedding on a part of the interactions, (n, titles), and place its users, (n, dimensions) float32.

    Everybody is placed who has any title, so that users are judged whose other titles are held out.
    """
    n = interactions.shape[0]
    user = np.repeat(np.arange(n, dtype=np.int64), np.diff(interactions.indptr))
    pairs = pl.DataFrame({"user": user, "title": interactions.indices.astype(np.int64)})
    _, placed = Embedding.fit_placed(pairs, declared.model_copy(update={"least": 1}), rng=rng)
    X = np.zeros((n, placed.width - 1), dtype=np.float32)
    X[placed["user"].to_numpy()] = placed.drop("user").to_numpy()
    return X


def cuts(interactions: sp.csr_array, rng: np.random.Generator) -> Iterator[tuple[Cut, sp.csr_array]]:
    """Cut anew, a few times where users are few, once where they are many.

    Yields
    ------
    The cut, and its training part with its values, for whoever makes labels of it.
    """
    for _ in range(int(np.clip(_USERS_IN_ALL // interactions.shape[0], 1, _MOST_CUTS))):
        train, held_out = hold_out(interactions, share=SHARE, rng=rng)
        yield Cut(stored(train), stored(held_out)), train


def sample_users(
    interactions: sp.csr_array, segments: np.ndarray, *, users: int, rng: np.random.Generator
) -> tuple[sp.csr_array, np.ndarray]:
    """Draw users at random, in their order; all where there are no more."""
    n = interactions.shape[0]
    if n <= users:
        return interactions, segments
    rows = np.sort(rng.choice(n, users, replace=False))
    return interactions[rows], segments[rows]


def hold_out(
    interactions: sp.csr_array, *, share: float, rng: np.random.Generator
) -> tuple[sp.csr_array, sp.csr_array]:
    """Hold out the same share of each user's interactions, drawn at random.

    Of n interactions n × share are held out, rounded half to even; a user always keeps one.

    Returns
    -------
    train, held_out : (n, titles) csr
    """
    counts = np.diff(interactions.indptr)
    users = np.repeat(np.arange(len(counts)), counts)
    order = np.argsort(users + rng.random(interactions.nnz))
    place = np.arange(interactions.nnz) - interactions.indptr[users]
    taken = np.empty(interactions.nnz, dtype=bool)
    taken[order] = place < np.minimum(np.round(counts * share), counts - 1)[users]
    return _kept(interactions, ~taken), _kept(interactions, taken)


def halve(interactions: sp.csr_array, rng: np.random.Generator) -> tuple[sp.csr_array, sp.csr_array]:
    """Toss a coin for each interaction; users of whom a half is left without any are in neither.

    Halves of exactly the same size would agree on volume by construction.
    """
    heads = rng.random(interactions.nnz) < 0.5
    halves = [_kept(interactions, side) for side in (heads, ~heads)]
    in_both = np.minimum(*(np.diff(half.indptr) for half in halves)) > 0
    return halves[0][in_both], halves[1][in_both]


def _kept(interactions: sp.csr_array, keep: np.ndarray) -> sp.csr_array:
    indptr = np.concatenate([[0], np.cumsum(keep)])[interactions.indptr]
    return sp.csr_array(
        (interactions.data[keep], interactions.indices[keep], indptr), shape=interactions.shape
    )


def _genre_matrix(
    genres: pl.DataFrame | None, columns: pl.DataFrame
) -> tuple[sp.csr_array | None, list[str]]:
    if genres is None:
        return None, []
    named = genres.rename(dict(zip(genres.columns, ("title", "genre"), strict=True)))
    named = named.join(columns, on="title")
    if named.is_empty():
        return None, []
    names = named["genre"].unique().sort()
    genre = names.search_sorted(named["genre"]).to_numpy()
    return _matrix(named["column"].to_numpy(), genre, (len(columns), len(names))), names.to_list()


def _matrix(
    rows: np.ndarray, columns: np.ndarray, shape: tuple[int, int], values: np.ndarray | None = None
) -> sp.csr_array:
    values = np.ones(len(rows)) if values is None else values
    return sp.csr_array(sp.coo_array((values.astype(np.float32), (rows, columns)), shape=shape))
