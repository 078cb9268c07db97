"""Give segments ids and names by what they are.

Belongs here: the order of segments and the rules that name them.
Does not belong here: K-Means' label numbers, which mean nothing.
"""

from collections.abc import Sequence

import numpy as np
import polars as pl

from ml.segmentation.errors import SegmentationError, UntrainableError
from ml.segmentation.profile import segment_means
from ml.segmentation.spec import Naming, NamingRule


def rank_order(values: np.ndarray, labels: np.ndarray, k: int) -> np.ndarray:
    """Return the labels in the order of their mean value, smallest first.

    Parameters
    ----------
    values : (n,) float
        The column that ranks segments.
    labels : (n,) int
        Labels from 0 to k - 1.
    k
        Number of labels.

    Returns
    -------
    order : (k,) int
        `order[i]` is the label of the segment with rank i; equal means keep label order.
    """
    sizes = np.maximum(np.bincount(labels, minlength=k), 1)
    return np.argsort(np.bincount(labels, values, minlength=k) / sizes, kind="stable")


def name_segments(naming: Naming, frame: pl.DataFrame, segment_ids: np.ndarray, k: int) -> tuple[str, ...]:
    """Name segments from the declaration.

    Parameters
    ----------
    naming
        Names by rank, or rules.
    frame : n rows of profiled features
    segment_ids : (n,) int from 0 to k - 1, in rank order
    k
        Number of segments.

    Returns
    -------
    One name per segment, in rank order; "Segment 2" for the second where no rule names it. A rule without bounds names
    none where all segments have the same mean: nothing sets one of them apart.

    Raises
    ------
    SegmentationError
        When a rule speaks of a column that is not profiled, or claims no segment and is not optional.
    """
    if naming.names:
        return naming.names
    means = segment_means(frame, segment_ids, k)
    names: dict[int, str] = {}
    for rule in naming.rules:
        claimed = _claimed_by(rule, means, taken=list(names))
        if claimed is not None:
            names[claimed] = rule.name
    return tuple(names.get(i, f"Segment {i + 1}") for i in range(k))


def _claimed_by(rule: NamingRule, means: pl.DataFrame, *, taken: Sequence[int]) -> int | None:
    if rule.feature not in means.columns:
        msg = f"naming rule {rule.name!r}: no column {rule.feature!r}; there are: {', '.join(means.columns)}"
        raise SegmentationError(msg)
    values = means[rule.feature].to_numpy()
    if (
        rule.at_least is None
        and rule.at_most is None
        and len(values) > 1
        and np.allclose(values, values[0], 1e-9)
    ):
        return None
    free = [
        i
        for i, value in enumerate(values)
        if i not in taken
        and (rule.at_least is None or value >= rule.at_least)
        and (rule.at_most is None or value <= rule.at_most)
    ]
    if not free and rule.optional:
        return None
    if not free:
        listed = ", ".join(f"{value:.3g}" for value in values)
        msg = f"naming rule {rule.name!r} claims no segment: mean {rule.feature} is {listed}"
        raise UntrainableError(msg)
    return (max if rule.pick == "highest" else min)(free, key=lambda i: values[i])
