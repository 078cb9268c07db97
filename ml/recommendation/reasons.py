"""Why a title is recommended: the seen titles that speak for it most, or that it is popular.

Belongs here: picking the titles, the sentence. Does not belong here: how much each adds (the models).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

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

    def sentence(self, title: Callable[[int], str], popular: str = POPULAR) -> str:
        """Return the reason in words, "because you rated Heat and Ronin".

        Parameters
        ----------
        title
            Names the title of a column.
        popular
            What to say where no seen title speaks for it, "popular with Loyalists".
        """
        if not self.items:
            return popular
        names = [title(item) for item in self.items]
        listed = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
        return f"because you rated {listed}"


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
    added = fitted.contributions(row, columns) if row.nnz else None
    if added is None:
        return [Reason((), ()) for _ in columns]
    positive = np.maximum(added, 0)
    totals = positive.sum(axis=1)
    strongest = np.argsort(-positive, axis=1, kind="stable")[:, :most]
    return [
        _reason(positive[place, best], row.indices[best], totals[place])
        for place, best in enumerate(strongest)
    ]


def _reason(added: np.ndarray, seen: np.ndarray, total: float) -> Reason:
    speaks = added > 0
    shares = added[speaks] / total if speaks.any() else added[speaks]
    return Reason(tuple(seen[speaks].tolist()), tuple(shares.tolist()))
