"""Item–item cosine with shrinkage: titles rated by the same people.

Belongs here: the sparse matrix of nearest titles, scores from it. Does not belong here: what is said about titles
(`content`).
"""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from ml.recommendation.interactions import Interactions, drawn, weighted
from ml.recommendation.ranking import Fitted, Scorer, in_threads, of, popular_where_empty, row_numbers

_BLOCK_CELLS = 8_000_000


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
        popularity = of(self.popularity, columns)

        def score(rows: sp.csr_array) -> np.ndarray:
            scores = (weighted(rows, self.mean_rating) @ similarity).toarray()
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
    and Koren 2007. Products are made in blocks, of which only the nearest are kept: beside three copies of the
    ratings 0.4 GB, and 8 bytes × items × neighbours in the end.

    Attributes
    ----------
    neighbours : titles that may speak for a title.
    shrinkage : users in common at which a similarity counts half.
    most_ratings : learned from; of more, users are drawn. The time grows with the square of a user's titles:
        26 million ratings take two minutes, 6 million half of one.
    """

    neighbours: int = 50
    shrinkage: float = 10.0
    most_ratings: int = 6_000_000

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
        Rows in common at which a cosine counts half.

    Returns
    -------
    Row: the neighbour; column: the title it is near to.
    """
    norms = np.sqrt(np.asarray(X.multiply(X).sum(axis=0)).ravel())
    unit = sp.csr_array(X @ sp.diags_array(1 / np.maximum(norms, 1e-12)).astype(np.float32))
    seen = sp.csr_array((np.ones_like(unit.data), unit.indices, unit.indptr), shape=X.shape)
    unit_rows, seen_rows = sp.csr_array(unit.T), sp.csr_array(seen.T)

    def near(titles: slice) -> sp.csr_array:
        similar = unit_rows[titles] @ unit
        if shrinkage > 0:
            # Made by the same steps from the same pattern, so its entries stand in the same order.
            common = (seen_rows[titles] @ seen).data
            similar.data *= common / (common + np.float32(shrinkage))
        return _nearest(similar, titles.start, neighbours)

    kept = in_threads(near, _parts(seen_rows, np.diff(seen.indptr)))
    return sp.csr_array(sp.vstack(kept, format="csr").T.tocsr())


def _parts(seen_rows: sp.csr_array, lengths: np.ndarray) -> list[slice]:
    """Cut the titles so that the products of each part have at most `_BLOCK_CELLS` entries, or one title."""
    items = seen_rows.shape[0]
    entries = np.minimum(seen_rows @ lengths.astype(np.float64), items)
    slices, start = [], 0
    while start < items:
        fits = int(np.searchsorted(np.cumsum(entries[start : start + items]), _BLOCK_CELLS, side="right"))
        slices.append(slice(start, min(start + max(fits, 1), items)))
        start = slices[-1].stop
    return slices


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
