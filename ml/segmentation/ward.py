"""Ward's hierarchical clustering: a tree of merges, the number of segments it suggests, its cut.

Belongs here: growing the tree, reading a k off it, cutting it. Does not belong here: the final segments, which
K-Means assigns from the cut's centroids (`kmeans`), and drawing the dendrogram.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

WARD_ROWS = 8_000
"""The tree is built on at most this many rows: it needs every pairwise distance, n²/2 of 8 bytes, and SciPy works
on a copy of them, so 8,000 rows take 0.5 GB and 2 s where 270,896 would take 587 GB."""


@dataclass(frozen=True)
class WardTree:
    """The merges of m rows, from m groups of one to one group of all.

    Attributes
    ----------
    linkage : (m - 1, 4) float64
        SciPy's form: the two groups merged, the height (the square root of twice the sum of squares that the
        merge adds), the rows of the new group; heights never fall.
    rows : (m,) int64
        Which of the rows at hand the leaves are, ascending; all of them unless there are more than `WARD_ROWS`.
    """

    linkage: np.ndarray
    rows: np.ndarray

    def suggest(self, candidates: Sequence[int]) -> int:
        """Return the candidate k at which the height of the merges accelerates most; the smaller one of two alike.

        The merge that would leave k - 1 groups costs more than the one before it did; the second difference of
        the heights says how much more (the elbow of Thorndike, 1953, "Who belongs in the family?", on the tree).
        """
        # heights[k - 2] merges k groups into k - 1; before the first merge nothing has been paid.
        heights = np.append(self.linkage[::-1, 2], [0, 0])
        acceleration = heights[:-2] - 2 * heights[1:-1] + heights[2:]
        return max(candidates, key=lambda k: acceleration[k - 2])

    def cut(self, k: int) -> np.ndarray:
        """Return the group, 0 to k - 1, of each leaf when k groups are left, (m,) int64, for k from 1 to m."""
        leaves = len(self.rows)
        # Heights never fall, so the first merges are the ones below the cut; ties cannot give fewer than k groups.
        parent = np.arange(2 * leaves - 1)
        merges = self.linkage[: leaves - k, :2].astype(np.int64)
        parent[merges] = np.arange(leaves, leaves + len(merges))[:, None]
        group = parent[:leaves]
        while True:
            above = parent[group]
            if np.array_equal(above, group):
                return np.unique(group, return_inverse=True)[1]
            group = above

    def centroids(self, X: np.ndarray, k: int) -> np.ndarray:
        """Return the means of the k groups over the leaves, (k, d) float32.

        Parameters
        ----------
        X : (n, d) float32
            The rows that the tree was grown on, or drawn from.
        k
            Number of groups, at most the number of leaves.
        """
        return group_means(X[self.rows], self.cut(k), k)


def grow(X: np.ndarray, *, rng: np.random.Generator, rows: int = WARD_ROWS) -> WardTree:
    """Merge rows by Ward's criterion (Ward, 1963): each time the two groups whose union adds least variance.

    Parameters
    ----------
    X : (n, d) float32
        Prepared features, two rows at least.
    rng
        Draws the sample when n exceeds `rows`; drawn from only then.
    rows
        How many rows at most.
    """
    # Imported here: every run imports this module, few grow a tree.
    from scipy.cluster.hierarchy import linkage  # noqa: PLC0415

    leaves = np.sort(rng.choice(len(X), rows, replace=False)) if len(X) > rows else np.arange(len(X))
    return WardTree(linkage(X[leaves].astype(np.float64), "ward"), leaves)


def group_means(X: np.ndarray, groups: np.ndarray, k: int) -> np.ndarray:
    """Return the mean of the rows of each group, (k, d) float32, summed in float64.

    Parameters
    ----------
    X : (n, d) float32
    groups : (n,) int
        From 0 to k - 1, none of them empty.
    k
        Number of groups.
    """
    sizes = np.bincount(groups, minlength=k)
    means = np.column_stack([np.bincount(groups, column, minlength=k) / sizes for column in X.T])
    return means.astype(np.float32)
