"""The model of departure: a logistic regression of few standardised features.

Belongs here: learning, scoring, the reason of a score, keeping it as JSON. Does not belong here: whether it is any good
(`judge`).

A gradient boosting of trees gained nothing over it (see docs/how-to/departure.md), and of weights it can be said in
words which of them decided.
"""

import json
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ml.departure.features import FEATURES, RECENCY, Feature, Known, matrix

_SETS = {features[0].name: features for features in (FEATURES, RECENCY)}
_PENALTY = 1.0


@dataclass(frozen=True)
class DepartureModel:
    """Weights of standardised features, and what is typical: the median user that it learned from."""

    features: tuple[str, ...]
    typical: tuple[float, ...]
    shift: tuple[float, ...]
    scale: tuple[float, ...]
    weights: tuple[float, ...]
    intercept: float

    def chance(self, known: Known) -> np.ndarray:
        """Return each user's chance to depart, (n,) in 0..1."""
        Z = (matrix(known, self._set) - np.array(self.shift)) / np.array(self.scale)
        return 1 / (1 + np.exp(-(Z @ np.array(self.weights) + self.intercept)))

    def reasons(self, known: Known) -> list[str]:
        """Return for each user, in words, what moved the score furthest from that of the typical user."""
        moved = (matrix(known, self._set) - np.array(self.typical)) / np.array(self.scale) * self.weights
        # Of those above it what speaks for leaving, of the others what speaks for staying.
        towards = np.where(moved.sum(axis=1, keepdims=True) > 0, moved, -moved)
        rows = zip(*known.values(), strict=True)
        return [
            self._set[most].words(dict(zip(known, row, strict=True)), self.typical[most])
            for most, row in zip(towards.argmax(axis=1), rows, strict=True)
        ]

    @property
    def _set(self) -> tuple[Feature, ...]:
        return _SETS[self.features[0]]

    def to_json(self) -> str:
        """Return it as text, from which `from_json` makes the same again."""
        return json.dumps(asdict(self), indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "DepartureModel":
        """Return the model that a text of `to_json` holds."""
        held: dict[str, Any] = {
            name: tuple(of) if isinstance(of, list) else of for name, of in json.loads(text).items()
        }
        return cls(**held)


def fit(known: Known, departs: np.ndarray, features: tuple[Feature, ...] = FEATURES) -> DepartureModel:
    """Learn from users of whom it is known whether they departed, (n,) bool with both kinds."""
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415 - seconds to import

    X = matrix(known, features)
    scale = X.std(axis=0)
    # A column that says nothing, such as minutes of a source without views, gets no weight.
    scale[scale < np.finfo(np.float32).eps] = np.inf
    learned = LogisticRegression(C=_PENALTY, max_iter=1_000).fit((X - X.mean(axis=0)) / scale, departs)
    scale[np.isinf(scale)] = 1.0
    typical, shift = np.median(X, axis=0), X.mean(axis=0)
    names = tuple(feature.name for feature in features)
    typical, shift, scale, weights = (
        tuple(map(float, values)) for values in (typical, shift, scale, learned.coef_[0])
    )
    return DepartureModel(names, typical, shift, scale, weights, float(learned.intercept_[0]))
