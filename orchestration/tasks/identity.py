"""Who the segments are across refits, and who was in which of them.

Belongs here: matching a training to the version in force, the account of segments and members that goes along from
version to version. Does not belong here: the matching itself (`ml.segmentation.identity`), whether a candidate may take
over (`orchestration.tasks.promotion`), Dagster.
"""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import polars as pl

from ml.segmentation.identity import NO_EVENTS, Promoted, match, membership_history, migration
from orchestration.stores.segmentations import ModelStore

if TYPE_CHECKING:  # scikit-learn takes seconds to import, and the run itself trains nothing
    from ml.segmentation.train import Training

_NOBODY = pl.DataFrame(schema={"entity_id": pl.String, "segment_id": pl.Int32, "segment_name": pl.String})


def identified(
    training: "Training",
    frame: pl.DataFrame,
    store: ModelStore,
    promoted_members: pl.DataFrame | None,
    *,
    by_place: bool,
) -> tuple["Training", pl.DataFrame]:
    """Give a training the ids and names of the segments in force that it continues, and return what became of them.

    Parameters
    ----------
    training
        Of the candidate.
    frame
        What it was trained on.
    store
        Where the version in force is.
    promoted_members
        entity_id and segment_id by the model in force, on the same entities where it can place them; None where nothing
        is in force.
    by_place
        Whether names are declared by rank or anchor: then these are who the segments are.
    """
    if by_place:
        return training, NO_EVENTS
    names, former = dict[int, str](), dict[int, str]()
    if (before := store.in_force) is not None:
        names = dict(before.read_table("segments").select("segment_id", "segment_name").iter_rows())
        if (past := _past(before, "segment_history")) is not None:
            known = past.select("segment_id", "segment_name").unique().sort("segment_id").iter_rows()
            former = {segment_id: name for segment_id, name in known if segment_id not in names}
    members = _NOBODY if promoted_members is None else promoted_members
    found = training.published
    matching = match(Promoted(members, names, former), found.members(frame), found.segment_names)
    return training.identified(matching), matching.events


def carry_on(store: ModelStore, members: pl.DataFrame, at: datetime) -> None:
    """Write the account of segments and members up to this version: events, who moved, who was where from when.

    `members` are this version's, not yet stored: the version in force may be the same, with members of its own.
    """
    before = store.in_force
    is_in_force = before is not None and before.home == store.home
    earlier = _past(before, "segment_members")
    if is_in_force and earlier is not None and earlier.equals(members):
        return  # found again: nothing has changed since
    store.write_table("segment_migration", _named_migration(_NOBODY if earlier is None else earlier, members))
    known = _past(before, "membership_history")
    store.write_table("membership_history", membership_history(known, members, _not_before(known, at)))
    is_known = before is not None and before.trained_as == store.trained_as
    store.write_table("segment_history", _history(before, None if is_known else store, at))


def _not_before(history: pl.DataFrame | None, at: datetime) -> datetime:
    """Return now, or a second after the last that a history tells of, where the clock went back."""
    times = () if history is None else history.select("entered_at", "left_at").max().row(0)
    last = max((time for time in times if time), default=at)
    return at if last <= at else last + timedelta(seconds=1)


def hand_over(before: ModelStore, store: ModelStore, at: datetime) -> None:
    """Give a version that never had any the account up to the version in force, whose members it takes over.

    The members are placed anew in the next run, which then sees who moved.
    """
    for table in ("segment_members", "segment_migration", "membership_history"):
        if (past := _past(before, table)) is not None:
            store.write_table(table, past)
    was_in_force = store.has("segment_history.parquet")
    store.write_table("segment_history", _history(before, None if was_in_force else store, at))


def _history(before: ModelStore | None, store: ModelStore | None, at: datetime) -> pl.DataFrame:
    """Return the events up to the version in force and, dated, those of a version that takes its place."""
    events = NO_EVENTS if store is None else _past(store, "events")
    moment = pl.lit(at, dtype=pl.Datetime("us")).alias("happened_at")
    dated = (NO_EVENTS if events is None else events).select(moment, pl.all())
    history = _past(before, "segment_history")
    return dated if history is None else pl.concat([history, dated])


def _past(before: ModelStore | None, table: str) -> pl.DataFrame | None:
    """Return a table as a version, mostly the one in force, has it; None where there is none."""
    if before is None or not before.has(f"{table}.parquet"):
        return None
    return before.read_table(table).drop("segmentation")


def _named_migration(before: pl.DataFrame, after: pl.DataFrame) -> pl.DataFrame:
    moved = migration(before, after)
    for side, members in (("from", before), ("to", after)):
        names = members.select(
            pl.col("segment_id").cast(pl.Int32).alias(f"{side}_segment_id"),
            pl.col("segment_name").alias(f"{side}_segment_name"),
        ).unique()
        moved = moved.join(names, on=f"{side}_segment_id", how="left", maintain_order="left")
    return moved
