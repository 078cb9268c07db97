"""What becomes of those of whom a rule holds: counted step by step, divided by priority, followed over time.

Belongs here: the account of an audience. Does not belong here: the rule (`ml.audiences.compile`).
"""

from collections.abc import Sequence
from datetime import datetime

import polars as pl

EVERYBODY, PRIORITY, HOLDOUT = "everybody", "in no audience of higher priority", "not held out"
JUMP = 0.5
"""An audience that grew or shrank by more than this share of what it was is told of."""
FEW = 30
"""Changes of fewer people are chance."""
WATERFALL = {
    "step": pl.Int32,
    "side": pl.String,
    "condition": pl.String,
    "kept": pl.Int64,
    "dropped": pl.Int64,
}


def waterfall(steps: Sequence[tuple[str, str]], kept: Sequence[int]) -> pl.DataFrame:
    """Return how many each step keeps and drops.

    Parameters
    ----------
    steps
        Side and words of each.
    kept
        How many there are, and how many are left after each step.
    """
    named = [("include", EVERYBODY), *steps]
    before = [kept[0], *kept[:-1]]
    rows = [
        (place, side, words, left, was - left)
        for place, ((side, words), left, was) in enumerate(zip(named, kept, before, strict=True), 1)
    ]
    return pl.DataFrame(rows, schema=WATERFALL, orient="row")


def by_priority(matches: pl.DataFrame, audiences: pl.DataFrame) -> pl.DataFrame:
    """Return the matches with `taken_by`: the audience of highest priority that has the person; NULL where it is in.

    Parameters
    ----------
    matches
        audience and entity_id of everybody of whom the rule of an audience holds.
    audiences
        audience, entity and priority, which is NULL for those that take part in no order.
    """
    ranked = matches.join(audiences.drop_nulls("priority"), on="audience")
    first = ranked.group_by("entity", "entity_id").agg(
        pl.col("priority").min(), pl.col("audience").sort_by("priority").first().alias("first")
    )
    lost = (
        ranked.join(first, on=["entity", "entity_id"])
        .filter(pl.col("audience") != pl.col("first"))
        .select("audience", "entity_id", pl.col("first").alias("taken_by"))
    )
    return matches.join(lost, on=["audience", "entity_id"], how="left", maintain_order="left")


def carry_on(history: pl.DataFrame | None, members: pl.DataFrame, at: datetime) -> pl.DataFrame:
    """Return who entered and left which audience when, up to now.

    Parameters
    ----------
    history
        What is published of it; None at the start.
    members
        audience and entity_id as they are now.
    at
        Now; the last moment that the history tells of, where the clock went back.
    """
    nobody = pl.lit(None, dtype=pl.Datetime("us"))
    if history is None:
        history = members.clear().with_columns(nobody.alias("entered_at"), nobody.alias("left_at"))
    last = history.select(pl.max_horizontal(pl.col("entered_at", "left_at").max())).item()
    moment = pl.lit(at if last is None else max(at, last), dtype=pl.Datetime("us"))
    still, key = history.filter(pl.col("left_at").is_null()), ["audience", "entity_id"]
    return pl.concat(
        [
            history.filter(pl.col("left_at").is_not_null()),
            still.join(members, on=key, how="anti").with_columns(left_at=moment),
            still.join(members, on=key, how="semi"),
            members.join(still, on=key, how="anti").select(
                *key, moment.alias("entered_at"), nobody.alias("left_at")
            ),
        ]
    )


def jump(now: int, before: int | None) -> str | None:
    """Return the words for a sudden change of an audience's size; None where there is none."""
    is_one = before is not None and abs(now - before) > max(JUMP * before, FEW)
    return f"{now:,} members, before {before:,}" if is_one else None
