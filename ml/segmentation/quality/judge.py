"""All figures of one segmentation.

Belongs here: which measures apply, and how taste is found anew on a part of the interactions. Does not belong here: any
measure, what follows from the figures.
"""

from collections.abc import Mapping

import numpy as np
import polars as pl
import scipy.sparse as sp

from ml.segmentation.assignment import assign
from ml.segmentation.quality.held_out import Judged, Label, embedded_anew, interactions_of
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


def what_users_did(
    users: pl.Series,
    labels: np.ndarray,
    k: int,
    pairs: pl.DataFrame,
    *,
    genres: pl.DataFrame | None = None,
    embedding: EmbeddingSpec | None = None,
    seed: int = 0,
) -> Judged:
    """Return what segments of users are judged by.

    Parameters
    ----------
    users, labels, pairs, genres
        See `held_out.interactions_of`.
    k
        Segments.
    embedding
        That of the pairs which the segments were found in: they are found anew then on a part of them, and on what is
        shuffled. Without it they are judged as they are.
    seed
        Of what is found anew.
    """
    interactions, segments, of_titles = interactions_of(users, labels, pairs, genres)
    label = shuffled = None
    if embedding is not None:
        label, shuffled = (by_taste(embedding, k, seed=seed, is_shuffled=is_it) for is_it in (False, True))
    return Judged(interactions, segments, k, label, shuffled, of_titles)


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
