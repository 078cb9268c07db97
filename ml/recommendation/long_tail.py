"""How far lists reach into the long tail, as a choice: what few know weighs beside everything else.

Belongs here: the weights that are offered, the model with one of them, lists at several. Does not belong here: figures
(`evaluate`), what counts as the long tail (`metrics`).
"""

from collections.abc import Sequence

import numpy as np
import scipy.sparse as sp

from ml.recommendation.blend import Blend, standardized
from ml.recommendation.popularity import Rare
from ml.recommendation.ranking import Fitted, Model, best, blocks, in_threads

LONG_TAIL_WEIGHTS = (0.0, 0.25, 0.5, 0.75, 1.0)
"""Weights that are judged side by side; at 1 being rare weighs as much as everything else that is known."""


def towards_long_tail(model: Model, weight: float) -> Model:
    """Return a blend beside which being rare weighs something; any other model, and at a weight of 0, as it is.

    The blend's score as a whole is put on the scale of a user's unseen titles, so that a weight means the same whatever
    the weights of its parts are. Users of whom nothing is known are recommended what they were.

    Parameters
    ----------
    model
        Any model of this package.
    weight
        Of being rare, 0 to 1.
    """
    return (
        Blend((model, Rare()), (1.0, weight), model.fallback)
        if weight and isinstance(model, Blend)
        else model
    )


def lists_by_weight(
    taste: Fitted, rare: Fitted, rows: sp.csr_array, n: int, weights: Sequence[float]
) -> list[np.ndarray]:
    """Return the n best titles of each row at each weight of being rare, (rows, n) int32 each.

    The same lists as of the blends that `towards_long_tail` gives, but titles are scored once.

    Parameters
    ----------
    taste
        The trained model without that weight.
    rare
        `Rare`, trained on the same ratings.
    rows : (users, items) csr
        What each user has seen.
    n
        Titles per user.
    weights
        Of being rare, one for each set of lists.
    """
    scorers = taste.scorer(), rare.scorer()

    def listed(block: slice) -> list[np.ndarray]:
        part = rows[block]
        score, lift = (standardized(scorer(part), part) for scorer in scorers)
        lift[np.diff(part.indptr) == 0] = 0
        return [best(score + np.float32(weight) * lift, part, n).items for weight in weights]

    found = in_threads(listed, blocks(*rows.shape))
    return [np.vstack(lists) for lists in zip(*found, strict=True)]
