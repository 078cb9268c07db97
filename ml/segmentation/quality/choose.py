"""Which number of segments is worth publishing.

Belongs here: the choice from figures of every candidate. Does not belong here: the figures, and indices that look
at the geometry alone (`indices`).
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Candidate:
    """What is known of one number of segments.

    Attributes
    ----------
    k : number of segments.
    bootstrap_ari : how stable they are.
    lift : what they are worth on held-out interactions.
    lift_error : the standard error of that.
    """

    k: int
    bootstrap_ari: float
    lift: float
    lift_error: float


def trusted(candidates: Sequence[Candidate], *, least_ari: float) -> int:
    """Return the smallest k whose lift is within one standard error of the best, among the stable ones.

    The one-standard-error rule of Breiman et al. (1984): a gain that the data cannot tell from chance does not pay
    for more segments. Where no candidate is stable the most stable one is returned, the smallest of equals; the
    gate will say what it lacks.

    Parameters
    ----------
    candidates
        One per k, at least one.
    least_ari
        The least bootstrap adjusted Rand index of a stable candidate.
    """
    ordered = sorted(candidates, key=lambda candidate: candidate.k)
    stable = [candidate for candidate in ordered if candidate.bootstrap_ari >= least_ari]
    if not stable:
        return max(ordered, key=lambda candidate: candidate.bootstrap_ari).k
    best = max(stable, key=lambda candidate: candidate.lift)
    return next(candidate.k for candidate in stable if candidate.lift >= best.lift - best.lift_error)
