"""How good ranked lists are: accuracy on held-out titles, breadth, novelty, variety, genre match.

Belongs here: the formulas. Does not belong here: making the lists (`ranking`), running models (`evaluate`).

Conventions: every held-out title of a user is relevant, whatever its rating (binary relevance); lists rank all
titles, never a sample; users without a held-out title are not judged; a held-out title that training never saw
counts as missed.
"""

import numpy as np
import scipy.sparse as sp


def hits(lists: np.ndarray, relevant: sp.csr_array) -> np.ndarray:
    """Return which places of each list hold a relevant title, (n, k) bool.

    Parameters
    ----------
    lists : (n, k) int
        Columns of titles, best first, -1 for no title.
    relevant : (n, items) csr
        What is stored is relevant.
    """
    width = relevant.shape[1]
    row = np.arange(len(lists), dtype=np.int64)
    held_out = np.sort(np.repeat(row, np.diff(relevant.indptr)) * width + relevant.indices)
    shown = row[:, None] * width + lists
    place = np.searchsorted(held_out, shown)
    return (lists >= 0) & (np.append(held_out, -1)[place] == shown)


def ndcg(hit: np.ndarray, relevant: np.ndarray) -> np.ndarray:
    """Return normalised discounted cumulative gain of each list, (n,) float64.

    A hit at place p gains 1 / log2(p + 1); divided by the gain of min(k, relevant) hits in the first places
    (Järvelin and Kekäläinen 2002, with binary gains).

    Parameters
    ----------
    hit : (n, k) bool
    relevant : (n,) int
        Held-out titles of each user, at least 1.
    """
    discounts = 1 / np.log2(np.arange(hit.shape[1]) + 2)
    ideal = np.cumsum(discounts)[np.minimum(relevant, hit.shape[1]) - 1]
    return hit @ discounts / ideal


def precision(hit: np.ndarray) -> np.ndarray:
    """Return hits / k of each list, (n,) float64."""
    return hit.mean(axis=1)


def recall(hit: np.ndarray, relevant: np.ndarray) -> np.ndarray:
    """Return hits / held-out titles of each list, (n,) float64."""
    return hit.sum(axis=1) / relevant


def average_precision(hit: np.ndarray, relevant: np.ndarray) -> np.ndarray:
    """Return the mean, over min(k, held-out titles), of precision at each hit's place, (n,) float64."""
    places = np.arange(1, hit.shape[1] + 1)
    at_hits = (np.cumsum(hit, axis=1) / places * hit).sum(axis=1)
    return at_hits / np.minimum(relevant, hit.shape[1])


def coverage(lists: np.ndarray, items: int) -> float:
    """Return the share of all titles that stand in at least one list."""
    return len(np.unique(lists[lists >= 0])) / items


def long_tail(lists: np.ndarray, popularity: np.ndarray) -> float:
    """Return the share of recommended titles that are of the long tail: all but the most rated that hold half of all.

    Parameters
    ----------
    lists : (n, k) int
    popularity : (items,) float
        Users who rated each title.
    """
    order = np.argsort(-popularity, kind="stable")
    held = np.cumsum(popularity[order], dtype=np.float64)
    is_tail = np.ones(len(order), dtype=bool)
    is_tail[order[: np.searchsorted(held, held[-1] / 2) + 1]] = False
    shown = lists[lists >= 0]
    return float(is_tail[shown].mean()) if len(shown) else 0.0


def novelty(lists: np.ndarray, popularity: np.ndarray, users: int) -> float:
    """Return the mean self-information of what is recommended, in bits: −log2 of the share of users who rated it.

    A title that nobody rated counts as rated by one (Zhou et al. 2010).

    Parameters
    ----------
    lists : (n, k) int
    popularity : (items,) float
        Users who rated each title.
    users
        Users in the training data.
    """
    shown = lists[lists >= 0]
    return float(np.log2(users / np.maximum(popularity[shown], 1)).mean()) if len(shown) else 0.0


def intra_list_diversity(lists: np.ndarray, vectors: sp.csr_array) -> float:
    """Return 1 − the mean cosine between the titles of a list, over lists of two titles and more.

    Parameters
    ----------
    lists : (n, k) int
    vectors : (items, d) csr
        A row for each title: who rated it, or what is said about it; an empty row is like nothing.
    """
    norms = np.sqrt(np.asarray(vectors.multiply(vectors).sum(axis=1)).ravel())
    lengths = (lists >= 0).sum(axis=1)
    judged = lists[lengths > 1]
    if not len(judged):
        return 0.0
    shown, place = np.unique(judged, return_inverse=True)
    unit = sp.diags_array(1 / np.maximum(norms[shown], 1e-12)) @ vectors[shown]
    absent = shown < 0
    cosines = _cosines(sp.csr_array(unit))
    cosines[absent] = 0
    cosines[:, absent] = 0
    place = place.reshape(judged.shape)
    within = np.array([cosines[np.ix_(row, row)].sum() - cosines[row, row].sum() for row in place])
    counts = lengths[lengths > 1]
    return float(1 - (within / (counts * (counts - 1))).mean())


def genre_match(lists: np.ndarray, genres: sp.csr_array, watched: sp.csr_array, favourites: int = 3) -> float:
    """Return the share of recommended titles with one of the user's most watched genres.

    Parameters
    ----------
    lists : (n, k) int
    genres : (items, genres) csr
        What is stored is a genre of the title.
    watched : (n, items) csr
        Training ratings of the same users; a user's genres are counted over them, equal counts by the order
        of the genres. Users without any are left out.
    favourites
        How many genres count as most watched.
    """
    has_genre, seen = stored(genres), stored(watched)
    counts = (seen @ has_genre).toarray()
    top = np.argsort(-counts, axis=1, kind="stable")[:, :favourites]
    liked = np.zeros_like(counts, dtype=bool)
    np.put_along_axis(liked, top, True, axis=1)
    liked &= counts > 0
    table = has_genre.toarray() > 0
    matched = (table[lists] & liked[:, None, :]).any(axis=2)
    judged: np.ndarray = (lists >= 0) & liked.any(axis=1, keepdims=True)
    return float(matched[judged].mean()) if judged.any() else 0.0


def stored(matrix: sp.csr_array) -> sp.csr_array:
    """Return a matrix of the same shape with 1 for whatever is stored, a stored 0 too."""
    ones = np.ones(matrix.nnz, dtype=np.float32)
    return sp.csr_array((ones, matrix.indices, matrix.indptr), shape=matrix.shape)


def _cosines(unit: sp.csr_array) -> np.ndarray:
    return (unit @ unit.T).toarray()
