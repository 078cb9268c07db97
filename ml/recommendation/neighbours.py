"""Item–item cosine with shrinkage: titles rated by the same people.

Belongs here: the sparse matrix of nearest titles, scores from it. Does not belong here: what is said about titles
(`content`).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from ml.recommendation.interactions import Interactions, drawn, weighted
from ml.recommendation.products import by_popularity, head_products
from ml.recommendation.ranking import (
    BLOCK_CELLS,
    Fitted,
    Scorer,
    blocks,
    in_threads,
    of,
    popular_where_empty,
    row_numbers,
)


@dataclass(frozen=True)
class FittedNeighbours(Fitted):
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

    def scorer(self, columns: np.ndarray | None = None) -> Scorer:
        """Return what sums the similarities of what was seen, by weight of its rating."""
        similarity = self.similarity if columns is None else self.similarity[:, columns]
        speaking = np.flatnonzero(np.diff(similarity.indptr))
        towards = sp.csr_array(similarity[speaking].T)
        popularity = of(self.popularity, columns)

        def score(rows: sp.csr_array) -> np.ndarray:
            # A title has few neighbours, many users have seen one: full columns of users are faster than sparse rows.
            seen = weighted(rows, self.mean_rating)[:, speaking]
            scores = np.ascontiguousarray((towards @ seen.T.toarray()).T)
            return popular_where_empty(scores, rows, popularity)

        return score

    def contributions(self, rows: sp.csr_array, items: np.ndarray) -> np.ndarray:
        """Return what each seen title adds to each score, (ratings, m) float32."""
        seen = weighted(rows, self.mean_rating)
        towards = items[row_numbers(rows)]
        similar = self.similarity[np.broadcast_to(seen.indices[:, None], towards.shape), towards]
        return similar.toarray() * seen.data[:, None]


@dataclass(frozen=True)
class Neighbours:
    """Cosine of two titles' columns of weighted ratings, times c / (c + shrinkage) for c users in common.

    Sarwar et al. 2001, "Item-based collaborative filtering recommendation algorithms", with the shrinkage of Bell
    and Koren 2007. A user in common counts by the product of both ratings' weights, 1 on average, which is what the
    cosine is made of, too. Products are made in blocks, of which only the nearest are kept: beside two copies of the
    ratings 0.4 GB, and 8 bytes × items × neighbours in the end.

    Attributes
    ----------
    neighbours : titles that may speak for a title.
    shrinkage : users in common at which a similarity counts half.
    most_ratings : learned from; of more, users are drawn. The time grows with the square of a user's titles:
        4 million take some 20 s of one core.
    """

    neighbours: int = 50
    shrinkage: float = 10.0
    most_ratings: int = 4_000_000

    def fit(self, interactions: Interactions, *, rng: np.random.Generator) -> FittedNeighbours:
        """Find each title's nearest titles."""
        similarity = cosine_neighbours(
            weighted(drawn(interactions.ratings, self.most_ratings, rng), interactions.mean_rating),
            neighbours=self.neighbours,
            shrinkage=self.shrinkage,
        )
        return FittedNeighbours(similarity, interactions.popularity, interactions.mean_rating)


def cosine_neighbours(X: sp.csr_array, *, neighbours: int, shrinkage: float) -> sp.csr_array:
    """Return each column's nearest columns, (items, items) csr float32, the diagonal left out.

    Parameters
    ----------
    X : (users, items) csr float32
        Positive where stored.
    neighbours
        Entries kept in each column.
    shrinkage
        Product of two columns at which their cosine counts half.

    Returns
    -------
    Row: the neighbour; column: the title it is near to.
    """
    order = by_popularity(X)
    X = X[:, order]
    norms = np.sqrt(np.bincount(X.indices, X.data**2, minlength=len(order)))
    scale = (1 / np.maximum(norms, 1e-12)).astype(np.float32)
    head = head_products(X)
    rest = X[:, len(head) :]
    by_title = sp.csr_array(rest.T)

    def near(titles: slice) -> sp.csr_array:
        if titles.start < len(head):
            similar = sp.csr_array(head[titles])
        else:
            others = by_title[titles.start - len(head) : titles.stop - len(head)] @ rest
            similar = sp.hstack([sp.csr_array(head[:, titles].T), others], format="csr")
        similar.data *= similar.data / (similar.data + np.float32(shrinkage))
        similar.data *= scale[similar.indices]
        similar.data *= np.repeat(scale[titles], np.diff(similar.indptr))
        return _nearest(similar, titles.start, neighbours)

    kept = in_threads(near, [*blocks(len(head), len(order)), *_parts(by_title, rest, len(head))])
    found = sp.coo_array(sp.vstack(kept))
    return sp.csr_array(sp.coo_array((found.data, (order[found.col], order[found.row])), shape=found.shape))


def _parts(by_title: sp.csr_array, rest: sp.csr_array, head: int) -> Iterator[slice]:
    """Cut the titles after the head so that products of each part have at most `BLOCK_CELLS` cells, or one title."""
    lengths = np.diff(rest.indptr)
    pairs = np.concatenate([[0], np.cumsum(lengths[by_title.indices], dtype=np.float64)])[by_title.indptr]
    ends = np.cumsum(np.minimum(np.diff(pairs), len(by_title.indptr)) + head)
    start = 0
    while start < len(ends):
        before = ends[start - 1] if start else 0
        stop = max(start + 1, int(np.searchsorted(ends, before + BLOCK_CELLS, side="right")))
        yield slice(head + start, head + stop)
        start = stop


def _nearest(similar: sp.csr_array, first: int, neighbours: int) -> sp.csr_array:
    """Keep the highest entries of each row, the row's own title left out."""
    columns, values, counts = [], [], []
    for row in range(similar.shape[0]):
        of_row = slice(similar.indptr[row], similar.indptr[row + 1])
        indices, data = similar.indices[of_row], similar.data[of_row]
        data[indices == first + row] = 0
        if len(data) > neighbours:
            top = np.argpartition(data, len(data) - neighbours)[len(data) - neighbours :]
            indices, data = indices[top], data[top]
        positive = data > 0
        order = np.argsort(indices[positive])
        columns.append(indices[positive][order])
        values.append(data[positive][order])
        counts.append(len(order))
    indptr = np.concatenate([[0], np.cumsum(counts)])
    return sp.csr_array((np.concatenate(values), np.concatenate(columns), indptr), shape=similar.shape)
