"""From scores to a ranked list: the best titles of each row, seen ones removed.

Belongs here: the protocol every model keeps, ranking, blocks that bound memory and share the cores. Does not belong
here: how a score comes about (the models), how good a list is (`metrics`).
"""

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np
import scipy.sparse as sp
from threadpoolctl import threadpool_limits

from ml.recommendation.interactions import Interactions

Part = TypeVar("Part")
Done = TypeVar("Done")

BLOCK_CELLS = 4_000_000
"""Scores that a thread holds at once: 16 MB of float32, and a few times that while they are ranked."""

_GROUP = 16

Scorer = Callable[[sp.csr_array], np.ndarray]
"""Takes rows of ratings over all titles, gives a score for each of the titles it was made for."""


class Fitted(Protocol):
    """A trained model. It knows titles, not users: what a user has seen is handed in, so new users need no fit."""

    def scorer(self, columns: np.ndarray | None = None) -> Scorer:
        """Return what scores these titles only, or all: rows (n, items) to (n, columns) float32; more is better.

        An empty row (a user of whom nothing is known) gets popularity. It may be called from several threads and
        leaves the number of BLAS threads to the caller.

        Parameters
        ----------
        columns : (columns,) int, optional
            Titles to score, ascending; all where None.
        """
        ...

    def contributions(self, rows: sp.csr_array, items: np.ndarray) -> np.ndarray | None:
        """Return how much each stored rating adds to the scores of its user's items, (ratings, m) float32.

        None where the model does not look at what was seen (popularity).

        Parameters
        ----------
        rows : (n, items) csr
            What n users have seen.
        items : (n, m) int
            Titles of each user to explain.
        """
        ...

    def scores(self, rows: sp.csr_array) -> np.ndarray:
        """Score every title for each row of ratings, (n, items) float32; see `scorer`."""
        with threadpool_limits(1, "blas"):
            return self.scorer()(rows)


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
    scorer = fitted.scorer()

    def ranked(block: slice) -> Ranked:
        part = rows[block]
        return best(scorer(part), part if remove_seen else None, n, allowed=allowed)

    found = in_threads(ranked, blocks(rows.shape[0], rows.shape[1]))
    if not found:
        return Ranked(np.empty((0, n), np.int32), np.empty((0, n), np.float32))
    return Ranked(np.vstack([part.items for part in found]), np.vstack([part.scores for part in found]))


def in_threads(work: Callable[[Part], Done], parts: Iterable[Part], threads: int | None = None) -> list[Done]:
    """Return the work done on each part, in order; they share the cores, or so many threads, with one BLAS thread each.

    What the parts are must not depend on the number of cores, or the result would.
    """
    listed = list(parts)
    with threadpool_limits(1, "blas"):
        if len(listed) == 1 or threads == 1:
            return [work(part) for part in listed]
        with ThreadPoolExecutor(threads or os.cpu_count()) as pool:
            return list(pool.map(work, listed))


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
        scores[row_numbers(seen), seen.indices] = -np.inf
    if allowed is not None:
        scores[:, ~allowed] = -np.inf
    kept = min(n, scores.shape[1])
    top = _highest(scores, kept)
    top.sort(axis=1)
    values = np.take_along_axis(scores, top, axis=1)
    order = np.argsort(-values, axis=1, kind="stable")
    items = np.full((len(scores), n), -1, dtype=np.int32)
    ranked = np.full((len(scores), n), -np.inf, dtype=np.float32)
    items[:, :kept] = np.take_along_axis(top, order, axis=1)
    ranked[:, :kept] = np.take_along_axis(values, order, axis=1)
    items[np.isneginf(ranked)] = -1
    return Ranked(items, ranked)


def best_of_one_order(scores: np.ndarray, seen: sp.csr_array, n: int) -> np.ndarray:
    """Return the n best titles of each row where all rows have the same scores, (rows, n) int32, as `best` does.

    Title j of a user's list is title j + s of all, with s of the better ones seen: no row is scored.

    Parameters
    ----------
    scores : (items,) float32
    seen : (rows, items) csr
        Titles to leave out.
    n
        Titles per row.
    """
    order = np.argsort(-scores, kind="stable")
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    row = row_numbers(seen)
    sorted_places = np.sort(row * len(order) + place[seen.indices]) - row * len(order)
    # How many unseen titles come before each seen one.
    before = sorted_places - (np.arange(seen.nnz) - np.repeat(seen.indptr[:-1], np.diff(seen.indptr)))
    counted = np.bincount((row * n + before)[before < n], minlength=seen.shape[0] * n)
    passed = np.arange(n) + np.cumsum(counted.reshape(-1, n), axis=1)
    return np.append(order, np.full(n + seen.shape[1], -1))[passed].astype(np.int32)


def _highest(scores: np.ndarray, n: int) -> np.ndarray:
    """Return the columns of each row's n highest scores, in no order, (rows, n) int64.

    A column is looked at when the highest of its group is among the n highest of all groups: to find these takes one
    pass, to partition whole rows ten times as long.
    """
    rows, width = scores.shape
    groups = width // _GROUP
    if groups <= n:
        return np.argpartition(scores, width - n, axis=1)[:, width - n :]
    highest = scores[:, : groups * _GROUP].reshape(rows, _GROUP, groups).max(axis=1)
    group = np.argpartition(highest, groups - n, axis=1)[:, groups - n :]
    members = (group[:, None, :] + groups * np.arange(_GROUP)[:, None]).reshape(rows, -1)
    rest = np.broadcast_to(np.arange(groups * _GROUP, width), (rows, width - groups * _GROUP))
    columns = np.hstack([members, rest])
    columns.sort(axis=1)  # so that of equal scores it takes the same, whatever the groups' order
    top = _highest(np.take_along_axis(scores, columns, axis=1), n)
    return np.take_along_axis(columns, top, axis=1)


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


def row_numbers(rows: sp.csr_array) -> np.ndarray:
    """Return the row of each stored entry, (stored,) int64."""
    return np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr))


def row_slices(rows: sp.csr_array) -> Iterator[slice]:
    """Yield where the stored entries of each row stand."""
    for start, stop in zip(rows.indptr[:-1], rows.indptr[1:], strict=True):
        yield slice(int(start), int(stop))


def of(values: np.ndarray, columns: np.ndarray | None) -> np.ndarray:
    """Return the values of some columns, or of all where None."""
    return values if columns is None else values[columns]
