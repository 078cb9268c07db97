"""What scores of departure are worth, beside recency alone, on days after those that a model learned from.

Belongs here: the figures, and whether they are good enough to publish. Does not belong here: learning (`model`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

LEAST_AUC = 0.6
LEAST_OF_EACH = 50
"""Users who depart and who stay, below which nothing is learned or judged."""
_GROUPS = 10
_Z95 = 1.96


@dataclass(frozen=True)
class Figure:
    """One figure of the scores; `beside` is that of recency alone, `passed` says whether it reaches its threshold."""

    measure: str
    value: float
    beside: float | None = None
    low: float | None = None
    high: float | None = None
    threshold: float | None = None
    passed: bool | None = None


def judge(
    departs: np.ndarray, chance: np.ndarray, recency: np.ndarray, by_recency: np.ndarray
) -> list[Figure]:
    """Compare scores with what happened.

    Parameters
    ----------
    departs : (n,) bool
        Who departed; some did and some did not.
    chance : (n,) float
        The scores.
    recency : (n,) float
        Days since the last activity.
    by_recency : (n,) float
        Chances that were learned from recency alone.

    Returns
    -------
    list of Figure
    """
    (auc, beside), error = _aucs(departs, chance, recency)
    low, high = auc - beside - _Z95 * error, auc - beside + _Z95 * error
    return [
        Figure("auc", auc, beside, threshold=LEAST_AUC, passed=auc >= LEAST_AUC),
        Figure("auc_gain", auc - beside, None, low, high, threshold=0.0, passed=low > 0),
        Figure("average_precision", average_precision(departs, chance), average_precision(departs, recency)),
        Figure("top_decile_lift", top_decile_lift(departs, chance), top_decile_lift(departs, recency)),
        Figure(
            "calibration_error", _calibration_error(departs, chance), _calibration_error(departs, by_recency)
        ),
        Figure("mean_score", float(chance.mean()), float(by_recency.mean())),
        Figure("departed_share", float(departs.mean())),
        Figure("judged_users", float(len(departs))),
    ]


def is_worth_publishing(figures: Sequence[Figure]) -> bool:
    """Whether every figure that has a threshold reaches it."""
    return all(figure.passed is not False for figure in figures)


def deciles(score: np.ndarray) -> np.ndarray:
    """Return the tenth that each score is in, 1 for the highest; equal scores are in the same."""
    ranked = np.sort(-score)
    return 1 + _GROUPS * np.searchsorted(ranked, -score, side="left") // max(len(score), 1)


def _aucs(departs: np.ndarray, *scores: np.ndarray) -> tuple[list[float], float]:
    """Return the areas under the ROC curves of two scores, and the standard error of their difference.

    By DeLong, DeLong and Clarke-Pearson (1988): both are of the same users, so their errors are not independent.
    """
    left, stayed = [], []
    for score in scores:
        rank, among_left, among_stayed = (
            stats.rankdata(part) for part in (score, score[departs], score[~departs])
        )
        left.append((rank[departs] - among_left) / (~departs).sum())
        stayed.append(1 - (rank[~departs] - among_stayed) / departs.sum())
    variance = sum(np.var(a - b, ddof=1) / len(a) for a, b in (left, stayed))
    return [float(part.mean()) for part in left], float(np.sqrt(variance))


def _found(departs: np.ndarray, score: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return, for each distinct score from the highest down, how many users have at least it and how many departed."""
    values, place = np.unique(-score, return_inverse=True)
    return (
        np.cumsum(np.bincount(place, minlength=len(values))),
        np.cumsum(np.bincount(place, weights=departs, minlength=len(values))),
    )


def average_precision(departs: np.ndarray, score: np.ndarray) -> float:
    """Return the mean precision over the thresholds, each weighed by the share of departures that it adds."""
    users, departed = _found(departs, score)
    return float((departed / users) @ np.diff(departed, prepend=0) / departed[-1])


def top_decile_lift(departs: np.ndarray, score: np.ndarray) -> float:
    """Return how many times as often as all the tenth with the highest scores departs; equal scores share a place."""
    users, departed = _found(departs, score)
    top = len(departs) / _GROUPS
    return float(np.interp(top, [0, *users], [0, *departed]) / top / departs.mean())


def _calibration_error(departs: np.ndarray, chance: np.ndarray) -> float:
    """Return how far chance and share departed lie apart on average, over ten groups by chance."""
    group = deciles(chance)
    apart = np.bincount(group, weights=chance) - np.bincount(group, weights=departs)
    return float(np.abs(apart).sum() / len(chance))
