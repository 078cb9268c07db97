"""What a user's titles say of their taste, in a few dimensions: titles that the same users choose lie together.

Belongs here: the embedding of users by what they watched or rated, fitted once and stored with the model. Does not
belong here: what is done with the dimensions (`train`), what the titles are like (profiles), files.

How much somebody watches is left out: every user is a direction, its length is one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import polars as pl
import scipy.sparse as sp

from ml.segmentation.assignment import one_thread_each
from ml.segmentation.errors import UntrainableError
from ml.segmentation.spec import EmbeddingSpec

FITTED_USERS = 50_000
"""Users the dimensions are fitted on, drawn at random where there are more; everybody is placed among them."""
_MOST_ROUNDS, _SETTLED = 200, 1e-4
_NOTHING = 1e-12
_TABLE = 10_000_000
"""Ids that a table may have a place for: to look titles up in one takes a twentieth of a search."""


@dataclass(frozen=True)
class Embedding:
    """Fitted dimensions of taste.

    Attributes
    ----------
    method : `svd` or `nmf`.
    titles : (v,) int64, ascending ids of the titles that count.
    idf : (v,) float32, weight of each: the fewer users chose it, the more it says.
    components : (d, v) float32
    least : titles among those that count which a user needs to be placed.
    """

    method: str
    titles: np.ndarray
    idf: np.ndarray
    components: np.ndarray
    least: int

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the dimensions, `taste_1` to `taste_<d>`."""
        return tuple(f"taste_{place}" for place in range(1, len(self.components) + 1))

    @classmethod
    def fit(cls, pairs: pl.DataFrame, declared: EmbeddingSpec, *, rng: np.random.Generator) -> Self:
        """Return the embedding that `fit_placed` fits."""
        return cls.fit_placed(pairs, declared, rng=rng)[0]

    @classmethod
    def fit_placed(
        cls, pairs: pl.DataFrame, declared: EmbeddingSpec, *, rng: np.random.Generator
    ) -> tuple[Self, pl.DataFrame]:
        """Fit on users and their titles, and place them: TF-IDF (Salton and Buckley, 1988), then truncated SVD or NMF.

        Parameters
        ----------
        pairs
            Two columns of whole numbers, user and title, each pair once, ascending by user.
        declared
            Method, dimensions, how many of the most chosen titles count, how many a user needs.
        rng
            Draws the users that the dimensions are fitted on, and starts the iteration.

        Returns
        -------
        The embedding, and what its `placed` gives for the same pairs.

        Raises
        ------
        UntrainableError
            When fewer users or titles are left than there are dimensions.
        """
        ids, counts = _counted(pairs[:, 1].to_numpy())
        # Equal counts by id, so that the order of rows decides nothing.
        chosen = np.sort(np.argsort(-counts, kind="stable")[: declared.titles])
        idf = (np.log((1 + pairs[:, 0].n_unique()) / (1 + counts[chosen])) + 1).astype(np.float32)
        empty = np.zeros((declared.dimensions, len(chosen)), dtype=np.float32)
        unfitted = cls(declared.method, ids[chosen].astype(np.int64), idf, empty, declared.least)
        users, rows = unfitted._weighted(pairs)
        if min(rows.shape) <= declared.dimensions:
            msg = (
                f"{rows.shape[0]:,} users with {declared.least} titles or more and {rows.shape[1]:,} titles: "
                f"too few for {declared.dimensions} dimensions of taste"
            )
            raise UntrainableError(msg)
        drawn = rows
        if rows.shape[0] > FITTED_USERS:
            drawn = rows[np.sort(rng.choice(rows.shape[0], FITTED_USERS, replace=False))]
        with one_thread_each("blas"):
            fitted = replace(unfitted, components=_decomposed(drawn, declared, rng))
        return fitted, fitted._framed(pairs, users, fitted._directions(rows))

    def transform(self, pairs: pl.DataFrame) -> tuple[np.ndarray, np.ndarray]:
        """Place users by their titles; nothing is fitted.

        Parameters
        ----------
        pairs
            Two columns of whole numbers, user and title, each pair once, ascending by user. Titles that do not count
            are passed over.

        Returns
        -------
        users : (n,) int64
            Ids of those who have enough titles; nobody else is placed.
        X : (n, d) float32
            A row of length one each; of length zero where nothing the user chose has a part in any dimension.
        """
        users, rows = self._weighted(pairs)
        return users, self._directions(rows)

    def placed(self, pairs: pl.DataFrame) -> pl.DataFrame:
        """Return what `transform` does as a frame: the first column of the pairs and `taste_1` to `taste_<d>`."""
        return self._framed(pairs, *self.transform(pairs))

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Return plain arrays; `from_arrays` gives the same embedding back, bit for bit."""
        return {
            "method": np.array(self.method),
            "titles": self.titles,
            "idf": self.idf,
            "components": self.components,
            "least": np.array(self.least),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Any]) -> Self:
        """Rebuild an embedding that `to_arrays` described.

        Raises
        ------
        ValueError
            When the arrays do not fit together.
        """
        titles, idf, components = arrays["titles"], arrays["idf"], arrays["components"]
        if components.ndim != 2 or not len(titles) == len(idf) == components.shape[1]:
            msg = f"{len(titles)} titles, {len(idf)} weights and components of shape {components.shape}"
            raise ValueError(msg)
        return cls(str(arrays["method"]), titles, idf, components, int(arrays["least"]))

    def _framed(self, pairs: pl.DataFrame, users: np.ndarray, X: np.ndarray) -> pl.DataFrame:
        return pl.DataFrame({pairs.columns[0]: users, **dict(zip(self.columns, X.T, strict=True))})

    def _directions(self, rows: sp.csr_array) -> np.ndarray:
        """Return where rows of TF-IDF (n, v) lie, (n, d) float32 of length one."""
        with one_thread_each("blas"):
            placed = rows @ self.components.T
            if self.method == "nmf":
                placed = _non_negative(placed, self.components @ self.components.T)
        norms = np.linalg.norm(placed, axis=1, keepdims=True)
        return (placed / np.maximum(norms, _NOTHING)).astype(np.float32)

    def _weighted(self, pairs: pl.DataFrame) -> tuple[np.ndarray, sp.csr_array]:
        """Return the users with enough titles, ascending, and their rows of TF-IDF, (n, v) of length one."""
        user, title = (pairs[:, place].to_numpy() for place in (0, 1))
        column = _places(self.titles, title)
        counts = column >= 0
        user, column = user[counts], column[counts]
        first = (
            np.flatnonzero(np.diff(user, prepend=user[:1] - 1)) if len(user) else np.zeros(0, dtype=np.int64)
        )
        lengths = np.diff(np.append(first, len(user)))
        enough = lengths >= self.least
        kept = np.repeat(enough, lengths)
        indptr = np.concatenate([[0], np.cumsum(lengths[enough])])
        column = column[kept]
        values = self.idf[column]
        squares = np.add.reduceat(values.astype(np.float64) ** 2, indptr[:-1]) if len(values) else np.zeros(0)
        values = values / np.repeat(np.sqrt(squares), lengths[enough]).astype(np.float32)
        rows = sp.csr_array((values, column, indptr), shape=(int(enough.sum()), len(self.titles)))
        return user[first][enough].astype(np.int64), rows


def _is_dense(ids: np.ndarray) -> bool:
    """Return whether a table of all numbers from the least to the largest id is no longer than some of them."""
    return bool(len(ids)) and int(ids.max()) - int(ids.min()) <= max(_TABLE, len(ids))


def _counted(ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the different ids, ascending, and how often each comes."""
    if not _is_dense(ids):
        return np.unique(ids, return_counts=True)
    least = ids.min()
    counts = np.bincount(ids - least)
    different = np.flatnonzero(counts)
    return different + least, counts[different]


def _places(known: np.ndarray, ids: np.ndarray) -> np.ndarray:
    """Return the place of each id among those known, which ascend, -1 where it is none of them, (n,) int32."""
    if not _is_dense(ids):
        place = np.searchsorted(known, ids).clip(max=len(known) - 1)
        return np.where(known[place] == ids, place, -1).astype(np.int32)
    least, most = ids.min(), ids.max()
    table = np.full(int(most - least) + 1, -1, dtype=np.int32)
    within = (known >= least) & (known <= most)
    table[known[within] - least] = np.flatnonzero(within)
    return table[ids - least]


def _decomposed(rows: sp.csr_array, declared: EmbeddingSpec, rng: np.random.Generator) -> np.ndarray:
    """Return the dimensions, (d, v) float32."""
    from sklearn.decomposition import NMF, TruncatedSVD  # noqa: PLC0415 - seconds, which placing does not need

    seed = int(rng.integers(2**31))
    if declared.method == "svd":
        fitted = TruncatedSVD(declared.dimensions, random_state=seed, n_iter=7).fit(rows)
    else:
        fitted = NMF(
            declared.dimensions, init="nndsvda", random_state=seed, max_iter=_MOST_ROUNDS, tol=_SETTLED
        ).fit(rows)
    return np.ascontiguousarray(fitted.components_, dtype=np.float32)


def _non_negative(products: np.ndarray, gram: np.ndarray) -> np.ndarray:
    """Solve non-negative least squares for every row, (n, d), by cyclic coordinate descent (Cichocki and Phan, 2009).

    Parameters
    ----------
    products : (n, d)
        Rows times components.
    gram : (d, d)
        Components times components.
    """
    products, gram = products.astype(np.float64), gram.astype(np.float64)
    scale = np.maximum(np.diag(gram), _NOTHING)
    found = np.maximum(products / scale, 0)
    # Each row until it has settled by itself: where a user lies must not depend on who else is placed.
    rows, placed = np.arange(len(found)), found.copy()
    for _ in range(_MOST_ROUNDS):
        before = placed.copy()
        for j, size in enumerate(scale):
            placed[:, j] = np.maximum(placed[:, j] + (products[rows, j] - placed @ gram[:, j]) / size, 0)
        found[rows] = placed
        moved, most = np.abs(placed - before).max(axis=1), placed.max(axis=1)
        rows = rows[moves := moved > _SETTLED * np.maximum(most, _NOTHING)]
        if not len(rows):
            break
        placed = placed[moves]
    return found
