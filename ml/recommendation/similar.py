"""Titles like a title: rated by the same people or, where too few rated both, of which the same is said.

Belongs here: the table of nearest titles. Does not belong here: recommending to a user (`neighbours`, `content`).
"""

import numpy as np
import polars as pl
import scipy.sparse as sp

from ml.recommendation.content import DENSE_TERMS, ItemFeatures
from ml.recommendation.interactions import Interactions
from ml.recommendation.neighbours import FittedNeighbours
from ml.recommendation.ranking import best, blocks, in_threads, row_numbers, row_slices

BASES = ("ratings", "content")
"""What a similarity rests on."""

_TIE = 1e-4
"""Of two titles of which the same is said, the one that more people rated: less than any difference that counts."""


def similar_items(
    interactions: Interactions,
    near: FittedNeighbours,
    features: ItemFeatures | None,
    n: int,
    *,
    least_similarity: float = 0.05,
) -> pl.DataFrame:
    """Return the n titles nearest to each title.

    By ratings: the similarity of the trained neighbours, which falls below `least_similarity` where few rated both; the
    places left are filled by content: the cosine of what is said about the two, of equal ones the more rated first. A
    similarity compares with others of the same basis only.

    Parameters
    ----------
    interactions
        The ratings; titles without any are listed too.
    near
        Nearest titles, trained on them.
    features
        What is said about the same titles; None: by ratings alone.
    n
        Titles per title; fewer where no more are alike.
    least_similarity
        Below it ratings say too little, and content speaks.

    Returns
    -------
    item_id, rank (1 to n, int32), similar_item_id, similarity (float64, above 0 to 1), basis ("ratings" or
    "content"), in the order of items and ranks.
    """
    items, similarity = _ranked(near.similarity.T.tocsr(), n, least_similarity)
    basis = np.zeros(items.shape, dtype=np.int8)
    lacking = np.flatnonzero((items < 0).any(axis=1))
    if features is not None and len(lacking):
        filled = _filled(
            items[lacking], similarity[lacking], lacking, features.vectors, interactions.popularity
        )
        basis[lacking] = items[lacking] < 0
        items[lacking], similarity[lacking] = filled
    return _frame(interactions.items, items, similarity, basis)


def similar_by_content(ids: pl.Series, features: ItemFeatures, n: int) -> pl.DataFrame:
    """Return the n titles of which most alike is said, for a catalogue that nobody rates.

    Parameters
    ----------
    ids
        Titles, in the order of the features; of titles that are equally alike the earlier comes first.
    features
        What is said about them.
    n
        Titles per title; fewer where no more are alike.

    Returns
    -------
    As `similar_items`, with the basis "content" throughout.
    """
    titles = np.arange(len(ids))
    nothing = np.full((len(ids), n), -1, dtype=np.int64), np.zeros((len(ids), n), dtype=np.float32)
    items, similarity = _filled(*nothing, titles, features.vectors, np.zeros(len(ids), dtype=np.float32))
    return _frame(ids, items, similarity, np.ones(items.shape, dtype=np.int8))


def _ranked(near: sp.csr_array, n: int, least: float) -> tuple[np.ndarray, np.ndarray]:
    """Return each row's highest entries, highest first: columns (rows, n), -1 past the end, and values."""
    row = row_numbers(near)
    order = np.lexsort((near.indices, -near.data, row))
    row, columns, values = row[order], near.indices[order], near.data[order]
    place = np.arange(near.nnz) - np.repeat(near.indptr[:-1], np.diff(near.indptr))
    kept = (place < n) & (values >= least)
    items = np.full((near.shape[0], n), -1, dtype=np.int64)
    similarity = np.zeros((near.shape[0], n), dtype=np.float32)
    items[row[kept], place[kept]] = columns[kept]
    similarity[row[kept], place[kept]] = values[kept]
    return items, similarity


def _filled(
    items: np.ndarray,
    similarity: np.ndarray,
    titles: np.ndarray,
    vectors: sp.csr_array,
    popularity: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Fill the free places of these titles' lists with those of which most alike is said."""
    n = items.shape[1]
    # Of many titles the same is said, the genres of most: each such vector is compared with all titles once.
    first, vector = _distinct(vectors[titles])
    # Enough that n are left without the title itself and those that are listed already.
    found, cosines = _nearest_to(vectors, titles[first], popularity, 2 * n + 1)
    found, cosines = found[vector], cosines[vector]
    usable = (found >= 0) & (found != titles[:, None])
    usable &= ~(found[:, :, None] == items[:, None, :]).any(axis=2)
    order = np.argsort(~usable, axis=1, kind="stable")[:, :n]
    more = np.where(np.take_along_axis(usable, order, axis=1), np.take_along_axis(found, order, axis=1), -1)
    return _appended(items, similarity, more, np.take_along_axis(cosines, order, axis=1))


def _distinct(vectors: sp.csr_array) -> tuple[np.ndarray, np.ndarray]:
    """Return the first row of each distinct vector, and which of these every row is."""
    number: dict[tuple[bytes, bytes], int] = {}
    which = np.empty(vectors.shape[0], dtype=np.int64)
    for row, of_row in enumerate(row_slices(vectors)):
        key = vectors.indices[of_row].tobytes(), vectors.data[of_row].tobytes()
        which[row] = number.setdefault(key, len(number))
    return np.unique(which, return_index=True)[1], which


def _nearest_to(
    vectors: sp.csr_array, titles: np.ndarray, popularity: np.ndarray, n: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the n titles nearest to each of these by content, itself too, and the cosines; -1 where none is alike."""
    towards = vectors.toarray() if vectors.shape[1] <= DENSE_TERMS else vectors
    # Most rated first, in steps that stay below `_TIE` together.
    ahead = np.empty(len(popularity), dtype=np.float32)
    ahead[np.argsort(-popularity, kind="stable")] = np.linspace(_TIE, 0, len(popularity), dtype=np.float32)

    def near(block: slice) -> tuple[np.ndarray, np.ndarray]:
        product = towards[titles[block]] @ towards.T
        cosines = product if isinstance(product, np.ndarray) else product.toarray()
        alike = best(np.where(cosines > _TIE, cosines + ahead, -np.inf), None, n).items
        return alike, np.take_along_axis(cosines, np.maximum(alike, 0), axis=1)

    done = in_threads(near, blocks(len(titles), len(popularity)))
    return np.vstack([part for part, _ in done]), np.vstack([part for _, part in done])


def _appended(
    items: np.ndarray, similarity: np.ndarray, more: np.ndarray, values: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return lists whose free places are taken by `more`, in its order."""
    n = items.shape[1]
    place = np.arange(n)[None, :] - (items >= 0).sum(axis=1, keepdims=True)
    free = (place >= 0) & (place < more.shape[1])
    taken = np.clip(place, 0, more.shape[1] - 1)
    filled = np.where(free, np.take_along_axis(more, taken, axis=1), items)
    return filled, np.where(free, np.take_along_axis(values, taken, axis=1), similarity)


def _frame(ids: pl.Series, items: np.ndarray, similarity: np.ndarray, basis: np.ndarray) -> pl.DataFrame:
    item, place = np.nonzero(items >= 0)
    return pl.DataFrame(
        {
            "item_id": ids.gather(item),
            "rank": (place + 1).astype(np.int32),
            "similar_item_id": ids.gather(items[item, place]).rename("similar_item_id"),
            # A cosine in float32 may pass 1 by its last digit.
            "similarity": np.minimum(similarity[item, place].astype(np.float64), 1),
            "basis": pl.Series(np.array(BASES)[basis[item, place]]),
        }
    )
