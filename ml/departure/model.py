"""The model of departure: a logistic regression of few standardised features.

Belongs here: learning, scoring, the reason of a score, keeping it as JSON. Does not belong here: whether it is any good
(`judge`).

A gradient boosting of trees gained little over it (figures in docs/how-to/departure.md), and of weights it can be said
in words which of them decided.
"""

import json
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ml.departure.features import FEATURES, Feature, Known, matrix

_BY_NAME = {feature.name: feature for feature in FEATURES}
_PENALTY = 1.0


@dataclass(frozen=True)
class DepartureModel:
    """Weights of standardised features, and what is typical: the median of each column that it learned from."""

    features: tuple[str, ...]
    typical: dict[str, float]
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
        typical = matrix({name: np.array([value]) for name, value in self.typical.items()}, self._set)
        moved = (matrix(known, self._set) - typical) / np.array(self.scale) * self.weights
        said = list(dict.fromkeys(feature.words for feature in self._set))
        together = np.array([[feature.words == words for feature in self._set] for words in said])
        # Of scores above it what speaks for leaving, of the others what speaks for staying.
        towards = np.where(moved.sum(axis=1) > 0, 1, -1)[:, None] * (moved @ together.T)
        of_typical = [words(self.typical, self.typical) for words in said]
        reasons = []
        for order, values in zip(
            np.argsort(-towards, kind="stable"), zip(*known.values(), strict=True), strict=True
        ):
            row = dict(zip(known, values, strict=True))
            told = (one for at in order if (one := said[at](row, self.typical)) != of_typical[at])
            # What reads like the typical user's, by rounding, tells nothing.
            reasons.append(next(told, of_typical[order[0]]))
        return reasons

    @property
    def _set(self) -> tuple[Feature, ...]:
        return tuple(_BY_NAME[name] for name in self.features)

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
    return DepartureModel(
        features=tuple(feature.name for feature in features),
        typical={name: float(np.median(values)) for name, values in known.items()},
        shift=tuple(X.mean(axis=0).tolist()),
        scale=tuple(scale.tolist()),
        weights=tuple(learned.coef_[0].tolist()),
        intercept=float(learned.intercept_[0]),
    )
