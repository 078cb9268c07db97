"""Assign rows to their nearest centroid.

Belongs here: assignment and the limit of one thread that makes it the same everywhere. Does not belong here:
finding centroids (`kmeans`). Scoring needs this module and no scikit-learn, which takes seconds to import.
"""

from contextlib import AbstractContextManager
from functools import cache

import numpy as np
from threadpoolctl import ThreadpoolController

_CHUNK_ROWS = 65_536


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
    with one_thread_each("blas"):
        for start in range(0, len(X), _CHUNK_ROWS):
            rows = slice(start, start + _CHUNK_ROWS)
            chunk = X[rows]
            labels[rows] = np.argmax(chunk @ centroids.T - half_norms, axis=1)
            # The difference itself, not |x|² - 2xc + |c|²: no digits are lost to cancellation.
            difference = chunk - centroids[labels[rows]]
            distances[rows] = np.einsum("ij,ij->i", difference, difference)
    return labels, distances


@cache
def _controller() -> ThreadpoolController:
    return ThreadpoolController()


def one_thread_each(api: str) -> AbstractContextManager:
    """Limit `blas` or `openmp` to one thread: a parallel sum adds in another order and changes last digits."""
    return _controller().limit(limits=1, user_api=api)
