"""Segments found anew on a part of what users did: what they are judged on must not have made them.

Belongs here: the way from interactions to labels, for segments of taste and for those of counts and means by genre.
Does not belong here: which part (`held_out`), what is measured (`lift`).
"""

from collections.abc import Sequence

import numpy as np
import polars as pl
import scipy.sparse as sp

from ml.recommendation.metrics import stored
from ml.segmentation.assignment import assign
from ml.segmentation.prepare import Preparation
from ml.segmentation.quality.held_out import Label, embedded_anew
from ml.segmentation.quality.nulls import shuffle_genres, shuffle_titles
from ml.segmentation.quality.stability import refit
from ml.segmentation.spec import EmbeddingSpec, Features

_KINDS = ("cnt_", "avg_")


def by_taste(declared: EmbeddingSpec, k: int, *, seed: int, is_shuffled: bool = False) -> Label:
    """Return what finds k segments of taste on interactions: the embedding and K-Means, both fitted anew.

    Parameters
    ----------
    declared
        The embedding.
    k
        Segments.
    seed
        Of every random choice.
    is_shuffled
        Whether titles are dealt out anew first: what is found then is no taste.
    """

    def label(interactions: sp.csr_array) -> np.ndarray:
        rng = np.random.default_rng(seed)
        if is_shuffled:
            interactions = shuffle_titles(interactions, rng)
        X = embedded_anew(interactions, declared, rng)
        return assign(X, refit(X, k, rng))[0]

    return label


def by_genre(
    declared: Features,
    columns: Sequence[str],
    genres: sp.csr_array,
    names: Sequence[str],
    k: int,
    *,
    seed: int,
    is_shuffled: bool = False,
) -> Label:
    """Return what finds k segments on counts (`cnt_<genre>`) and mean ratings (`avg_<genre>`) by genre.

    Both are made of the interactions handed in, whose values are ratings (NaN where there is none), prepared as
    declared and clustered anew; a mean of nothing is 0, as in the feature table, where missing values are not declared.

    Parameters
    ----------
    declared
        How the columns are prepared.
    columns
        Those that are clustered on; all must be `are_of_genres`.
    genres : (titles, g) csr
    names : (g,)
        Of the genres, as columns have them.
    k
        Segments.
    seed
        Of every random choice.
    is_shuffled
        Whether each title gets the genres of another first: what is found then is volume, and how somebody rates.
    """

    def label(interactions: sp.csr_array) -> np.ndarray:
        rng = np.random.default_rng(seed)
        of_titles = shuffle_genres(genres, rng) if is_shuffled else genres
        frame = genre_columns(columns, interactions, of_titles, names)
        if declared.missing == "error":
            frame = frame.fill_null(0)
        X = Preparation.fit(frame, declared.model_copy(update={"columns": tuple(columns)})).transform(frame)
        return assign(X, refit(X, k, rng))[0]

    return label


def genre_columns(
    columns: Sequence[str], interactions: sp.csr_array, genres: sp.csr_array, names: Sequence[str]
) -> pl.DataFrame:
    """Count titles and average ratings by genre.

    Parameters
    ----------
    columns
        Counts (`cnt_<genre>`) and means (`avg_<genre>`, null where there is no rating) that are wanted.
    interactions : (n, titles) csr of ratings, NaN where there is none
    genres : (titles, g) csr
    names : (g,)

    Returns
    -------
    n rows of these columns, float64.
    """
    of_titles = genres.toarray()  # dense, it is multiplied with in a third of the time
    tables: dict[str, np.ndarray] = {}
    if any(column.startswith("cnt_") for column in columns):
        tables["cnt_"] = (stored(interactions) @ of_titles).astype(np.float64)
    if any(column.startswith("avg_") for column in columns):
        ratings, rated = interactions.copy(), stored(interactions)
        is_known = ~np.isnan(ratings.data)
        rated.data, ratings.data = is_known.astype(np.float32), np.where(is_known, ratings.data, 0)
        with np.errstate(invalid="ignore"):
            tables["avg_"] = (ratings @ of_titles).astype(np.float64) / (rated @ of_titles)
    place, n = {name: i for i, name in enumerate(names)}, interactions.shape[0]
    nothing = {"cnt_": np.zeros(n), "avg_": np.full(n, np.nan)}
    return pl.DataFrame(
        {c: tables[c[:4]][:, place[c[4:]]] if c[4:] in place else nothing[c[:4]] for c in columns}
    ).fill_nan(None)


def are_of_genres(columns: Sequence[str], genres: Sequence[str]) -> bool:
    """Return whether all columns are counts or means by genre, and any of these genres is among them."""
    return all(column.startswith(_KINDS) for column in columns) and any(c[4:] in genres for c in columns)
