"""Several models as one: a weighted sum of their scores, each on the scale of the user's own unseen titles.

Belongs here: the sum. Does not belong here: how the weights are chosen (`tuning`).
"""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from ml.recommendation.interactions import Interactions
from ml.recommendation.ranking import Fitted, Model, popular_where_empty


@dataclass(frozen=True)
class FittedBlend:
    """Trained parts and what each weighs.

    Attributes
    ----------
    parts : trained models; the first gives the reasons.
    weights : of their standardised scores.
    fallback : (items,) float32
        Scores for a user of whom nothing is known.
    """

    parts: tuple[Fitted, ...]
    weights: tuple[float, ...]
    fallback: np.ndarray

    def scores(self, rows: sp.csr_array) -> np.ndarray:
        """Return the weighted sum of standardised scores, (n, items) float32."""
        total = np.zeros(rows.shape, dtype=np.float32)
        for part, weight in zip(self.parts, self.weights, strict=True):
            total += np.float32(weight) * standardized(part.scores(rows), rows)
        return popular_where_empty(total, rows, self.fallback)

    def contributions(self, row: sp.csr_array, items: np.ndarray) -> np.ndarray | None:
        """Return what each seen title adds to each score, (m, seen) float32, by the first part that has a say.

        A part has a say on a title when a seen one adds to its score: on titles that nobody has rated only content
        has. None where no part looks at what was seen.
        """
        found: np.ndarray | None = None
        silent: np.ndarray = np.ones(len(items), dtype=bool)
        for part in self.parts:
            added = part.contributions(row, items[silent])
            if added is None:
                continue
            if found is None:
                found = np.zeros((len(items), row.nnz), dtype=np.float32)
            found[silent] = added
            silent[:] = ~(found > 0).any(axis=1)
            if not silent.any():
                break
        return found


@dataclass(frozen=True)
class Blend:
    """Models trained side by side and summed.

    Attributes
    ----------
    parts : models; the first gives the reasons.
    weights : one for each.
    fallback : for users of whom nothing is known.
    """

    parts: tuple[Model, ...]
    weights: tuple[float, ...]
    fallback: Model

    def fit(self, interactions: Interactions, *, rng: np.random.Generator) -> FittedBlend:
        """Train every part that weighs something."""
        used = [(part, weight) for part, weight in zip(self.parts, self.weights, strict=True) if weight != 0]
        streams = rng.spawn(len(used))
        fitted = [part.fit(interactions, rng=stream) for (part, _), stream in zip(used, streams, strict=True)]
        nobody = sp.csr_array((1, len(interactions.items)), dtype=np.float32)
        fallback = self.fallback.fit(interactions, rng=rng).scores(nobody)[0]
        return FittedBlend(tuple(fitted), tuple(weight for _, weight in used), fallback)


def standardized(scores: np.ndarray, rows: sp.csr_array) -> np.ndarray:
    """Return each row's scores minus their mean, over their standard deviation, of titles not in the row.

    Parameters
    ----------
    scores : (n, items) float32
        Changed in place.
    rows : (n, items) csr
    """
    mean, deviation = _unseen_moments(scores, rows)
    scores -= mean
    scores /= deviation
    return scores


def _unseen_moments(scores: np.ndarray, rows: sp.csr_array) -> tuple[np.ndarray, np.ndarray]:
    counts = np.diff(rows.indptr)
    row_numbers = np.repeat(np.arange(len(scores)), counts)
    seen = scores[row_numbers, rows.indices].astype(np.float64)
    unseen = np.maximum(scores.shape[1] - counts, 1)
    total = scores.sum(axis=1, dtype=np.float64) - np.bincount(row_numbers, seen, minlength=len(scores))
    squares = np.einsum("ij,ij->i", scores, scores, dtype=np.float64)
    squares -= np.bincount(row_numbers, seen**2, minlength=len(scores))
    mean = total / unseen
    deviation = np.sqrt(np.maximum(squares / unseen - mean**2, 0))
    # A model that says the same of every title says nothing.
    deviation[deviation < 1e-9] = 1
    return mean[:, None].astype(np.float32), deviation[:, None].astype(np.float32)
