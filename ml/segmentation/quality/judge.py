"""All figures of one segmentation.

Belongs here: which measures apply. Does not belong here: any measure, what follows from the figures.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np
import polars as pl

from ml.segmentation.assignment import one_thread_each
from ml.segmentation.quality.anew import are_of_genres, by_genre, by_taste
from ml.segmentation.quality.held_out import Judged, Label, interactions_of
from ml.segmentation.quality.lift import held_out_value, split_half
from ml.segmentation.quality.stability import stability
from ml.segmentation.quality.structure import structure
from ml.segmentation.quality.table import quality_table, sizes
from ml.segmentation.spec import Features


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
    with one_thread_each("blas"):  # products this small only make a second thread wait
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
    features: Features,
    columns: Sequence[str] = (),
    genres: pl.DataFrame | None = None,
    seed: int = 0,
) -> Judged:
    """Return what segments of users are judged by.

    Segments of taste and those of counts and means by genre are found anew on a part of what users did, and on what is
    shuffled; others are judged as they are.

    Parameters
    ----------
    users, labels, pairs, genres
        See `held_out.interactions_of`.
    k
        Segments.
    features
        How they were made.
    columns
        The columns that were clustered on, where users are not embedded.
    seed
        Of what is found anew.
    """
    interactions, segments, of_titles, names = interactions_of(users, labels, pairs, genres)
    find: Callable[..., Label] | None = None
    if features.embedding is not None:
        find = partial(by_taste, features.embedding)
    elif of_titles is not None and are_of_genres(columns, names):
        find = partial(by_genre, features, columns, of_titles, names)
    if find is None:
        return Judged(interactions, segments, k, genres=of_titles)
    label, shuffled = (find(k, seed=seed, is_shuffled=is_it) for is_it in (False, True))
    return Judged(interactions, segments, k, label, shuffled, of_titles)
