"""Item–item cosine with shrinkage: titles rated by the same people.

Belongs here: the sparse matrix of nearest titles, scores from it. Does not belong here: what is said about titles
(`content`).
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from ml.recommendation.interactions import Interactions, weighted
from ml.recommendation.ranking import popular_where_empty

_BLOCK_CELLS = 16_000_000
_WORKERS = 2


@dataclass(frozen=True)
class FittedNeighbours:
    """Titles and the titles nearest to them.

    Attributes
    ----------
    similarity : (items, items) csr float32
        Row: a seen title; column: the title it speaks for. At most `neighbours` entries in each column.
    popularity : (items,) float32
        Scores for a user of whom nothing is known.
    mean_rating : of the training data; scales what is seen.
    """

    similarity: sp.csr_array
    popularity: np.ndarray
    mean_rating: float

    def scores(self, rows: sp.csr_array) -> np.ndarray:
        """Sum the similarities of what was seen, by weight of its rating, (n, items) float32."""
        scores = (weighted(rows, self.mean_rating) @ self.similarity).toarray()
        return popular_where_empty(scores, rows, self.popularity)

    def contributions(self, row: sp.csr_array, items: np.ndarray) -> np.ndarray:
        """Return what each seen title adds to each score, (m, seen) float32."""
        seen = weighted(row, self.mean_rating)
        return (self.similarity[seen.indices][:, items].toarray() * seen.data[:, None]).T


@dataclass(frozen=True)
class Neighbours:
    """Cosine of two titles' columns of weighted ratings, times c / (c + shrinkage) for c users in common.

    Sarwar et al. 2001, "Item-based collaborative filtering recommendation algorithms", with the shrinkage of Bell
    and Koren 2007. Products are made in blocks, of which only the nearest are kept: 64 MB a block and
    12 bytes × items × neighbours in the end, whatever the number of ratings.

    Attributes
    ----------
    neighbours : titles that may speak for a title.
    shrinkage : users in common at which a similarity counts half.
    """

    neighbours: int = 50
    shrinkage: float = 10.0

    def fit(self, interactions: Interactions, *, rng: np.random.Generator) -> FittedNeighbours:  # noqa: ARG002
        """Find each title's nearest titles."""
        similarity = cosine_neighbours(
            weighted(interactions.ratings, interactions.mean_rating),
            neighbours=self.neighbours,
            shrinkage=self.shrinkage,
        )
        return FittedNeighbours(similarity, interactions.popularity, interactions.mean_rating)


def cosine_neighbours(X: sp.csr_array, *, neighbours: int, shrinkage: float) -> sp.csr_array:
    """Return each column's nearest columns, (items, items) csr float32, the diagonal left out.

    Parameters
    ----------
    X : (users, items) csr float32
    neighbours
        Entries kept in each column.
    shrinkage
        Rows in common at which a cosine counts half.
    """
    norms = np.sqrt(np.asarray(X.multiply(X).sum(axis=0)).ravel())
    unit = sp.csr_array(X @ sp.diags_array(1 / np.maximum(norms, 1e-12)).astype(np.float32))
    seen = sp.csr_array((np.ones_like(X.data), X.indices, X.indptr), shape=X.shape)

    def shrunk(block: slice, unit_rows: sp.csr_array, seen_rows: sp.csr_array) -> np.ndarray:
        cosine = (unit_rows[block] @ unit).toarray()
        if shrinkage > 0:
            common = (seen_rows[block] @ seen).toarray()
            cosine *= common / (common + np.float32(shrinkage))
        return cosine

    by_item, seen_by_item = sp.csr_array(unit.T), sp.csr_array(seen.T)
    return nearest(X.shape[1], neighbours, lambda block: shrunk(block, by_item, seen_by_item))


def nearest(items: int, neighbours: int, similarities: Callable[[slice], np.ndarray]) -> sp.csr_array:
    """Keep the highest positive similarities of each title, (items, items) csr float32.

    Parameters
    ----------
    items
        Number of titles.
    neighbours
        How many are kept for each.
    similarities
        Gives the similarities of a block of titles to all of them, (block, items) float32; its answer is
        overwritten.

    Returns
    -------
    Row: the neighbour; column: the title it is near to.
    """
    size = max(1, _BLOCK_CELLS // max(items, 1))
    parts = [slice(start, min(start + size, items)) for start in range(0, items, size)]
    with ThreadPoolExecutor(_WORKERS) as pool:
        kept = list(pool.map(lambda part: _keep_nearest(similarities(part), part, neighbours), parts))
    return sp.csr_array(sp.vstack(kept, format="csr").T.tocsr())


def _keep_nearest(similar: np.ndarray, part: slice, neighbours: int) -> sp.csr_array:
    similar[np.arange(len(similar)), np.arange(part.start, part.stop)] = 0
    width = similar.shape[1]
    kept = min(neighbours, width)
    top = np.argpartition(similar, width - kept, axis=1)[:, width - kept :]
    top.sort(axis=1)
    values = np.take_along_axis(similar, top, axis=1)
    positive = values > 0
    indptr = np.concatenate([[0], np.cumsum(positive.sum(axis=1))])
    return sp.csr_array(
        (values[positive].astype(np.float32), top[positive].astype(np.int32), indptr),
        shape=(len(similar), width),
    )
