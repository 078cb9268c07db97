"""Whether there is anything to divide: k segments against none.

Belongs here: stability under noise. Does not belong here: stability under resampling (`stability`).
"""

from collections.abc import Sequence

import numpy as np

from ml.segmentation.assignment import assign
from ml.segmentation.quality.stability import agreement, refit, sample, side_by_side
from ml.segmentation.quality.table import Figure, resampled

ROWS = 1_000
NOISES = (0.25, 0.5, 0.75, 1.0)
"""Half-widths of the uniform noise, in standard deviations of a mean column."""
RUNS = 5
WITHIN = (2, 3)
"""Into how many parts each segment is divided in search of structure that k missed."""


def structure(
    X: np.ndarray, k: int, *, rng: np.random.Generator, rows: int = ROWS, workers: int = 1
) -> Figure:
    """Measure how much better k segments explain the rows than a single one: `over_one_segment`.

    The stability difference criterion (Stadion; Mourer et al. 2020, arXiv 2006.08530): segments that are there
    survive noise, and what lies within them has no parts that survive it. Stability is the adjusted Rand index
    between a fit on the rows and a fit on the rows with uniform noise added. Stadion of k is the stability of k
    segments minus the mean stability of 2 and 3 parts within each; a single segment is always stable, so its
    Stadion is 1 minus the stability of 2 and 3 segments of all rows.

    Parameters
    ----------
    X : (n, d) float32
        Prepared features, sorted by id.
    k
        Segments.
    rng
        Draws sample, starts and noise.
    rows
        Sample size.
    workers
        Runs side by side.

    Returns
    -------
    Stadion of k minus Stadion of 1, each averaged over the amounts of noise: above 0 the segments explain the
    rows better than no division does. The interval is over runs of noise.
    """
    (X,) = sample(np.ascontiguousarray(X, dtype=np.float32), rng=rng, rows=rows)
    everybody = np.zeros(len(X), dtype=np.int32)

    def once(rng: np.random.Generator) -> float:
        # What is found without noise may be one of several optima: a new one each time.
        reference = _labels(X, k, rng)
        parts = _parts(X, everybody, WITHIN, rng), _parts(X, reference, WITHIN, rng)
        margins = []
        for noise in NOISES:
            scale = noise * float(X.std(axis=0).mean())
            noisy = X + rng.uniform(-scale, scale, X.shape).astype(np.float32)
            one, many = (_stability_of_parts(noisy, part, rng) for part in parts)
            margins.append(agreement(reference, _labels(noisy, k, rng)) - many - (1 - one))
        return float(np.mean(margins))

    margins = np.array(side_by_side(once, rng.spawn(RUNS), workers))
    return resampled("over_one_segment", margins.mean(), margins)


Part = tuple[np.ndarray, int, np.ndarray]
"""Row numbers of a segment, into how many parts it was divided, and the part of each row."""


def _parts(
    X: np.ndarray, segments: np.ndarray, counts: Sequence[int], rng: np.random.Generator
) -> list[Part]:
    found = []
    for segment in np.unique(segments):
        rows = np.flatnonzero(segments == segment)
        found += [(rows, count, _labels(X[rows], count, rng)) for count in counts if count < len(rows)]
    return found


def _stability_of_parts(noisy: np.ndarray, parts: Sequence[Part], rng: np.random.Generator) -> float:
    """Return the mean stability, each segment weighing as many as it has rows; too few to divide are stable."""
    if not parts:
        return 1.0
    found = [
        (len(rows), agreement(labels, _labels(noisy[rows], count, rng))) for rows, count, labels in parts
    ]
    weights, values = np.array(found).T
    return float(np.average(values, weights=weights))


def _labels(X: np.ndarray, k: int, rng: np.random.Generator) -> np.ndarray:
    return assign(X, refit(X, k, rng))[0]
