"""Which pictures of audience and catalogue there are, and which rows of the marts they are drawn from.

Belongs here: choosing few rows by short queries. Does not belong here: what a mart holds (dbt), how a picture looks
(`ml.plots`), matplotlib: the run reads, the worker draws.

At full scale a mart has millions of rows; every query but one names how few it takes, and `segment_genres` sums up.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:  # the report reads the names alone
    import duckdb

AUDIENCE = "audience"
"""Group of the asset and folder of the pictures."""
USERS_SHOWN, FLOWS_SHOWN, TITLES_SHOWN, LEANINGS_SHOWN = 30, 10, 24, 4
"""Rows of the two pictures of single users, titles beside each other, and titles per segment."""

# The segmentation of viewers to act on: as in the report, one with a playbook before one without.
_CHOSEN = """
    select segmentation from marts.segments where entity = 'user_id'
    group by segmentation order by count(audience) = 0, segmentation limit 1
"""
_MEMBERS = f"""
    select try_cast(entity_id as bigint) as user_id, segment_id, segment_name
    from marts.segment_members where segmentation = ({_CHOSEN})
"""


def _most_active(mart: str, amount: str, shown: int) -> str:
    """Return the query of the users of each segment with most of something, so many in all but two of each at least."""
    return f"""
        with totals as (select user_id, sum({amount}) as amount from marts.{mart} group by user_id),
        members as ({_MEMBERS}),
        ranked as (
            select totals.user_id, members.segment_id, members.segment_name, row_number() over (
                partition by members.segment_id order by totals.amount desc, totals.user_id
            ) as place
            from totals inner join members using (user_id)
        )
        from ranked
        where place <= greatest(2, (select {shown} // nullif(count(distinct segment_id), 0) from ranked))
    """


@dataclass(frozen=True)
class Query:
    """One query, and the marts it reads."""

    marts: tuple[str, ...]
    sql: str


QUERIES: Mapping[str, Query] = {
    # One catalogue, for two score on different scales; below the vote minimum a handful of voters decides.
    "titles": Query(
        ("titles", "weighted_score_constants"),
        """
        with chosen as (
            select catalogue, vote_minimum from marts.weighted_score_constants order by titles desc, catalogue limit 1
        )
        select titles.catalogue, chosen.vote_minimum, titles.genres, titles.audience_score as score
        from marts.titles as titles inner join chosen on titles.catalogue = chosen.catalogue
        where titles.votes >= chosen.vote_minimum and titles.audience_score is not null and titles.genres is not null
        order by titles.title_id
        """,
    ),
    "rating_counts": Query(
        ("genre_rating_counts",),
        "select genre_label, rating, ratings from marts.genre_rating_counts order by all",
    ),
    "genres": Query(
        ("genre_popularity",),
        "select genre_label, ratings, mean_rating from marts.genre_popularity order by all",
    ),
    "user_devices": Query(
        ("user_devices", "segments", "segment_members"),
        f"""
        with shown as ({_most_active("user_devices", "minutes", USERS_SHOWN)})
        select shown.*, own.device, own.share from shown inner join marts.user_devices as own using (user_id)
        order by shown.segment_id, shown.place, own.device
        """,
    ),
    "segment_devices": Query(
        ("segment_devices", "segments"),
        f"""
        select segment_id, segment_name, device, share, index from marts.segment_devices
        where segmentation = ({_CHOSEN}) order by segment_id, device
        """,
    ),
    # Likeness by ratings where there is any; else by what the catalogue says of the titles.
    "similar_titles": Query(
        ("similar_titles", "title_audience", "segments"),
        f"""
        with chosen as (
            from marts.similar_titles
            where basis = (select basis from marts.similar_titles order by basis = 'ratings' desc limit 1)
        ),
        shown as (
            select title_id from marts.title_audience
            where segmentation = ({_CHOSEN}) and title_id in (select title_id from chosen)
            group by title_id order by sum(raters) desc, title_id limit {TITLES_SHOWN}
        )
        select title_id, title, similar_title_id, similar_title, similarity from chosen
        where title_id in (from shown) and similar_title_id in (from shown) order by title_id, similar_title_id
        """,
    ),
    "user_genres": Query(
        ("user_genres", "segments", "segment_members"),
        f"""
        with shown as ({_most_active("user_genres", "ratings", FLOWS_SHOWN)})
        select shown.*, own.genre_label, own.ratings from shown inner join marts.user_genres as own using (user_id)
        order by shown.segment_id, shown.place, own.genre_label
        """,
    ),
    "segment_genres": Query(
        ("user_genres", "segments", "segment_members"),
        f"""
        with members as ({_MEMBERS})
        select members.segment_id, members.segment_name, genres.genre_label, sum(genres.ratings)::bigint as ratings
        from marts.user_genres as genres inner join members using (user_id)
        group by all order by members.segment_id, genres.genre_label
        """,
    ),
    "viewing_hours": Query(
        ("viewing_hours",), "select weekday, hour, events from marts.viewing_hours order by weekday, hour"
    ),
    "weekly_activity": Query(
        ("weekly_activity",),
        "select week, device, minutes::double as minutes from marts.weekly_activity order by week, device",
    ),
    "catalogue_trends": Query(
        ("catalogue_trends",),
        """
        select catalogue, release_year, titles, scored_titles, audience_score
        from marts.catalogue_trends order by catalogue, release_year
        """,
    ),
    "recommenders": Query(
        ("recommender_metrics",),
        """
        select model, value, is_default, is_baseline from marts.recommender_metrics
        where metric = 'ndcg' order by model
        """,
    ),
    "segment_titles": Query(
        ("segment_titles", "segments"),
        f"""
        select segment_id, segment_name, rank, title, raters, rater_share, base_share, index from marts.segment_titles
        where segmentation = ({_CHOSEN}) and rank <= {LEANINGS_SHOWN} order by segment_id, rank
        """,
    ),
}

PICTURES: Mapping[str, str] = {
    "viewing_hours": "viewing_hours",
    "weekly_activity": "weekly_activity",
    "segment_devices": "segment_devices",
    "user_devices": "user_devices",
    "segment_genres": "segment_genres",
    "user_genres": "user_genres",
    "segment_titles": "segment_titles",
    "genre_popularity": "genres",
    "genre_cloud": "genres",
    "genre_ratings": "rating_counts",
    "genre_scores": "titles",
    "catalogue_trends": "catalogue_trends",
    "similar_titles": "similar_titles",
    "recommenders": "recommenders",
}
"""Picture to query, in the order in which people read them."""


def marts_read() -> list[str]:
    """Return every mart that some picture is drawn from."""
    return sorted({mart for query in QUERIES.values() for mart in query.marts})


def read_rows(connection: "duckdb.DuckDBPyConnection") -> dict[str, pl.DataFrame]:
    """Return the rows of every query; without rows where a mart has none, left out where one is not built."""
    built = {
        name
        for (name,) in connection.execute(
            "select table_name from information_schema.tables where table_schema = 'marts'"
        ).fetchall()
    }
    return {
        name: connection.sql(query.sql).pl()
        for name, query in QUERIES.items()
        if built.issuperset(query.marts)
    }
