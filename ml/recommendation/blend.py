"""Several models as one: a weighted sum of their scores, each on the scale of the user's own unseen titles.

Belongs here: the sum. Does not belong here: how the weights are chosen (`tuning`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp

from ml.recommendation.content import Content, ItemFeatures
from ml.recommendation.interactions import Interactions
from ml.recommendation.ranking import (
    Fitted,
    Model,
    Scorer,
    in_threads,
    of,
    popular_where_empty,
    row_numbers,
)

_LEAST_DEVIATION = 1e-9


@dataclass(frozen=True)
class FittedBlend(Fitted):
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

    def scorer(self, columns: np.ndarray | None = None) -> Scorer:
        """Return what sums the parts' scores, each standardised over these titles only, by weight."""
        scorers, fallback = [part.scorer(columns) for part in self.parts], of(self.fallback, columns)

        def score(rows: sp.csr_array) -> np.ndarray:
            seen = rows if columns is None else rows[:, columns]
            total = np.zeros(seen.shape, dtype=np.float32)
            for part, weight in zip(scorers, self.weights, strict=True):
                total += standardized(part(rows), seen, weight)
            return popular_where_empty(total, rows, fallback)

        return score

    def contributions(self, rows: sp.csr_array, items: np.ndarray) -> np.ndarray | None:
        """Return what each seen title adds to each score, (ratings, m) float32, by the first part that has a say.

        A part has a say on a title when a seen one adds to its score: on titles that nobody has rated only content
        has. None where no part looks at what was seen.
        """
        found: np.ndarray | None = None
        row, counts = row_numbers(rows), np.diff(rows.indptr)
        silent = np.repeat((counts > 0)[:, None], items.shape[1], axis=1)
        for part in self.parts:
            users = np.flatnonzero(silent.any(axis=1))
            added = part.contributions(rows[users], items[users])
            if added is None:
                continue
            if found is None:
                found = np.zeros((rows.nnz, items.shape[1]), dtype=np.float32)
            asked = np.isin(row, users)
            found[asked] = np.where(silent[row[asked]], added, found[asked])
            filled = counts > 0
            silent[filled] = np.maximum.reduceat(found, rows.indptr[:-1][filled], axis=0) <= 0
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
        """Train every part that weighs something, side by side."""
        used = self.used
        streams = zip(used, rng.spawn(len(used)), strict=True)
        fitted = in_threads(lambda one: one[0].fit(interactions, rng=one[1]), streams)
        return self.joined(fitted, self.fallback.fit(interactions, rng=rng), len(interactions.items))

    def of(self, features: ItemFeatures | None) -> "Blend":
        """Return the same blend for other titles, of which this is said."""
        parts = tuple(Content(features) if isinstance(p, Content) and features else p for p in self.parts)
        return replace(self, parts=parts)

    def with_what_is_of_late(self, other: "Blend") -> "Blend":
        """Return the blend with the fallback of another and the parts that the other has beyond its own.

        Where the other's own parts weigh nothing beside those, nor do its own.
        """
        own, more = slice(len(self.parts)), slice(len(self.parts), None)
        weights = self.weights if any(other.weights[own]) else (0.0,) * len(self.weights)
        return Blend((*self.parts, *other.parts[more]), (*weights, *other.weights[more]), other.fallback)

    @property
    def used(self) -> tuple[Model, ...]:
        """The parts that weigh something."""
        return tuple(part for part, weight in zip(self.parts, self.weights, strict=True) if weight != 0)

    def joined(self, fitted: Sequence[Fitted], fallback: Fitted, items: int) -> FittedBlend:
        """Return the blend of its `used` parts, trained elsewhere, and of its trained fallback."""
        nobody = sp.csr_array((1, items), dtype=np.float32)
        return FittedBlend(
            tuple(fitted), tuple(weight for weight in self.weights if weight != 0), fallback.scores(nobody)[0]
        )


def parts_of(fitted: Fitted) -> list[Fitted]:
    """Return the trained models that a blend sums, those of a blend within it too; any other model alone."""
    if not isinstance(fitted, FittedBlend):
        return [fitted]
    return [part for inner in fitted.parts for part in parts_of(inner)]


def standardized(scores: np.ndarray, seen: sp.csr_array, weight: float = 1.0) -> np.ndarray:
    """Return each row's scores minus their mean, over their standard deviation, of titles not in the row.

    Parameters
    ----------
    scores : (n, items) float32
        Changed in place.
    seen : (n, items) csr
    weight
        Multiplies the result.
    """
    row, counts = row_numbers(seen), np.diff(seen.indptr)
    unseen = np.maximum(scores.shape[1] - counts, 1)
    of_seen = np.bincount(row, scores[row, seen.indices], minlength=len(scores))
    scores -= ((scores.sum(axis=1, dtype=np.float64) - of_seen) / unseen).astype(np.float32)[:, None]
    squares = np.einsum("ij,ij->i", scores, scores).astype(np.float64)
    squares -= np.bincount(row, scores[row, seen.indices].astype(np.float64) ** 2, minlength=len(scores))
    deviation = np.sqrt(np.maximum(squares / unseen, 0))
    # A model that says the same of every title says nothing.
    deviation[deviation < _LEAST_DEVIATION] = 1
    scores *= (weight / deviation).astype(np.float32)[:, None]
    return scores
