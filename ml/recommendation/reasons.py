"""Why a title is recommended: the seen titles that speak for it most, or that it is popular.

Belongs here: picking the titles, the sentence. Does not belong here: how much each adds (the models).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from threadpoolctl import threadpool_limits

from ml.recommendation.ranking import Fitted

POPULAR = "popular with other viewers"


@dataclass(frozen=True)
class Reason:
    """Why one title is recommended to one user.

    Attributes
    ----------
    items : columns of the seen titles that add most to its score, the strongest first; empty when none adds
        anything, and it is recommended because it is popular.
    shares : of all that seen titles add, what each of them adds, 0 to 1.
    """

    items: tuple[int, ...]
    shares: tuple[float, ...]

    def sentence(self, title: Callable[[int], str], popular: str = POPULAR, did: str = "rated") -> str:
        """Return the reason in words, "because you rated Heat and Ronin".

        Parameters
        ----------
        title
            Names the title of a column.
        popular
            What to say where no seen title speaks for it, "popular with Loyalists".
        did
            What the user did with the seen titles: rated them, or "like" them.
        """
        if not self.items:
            return popular
        names = [title(item) for item in self.items]
        listed = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
        return f"because you {did} {listed}"


def reasons(
    fitted: Fitted, row: sp.csr_array, items: Sequence[int] | np.ndarray, *, most: int = 2
) -> list[Reason]:
    """Return the reason for each title recommended to one user.

    Parameters
    ----------
    fitted
        The model that recommends.
    row : (1, items) csr
        What the user has seen.
    items : (m,) int
        Columns of the recommended titles.
    most
        Seen titles named for each, at most.
    """
    columns = np.asarray(items, dtype=np.int64)
    with threadpool_limits(1, "blas"):
        added = fitted.contributions(row, columns[None, :]) if row.nnz else None
    if added is None:
        return [Reason((), ()) for _ in columns]
    totals = np.maximum(added, 0).sum(axis=0)
    best = strongest(added, row, most)[0]
    return [
        _reason(added[places[places >= 0], place], row.indices[places[places >= 0]], totals[place])
        for place, places in enumerate(best)
    ]


def strongest(added: np.ndarray, rows: sp.csr_array, most: int) -> np.ndarray:
    """Return which stored ratings of each user add most to each of the user's titles, (n, m, most) int64.

    Parameters
    ----------
    added : (ratings, m) float32
        What each stored rating adds, as `Fitted.contributions` gives it.
    rows : (n, items) csr
        The ratings.
    most
        How many, the strongest first; of equal ones the title of the lower column.

    Returns
    -------
    Places in `rows.indices`; -1 where no other rating adds anything.
    """
    found = np.full((rows.shape[0], added.shape[1], most), -1, dtype=np.int64)
    filled = np.flatnonzero(np.diff(rows.indptr))
    if not len(filled):
        return found
    starts, places, titles = rows.indptr[filled], np.arange(len(added))[:, None], np.arange(added.shape[1])
    # Value and place in one number, which one pass finds: positive floats are in the order of their bits.
    keys = np.maximum(added, 0).view(np.int32).astype(np.int64) << 32
    keys |= len(added) - 1 - places
    for turn in range(most):
        highest = np.maximum.reduceat(keys, starts, axis=0)
        place = len(added) - 1 - (highest & 0xFFFFFFFF)
        found[filled, :, turn] = np.where(highest >> 32 > 0, place, -1)
        keys[place, titles] = 0
    return found


def _reason(added: np.ndarray, seen: np.ndarray, total: float) -> Reason:
    return Reason(tuple(seen.tolist()), tuple((added / total).tolist() if len(added) else ()))
