"""What people did since they were first sent or held out.

Belongs here: who is on which side, what they did in their days, asked of the warehouse. Does not belong here: what may
be said of it (`ml.audiences.lift`).

Everybody counts for whom all days of the horizon are over in the data, from the day after the first delivery on,
whether or not they stayed in the audience: who leaves it may do so because of the campaign.
"""

from dataclasses import asdict
from datetime import date, timedelta
from typing import Any

import duckdb
import polars as pl

from ml.audiences.lift import OUTCOMES, Lift, lift
from orchestration.stores.deliveries import TREATED, DeliveryStore
from orchestration.stores.layout import WarehouseLayout

_ACTIVITY, _IDS = "intermediate.int_users__active_days", "landing.ids"
READ = (_ACTIVITY, _IDS)
"""Tables that tell what people did on which day, and which number stands for whom."""
_SCHEMA = {
    "audience": pl.String(),
    "outcome": pl.String(),
    "horizon_days": pl.Int32(),
    "treated": pl.Int64(),
    "held_out": pl.Int64(),
    **dict.fromkeys(
        ("mean_treated", "mean_held_out", "difference", "low", "high", "detectable"), pl.Float64()
    ),
    "says": pl.String(),
}
_DID = f"""
    with days as (
        select
            sides.*, coalesce(ids.number, try_cast(entity_id as bigint)) as user_id,
            first_on + 1 as first_day, first_on + horizon_days as last_day
        from sides left join {_IDS} as ids on sides.entity_id = ids.id
    ),
    did as (
        select
            audience, entity_id, cast(sum(views) as bigint) as views, sum(minutes) as minutes,
            cast(sum(ratings) as bigint) as ratings
        from days inner join {_ACTIVITY} as activity
            on days.user_id = activity.user_id and activity.active_on between first_day and last_day
        group by all
    )
    select
        days.*, coalesce(views, 0) as views, coalesce(minutes, 0) as minutes, coalesce(ratings, 0) as ratings,
        did.audience is null as departure
    from days left join did on days.audience = did.audience and days.entity_id = did.entity_id
"""


def lift_of_deliveries(layout: WarehouseLayout, connection: duckdb.DuckDBPyConnection) -> pl.DataFrame:
    """Return what came of every audience of users that was ever sent, outcome by outcome."""
    sides = _sides(layout)
    last, views, ratings = connection.execute(
        f"select max(active_on), sum(views), sum(ratings) from {_ACTIVITY}"
    ).fetchall()[0]
    if sides.is_empty() or last is None:
        return pl.DataFrame(schema=_SCHEMA)
    connection.register("sides", sides.to_arrow())
    did = connection.sql(_DID).pl()
    asked = [
        outcome
        for outcome in OUTCOMES
        if (ratings or outcome.name != "ratings") and (views or outcome.name not in ("views", "minutes"))
    ]
    rows = []
    for (audience,), members in did.group_by("audience", maintain_order=True):
        days = members["horizon_days"].max()
        # The data's last day may be half a day.
        over = members.filter(pl.col("last_day") < last)
        treated, held_out = (over.filter(held_out=side) for side in (False, True))
        for outcome in asked:
            found = (
                lift(
                    outcome,
                    treated[outcome.name].cast(float).to_numpy(),
                    held_out[outcome.name].cast(float).to_numpy(),
                    together=len(asked),
                )
                if len(over)
                else _not_yet(members["last_day"].min(), days, last)
            )
            rows.append(
                {"audience": audience, "outcome": outcome.name, "horizon_days": days, **asdict(found)}
            )
    return pl.DataFrame(rows, schema=_SCHEMA).sort("audience", "outcome")


def _sides(layout: WarehouseLayout) -> pl.DataFrame:
    """Return who was sent and who held out, once an audience; who was both is on no side."""
    stores = [DeliveryStore(layout, folder.name) for folder in sorted(layout.deliveries.glob("*/"))]
    of_users = [
        store.treated() for store in stores if (told := store.manifests) and told[-1]["entity"] == "user_id"
    ]
    return (
        pl.concat([pl.DataFrame(schema=TREATED), *of_users])
        .with_columns(pl.col("horizon_days").max().over("audience"))
        .group_by("audience", "entity_id")
        .agg(
            pl.col("held_out").n_unique().alias("sides"),
            pl.col("held_out", "horizon_days").first(),
            pl.col("first_on").min(),
        )
        .filter(sides=1)
        .drop("sides")
        .sort("audience", "entity_id")
    )


def _not_yet(day: Any, days: int, last: date) -> Lift:
    when = day + timedelta(days=1)
    says = (
        f"Nothing can be said yet: the {days} days after the first delivery are over when the data goes beyond "
        f"{when:%Y-%m-%d}; it ends on {last:%Y-%m-%d}."
    )
    return Lift(0, 0, None, None, None, None, None, None, says)
