"""Sparse multinomial logits, several at once.

Belongs here: the fit. Does not belong here: which penalty is chosen, what is said of the weights (`surrogate`).

scikit-learn's saga takes seconds for what a few hundred products of matrices give: it fits one set of rows and one
penalty at a time, row by row.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

_ENOUGH = 1e-4
"""Done when no weight moves by more than this share of the largest."""


@dataclass(frozen=True)
class Logit:
    """A multinomial logit of standardised columns; weights are (segments, columns + 1), the last of no column."""

    shift: np.ndarray
    scale: np.ndarray
    weights: np.ndarray

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return the likeliest segment of each row, (n,) int."""
        return np.argmax(with_one((X - self.shift) / self.scale) @ self.weights.T, axis=1)


def fit_logits(
    Z: np.ndarray,
    y: np.ndarray,
    fitted_on: np.ndarray,
    start: np.ndarray,
    penalties: Sequence[float],
    *,
    rounds: int,
) -> np.ndarray:
    """Fit multinomial logits with an L1 penalty and balanced classes, on several sets of rows side by side.

    Accelerated proximal gradients (Beck and Teboulle, 2009) that start anew where they overshoot (O'Donoghue and
    Candès, 2015); each penalty starts from the weights of the one before.

    Parameters
    ----------
    Z : (n, d + 1) float32
        Standardised columns and a column of ones, whose weight is not penalised.
    y : (n,) int
    fitted_on : (f, n) bool
        The rows of each fit.
    start : (f, k, d + 1) float32
        Weights to start from.
    penalties
        Inverse strengths, the strongest first.
    rounds
        The most for each penalty.

    Returns
    -------
    (penalties, f, k, d + 1) float32
    """
    (f, k, d), n = start.shape, len(Z)
    members = np.array([np.bincount(y[rows], minlength=k) for rows in fitted_on])
    # Of a fit's rows they sum to 1.
    shares = (fitted_on / (k * np.maximum(members, 1)[:, y])).astype(np.float32)
    onehot = np.eye(k, dtype=np.float32)[:, y]
    # The curvature of the loss is at most half that of the squares.
    steps = np.array([2 / np.linalg.eigvalsh((Z * of[:, None]).T @ Z)[-1] for of in shares], dtype=np.float32)
    steps = steps[:, None, None]
    weights, found = start, []
    for penalty in penalties:
        limit = steps / (penalty * fitted_on.sum(axis=1))[:, None, None] * (np.arange(d) < d - 1)
        ahead, momentum = weights, np.ones((f, 1, 1))
        for _ in range(rounds):
            chance = (ahead.reshape(f * k, d) @ Z.T).reshape(f, k, n)
            chance -= chance.max(axis=1, keepdims=True)
            np.exp(chance, out=chance)
            chance /= chance.sum(axis=1, keepdims=True)
            chance -= onehot
            chance *= shares[:, None]
            moved = ahead - steps * (chance.reshape(f * k, n) @ Z).reshape(f, k, d)
            moved = (np.sign(moved) * np.maximum(np.abs(moved) - limit, 0)).astype(np.float32)
            moves = moved - weights
            overshot = ((ahead - moved) * moves).sum(axis=(1, 2), keepdims=True) > 0
            following = np.where(overshot, 1, (1 + np.sqrt(1 + 4 * momentum**2)) / 2)
            ahead = (moved + np.where(overshot, 0, (momentum - 1) / following) * moves).astype(np.float32)
            weights, momentum = moved, following
            if np.abs(moves).max() <= _ENOUGH * np.abs(weights).max():
                break
        found.append(weights)
    return np.array(found)


def with_one(Z: np.ndarray) -> np.ndarray:
    """Return Z with a column of ones behind it, float32."""
    return np.hstack([Z, np.ones((len(Z), 1))]).astype(np.float32)
