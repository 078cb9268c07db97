"""What the report says about the users themselves.

Belongs here: summing up rows of the marts. Does not belong here: segments, plots, the page.
"""

from dataclasses import dataclass

import polars as pl

UNKNOWN = "not known"


@dataclass(frozen=True)
class Plan:
    """Users of one subscription; means are per user, None where nothing tells."""

    name: str
    users: int
    share: float
    mean_ratings: float | None
    mean_minutes: float | None


def plans(subscription_regions: pl.DataFrame | None) -> tuple[Plan, ...]:
    """Return the subscriptions, most users first, summed up over regions; without any known, none."""
    if subscription_regions is None or not subscription_regions["subscription"].drop_nulls().len():
        return ()
    per_user = [
        ((pl.col(name) * pl.col("users")).sum() / pl.col("users").filter(pl.col(name).is_not_null()).sum())
        for name in ("mean_ratings", "mean_minutes")
    ]
    summed = (
        subscription_regions.filter(pl.col("users") > 0)
        .group_by(pl.col("subscription").fill_null(UNKNOWN))
        .agg(pl.col("users").sum(), per_user[0].alias("mean_ratings"), per_user[1].alias("mean_minutes"))
        .with_columns((pl.col("users") / pl.col("users").sum()).alias("share"))
        .sort("users", "subscription", descending=[True, False])
    )
    return tuple(
        Plan(
            row["subscription"],
            row["users"],
            row["share"],
            _known(row["mean_ratings"]),
            _known(row["mean_minutes"]),
        )
        for row in summed.iter_rows(named=True)
    )


def _known(value: float | None) -> float | None:
    return None if value is None or value != value else value  # noqa: PLR0124 - not a number
