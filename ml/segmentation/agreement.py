"""How far two divisions of the same entities agree.

Belongs here: measures between two labellings. Does not belong here: measures of one (`quality`).
"""

import numpy as np
import polars as pl


def adjusted_rand_index(one: pl.Series, other: pl.Series) -> float:
    """Return how much more often two labellings agree on pairs than by chance (Hubert and Arabie, 1985).

    Parameters
    ----------
    one, other
        Labels of the same n entities in the same order, of any type.

    Returns
    -------
    1 for the same division, about 0 for unrelated ones; 1 also where both leave nothing to divide.
    """
    table = pl.DataFrame({"one": one, "other": other})
    pairs = _pairs(table.group_by("one", "other").len()["len"])
    pairs_one = _pairs(table.group_by("one").len()["len"])
    pairs_other = _pairs(table.group_by("other").len()["len"])
    return _index(pairs, pairs_one, pairs_other, len(table))


def mean_agreement(labellings: np.ndarray) -> float:
    """Return the mean adjusted Rand index over all pairs of labellings (s, n) int of the same n entities.

    NaN for fewer than two labellings: there is nothing to agree with.
    """
    count, n = labellings.shape
    if count < 2:
        return float("nan")
    k = int(labellings.max()) + 1
    # One product of all one-hot labellings holds every contingency table; counts stay exact in float32.
    onehot = np.hstack([np.eye(k, dtype=np.float32)[labels] for labels in labellings])
    tables = (onehot.T @ onehot).astype(np.float64).reshape(count, k, count, k)
    pairs = (tables * (tables - 1) / 2).sum(axis=(1, 3))
    return float(
        np.mean([_index(pairs[i, j], pairs[i, i], pairs[j, j], n) for i in range(count) for j in range(i)])
    )


def _index(pairs: float, pairs_one: float, pairs_other: float, n: int) -> float:
    """Correct the number of pairs that both labellings keep together for chance."""
    expected = pairs_one * pairs_other / max(n * (n - 1) / 2, 1)
    largest = (pairs_one + pairs_other) / 2
    return 1.0 if largest == expected else float((pairs - expected) / (largest - expected))


def _pairs(sizes: pl.Series) -> float:
    counts = sizes.to_numpy().astype(np.float64)
    return float((counts * (counts - 1) / 2).sum())
