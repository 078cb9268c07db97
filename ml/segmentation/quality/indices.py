"""How good a clustering is: indices over a fitted k, and the elbow over all of them.

Belongs here: silhouette, Calinski-Harabasz, Davies-Bouldin, size range, elbow.
Does not belong here: fitting, and the choice of what is published.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from ml.segmentation.assignment import one_thread_each

SILHOUETTE_ROWS = 10_000
"""Sample size of the published analysis; the exact silhouette is quadratic in rows."""
_BLOCK_ROWS = 1_000


def silhouettes(
    X: np.ndarray,
    labellings: Sequence[np.ndarray],
    *,
    rng: np.random.Generator,
    rows: int = SILHOUETTE_ROWS,
    workers: int = 1,
) -> list[float]:
    """Mean silhouette of several labellings of the same rows (Rousseeuw, 1987).

    The distances of the sample are computed once, block by block, and serve every labelling.

    Parameters
    ----------
    X : (n, d) float
    labellings
        Arrays (n,) of labels from 0 to k - 1.
    rng
        Draws the sample when n exceeds `rows`.
    rows
        Sample size; all rows are used when there are no more than that.
    workers
        Blocks of distances that are computed side by side; does not change the result.

    Returns
    -------
    One value in [-1, 1] per labelling; NaN when the sample holds fewer than two segments.
    """
    if len(X) > rows:
        chosen = np.sort(rng.choice(len(X), rows, replace=False))
        X, labellings = X[chosen], [labels[chosen] for labels in labellings]
    X = np.asarray(X, dtype=np.float64 if len(X) <= _BLOCK_ROWS else X.dtype)
    codes = [np.unique(labels, return_inverse=True)[1] for labels in labellings]
    onehots = [np.eye(code.max() + 1, dtype=X.dtype)[code] for code in codes]
    stacked = np.hstack(onehots)
    edges = np.cumsum([onehot.shape[1] for onehot in onehots])[:-1]
    sizes = [onehot.sum(axis=0) for onehot in onehots]
    norms = np.einsum("ij,ij->i", X, X)

    def sums_of_block(start: int) -> list[float]:
        block = slice(start, start + _BLOCK_ROWS)
        squared = norms[block, None] - 2 * (X[block] @ X.T) + norms
        np.maximum(squared, 0, out=squared)
        local = np.arange(squared.shape[0])
        squared[local, local + start] = 0
        sums = np.split(np.sqrt(squared, out=squared) @ stacked, edges, axis=1)
        return [
            _silhouette_sum(to_segments, code[block], size)
            for to_segments, code, size in zip(sums, codes, sizes, strict=True)
        ]

    with one_thread_each("blas"), ThreadPoolExecutor(workers) as pool:
        blocks = list(pool.map(sums_of_block, range(0, len(X), _BLOCK_ROWS)))
    totals = [sum(of_labelling) for of_labelling in zip(*blocks, strict=True)]
    return [
        total / len(X) if len(size) > 1 else float("nan") for total, size in zip(totals, sizes, strict=True)
    ]


def calinski_harabasz(inertia: float, total_inertia: float, n: int, k: int) -> float:
    """Between- over within-segment variance (Calinski and Harabasz, 1974); higher is better.

    Parameters
    ----------
    inertia
        Sum of squared distances to the own centroid.
    total_inertia
        Sum of squared distances to the mean of all rows.
    n, k
        Rows and segments; NaN when n = k or the segments are perfect.
    """
    if n == k or inertia == 0:
        return float("nan")
    return (total_inertia - inertia) / (k - 1) / (inertia / (n - k))


def davies_bouldin(centroids: np.ndarray, labels: np.ndarray, squared_distances: np.ndarray) -> float:
    """Mean over segments of the worst (spread + spread) / distance (Davies and Bouldin, 1979); lower is better.

    Parameters
    ----------
    centroids : (k, d)
    labels : (n,) int
    squared_distances : (n,)
        To the own centroid.
    """
    k = len(centroids)
    spread = np.bincount(labels, np.sqrt(squared_distances), minlength=k) / np.maximum(
        np.bincount(labels, minlength=k), 1
    )
    exact = centroids.astype(np.float64)
    apart = np.sqrt(((exact[:, None] - exact[None]) ** 2).sum(axis=2))
    np.fill_diagonal(apart, np.inf)
    with np.errstate(divide="ignore"):
        return float(((spread[:, None] + spread[None]) / apart).max(axis=1).mean())


def elbow(candidates: Sequence[int], inertias: Sequence[float]) -> int:
    """Return the k whose inertia lies furthest below the chord from the first to the last candidate.

    The argument of Satopää et al. (2011, "Kneedle"). With fewer than three candidates there is no
    knee and the first is returned.
    """
    k, inertia = np.asarray(candidates, dtype=float), np.asarray(inertias, dtype=float)
    if len(k) < 3:
        return int(candidates[0])
    chord = np.interp(k, [k[0], k[-1]], [inertia[0], inertia[-1]])
    return int(candidates[int(np.argmax(chord - inertia))])


def total_inertia(X: np.ndarray) -> float:
    """Sum of squared distances of all rows to their mean."""
    return float(X.var(axis=0, dtype=np.float64).sum() * len(X))


def _silhouette_sum(sums: np.ndarray, own: np.ndarray, sizes: np.ndarray) -> float:
    """Sum the silhouettes of one block of rows; `own` holds column numbers of `sums` (rows, k)."""
    rows = np.arange(len(sums))
    within = sums[rows, own] / np.maximum(sizes[own] - 1, 1)
    others = sums / sizes
    others[rows, own] = np.inf
    nearest = others.min(axis=1)
    largest = np.maximum(within, nearest)
    with np.errstate(invalid="ignore", divide="ignore"):
        values = np.where((sizes[own] > 1) & (largest > 0), (nearest - within) / largest, 0.0)
    return float(values.sum(dtype=np.float64))
