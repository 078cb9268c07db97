"""K-Means for every k: many cheap starts on a sample, the best ones finished on all rows.

Belongs here: the engine, i.e. how centroids are found.
Does not belong here: which k to try and how to judge it (`sweep`, `quality`).

Each fit runs on one thread, so the result does not depend on how many cores there are; fits run side by
side instead.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count

import numpy as np

from ml.progress import Tell, untold
from ml.segmentation.assignment import assign, one_thread_each
from ml.segmentation.breathing import breathe, neighbours
from ml.segmentation.lloyd import Rows, Solution, converge, converge_each, outermost, plus_plus

SAMPLE_ROWS = 10_000
"""Starts are tried on a sample of this many rows: at 270 K rows that is 25 x cheaper and finds the same optima."""
MIDDLE_ROWS = 60_000
"""The sample's best solutions are told apart on this many rows before any of them sees all rows."""
BREATHED, KEPT, FINISHED = 2, 5, 2
"""How many different optima are improved by breathing, go on to the middle rows, and are finished on all rows."""
SMALL_DATA_FACTOR = 3
"""Times as many starts where all rows fit into the sample: local optima are sharper there and starts are cheap."""
SAME_OPTIMUM = 1.0001
"""Inertias that differ by less than this factor are of the same optimum."""
_WITHIN_REACH = 1.005
"""A runner-up on the middle rows that is worse by more than this has never won on all rows."""

Task = Callable[[int], list[Solution]]
"""What is done for one k."""


@dataclass(frozen=True)
class KMeansFit:
    """One fitted k.

    Attributes
    ----------
    centroids : (k, d) float32, in the prepared space.
    labels : (n,) int32, the nearest centroid of each row.
    squared_distances : (n,) float64, to that centroid.
    """

    centroids: np.ndarray
    labels: np.ndarray
    squared_distances: np.ndarray

    @property
    def k(self) -> int:
        """Number of centroids."""
        return len(self.centroids)

    @property
    def inertia(self) -> float:
        """Sum of squared distances to the nearest centroid."""
        return float(self.squared_distances.sum())


@dataclass(frozen=True)
class FreeFits:
    """What free starts came to.

    Attributes
    ----------
    fits : the best fit of each candidate, in their order, whatever start it came from.
    rows : (m, d) float32, the rows on which starts were tried.
    starts : k to its random starts, each converged on those rows.
    """

    fits: tuple[KMeansFit, ...]
    rows: np.ndarray
    starts: Mapping[int, Sequence[Solution]]

    def of(self, k: int) -> KMeansFit:
        """Return the best fit of one candidate."""
        return next(fit for fit in self.fits if fit.k == k)


def fit_many(
    X: np.ndarray,
    candidates: Sequence[int],
    *,
    restarts: int,
    rng: np.random.Generator,
    workers: int,
    more_starts: Mapping[int, np.ndarray] | None = None,
    tell: Tell = untold,
) -> FreeFits:
    """Fit K-Means once for every candidate k.

    Parameters
    ----------
    X : (n, d) float32
        Prepared features; n is at least the largest candidate.
    candidates
        The k to fit.
    restarts
        k-means++ starts per k (Arthur and Vassilvitskii, 2007), beside one from the outermost rows; the best by inertia
        wins.
    rng
        Source of every random choice; the same state gives the same fits.
    workers
        Fits that run side by side; does not change the result.
    more_starts
        One more start, (k, d) float32, for each k that has one.
    tell
        Called after each fit: one for each k on the sample, one from its neighbours, one on all rows.
    """
    order = rng.permutation(len(X)) if len(X) > SAMPLE_ROWS else np.arange(len(X))
    every = Rows(X)
    sample, middle = (Rows(X[order[:most]]) for most in (SAMPLE_ROWS, MIDDLE_ROWS))
    seeds = dict(zip(candidates, rng.spawn(len(candidates)), strict=True))
    tries = restarts if len(sample) < len(X) else restarts * SMALL_DATA_FACTOR
    given, starts, outer = more_starts or {}, dict[int, list[Solution]](), dict[int, Solution]()
    # Largest k first: it takes longest, so no worker is left waiting for it at the end.
    downwards, done = sorted(candidates, reverse=True), count(1)
    with one_thread_each("blas"), ThreadPoolExecutor(max_workers=workers) as pool:

        def side_by_side(task: Task) -> dict[int, list[Solution]]:
            found = {}
            for k, solutions in zip(downwards, pool.map(_on_one_thread(task), downwards), strict=True):
                found[k] = solutions
                tell(next(done), 3 * len(candidates))
            return found

        def search(k: int) -> list[Solution]:
            outer[k] = converge(sample, outermost(sample, k))
            starts[k] = converge_each(sample, plus_plus(sample, k, seeds[k], tries))
            more = [converge(sample, given[k])] if k in given else []
            return _breathed(sample, [*starts[k], outer[k], *more], seeds[k])

        found = side_by_side(search)
        enriched = side_by_side(lambda k: _with_neighbours(sample, k, found))
        finished = side_by_side(lambda k: _finish(every, middle, [*enriched[k], outer[k]]))
        fits = tuple(pool.map(lambda k: _as_fit(X, finished[k][0][1]), candidates))
    return FreeFits(fits, sample.X, starts)


def fit_from(X: np.ndarray, start: np.ndarray) -> KMeansFit:
    """Fit K-Means to X (n, d) float32 from one start, (k, d) float32, and nothing else; labels keep its order."""
    with one_thread_each("blas"), one_thread_each("openmp"):
        return _as_fit(X, converge(Rows(X), start)[1])


def _breathed(rows: Rows, starts: list[Solution], rng: np.random.Generator) -> list[Solution]:
    """Return the best different optima of the starts, the first ones improved by breathing, best first."""
    optima = _distinct(starts, KEPT)
    breathed = [breathe(rows, inertia, centroids, rng) for inertia, centroids in optima[:BREATHED]]
    # The sample's second best may be the best of all rows: what breathing left behind stays in the race.
    return _distinct([*breathed, *optima], KEPT)


def _with_neighbours(rows: Rows, k: int, found: dict[int, list[Solution]]) -> list[Solution]:
    """Add what the best solutions for one centroid fewer and one more lead to."""
    fewer, more = (found[other][0][1] if other in found else None for other in (k - 1, k + 1))
    derived = [converge(rows, start) for start in neighbours(rows, fewer, more)]
    return _distinct([*found[k], *derived], KEPT)


def _finish(rows: Rows, middle: Rows, solutions: list[Solution]) -> list[Solution]:
    """Converge the best solutions on all rows, best first; of a sample that is all rows the first is the best."""
    if len(rows) <= SAMPLE_ROWS:
        return solutions
    if len(solutions) > 1:
        solutions = _distinct([converge(middle, centroids) for _, centroids in solutions], FINISHED)
        solutions = [solution for solution in solutions if solution[0] <= solutions[0][0] * _WITHIN_REACH]
    return _distinct([converge(rows, centroids) for _, centroids in solutions], 1)


def _distinct(solutions: list[Solution], most: int) -> list[Solution]:
    """Keep the best solutions that are different optima: following one twice gains nothing."""
    kept: list[Solution] = []
    for solution in sorted(solutions, key=lambda solution: solution[0]):
        if not kept or solution[0] > kept[-1][0] * SAME_OPTIMUM:
            kept.append(solution)
    return kept[:most]


def _as_fit(X: np.ndarray, centroids: np.ndarray) -> KMeansFit:
    centroids = np.ascontiguousarray(centroids, dtype=np.float32)
    return KMeansFit(centroids, *assign(X, centroids))


def _on_one_thread(task: Task) -> Task:
    """Wrap a task so that OpenMP uses one thread in the thread that runs it."""

    def run(k: int) -> list[Solution]:
        with one_thread_each("openmp"):
            return task(k)

    return run
