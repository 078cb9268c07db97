"""Who a segment is: its id and name across refits, and who went where.

Belongs here: matching the segments of a candidate to those in force, what became of each, migration, memberships over
time. Does not belong here: how segments are found (`train`) and first named (`naming`), whether a candidate may take
over, files.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from re import fullmatch

import numpy as np
import polars as pl
from scipy.optimize import linear_sum_assignment

LEAST_OVERLAP = 0.2
"""Less than this in common and a segment is another one: a segment cut in three equal parts lives on in one of them,
one cut in five does not; a division at random has about 0."""
FEW_SHARED = 20
"""Weight of the distance between centroids, in members: decides where fewer are shared, breaks ties elsewhere."""
MAINLY = 0.6
"""Share of the members that a new segment has from another to have split off, or a dead one lost to it to have merged;
of two segments divided at random about half."""

_EVENTS = {
    "kind": pl.String,
    "segment_id": pl.Int32,
    "segment_name": pl.String,
    "from_id": pl.Int32,
    "into_id": pl.Int32,
    "share": pl.Float64,
}
NO_EVENTS = pl.DataFrame(schema=_EVENTS)


@dataclass(frozen=True)
class Promoted:
    """The segments in force.

    Attributes
    ----------
    members : entity_id and segment_id, one row per entity.
    names : id to name of each living segment.
    former : id to name of each dead one; what it names is never given again.
    centroids : id to centroid (d,), in the feature space of the candidate; None where they share none.
    """

    members: pl.DataFrame
    names: Mapping[int, str]
    former: Mapping[int, str] = field(default_factory=dict)
    centroids: Mapping[int, np.ndarray] | None = None


@dataclass(frozen=True)
class Matching:
    """Who the segments of a candidate are.

    Attributes
    ----------
    segment_ids, segment_names : of each label of the candidate.
    events : what became of the segments; see `match`.
    """

    segment_ids: tuple[int, ...]
    segment_names: tuple[str, ...]
    events: pl.DataFrame


def match(
    promoted: Promoted, members: pl.DataFrame, names: Sequence[str], centroids: np.ndarray | None = None
) -> Matching:
    """Give the segments of a candidate the ids and names of the segments in force that they continue.

    Of all ways to pair them the one with the largest sum of similarities is taken (Kuhn, 1955). Similarity is the
    Jaccard index of the members whom both know, corrected for what segments of these sizes share by chance, mixed with
    the nearness of centroids where few are known to both. A pair below `LEAST_OVERLAP` is none: the candidate's
    segment is born with the next id that nobody ever had, and the other has died.

    Parameters
    ----------
    promoted
        The segments in force.
    members
        The candidate's entity_id and segment_id, its label from 0 to k - 1.
    names
        What the naming rules call the candidate's k segments; only the newly born are called so, with a number where
        the name is or was another's.
    centroids : (k, d) or None
        Of the candidate.

    Returns
    -------
    Matching; its events are one row each: kind, segment_id, segment_name, from_id, into_id and share, which is

    - kept: of the members whom both know, how many stayed
    - born: of all members of the candidate, how many are in it
    - died: of all members in force, how many were in it
    - split: a segment was born mainly (`MAINLY`) of members of from_id; how many of those whom both know went
    - merged: a segment died and its members are mainly in into_id; how many of those whom both know
    """
    ids = sorted(promoted.names)
    shared = _shared(promoted.members, members, ids, len(names))
    similarity = _similarity(shared, _nearness(promoted, ids, centroids))
    rows, columns = linear_sum_assignment(np.where(similarity >= LEAST_OVERLAP, similarity, 0), maximize=True)
    whose = {int(j): ids[i] for i, j in zip(rows, columns, strict=True) if similarity[i, j] >= LEAST_OVERLAP}
    called = {**promoted.former, **promoted.names}
    after = _sizes(members, range(len(names)))
    # Larger ones first; where nothing was in force before, in the order of the candidate, which is a rank.
    order = np.argsort(-after, kind="stable").tolist() if ids else range(len(names))
    born = [j for j in order if j not in whose]
    for j, segment_id in zip(born, count(max(called, default=-1) + 1), strict=False):
        whose[j], called[segment_id] = segment_id, _unused(names[j], segment_id, called.values())
    segment_ids = tuple(whose[j] for j in range(len(names)))
    return Matching(
        segment_ids=segment_ids,
        segment_names=tuple(called[segment_id] for segment_id in segment_ids),
        events=_events(
            shared,
            ids,
            segment_ids,
            called,
            before=_sizes(promoted.members, ids),
            after=after,
        ),
    )


def migration(before: pl.DataFrame, after: pl.DataFrame) -> pl.DataFrame:
    """Count who went from which segment to which.

    Parameters
    ----------
    before, after
        entity_id and segment_id, one row per entity.

    Returns
    -------
    One row per pair that occurs: from_segment_id (null: was not known), to_segment_id (null: is gone), entities and
    share_of_from (of all that were there, those who are gone included).
    """
    both = _ids(before, "from_segment_id").join(
        _ids(after, "to_segment_id"), on="entity_id", how="full", validate="1:1"
    )
    return (
        both.group_by("from_segment_id", "to_segment_id")
        .agg(pl.len().cast(pl.Int64).alias("entities"))
        .sort("from_segment_id", "to_segment_id", nulls_last=True)
        .with_columns(
            (pl.col("entities") / pl.col("entities").sum().over("from_segment_id")).alias("share_of_from")
        )
    )


def membership_history(history: pl.DataFrame | None, members: pl.DataFrame, at: datetime) -> pl.DataFrame:
    """Carry on who was in which segment from when to when.

    Parameters
    ----------
    history
        What this function returned the time before; None at the start.
    members
        entity_id, segment_id and segment_name from now on, one row per entity.
    at
        Now; the same time again replaces what was said of it.

    Returns
    -------
    entity_id, segment_id, segment_name, entered_at and left_at (null for who is in it), ended memberships first.

    Raises
    ------
    ValueError
        When `at` is before what the history has already.
    """
    moment = pl.lit(at, dtype=pl.Datetime("us"))
    now = members.select(
        pl.col("entity_id").cast(pl.String), pl.col("segment_id").cast(pl.Int32), "segment_name"
    )
    if now["entity_id"].n_unique() != len(now):
        msg = "membership_history: members has more than one row of an entity; each is in one segment"
        raise ValueError(msg)
    entered = now.with_columns(entered_at=moment, left_at=pl.lit(None, dtype=pl.Datetime("us")))
    if history is None:
        return entered
    latest = history.select(pl.max_horizontal(pl.col("entered_at", "left_at").max())).item()
    if latest is not None and latest > at:
        msg = f"membership_history: {at} is before {latest}, which the history has already"
        raise ValueError(msg)
    before = history.filter(pl.col("entered_at") < moment)
    ended = before.filter(pl.col("left_at") < moment)
    still = before.filter((pl.col("left_at") < moment).fill_null(value=False).not_())  # until now
    key = ["entity_id", "segment_id"]
    return pl.concat(
        [
            ended,
            still.join(now, on=key, how="anti").with_columns(left_at=moment),
            still.join(now, on=key, how="semi").with_columns(left_at=pl.lit(None, dtype=pl.Datetime("us"))),
            entered.join(still, on=key, how="anti"),
        ]
    )


def _ids(members: pl.DataFrame, column: str) -> pl.DataFrame:
    return members.select(
        pl.col("entity_id").cast(pl.String), pl.col("segment_id").cast(pl.Int32).alias(column)
    )


def _shared(before: pl.DataFrame, after: pl.DataFrame, ids: Sequence[int], k: int) -> np.ndarray:
    """Return the entities that both know, (living segments, k) by where they were and are."""
    table = np.zeros((len(ids), k))
    for was, label, entities, _ in migration(before, after).drop_nulls().iter_rows():
        table[ids.index(was), label] = entities
    return table


def _sizes(members: pl.DataFrame, ids: Sequence[int]) -> np.ndarray:
    sizes = dict(members.group_by("segment_id").len().iter_rows())
    return np.array([sizes.get(segment_id, 0) for segment_id in ids], dtype=np.float64)


def _similarity(shared: np.ndarray, nearness: np.ndarray | None) -> np.ndarray:
    """Return how much each living segment and each of the candidate's are the same, at most 1."""
    were, are = shared.sum(axis=1, keepdims=True), shared.sum(axis=0, keepdims=True)
    union = were + are - shared
    chance = were * are / max(shared.sum(), 1)
    jaccard = np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
    expected = np.divide(chance, were + are - chance, out=np.zeros_like(shared), where=union > 0)
    # One segment of everybody shares everything with itself, and chance would have it so: nothing to correct.
    overlap = np.where(expected < 1, (jaccard - expected) / np.where(expected < 1, 1 - expected, 1), jaccard)
    if nearness is None:
        return overlap
    return (union * overlap + FEW_SHARED * nearness) / (union + FEW_SHARED)


def _nearness(promoted: Promoted, ids: Sequence[int], centroids: np.ndarray | None) -> np.ndarray | None:
    """Return 1 for centroids in the same place, 0 for those as far apart as the nearest one in force, or further."""
    if promoted.centroids is None or centroids is None:
        return None
    own = np.array([promoted.centroids[segment_id] for segment_id in ids], dtype=np.float64)
    gaps = _distances(own, own) + np.diag(np.full(len(own), np.inf))
    gap = gaps.min(axis=1, keepdims=True)
    away = _distances(own, np.asarray(centroids, dtype=np.float64))
    # A lone segment is the nearest there is; two in the same place are told apart by nobody.
    return np.clip(1 - np.divide(away, gap, out=np.ones_like(away), where=gap > 0), 0, 1)


def _distances(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    return np.linalg.norm(one[:, None] - other[None], axis=2)


def _unused(name: str, segment_id: int, taken: Collection[str]) -> str:
    """Return the name, with a number behind it where it is taken; "Segment 3" is numbered by the id."""
    if fullmatch(r"Segment \d+", name):
        tried = (f"Segment {n}" for n in count(segment_id + 1))
    else:
        tried = (name if n == 1 else f"{name} {n}" for n in count(1))
    return next(new for new in tried if new not in taken)


def _events(
    shared: np.ndarray,
    ids: Sequence[int],
    segment_ids: Sequence[int],
    called: Mapping[int, str],
    *,
    before: np.ndarray,
    after: np.ndarray,
) -> pl.DataFrame:
    rows: list[tuple[str, int, int | None, int | None, float]] = []
    of_from = shared / np.maximum(shared.sum(axis=1, keepdims=True), 1)
    for j, segment_id in enumerate(segment_ids):
        if segment_id in ids:
            rows.append(("kept", segment_id, segment_id, segment_id, of_from[ids.index(segment_id), j]))
            continue
        rows.append(("born", segment_id, None, segment_id, after[j] / max(after.sum(), 1)))
        rows += [
            ("split", segment_id, was, segment_id, of_from[i, j])
            for i, was in enumerate(ids)
            if shared[i, j] >= MAINLY * max(after[j], 1)
        ]
    for i, was in enumerate(ids):
        if was in segment_ids:
            continue
        rows.append(("died", was, was, None, before[i] / max(before.sum(), 1)))
        rows += [
            ("merged", was, was, segment_id, of_from[i, j])
            for j, segment_id in enumerate(segment_ids)
            if shared[i, j] >= MAINLY * max(before[i], 1)
        ]
    named = [(kind, who, called[who], was, into, share) for kind, who, was, into, share in rows]
    return pl.DataFrame(named, schema=_EVENTS, orient="row").sort("segment_id", maintain_order=True)
