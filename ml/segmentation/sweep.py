"""One sweep over every candidate k: each fitted once, judged by every index.

Belongs here: the sweep and the table it gives. Does not belong here: the fit itself (`kmeans`), the
formulas (`quality`), naming.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl

from ml.errors import SegmentationError
from ml.segmentation import quality
from ml.segmentation.kmeans import KMeansFit, fit_many
from ml.segmentation.spec import Clustering


@dataclass(frozen=True)
class Sweep:
    """Every fitted candidate and what the indices say of it.

    Attributes
    ----------
    fits : one fit per candidate, in the order of `metrics`.
    metrics : one row per k: k, inertia, silhouette, calinski_harabasz, davies_bouldin, size_min,
        size_max, is_elbow, is_published.
    """

    fits: tuple[KMeansFit, ...]
    metrics: pl.DataFrame

    @property
    def published(self) -> KMeansFit:
        """The fit whose segments are published."""
        return self.fits[self.metrics["is_published"].to_list().index(True)]

    def of(self, k: int) -> KMeansFit:
        """Return the fit of one candidate."""
        return self.fits[self.metrics["k"].to_list().index(k)]


def sweep(X: np.ndarray, clustering: Clustering, *, rng: np.random.Generator, workers: int = 2) -> Sweep:
    """Fit every candidate once and judge it.

    Parameters
    ----------
    X : (n, d) float32
        Prepared features.
    clustering
        Candidates, restarts and which one is published.
    rng
        Source of every random choice.
    workers
        Fits that run side by side; does not change the result.

    Raises
    ------
    SegmentationError
        When there are fewer rows, or fewer different rows, than the largest candidate asks for.
    """
    candidates = clustering.candidates
    require_rows(len(X), max(candidates))
    _require_different_rows(X, max(candidates))
    fit_rng, sample_rng = rng.spawn(2)
    fits = fit_many(X, candidates, restarts=clustering.restarts, rng=fit_rng, workers=workers)
    silhouettes = quality.silhouettes(X, [fit.labels for fit in fits], rng=sample_rng, workers=workers)
    knee = quality.elbow(candidates, [fit.inertia for fit in fits])
    published = knee if clustering.publish == "elbow" else clustering.publish
    total = quality.total_inertia(X)
    rows = []
    for fit, silhouette in zip(fits, silhouettes, strict=True):
        sizes = np.bincount(fit.labels, minlength=fit.k)
        rows.append(
            {
                "k": fit.k,
                "inertia": fit.inertia,
                "silhouette": silhouette,
                "calinski_harabasz": quality.calinski_harabasz(fit.inertia, total, len(X), fit.k),
                "davies_bouldin": quality.davies_bouldin(fit.centroids, fit.labels, fit.squared_distances),
                "size_min": int(sizes.min()),
                "size_max": int(sizes.max()),
                "is_elbow": fit.k == knee,
                "is_published": fit.k == published,
            }
        )
    return Sweep(tuple(fits), pl.DataFrame(rows, schema_overrides={"k": pl.Int32}))


def require_rows(rows: int, largest: int) -> None:
    """Refuse fewer rows than the largest candidate k.

    Raises
    ------
    SegmentationError
        When there are fewer.
    """
    if rows < largest:
        msg = (
            f"{rows:,} rows are fewer than the largest candidate k = {largest}; "
            "lower `clustering.candidates` or bring more data"
        )
        raise SegmentationError(msg)


def _require_different_rows(X: np.ndarray, largest: int) -> None:
    # Looking at the first rows is enough for nearly every real input.
    for rows in (X[: 100 * largest], X):
        different = len(np.unique(rows, axis=0))
        if different >= largest:
            return
    msg = f"only {different:,} different rows: K-Means cannot make {largest} segments of them"
    raise SegmentationError(msg)
