"""How much of the published segments hangs on where K-Means started.

Belongs here: the published segments beside what free starts came to. Does not belong here: the starts themselves
(`kmeans`), indices of one fit (`quality`).
"""

import numpy as np
import polars as pl

from ml.segmentation.agreement import adjusted_rand_index, mean_agreement
from ml.segmentation.assignment import assign
from ml.segmentation.kmeans import SAME_OPTIMUM, FreeFits, KMeansFit

MOST_COMPARED = 50
"""Starts that are compared with each other; pairs grow with the square, and the mean over 1,225 is settled."""


def start_agreement(
    published: KMeansFit, free: FreeFits, *, method: str, groups: np.ndarray | None
) -> pl.DataFrame:
    """Compare the published fit with free starts of the same k.

    Starts are compared on the rows they were tried on: all of them, or the sample of a larger set.

    Parameters
    ----------
    published
        The fit whose segments are published.
    free
        What free starts came to.
    method
        As declared.
    groups : (n,) int or None
        The anchor's group of each row, where there is an anchor.

    Returns
    -------
    One row: k, method, is_anchored, inertia, free_inertia (of the best fit that came of a free start), starts
    (how many), best_start_share (of the starts, how many ended within 1e-4 of the best of them),
    start_agreement (mean adjusted Rand index between starts; null for a single one), free_agreement (the same
    between the published and the best free fit), left_rule (rows that are not in the segment of their group;
    null without an anchor).
    """
    best, starts = free.of(published.k), free.starts[published.k]
    inertias = np.array([inertia for inertia, _ in starts])
    labels = np.array([assign(free.rows, centroids)[0] for _, centroids in starts[:MOST_COMPARED]])
    is_best = published is best
    return pl.DataFrame(
        {
            "k": published.k,
            "method": method,
            "is_anchored": groups is not None,
            "inertia": published.inertia,
            "free_inertia": best.inertia,
            "starts": len(starts),
            "best_start_share": float((inertias <= inertias.min() * SAME_OPTIMUM).mean()),
            "start_agreement": mean_agreement(labels) if len(starts) > 1 else None,
            "free_agreement": 1.0 if is_best else _agreement(published.labels, best.labels),
            "left_rule": None if groups is None else int((groups != published.labels).sum()),
        },
        schema_overrides={
            "k": pl.Int32,
            "starts": pl.Int32,
            "start_agreement": pl.Float64,
            "left_rule": pl.Int64,
        },
    )


def free_segments(published: np.ndarray, free: np.ndarray, k: int) -> pl.DataFrame:
    """Describe the groups of the best free fit by the published segments they are made of.

    Parameters
    ----------
    published : (n,) int
        Segment id of each row, 0 to k - 1.
    free : (n,) int
        Label of each row in the best free fit, 0 to k - 1.
    k
        Number of both.

    Returns
    -------
    One row per group: group_id, members, nearest_segment_id (the segment that most of them are in; the first
    of several) and shared_members (how many of them are). Groups are numbered in the order of those segments,
    larger ones first.
    """
    shared = np.bincount(free.astype(np.int64) * k + published, minlength=k * k).reshape(k, k)
    return (
        pl.DataFrame(
            {
                "members": shared.sum(axis=1),
                "nearest_segment_id": shared.argmax(axis=1),
                "shared_members": shared.max(axis=1),
            },
            schema={"members": pl.Int64, "nearest_segment_id": pl.Int32, "shared_members": pl.Int64},
        )
        .sort("nearest_segment_id", "members", descending=[False, True], maintain_order=True)
        .select(pl.int_range(pl.len(), dtype=pl.Int32).alias("group_id"), pl.all())
    )


def _agreement(one: np.ndarray, other: np.ndarray) -> float:
    return adjusted_rand_index(pl.Series(one), pl.Series(other))
