"""Breathing K-Means: lift a converged K-Means out of a poor optimum.

Belongs here: the search around one converged solution. Does not belong here: where it starts and what
happens with the result (`kmeans`).
"""

import numpy as np

from ml.segmentation.lloyd import Rows, converge

_FIRST_BREATH = 3
"""Centroids added and removed at first; one fewer after every breath that gains nothing."""
_LEAST_GAIN = 1e-4
"""A breath has to lower the inertia by this share to count."""
_SPREAD = 0.1
"""How far from its parent a new centroid starts, in root-mean-square distances per feature."""


def breathe(
    rows: Rows, inertia: float, centroids: np.ndarray, rng: np.random.Generator
) -> tuple[float, np.ndarray]:
    """Improve converged centroids by adding some where the error is largest and removing the least useful.

    After Fritzke (2020), "The breathing k-means algorithm", arXiv:2006.15666. The result is never worse.

    Parameters
    ----------
    rows
        The rows to cluster.
    inertia
        Of the centroids on the rows.
    centroids : (k, d) float32
        Converged on the rows.
    rng
        Draws where new centroids start.

    Returns
    -------
    inertia : float
    centroids : (k, d) float32
    """
    k = len(centroids)
    breath = min(_FIRST_BREATH, k)
    while breath:
        _, inhaled = converge(rows, _with_more(rows, centroids, inertia, breath, rng))
        exhaled_inertia, exhaled = converge(rows, _with_fewer(rows, inhaled, breath))
        if exhaled_inertia < inertia * (1 - _LEAST_GAIN):
            inertia, centroids = exhaled_inertia, exhaled
        else:
            breath -= 1
    return inertia, centroids


def neighbours(rows: Rows, fewer: np.ndarray | None, more: np.ndarray | None) -> list[np.ndarray]:
    """Return starts for k centroids made from the solutions for k - 1 and k + 1.

    A centroid is added where the error is largest, or the least useful one is taken away. A start is left
    out where its solution is None.
    """
    starts = []
    if fewer is not None:
        nearest, _, distance, _ = _two_nearest(rows, fewer)
        worst = np.bincount(nearest, distance, minlength=len(fewer)).argmax()
        own = rows.X[nearest == worst]
        # The member furthest from its centroid would be an outlier; the mean of the far half is not.
        far = own[np.argsort(distance[nearest == worst], kind="stable")[len(own) // 2 :]]
        starts.append(np.vstack([fewer, far.mean(axis=0)]).astype(np.float32))
    if more is not None:
        starts.append(_with_fewer(rows, more, 1))
    return starts


def _with_more(
    rows: Rows, centroids: np.ndarray, inertia: float, breath: int, rng: np.random.Generator
) -> np.ndarray:
    nearest, _, distance, _ = _two_nearest(rows, centroids)
    error = np.bincount(nearest, distance, minlength=len(centroids))
    parents = centroids[np.argsort(-error, kind="stable")[:breath]]
    step = _SPREAD * np.sqrt(inertia / rows.X.size)
    return np.vstack([centroids, parents + step * rng.standard_normal(parents.shape)]).astype(np.float32)


def _with_fewer(rows: Rows, centroids: np.ndarray, breath: int) -> np.ndarray:
    nearest, _, distance, second = _two_nearest(rows, centroids)
    # What the inertia would rise by if the centroid were taken away.
    usefulness = np.bincount(nearest, second - distance, minlength=len(centroids))
    return centroids[np.sort(np.argsort(usefulness, kind="stable")[breath:])]


def _two_nearest(rows: Rows, centroids: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return labels of the nearest and second nearest centroid and the squared distances to both."""
    every = np.arange(len(rows))
    squared = rows.squared_norms[:, None] - 2 * (rows.X @ centroids.T)
    squared += np.einsum("ij,ij->i", centroids, centroids)
    nearest = squared.argmin(axis=1)
    distance = squared[every, nearest].copy()
    squared[every, nearest] = np.inf
    runner_up = squared.argmin(axis=1)
    return nearest, runner_up, distance, squared[every, runner_up]
