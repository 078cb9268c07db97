"""Give segments ids and names by what they are.

Belongs here: the order of segments and the rules that name them.
Does not belong here: K-Means' label numbers, which mean nothing.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from ml.segmentation.errors import SegmentationError, UntrainableError
from ml.segmentation.profile import segment_means
from ml.segmentation.spec import Naming, NamingRule, select_columns

LEAST_DIFFERENCE = 0.1
"""By how much of everybody's mean a segment's must differ to be called so by an optional rule."""
LEAST_SHARE, LEAST_RATIO, LEAST_Z = 0.05, 1.2, 3.0
"""What a description says of a segment: at least this share, so many times the base, so many standard errors above."""


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


def name_segments(
    naming: Naming,
    frame: pl.DataFrame,
    segment_ids: np.ndarray,
    k: int,
    labels: Mapping[str, str] | None = None,
) -> tuple[str, ...]:
    """Name segments from the declaration.

    Parameters
    ----------
    naming
        Names by rank, rules, or families of columns to describe segments by.
    frame : n rows of profiled features
    segment_ids : (n,) int from 0 to k - 1, in rank order
    k
        Number of segments.
    labels
        What columns are called, for descriptions.

    Returns
    -------
    One name per segment, all different, in rank order; "Segment 2" for the second where nothing names it. A rule
    without bounds names none where all segments have the same mean: nothing sets one of them apart.

    Raises
    ------
    SegmentationError
        When a rule speaks of a column that is not profiled, or claims no segment and is not optional.
    """
    if naming.names:
        return naming.names
    if naming.describe:
        return _described(naming, frame, segment_ids, k, labels or {})
    means = segment_means(frame, segment_ids, k)
    base = segment_means(frame, np.zeros(len(frame), dtype=int), 1)
    names: dict[int, str] = {}
    for rule in naming.rules:
        claimed = _claimed_by(rule, means, base, taken=list(names))
        if claimed is not None:
            names[claimed] = rule.name
    return tuple(names.get(i, f"Segment {i + 1}") for i in range(k))


def _described(
    naming: Naming, frame: pl.DataFrame, segment_ids: np.ndarray, k: int, labels: Mapping[str, str]
) -> tuple[str, ...]:
    """Name each segment by the columns of each family that set it apart most; equal names are told apart by number."""
    words = {**labels, **naming.words}
    parts: list[list[str]] = [[] for _ in range(k)]
    for family in naming.describe:
        columns = select_columns(family.columns, frame.columns)
        distance = _standing_out(frame.select(columns), segment_ids, k)
        for i in range(k):
            most = [j for j in np.argsort(-distance[i], kind="stable") if distance[i, j] > 0][: family.most]
            if most:
                parts[i].append(
                    " and ".join(words.get(columns[j], columns[j].replace("_", " ")) for j in most)
                )
    names = [_sentence(", ".join(said)) or f"Segment {i + 1}" for i, said in enumerate(parts)]
    return tuple(
        f"{name} ({names[: i + 1].count(name)})" if names.count(name) > 1 else name
        for i, name in enumerate(names)
    )


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:]


def _standing_out(frame: pl.DataFrame, segment_ids: np.ndarray, k: int) -> np.ndarray:
    """Return by how many standard deviations each segment lies above the base, (k, columns); 0 where that is not said.

    It is said of a share of `LEAST_SHARE` or more that is `LEAST_RATIO` times the base's or more, and `LEAST_Z`
    standard errors above it.
    """
    means = segment_means(frame, segment_ids, k).to_numpy()
    values = frame.select(pl.all().cast(pl.Float64).fill_null(0)).to_numpy()
    base, deviation = values.mean(axis=0), values.std(axis=0)
    distance = (means - base) / np.where(deviation > 0, deviation, np.inf)
    z = distance * np.sqrt(np.bincount(segment_ids, minlength=k))[:, None]
    said = (means >= LEAST_SHARE) & (means >= LEAST_RATIO * base) & (z >= LEAST_Z)
    return np.where(said, distance, 0.0)


def _claimed_by(
    rule: NamingRule, means: pl.DataFrame, base: pl.DataFrame, *, taken: Sequence[int]
) -> int | None:
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
    if rule.optional:  # what everybody is like is nobody's name
        usual = base[rule.feature].item()
        free = [i for i in free if abs(values[i] - usual) >= LEAST_DIFFERENCE * abs(usual)]
    if not free and rule.optional:
        return None
    if not free:
        listed = ", ".join(f"{value:.3g}" for value in values)
        msg = f"naming rule {rule.name!r} claims no segment: mean {rule.feature} is {listed}"
        raise UntrainableError(msg)
    return (max if rule.pick == "highest" else min)(free, key=lambda i: values[i])
