"""Whether the same segments come back when the rows are others of the same kind.

Belongs here: refits on resampled rows and what they agree on. Does not belong here: refits on noisy rows
(`structure`), what segments are good for (`lift`).

A refit is cheap: k-means++ starts on a sample (`lloyd`), the best of them. Where the columns are an embedding of
interactions the embedding is taken as given; refitting that too is what the agreement of halves does
(`lift.split_half`). The result depends on the order of the rows, so hand them in sorted by id.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numpy as np
from scipy.optimize import linear_sum_assignment
from sklearn.neighbors import KNeighborsClassifier

from ml.segmentation.agreement import mean_agreement
from ml.segmentation.assignment import assign, one_thread_each
from ml.segmentation.lloyd import Rows, converge_each, plus_plus
from ml.segmentation.quality.table import Figure, resampled

ROWS = 10_000
"""Rows on which segments are fitted anew; all of them where there are no more."""
RESAMPLES = 20
RESTARTS = 10
HALVINGS = 5
STARTS, BEGUN, FINISHED, START_ROWS = 12, 10, 3, 2_500
"""Starts of a refit, after how many rounds of Lloyd's on how many rows the best of them are told, and how many of
these converge on all rows: with a single start, an unlucky one would pass for instability of the data."""
ASKED = 2_000
"""Rows that the nearest neighbours are asked about."""
_NEIGHBOURS = 15

Done = TypeVar("Done")


def refit(X: np.ndarray, k: int, rng: np.random.Generator) -> np.ndarray:
    """Return the centroids (k, d) of the best of a few K-Means starts on X (n, d) float32, n at least k."""
    first = Rows(*sample(X, rng=rng, rows=START_ROWS))
    begun = sorted(converge_each(first, plus_plus(first, k, rng, STARTS), iterations=BEGUN), key=_inertia)
    best = min(converge_each(first, [centroids for _, centroids in begun[:FINISHED]]), key=_inertia)[1]
    return best if len(first) == len(X) else converge_each(Rows(X), [best])[0][1]


def agreement(one: np.ndarray, other: np.ndarray) -> float:
    """Return the adjusted Rand index of two labellings (n,) of whole numbers from 0 (Hubert and Arabie, 1985)."""
    return mean_agreement(np.stack([one, other]))


def contingency(one: np.ndarray, other: np.ndarray, k: int) -> np.ndarray:
    """Count the rows that have label i in one labelling and j in the other, (k, k) int."""
    return np.bincount(one.astype(np.int64) * k + other, minlength=k * k).reshape(k, k)


def aligned(labels: np.ndarray, reference: np.ndarray, k: int) -> np.ndarray:
    """Rename labels so that they share as many rows as they can with the reference (Kuhn, 1955), (n,) int."""
    theirs, ours = linear_sum_assignment(contingency(labels, reference, k), maximize=True)
    names = np.empty(k, dtype=np.int64)
    names[theirs] = ours
    return names[labels]


def stability(
    X: np.ndarray, labels: np.ndarray, k: int, *, rng: np.random.Generator, workers: int = 1
) -> list[Figure]:
    """Measure how far k segments come back when they are fitted anew.

    Parameters
    ----------
    X : (n, d) float32
        Prepared features, sorted by id.
    labels : (n,) int
        The published segment of each row, 0 to k - 1.
    k
        Segments.
    rng
        Draws samples and starts.
    workers
        Refits that run side by side; does not change the result.

    Returns
    -------
    `bootstrap_ari`, `smallest_jaccard`, `jaccard` of each segment, `restart_ari`, `prediction_strength`,
    `generalizability`.
    """
    X, labels = sample(X, labels, rng=rng)
    X = np.ascontiguousarray(X, dtype=np.float32)
    return [
        *bootstrap(X, labels, k, rng=rng, workers=workers),
        restarts(X, k, rng=rng, workers=workers),
        *halves(X, k, rng=rng, workers=workers),
    ]


def bootstrap(
    X: np.ndarray,
    labels: np.ndarray,
    k: int,
    *,
    rng: np.random.Generator,
    resamples: int = RESAMPLES,
    workers: int = 1,
) -> list[Figure]:
    """Fit on rows drawn with replacement, assign all rows, compare with the published labels.

    The adjusted Rand index is of all segments; the Jaccard index of a segment is its overlap with the most similar
    one of a refit (Hennig 2007, "Cluster-wise assessment of cluster stability"): at .75 and more a segment is
    stable, under .6 it should not be trusted.

    Parameters
    ----------
    X : (n, d) float32
    labels : (n,) int
    k
        Segments.
    rng
        Draws rows and starts.
    resamples
        Refits.
    workers
        Refits side by side.

    Returns
    -------
    `bootstrap_ari`, `smallest_jaccard`, and `jaccard` of each segment that has rows: means over the refits, with
    the interval over them.
    """

    def once(rng: np.random.Generator) -> tuple[float, np.ndarray]:
        drawn = np.sort(rng.integers(len(X), size=len(X)))
        again = assign(X, refit(X[drawn], k, rng))[0]
        return agreement(labels, again), _jaccard(contingency(labels, again, k))

    done = side_by_side(once, rng.spawn(resamples), workers)
    aris, jaccards = np.array([ari for ari, _ in done]), np.array([jaccard for _, jaccard in done])
    of_segments = [
        resampled("jaccard", jaccards[:, segment].mean(), jaccards[:, segment], segment_id=segment)
        for segment in np.unique(labels).tolist()
    ]
    smallest = min(of_segments, key=lambda figure: figure.value or 0)
    return [
        resampled("bootstrap_ari", aris.mean(), aris),
        Figure("smallest_jaccard", smallest.value, smallest.low, smallest.high),
        *of_segments,
    ]


def restarts(
    X: np.ndarray, k: int, *, rng: np.random.Generator, fits: int = RESTARTS, workers: int = 1
) -> Figure:
    """Fit the same rows from other starts: `restart_ari`, the mean agreement of all pairs of fits.

    Each fit is the best of a few starts, as a published one is; what single starts come to is `start_agreement`
    of `ml.segmentation.starts`.
    """
    labels = np.array(side_by_side(lambda rng: assign(X, refit(X, k, rng))[0], rng.spawn(fits), workers))
    pairs = [agreement(labels[i], labels[j]) for i in range(fits) for j in range(i)]
    return resampled("restart_ari", float(np.mean(pairs)), np.array(pairs))


def halves(
    X: np.ndarray, k: int, *, rng: np.random.Generator, halvings: int = HALVINGS, workers: int = 1
) -> list[Figure]:
    """Fit on either half of the rows, and ask one half about the other.

    `prediction_strength` (Tibshirani and Walther 2005): of the pairs of rows that are together in a segment of one
    half, the share that the other half's centroids keep together, in the worst segment; from .8 on the segments
    count as well separated. `generalizability` (CARVE, arXiv 2606.00327, after Lange et al. 2004): the adjusted
    Rand index between labels fitted on one half and what a classifier that learned the other half's labels says.
    The classifier is nearest neighbours, which shares no assumption with K-Means.

    Returns
    -------
    Both figures, means over the halvings; without any where a half has fewer rows than segments.
    """
    if len(X) // 2 < max(k, 2):
        return [Figure("prediction_strength", None), Figure("generalizability", None)]

    def once(rng: np.random.Generator) -> tuple[float, float]:
        order = rng.permutation(len(X))
        learned, asked = X[np.sort(order[: len(X) // 2])], X[np.sort(order[len(X) // 2 :])]
        teacher, own = refit(learned, k, rng), refit(asked, k, rng)
        labels = assign(asked, own)[0]
        together = contingency(labels, assign(asked, teacher)[0], k)
        classifier = KNeighborsClassifier(min(_NEIGHBOURS, len(learned)), algorithm="brute")
        classifier.fit(learned, assign(learned, teacher)[0])
        some, theirs = sample(asked, labels, rng=rng, rows=ASKED)
        return _kept_together(together), agreement(theirs, classifier.predict(some))

    strengths, generalized = np.array(side_by_side(once, rng.spawn(halvings), workers)).T
    return [
        resampled("prediction_strength", strengths.mean(), strengths),
        resampled("generalizability", generalized.mean(), generalized),
    ]


def sample(
    X: np.ndarray, *others: np.ndarray, rng: np.random.Generator, rows: int = ROWS
) -> list[np.ndarray]:
    """Draw the same rows of all arrays, in their order; all where there are no more than `rows`."""
    if len(X) <= rows:
        return [X, *others]
    chosen = np.sort(rng.choice(len(X), rows, replace=False))
    return [array[chosen] for array in (X, *others)]


def side_by_side(
    task: Callable[[np.random.Generator], Done], generators: Sequence[np.random.Generator], workers: int
) -> list[Done]:
    """Run a task once per generator, each on one thread; the results are in the order of the generators."""

    def run(rng: np.random.Generator) -> Done:
        with one_thread_each("openmp"):
            return task(rng)

    with one_thread_each("blas"), ThreadPoolExecutor(workers) as pool:
        return list(pool.map(run, generators))


def _inertia(solution: tuple[float, np.ndarray]) -> float:
    return solution[0]


def _jaccard(shared: np.ndarray) -> np.ndarray:
    """Return the largest overlap of each row's segment with one of the columns', (k,)."""
    union = shared.sum(axis=1)[:, None] + shared.sum(axis=0)[None] - shared
    return (shared / np.maximum(union, 1)).max(axis=1)


def _kept_together(shared: np.ndarray) -> float:
    """Return the share of pairs of a row's segment that the columns keep together, in the worst segment."""
    pairs = (shared * (shared - 1)).sum(axis=1)
    sizes = shared.sum(axis=1)
    return float((pairs[sizes > 1] / (sizes * (sizes - 1))[sizes > 1]).min(initial=1.0))
