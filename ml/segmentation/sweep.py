"""One sweep over every candidate k: each fitted once, judged by every index.

Belongs here: the sweep and the table it gives. Does not belong here: the fit itself (`kmeans`), the
formulas (`quality.indices`), naming.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from ml.progress import Tell, untold
from ml.segmentation.errors import UntrainableError
from ml.segmentation.kmeans import FreeFits, KMeansFit, fit_from, fit_many
from ml.segmentation.quality import indices
from ml.segmentation.quality.choose import Candidate
from ml.segmentation.spec import Clustering
from ml.segmentation.ward import WardTree, group_means, grow

_METRICS = {
    "k": pl.Int32,
    "inertia": pl.Float64,
    "silhouette": pl.Float64,
    "calinski_harabasz": pl.Float64,
    "davies_bouldin": pl.Float64,
    "size_min": pl.Int64,
    "size_max": pl.Int64,
    "is_elbow": pl.Boolean,
    "is_published": pl.Boolean,
    "lift": pl.Float64,
    "bootstrap_ari": pl.Float64,
}

Trust = Callable[[Sequence[KMeansFit]], tuple[int, Sequence[Candidate]]]
"""Judges fits by what they are for: the k to publish, and what is known of each."""


@dataclass(frozen=True)
class Sweep:
    """Every fitted candidate and what the indices say of it.

    Attributes
    ----------
    fits : one fit per candidate, in the order of `metrics`; the published one starts from the anchor's groups
        where there are any.
    metrics : one row per k: k, inertia, silhouette, calinski_harabasz, davies_bouldin, size_min,
        size_max, is_elbow, is_published, and, null where there is no `trust`, lift and bootstrap_ari.
    free : what free starts came to, for every candidate.
    tree : Ward's, where the method grows one.
    """

    fits: tuple[KMeansFit, ...]
    metrics: pl.DataFrame
    free: FreeFits
    tree: WardTree | None

    @property
    def published(self) -> KMeansFit:
        """The fit whose segments are published."""
        return self.fits[self.metrics["is_published"].to_list().index(True)]

    @property
    def candidates(self) -> tuple[int, ...]:
        """Every k that was fitted."""
        return tuple(self.metrics["k"])

    def of(self, k: int) -> KMeansFit:
        """Return the fit of one candidate."""
        return self.fits[self.candidates.index(k)]


def sweep(
    X: np.ndarray,
    clustering: Clustering,
    *,
    rng: np.random.Generator,
    groups: np.ndarray | None = None,
    trust: Trust | None = None,
    workers: int = 2,
    tell: Tell = untold,
) -> Sweep:
    """Fit every candidate for which there are as many different rows once, and judge it.

    Parameters
    ----------
    X : (n, d) float32
        Prepared features.
    clustering
        Method, candidates, restarts and which one is published.
    rng
        Source of every random choice.
    groups : (n,) int, optional
        The anchor's group of each row: the published k, which is their number, starts from their means.
    trust
        Says what each is worth; chooses the published k where `publish` is `trusted`.
    workers
        Fits that run side by side; does not change the result.
    tell
        See `kmeans.fit_many`.

    Raises
    ------
    UntrainableError
        When there are fewer different rows than the published candidate, or any, asks for.
    """
    candidates = _candidates_to_fit(X, clustering)
    fit_rng, sample_rng = rng.spawn(2)
    tree = grow(X, rng=rng.spawn(1)[0]) if clustering.method == "ward_then_kmeans" else None
    free = fit_many(
        X,
        candidates,
        restarts=clustering.restarts,
        rng=fit_rng,
        workers=workers,
        more_starts={k: tree.centroids(X, k) for k in candidates} if tree else None,
        tell=tell,
    )
    fits = list(free.fits)
    if groups is not None:
        k = int(groups.max()) + 1
        fits[candidates.index(k)] = fit_from(X, group_means(X, groups, k))
    silhouettes = indices.silhouettes(X, [fit.labels for fit in fits], rng=sample_rng, workers=workers)
    # Of the free fits: an anchored one among them would bend the curve where nothing changed in the data.
    knee = indices.elbow(candidates, [fit.inertia for fit in free.fits])
    trusted, known = trust(fits) if trust else (None, ())
    publish = clustering.publish
    suggested = {"elbow": knee, "ward": tree and tree.suggest(candidates), "trusted": trusted}
    published = publish if isinstance(publish, int) else suggested[publish]
    worth = {of.k: {"lift": of.lift, "bootstrap_ari": of.bootstrap_ari} for of in known}
    total = indices.total_inertia(X)
    metrics = pl.DataFrame(
        [
            _judged(fit, len(X), total)
            | {"silhouette": silhouette, "is_elbow": fit.k == knee, "is_published": fit.k == published}
            | worth.get(fit.k, {})
            for fit, silhouette in zip(fits, silhouettes, strict=True)
        ],
        schema=_METRICS,
    )
    return Sweep(tuple(fits), metrics, free, tree)


def _judged(fit: KMeansFit, n: int, total: float) -> dict[str, int | float]:
    sizes = np.bincount(fit.labels, minlength=fit.k)
    return {
        "k": fit.k,
        "inertia": fit.inertia,
        "calinski_harabasz": indices.calinski_harabasz(fit.inertia, total, n, fit.k),
        "davies_bouldin": indices.davies_bouldin(fit.centroids, fit.labels, fit.squared_distances),
        "size_min": int(sizes.min()),
        "size_max": int(sizes.max()),
    }


def _candidates_to_fit(X: np.ndarray, clustering: Clustering) -> tuple[int, ...]:
    """Return the candidates for which there are as many different rows as segments."""
    candidates, publish = clustering.candidates, clustering.publish
    # Looking at the first rows is enough for nearly every real input.
    for rows in (X[: 100 * max(candidates)], X):
        different = len(np.unique(rows, axis=0))
        if different >= max(candidates):
            return candidates
    wanted = publish if isinstance(publish, int) else min(candidates)
    if different < wanted:
        msg = f"only {different:,} different rows: K-Means cannot make {wanted} segments of them"
        raise UntrainableError(msg)
    return tuple(k for k in candidates if k <= different)
