"""From scores to a ranked list: the best titles of each row, seen ones removed.

Belongs here: the protocol every model keeps, ranking, blocks that bound memory. Does not belong here: how a
score comes about (the models), how good a list is (`metrics`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import scipy.sparse as sp

from ml.recommendation.interactions import Interactions

BLOCK_CELLS = 16_000_000
"""Scores held at once: 64 MB of float32, and a few times that while they are ranked."""


class Fitted(Protocol):
    """A trained model. It knows titles, not users: what a user has seen is handed in, so new users need no fit."""

    def scores(self, rows: sp.csr_array) -> np.ndarray:
        """Score every title for each row of ratings, (n, items) float32; more is better.

        An empty row (a user of whom nothing is known) gets popularity.
        """
        ...

    def contributions(self, row: sp.csr_array, items: np.ndarray) -> np.ndarray | None:
        """Return how much each seen title of one row adds to the score of each item, (m, seen) float32.

        None where the model does not look at what was seen (popularity).
        """
        ...


class Model(Protocol):
    """A way to train, with its hyper-parameters."""

    def fit(self, interactions: Interactions, *, rng: np.random.Generator) -> Fitted:
        """Train on these ratings."""
        ...


@dataclass(frozen=True)
class Ranked:
    """The best titles of each row, best first.

    Attributes
    ----------
    items : (n, k) int32
        Columns of titles; -1 past the end where fewer than k were left to recommend.
    scores : (n, k) float32
        Minus infinity past the end.
    """

    items: np.ndarray
    scores: np.ndarray


def recommend(
    fitted: Fitted,
    rows: sp.csr_array,
    n: int,
    *,
    remove_seen: bool = True,
    allowed: np.ndarray | None = None,
) -> Ranked:
    """Return the n best titles for each row.

    Parameters
    ----------
    fitted
        A trained model.
    rows : (users, items) csr
        What each user has seen.
    n
        Titles per user.
    remove_seen
        Whether titles of the row itself are left out.
    allowed : (items,) bool, optional
        The only titles that may be recommended: a genre, what is on offer.
    """
    items, scores = [], []
    for block in blocks(rows.shape[0], rows.shape[1]):
        part = rows[block]
        ranked = best(fitted.scores(part), part if remove_seen else None, n, allowed=allowed)
        items.append(ranked.items)
        scores.append(ranked.scores)
    if not items:
        return Ranked(np.empty((0, n), np.int32), np.empty((0, n), np.float32))
    return Ranked(np.vstack(items), np.vstack(scores))


def best(
    scores: np.ndarray, seen: sp.csr_array | None, n: int, *, allowed: np.ndarray | None = None
) -> Ranked:
    """Return the n highest scores of each row; of equal ones inside the list the title of the lower column.

    Parameters
    ----------
    scores : (rows, items) float32
        Overwritten: what may not be recommended becomes minus infinity.
    seen : (rows, items) csr, optional
        Titles to leave out.
    n
        Titles per row.
    allowed : (items,) bool, optional
        The only titles that may be recommended.
    """
    if seen is not None:
        scores[_row_numbers(seen), seen.indices] = -np.inf
    if allowed is not None:
        scores[:, ~allowed] = -np.inf
    kept = min(n, scores.shape[1])
    top = np.argpartition(scores, scores.shape[1] - kept, axis=1)[:, scores.shape[1] - kept :]
    top.sort(axis=1)
    values = np.take_along_axis(scores, top, axis=1)
    order = np.argsort(-values, axis=1, kind="stable")
    items = np.full((len(scores), n), -1, dtype=np.int32)
    ranked = np.full((len(scores), n), -np.inf, dtype=np.float32)
    items[:, :kept] = np.take_along_axis(top, order, axis=1)
    ranked[:, :kept] = np.take_along_axis(values, order, axis=1)
    items[np.isneginf(ranked)] = -1
    return Ranked(items, ranked)


def blocks(rows: int, columns: int) -> Iterator[slice]:
    """Yield consecutive slices of rows, each with at most `BLOCK_CELLS` cells (or one row)."""
    size = max(1, BLOCK_CELLS // max(columns, 1))
    for start in range(0, rows, size):
        yield slice(start, min(start + size, rows))


def popular_where_empty(scores: np.ndarray, rows: sp.csr_array, popularity: np.ndarray) -> np.ndarray:
    """Return the scores with popularity in the place of each empty row's.

    Parameters
    ----------
    scores : (n, items) float32
        Changed in place.
    rows : (n, items) csr
    popularity : (items,) float32
    """
    scores[np.diff(rows.indptr) == 0] = popularity
    return scores


def _row_numbers(rows: sp.csr_array) -> np.ndarray:
    return np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr))
