"""K-Means for one k: many cheap starts, the best ones finished on all rows.

Belongs here: the engine, i.e. how centroids are found and rows are assigned.
Does not belong here: which k to try and how to judge it (`sweep`, `quality`).

Each fit runs on one thread, so the result does not depend on how many cores there are; fits run side by
side instead.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache

import numpy as np
from sklearn.cluster import KMeans
from threadpoolctl import ThreadpoolController

SAMPLE_ROWS = 20_000
"""Restarts run on a sample of this many rows: at 270 K rows that is 10 x cheaper and finds the same optima."""
REFINED_STARTS = 2
"""How many of the sample's optima are finished on all rows; two bring the inertia of ten full restarts."""
_CHUNK_ROWS = 65_536


@dataclass(frozen=True)
class KMeansFit:
    """One fitted k.

    Attributes
    ----------
    centroids : (k, d) float32, in the prepared space.
    labels : (n,) int32, the nearest centroid of each row.
    squared_distances : (n,) float64, to that centroid.
    """

    centroids: np.ndarray
    labels: np.ndarray
    squared_distances: np.ndarray

    @property
    def k(self) -> int:
        """Number of centroids."""
        return len(self.centroids)

    @property
    def inertia(self) -> float:
        """Sum of squared distances to the nearest centroid."""
        return float(self.squared_distances.sum())


def fit_many(
    X: np.ndarray, candidates: Sequence[int], *, restarts: int, rng: np.random.Generator, workers: int
) -> list[KMeansFit]:
    """Fit K-Means once for every candidate k.

    Parameters
    ----------
    X : (n, d) float32
        Prepared features; n is at least the largest candidate.
    candidates
        The k to fit.
    restarts
        k-means++ starts per k (Arthur and Vassilvitskii, 2007); the best by inertia wins.
    rng
        Source of every random choice; the same state gives the same fits.
    workers
        Fits that run side by side; does not change the result.
    """
    sample = _sample(X, rng)
    seeds = rng.integers(0, 2**31 - 1, size=len(candidates))
    with _one_thread_each("blas"), ThreadPoolExecutor(max_workers=workers) as pool:
        # Largest k first: it takes longest, so no worker is left waiting for it at the end.
        jobs = {
            k: pool.submit(_fit_one, X, sample, k, restarts, int(seed))
            for k, seed in sorted(zip(candidates, seeds, strict=True), reverse=True)
        }
        return [jobs[k].result() for k in candidates]


def assign(X: np.ndarray, centroids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return each row's nearest centroid and the squared distance to it.

    Parameters
    ----------
    X : (n, d) float32
    centroids : (k, d) float32

    Returns
    -------
    labels : (n,) int32
    squared_distances : (n,) float64
    """
    labels = np.empty(len(X), dtype=np.int32)
    distances = np.empty(len(X), dtype=np.float64)
    half_norms = 0.5 * np.einsum("ij,ij->i", centroids, centroids)
    with _one_thread_each("blas"):
        for start in range(0, len(X), _CHUNK_ROWS):
            rows = slice(start, start + _CHUNK_ROWS)
            chunk = X[rows]
            labels[rows] = np.argmax(chunk @ centroids.T - half_norms, axis=1)
            # The difference itself, not |x|² - 2xc + |c|²: no digits are lost to cancellation.
            difference = chunk - centroids[labels[rows]]
            distances[rows] = np.einsum("ij,ij->i", difference, difference)
    return labels, distances


def _fit_one(X: np.ndarray, sample: np.ndarray, k: int, restarts: int, seed: int) -> KMeansFit:
    random = np.random.RandomState(seed)
    with _one_thread_each("openmp"):
        if len(sample) == len(X):
            model = KMeans(k, n_init=restarts, random_state=random, algorithm="lloyd").fit(X)
            return _finished(X, model.cluster_centers_)
        starts = [
            KMeans(k, n_init=1, random_state=random, algorithm="lloyd").fit(sample) for _ in range(restarts)
        ]
        starts.sort(key=lambda start: start.inertia_)
        fits = [
            _finished(X, KMeans(k, init=centroids, n_init=1, algorithm="lloyd").fit(X).cluster_centers_)
            for centroids in _distinct_optima(starts)
        ]
    return min(fits, key=lambda fit: fit.inertia)


def _distinct_optima(starts: list[KMeans]) -> list[np.ndarray]:
    """Keep the best starts that are different optima: finishing one twice gains nothing."""
    kept: list[KMeans] = []
    for start in starts:
        if all(start.inertia_ > other.inertia_ * 1.0001 for other in kept):
            kept.append(start)
        if len(kept) == REFINED_STARTS:
            break
    return [start.cluster_centers_ for start in kept]


def _finished(X: np.ndarray, centroids: np.ndarray) -> KMeansFit:
    centroids = np.ascontiguousarray(centroids, dtype=np.float32)
    return KMeansFit(centroids, *assign(X, centroids))


def _sample(X: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    if len(X) <= SAMPLE_ROWS:
        return X
    return X[np.sort(rng.choice(len(X), SAMPLE_ROWS, replace=False))]


@cache
def _controller() -> ThreadpoolController:
    return ThreadpoolController()


def _one_thread_each(api: str):
    return _controller().limit(limits=1, user_api=api)
