"""Which number of segments is worth publishing.

Belongs here: what each candidate is worth and how stable it is, and the choice. Does not belong here: how that is
measured (`lift`, `stability`), indices that look at the geometry alone (`indices`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
import scipy.sparse as sp

from ml.segmentation.assignment import assign, one_thread_each
from ml.segmentation.errors import UntrainableError
from ml.segmentation.quality.held_out import embedded_anew, interactions_of
from ml.segmentation.quality.lift import lift_by_k
from ml.segmentation.quality.stability import bootstrap, refit, sample
from ml.segmentation.spec import EmbeddingSpec

USERS, RESAMPLES = 5_000, 10
"""Users who are judged and refitted, and refits of each candidate: half as many as of the published one, for there are
several."""


@dataclass(frozen=True)
class Candidate:
    """What is known of one number of segments.

    Attributes
    ----------
    k : number of segments.
    bootstrap_ari : how stable they are.
    lift : what they are worth on held-out interactions; 1, which is nothing, where it could not be measured.
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


def worth_by_k(
    X: np.ndarray,
    labels: Mapping[int, np.ndarray],
    users: pl.Series,
    pairs: pl.DataFrame,
    declared: EmbeddingSpec | None,
    *,
    rng: np.random.Generator,
    workers: int = 1,
) -> list[Candidate]:
    """Measure how stable each number of segments is, and what it is worth.

    Parameters
    ----------
    X : (n, d) float32
        Prepared features, sorted by id.
    labels
        k to the segments of all rows, (n,) int.
    users : (n,)
        Ids.
    pairs
        Two columns, user and title, each pair once.
    declared
        The embedding of the pairs that X is, found anew on the part that is not held out; without one the labels are
        judged as they are.
    rng
        Draws users, cuts, starts and resamples.
    workers
        Refits side by side; does not change the result.
    """
    with one_thread_each("blas"):
        lifts = _lifts(labels, users, pairs, declared, rng)
    drawn, rows = sample(X, np.arange(len(X)), rng=rng, rows=USERS)
    drawn = np.ascontiguousarray(drawn, dtype=np.float32)
    found = []
    for k, of_k in labels.items():
        stability = bootstrap(drawn, of_k[rows], k, rng=rng, resamples=RESAMPLES, workers=workers)[0]
        value, error = lifts.get(k, (1.0, 0.0))
        found.append(Candidate(k, stability.value or 0.0, value, error))
    return found


def _lifts(
    labels: Mapping[int, np.ndarray],
    users: pl.Series,
    pairs: pl.DataFrame,
    declared: EmbeddingSpec | None,
    rng: np.random.Generator,
) -> dict[int, tuple[float, float]]:
    """Return the lift of each k and its standard error, where there is enough to measure it."""
    drawn = np.sort(rng.choice(len(users), min(len(users), USERS), replace=False))
    sampled = users.gather(drawn)
    known = pairs.filter(pairs[:, 0].is_in(sampled.implode()))
    if known.is_empty():
        return {}
    interactions, rows, *_ = interactions_of(sampled, drawn, known)

    def label(train: sp.csr_array) -> dict[int, np.ndarray]:
        if declared is None:
            return {k: of_k[rows] for k, of_k in labels.items()}
        anew = embedded_anew(train, declared, rng)
        return {k: assign(anew, refit(anew, k, rng))[0] for k in labels}

    try:
        figures = lift_by_k(interactions, label, rng=rng, users=USERS)
    except UntrainableError:  # nothing may be held out of so little
        return {}
    return {k: (figure.value, figure.error) for k, figure in figures.items() if figure.value is not None}
