"""What is asked of the scores of departure: how good they are, who has the highest, what segments come to.

Belongs here: SQL over the published tables of departure. Does not belong here: charts, pages.
"""

from collections.abc import Mapping
from typing import Any

import polars as pl

from published.sets import PublishedSet


def figures(data: PublishedSet) -> dict[str, Mapping[str, Any]]:
    """Return measure to its row."""
    return {row["measure"]: row for row in data.ask("select * from departure_quality").iter_rows(named=True)}


def scored(data: PublishedSet) -> Mapping[str, Any]:
    """Return how many users are scored, their mean score, of how many days it speaks and as of which day."""
    return data.ask(
        "select count(*) as users, avg(score) as mean_score, max(horizon_days) as horizon_days, max(as_of) as as_of"
        " from departure"
    ).row(0, named=True)


def groups(data: PublishedSet) -> pl.DataFrame:
    """Return segments with their mean score, the highest first."""
    return data.ask("select * from departure_groups order by mean_score desc nulls last, group_name")


def users(
    data: PublishedSet, segmentation: str | None, *, minimum: int, most: int | None = None
) -> pl.DataFrame:
    """Return users with a score, the highest first, each with its segment where that has `minimum` members."""
    return data.ask(
        f"""
        select departure.*, named.segment
        from departure
        left join (
            select entity_id as user_id, own.segment_name as segment
            from segment_members as own inner join segments using (segmentation, segment_id)
            where segmentation = $segmentation and members >= $minimum
        ) as named using (user_id)
        order by score desc, user_id {"" if most is None else f"limit {most:d}"}
        """,
        segmentation=segmentation,
        minimum=minimum,
    )
