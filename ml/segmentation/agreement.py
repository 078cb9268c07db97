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
    expected = pairs_one * pairs_other / max(len(table) * (len(table) - 1) / 2, 1)
    largest = (pairs_one + pairs_other) / 2
    return 1.0 if largest == expected else float((pairs - expected) / (largest - expected))


def _pairs(sizes: pl.Series) -> float:
    counts = sizes.to_numpy().astype(np.float64)
    return float((counts * (counts - 1) / 2).sum())
