"""Draws that several files of the world make.

Belongs here: labels by shares, exact and by chance. Does not belong here: the shares.
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray


def deal(shares: Iterable[float], n: int) -> NDArray[np.int64]:
    """List label 0, 1, … as often as its share of `n` says, rounded so that there are `n` in all."""
    parts = np.array(list(shares))
    ends = np.rint(np.cumsum(parts) / np.sum(parts) * n).astype(np.int64)
    return np.repeat(np.arange(len(parts)), np.diff(ends, prepend=0))


def pick(rng: np.random.Generator, shares: NDArray[np.floating]) -> NDArray[np.int64]:
    """Pick one column per row, by the shares in that row; they add up to 1."""
    chance = rng.random((len(shares), 1))
    return np.minimum((np.cumsum(shares, axis=1) < chance).sum(axis=1), shares.shape[1] - 1)
