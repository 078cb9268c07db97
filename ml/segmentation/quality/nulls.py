"""What a segmentation must beat to be worth anything: labels and interactions without taste in them.

Belongs here: how the nulls are made. Does not belong here: what is measured on them (`lift`).
"""

import numpy as np
import scipy.sparse as sp

_PASSES = 8


def random_labels(labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Deal the same labels out at random: segments of the same sizes that mean nothing."""
    return rng.permutation(labels)


def volume_quantiles(counts: np.ndarray, k: int) -> np.ndarray:
    """Divide users into k groups of about the same size by how much they watch, whatever it is.

    Parameters
    ----------
    counts : (n,) int
        Interactions of each user; users of the same count are in the same group.
    k
        Groups.

    Returns
    -------
    (n,) int, 0 for the lightest to k - 1.
    """
    return np.searchsorted(np.quantile(counts, np.arange(1, k) / k), counts, side="right")


def shuffle_titles(interactions: sp.csr_array, rng: np.random.Generator) -> sp.csr_array:
    """Deal all titles out anew: each user keeps how many, each title by how many, and who likes what is lost.

    A title that a user would get twice is dealt again, a few times over; what is left over after that (of users
    who have seen nearly everything) the user goes without.

    Parameters
    ----------
    interactions : (n, titles) csr

    Returns
    -------
    (n, titles) csr with sorted indices; values are dealt out along with the titles.
    """
    users = np.repeat(np.arange(interactions.shape[0]), np.diff(interactions.indptr))
    dealt = rng.permutation(interactions.nnz)
    for _ in range(_PASSES):
        twice = _repeated(users, interactions.indices[dealt], interactions.shape[1])
        if not twice.any():
            break
        again = np.flatnonzero(twice)
        partners = rng.integers(interactions.nnz, size=len(again))
        places = np.union1d(again, partners)
        dealt[places] = dealt[rng.permutation(places)]
    once = ~_repeated(users, interactions.indices[dealt], interactions.shape[1])
    pairs = (interactions.data[dealt][once], (users[once], interactions.indices[dealt][once]))
    return sp.csr_array(sp.coo_array(pairs, shape=interactions.shape))


def shuffle_genres(genres: sp.csr_array, rng: np.random.Generator) -> sp.csr_array:
    """Give each title the genres of another; genres (titles, genres) csr keep how common and how joined they are."""
    return genres[rng.permutation(genres.shape[0])]


def _repeated(users: np.ndarray, titles: np.ndarray, width: int) -> np.ndarray:
    """Return which pairs have come before, (pairs,) bool."""
    # Each pair with its place in the lowest bits: sorting numbers is several times as fast as sorting places by them.
    bits = len(users).bit_length()
    ordered = np.sort((users * np.int64(width) + titles) << bits | np.arange(len(users)))
    repeated = np.zeros(len(users), dtype=bool)
    repeated[ordered[1:][np.diff(ordered >> bits) == 0] & ((1 << bits) - 1)] = True
    return repeated
