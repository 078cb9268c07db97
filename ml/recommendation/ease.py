"""EASE: the item–item weights that best rebuild every user's row from the user's other titles, in closed form.

Belongs here: the two closed forms and which is taken. Does not belong here: nearest neighbours (`neighbours`).
"""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from scipy.linalg import lapack
from threadpoolctl import threadpool_limits

from ml.recommendation.interactions import Interactions, weighted
from ml.recommendation.products import by_popularity, head_products
from ml.recommendation.ranking import Fitted, Scorer, of, popular_where_empty, row_numbers, row_slices

DUAL_CELLS = 40_000_000
"""Users × titles up to which the form over users is taken where users are fewer: 320 MB of float64, held twice."""

MOST_ITEMS = 8_000
"""Titles with weights in the form over titles: 0.3 GB of float32 and 10 s of one core for the inverse.

Scores differ from those of float64 by 0.00005 of their deviation (4,000 titles, 2.4 million ratings, λ 50).
"""

_GRAM_ROWS = 500
_PIECE = 1_024


@dataclass(frozen=True)
class Ease:
    """Embarrassingly shallow autoencoder (Steck 2019, "Embarrassingly shallow autoencoders for sparse data").

    Minimises |Z − ZB|² + λ|B|² with a zero diagonal of B, Z the weighted ratings: B = I − P diag(1 / diag P) with
    P = (ZᵀZ + λI)⁻¹. Where users are fewer than titles, P comes from the smaller matrix over users by
    Woodbury's identity, P = (I − Zᵀ(ZZᵀ + λI)⁻¹Z) / λ: the same weights, for every title, in a fraction of the time.

    Memory: at most 1 GB in either form. The form over titles gives weights to the `most_items` most rated only;
    other titles score 0 and are never reasons.

    Attributes
    ----------
    regularization : λ, in squared weights of a rating (about users who rated a title).
    most_items : titles that get weights in the form over titles.
    """

    regularization: float = 200.0
    most_items: int = MOST_ITEMS

    def fit(self, interactions: Interactions, *, rng: np.random.Generator) -> Fitted:  # noqa: ARG002
        """Solve for the weights."""
        users, items = interactions.ratings.shape
        Z = weighted(interactions.ratings, interactions.mean_rating)
        with threadpool_limits(1, "blas"):
            if users < items and users * items <= DUAL_CELLS:
                return _fit_over_users(Z, interactions, self.regularization)
            return _fit_over_items(Z, interactions, self.regularization, min(self.most_items, items))


@dataclass(frozen=True)
class EaseOverUsers(Fitted):
    """B as it follows from the users' rows, never formed itself.

    Attributes
    ----------
    by_item : (items, users) csr float32
        Z, transposed.
    solved : (users, items) float32
        (ZZᵀ + λI)⁻¹Z, each column divided by λ times P's diagonal.
    scale : (items,) float32
        That divisor's inverse: what keeps the diagonal of B at zero.
    popularity : (items,) float32
    mean_rating : of the training data.
    """

    by_item: sp.csr_array
    solved: np.ndarray
    scale: np.ndarray
    popularity: np.ndarray
    mean_rating: float

    def scorer(self, columns: np.ndarray | None = None) -> Scorer:
        """Return what multiplies rows and B."""
        popularity = of(self.popularity, columns)
        solved = self.solved if columns is None else np.ascontiguousarray(self.solved[:, columns])

        def score(rows: sp.csr_array) -> np.ndarray:
            seen = weighted(rows, self.mean_rating)
            scores = (seen @ self.by_item).toarray() @ solved
            # The identity's part of B: it only touches seen titles.
            own = sp.csr_array(
                (seen.data * (1 - self.scale[seen.indices]), seen.indices, seen.indptr), shape=seen.shape
            )
            own = own if columns is None else own[:, columns]
            scores[row_numbers(own), own.indices] += own.data
            return popular_where_empty(scores, rows, popularity)

        return score

    def contributions(self, rows: sp.csr_array, items: np.ndarray) -> np.ndarray:
        """Return what each seen title adds to each score, (ratings, m) float32."""
        seen = weighted(rows, self.mean_rating)
        added = np.empty((seen.nnz, items.shape[1]), dtype=np.float32)
        for row, of_row in enumerate(row_slices(seen)):
            added[of_row] = self.by_item[seen.indices[of_row]] @ self.solved[:, items[row]]
        added *= seen.data[:, None]
        added[seen.indices[:, None] == items[row_numbers(rows)]] = 0
        return added


@dataclass(frozen=True)
class EaseOverItems(Fitted):
    """B itself, for the titles that have weights.

    Attributes
    ----------
    weights : (kept, kept) float32
    kept : (kept,) int64
        Columns of those titles, the most rated first.
    popularity : (items,) float32
    mean_rating : of the training data.
    """

    weights: np.ndarray
    kept: np.ndarray
    popularity: np.ndarray
    mean_rating: float

    def scorer(self, columns: np.ndarray | None = None) -> Scorer:
        """Return what multiplies rows and B; titles without weights score 0."""
        place = self._places()
        places = of(place, columns)
        targets = np.flatnonzero(places >= 0)
        # A row of B is 32 KB: pieces of rows that the cache holds make the product twice as fast.
        pieces = [
            (
                targets[start : start + _PIECE],
                np.ascontiguousarray(self.weights[:, places[targets[start : start + _PIECE]]]),
            )
            for start in range(0, len(targets), _PIECE)
        ]
        popularity = of(self.popularity, columns)

        def score(rows: sp.csr_array) -> np.ndarray:
            seen = weighted(rows, self.mean_rating)[:, self.kept]
            scores = np.zeros((rows.shape[0], len(places)), dtype=np.float32)
            for piece, weights in pieces:
                scores[:, piece] = seen @ weights
            return popular_where_empty(scores, rows, popularity)

        return score

    def contributions(self, rows: sp.csr_array, items: np.ndarray) -> np.ndarray:
        """Return what each seen title adds to each score, (ratings, m) float32."""
        seen, place = weighted(rows, self.mean_rating), self._places()
        of_seen, of_items = place[seen.indices], place[items][row_numbers(rows)]
        added = self.weights[of_seen[:, None], of_items] * seen.data[:, None]
        added[of_seen < 0] = 0
        added[of_items < 0] = 0
        return added

    def _places(self) -> np.ndarray:
        """Return where each title stands among those with weights, -1 where it has none, (items,) int64."""
        place = np.full(len(self.popularity), -1)
        place[self.kept] = np.arange(len(self.kept))
        return place


def _fit_over_users(Z: sp.csr_array, interactions: Interactions, regularization: float) -> EaseOverUsers:
    wide = Z.astype(np.float64)
    gram = (wide @ wide.T).toarray()
    gram[np.diag_indices_from(gram)] += regularization
    dense = wide.toarray(order="F")
    _, solved, info = lapack.dposv(gram, dense, overwrite_a=True)
    _require_solved(info)
    # λ · diag P
    diagonal = 1 - np.asarray(wide.multiply(solved).sum(axis=0)).ravel()
    scale = 1 / diagonal
    solved *= scale
    return EaseOverUsers(
        sp.csr_array(Z.T),
        np.ascontiguousarray(solved, dtype=np.float32),
        scale.astype(np.float32),
        interactions.popularity,
        interactions.mean_rating,
    )


def _fit_over_items(
    Z: sp.csr_array, interactions: Interactions, regularization: float, most_items: int
) -> EaseOverItems:
    popularity = interactions.popularity
    kept = by_popularity(Z)[:most_items]
    P = _gram(Z[:, kept])
    P[np.diag_indices_from(P)] += regularization
    factor, info = lapack.spotrf(P, lower=True, overwrite_a=True)
    _require_solved(info)
    P, _ = lapack.spotri(factor, lower=True, overwrite_c=True)
    return EaseOverItems(_weights_of_inverse(P), kept, popularity, interactions.mean_rating)


def _gram(Z: sp.csr_array) -> np.ndarray:
    """Return the lower triangle of ZᵀZ, (items, items) float32 in Fortran order; columns are by popularity.

    What is above the diagonal is undefined.
    """
    items = Z.shape[1]
    gram = np.empty((items, items), dtype=np.float32, order="F")
    head = head_products(Z)
    gram[:, : len(head)] = head.T
    rest = Z[:, len(head) :]
    by_item = sp.csr_array(rest.T)
    for start in range(len(head), items, _GRAM_ROWS):
        rows = by_item[start - len(head) : start - len(head) + _GRAM_ROWS]
        gram[start:, start : start + _GRAM_ROWS] = (rows @ rest).toarray().T
        rest = rest[:, _GRAM_ROWS:]
    return gram


def _weights_of_inverse(P: np.ndarray) -> np.ndarray:
    """Return I − P diag(1 / diag P) as float32 with a zero diagonal, of a P whose lower triangle counts."""
    items = len(P)
    weights = np.empty((items, items), dtype=np.float32)
    inverse_diagonal = -1 / np.diagonal(P)
    for start in range(0, items, _GRAM_ROWS):
        rows = slice(start, min(start + _GRAM_ROWS, items))
        # Row i: left of the diagonal from the triangle itself, right of it from the column below.
        weights[rows, : rows.stop] = P[rows, : rows.stop]
        weights[: rows.stop, rows] = P[rows, : rows.stop].T
        block = np.tril(P[rows, rows])
        weights[rows, rows] = block + np.tril(block, -1).T
    weights *= inverse_diagonal.astype(np.float32)
    np.fill_diagonal(weights, 0)
    return weights


def _require_solved(info: int) -> None:
    if info != 0:  # pragma: no cover - λ > 0 makes the matrix positive definite
        msg = f"EASE's matrix is not positive definite (LAPACK says {info}); raise the regularization"
        raise FloatingPointError(msg)
