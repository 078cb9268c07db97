"""All figures of one segmentation.

Belongs here: which measures apply, and how taste is found anew on a part of the interactions. Does not belong here: any
measure, what follows from the figures.
"""

from collections.abc import Mapping

import numpy as np
import polars as pl
import scipy.sparse as sp

from ml.segmentation.assignment import assign
from ml.segmentation.embedding import Embedding
from ml.segmentation.quality.held_out import Judged, Label
from ml.segmentation.quality.lift import held_out_value, split_half
from ml.segmentation.quality.nulls import shuffle_titles
from ml.segmentation.quality.stability import refit, stability
from ml.segmentation.quality.structure import structure
from ml.segmentation.quality.table import quality_table, sizes
from ml.segmentation.spec import EmbeddingSpec


def judge(
    X: np.ndarray,
    labels: np.ndarray,
    k: int,
    thresholds: Mapping[str, float],
    *,
    judged: Judged | None,
    rng: np.random.Generator,
    workers: int = 1,
) -> pl.DataFrame:
    """Measure k segments in every way that applies.

    Parameters
    ----------
    X : (n, d) float32
        Prepared features, sorted by id.
    labels : (n,) int
        The segment of each row, 0 to k - 1.
    k
        Segments.
    thresholds
        Measure to its bound.
    judged
        What users did, where segments are of users and anything is known of it.
    rng
        Draws samples, starts, cuts and resamples.
    workers
        Fits that run side by side; does not change the result.

    Returns
    -------
    See `table.quality_table`.
    """
    figures = [*sizes(labels, k), *stability(X, labels, k, rng=rng, workers=workers)]
    figures.append(structure(X, k, rng=rng, workers=workers))
    if judged is not None:
        figures += held_out_value(judged, rng=rng)
        if judged.label is not None:
            figures.append(split_half(judged, rng=rng))
    return quality_table(figures, thresholds)


def interactions_of(
    entities: pl.Series, labels: np.ndarray, pairs: pl.DataFrame, genres: pl.DataFrame
) -> tuple[sp.csr_array, np.ndarray, sp.csr_array]:
    """Put what users did in a matrix.

    Parameters
    ----------
    entities : (n,)
        Users, ascending.
    labels : (n,) int
        The segment of each.
    pairs
        Two columns, user and title, each pair once.
    genres
        Two columns, title and genre.

    Returns
    -------
    interactions : (m, titles) csr of ones, for the m of the users who did anything, in their order
    labels : (m,) int
    genres : (titles, genres) csr of ones
    """
    rows = pl.DataFrame({"user": entities, "segment": labels}).with_row_index("row")
    known = pairs.rename(dict(zip(pairs.columns, ("user", "title"), strict=True))).join(rows, on="user")
    titles = known["title"].unique().sort()
    columns = pl.DataFrame({"title": titles}).with_row_index("column")
    placed = known.join(columns, on="title").sort("row", "column")
    users, row = np.unique(placed["row"].to_numpy(), return_inverse=True)
    interactions = _ones(row, placed["column"].to_numpy(), (len(users), len(titles)))
    named = genres.rename(dict(zip(genres.columns, ("title", "genre"), strict=True))).join(
        columns, on="title"
    )
    genre = named["genre"].rank("dense").to_numpy().astype(np.int64) - 1
    shape = (len(titles), int(genre.max(initial=-1)) + 1)
    return interactions, labels[users], _ones(named["column"].to_numpy(), genre, shape)


def by_taste(declared: EmbeddingSpec, k: int, *, seed: int, is_shuffled: bool = False) -> Label:
    """Return what finds k segments of taste on interactions: the embedding and K-Means, both fitted anew.

    Everybody is placed who has any title, so that users are judged whose other titles are held out.

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
        n = interactions.shape[0]
        user = np.repeat(np.arange(n, dtype=np.int64), np.diff(interactions.indptr))
        pairs = pl.DataFrame({"user": user, "title": interactions.indices.astype(np.int64)})
        embedding = Embedding.fit(pairs, declared.model_copy(update={"least": 1}), rng=rng)
        users, placed = embedding.transform(pairs)
        X = np.zeros((n, placed.shape[1]), dtype=np.float32)
        X[users] = placed
        return assign(X, refit(X, k, rng))[0]

    return label


def _ones(rows: np.ndarray, columns: np.ndarray, shape: tuple[int, int]) -> sp.csr_array:
    return sp.csr_array(sp.coo_array((np.ones(len(rows), dtype=np.float32), (rows, columns)), shape=shape))
