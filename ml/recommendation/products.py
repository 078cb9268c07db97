"""Products of titles' columns, XᵀX, of which weights and similarities of titles are made: their dense part.

Belongs here: the titles that many users rated. Does not belong here: the others, whose products are sparse (`ease`,
`neighbours`).
"""

import numpy as np
import scipy.sparse as sp

_DENSE_SHARE = 0.03
"""Share of users with a title from which its column is faster as a full one: a term of a sparse product costs more than
ten times as much, and a row of the head is the others' column too."""


def by_popularity(X: sp.csr_array) -> np.ndarray:
    """Return the columns of a matrix, those of most users first, (titles,) int64; of equal ones the lower first."""
    return np.argsort(-np.bincount(X.indices, minlength=X.shape[1]), kind="stable")


def head_products(X: sp.csr_array) -> np.ndarray:
    """Return the products of the first columns, those that many users have, with all columns, (head, titles) float32.

    Parameters
    ----------
    X : (users, titles) csr float32
        Columns by popularity.
    """
    head = int((np.bincount(X.indices, minlength=X.shape[1]) > _DENSE_SHARE * X.shape[0]).sum())
    # Through the columns of X: of the full ones each user's row is read once.
    return np.ascontiguousarray((X.T @ X[:, :head].toarray()).T)
