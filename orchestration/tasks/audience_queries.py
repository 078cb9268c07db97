"""Which pictures of audience and catalogue there are, and which rows of the marts they are drawn from.

Belongs here: choosing few rows by short queries. Does not belong here: what a mart holds (dbt), how a picture looks
(`ml.plots`), reading them.

At full scale a mart has millions of rows; every query names how few it takes.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

AUDIENCE = "audience"
"""Group of the asset and folder of the pictures."""
USERS_SHOWN = 30
"""No more than the mart keeps of a segment (`most_active_per_segment`): a segment may hold all that are shown."""
FLOWS_SHOWN, TITLES_SHOWN, LEANINGS_SHOWN = 10, 24, 4
"""Rows of the picture of users' genres, titles beside each other, and titles per segment."""

_CHOSEN = "(select segmentation from marts.segmentations where entity = 'user_id' order by place limit 1)"
# Likeness by ratings where there is any; else by what the catalogue says of the titles.
_BASIS = "(select basis from marts.similar_titles order by basis = 'ratings' desc limit 1)"

# A mean of a handful is a figure in a table, where it is greyed, and no point of a picture.
_NOT_FEW = "raters >= (select least_raters from marts.interaction_basis)"
# Who watches most stands for who rates most where views count.
_ACTIVE = "(select case basis when 'views' then 'watching' else 'rating' end from marts.interaction_basis)"


def _most_active(activity: str, shown: int, mart: str, columns: str) -> str:
    """Return the query of what the most active users do, so many in all but two of each segment at least."""
    return f"""
        select
            coalesce(ids.id, shown.user_id::varchar) as user_id,
            shown.segment_id, shown.segment_name, shown.place, {columns}
        from marts.most_active_members as shown
        inner join marts.segmentations as chosen on shown.segmentation = chosen.segmentation
        inner join marts.{mart} as own on shown.user_id = own.user_id
        left join landing.ids as ids on shown.user_id = ids.number
        where shown.segmentation = {_CHOSEN} and shown.activity = {activity}
            and shown.place <= greatest(2, {shown} // chosen.segments)
        order by shown.segment_id, shown.place, {columns}
    """


@dataclass(frozen=True)
class Query:
    """One query, and the marts it reads."""

    marts: tuple[str, ...]
    sql: str


QUERIES: Mapping[str, Query] = {
    "words": Query(
        ("interaction_basis",),
        """
        select act, acted, case basis when 'ratings' then given else 'titles ' || acted end as counted
        from marts.interaction_basis
        """,
    ),
    # One catalogue, for two score on different scales; below the vote minimum a handful of voters decides.
    "titles": Query(
        ("titles", "weighted_score_constants"),
        """
        select titles.catalogue, constants.vote_minimum, titles.genres, titles.audience_score as score
        from marts.titles as titles
        inner join marts.weighted_score_constants as constants on titles.catalogue = constants.catalogue
        where titles.catalogue = (
                select catalogue from marts.weighted_score_constants order by titles desc, catalogue limit 1
            )
            and titles.votes >= constants.vote_minimum
            and titles.audience_score is not null and titles.genres is not null
        order by titles.title_id
        """,
    ),
    "rating_counts": Query(
        ("genre_rating_counts", "genre_popularity", "interaction_basis"),
        f"""
        select genre_label, rating, ratings from marts.genre_rating_counts
        where genre_label in (select genre_label from marts.genre_popularity where {_NOT_FEW}) order by all
        """,
    ),
    "genres": Query(
        ("genre_popularity", "interaction_basis"),
        # What is left over is no genre.
        f"""
        select genre_label, ratings, mean_rating from marts.genre_popularity
        where genre <> 'other' and {_NOT_FEW} order by all
        """,
    ),
    "user_devices": Query(
        ("most_active_members", "segmentations", "user_devices"),
        _most_active("'watching'", USERS_SHOWN, "user_devices", "own.device, own.share"),
    ),
    "segment_devices": Query(
        ("segment_devices", "segmentations"),
        f"""
        select segment_id, segment_name, device, share, index from marts.segment_devices
        where segmentation = {_CHOSEN} order by segment_id, device
        """,
    ),
    "similar_titles": Query(
        ("similar_titles", "titles", "title_audience", "segmentations"),
        f"""
        with audience as (
            select title_id, sum(raters) as raters from marts.title_audience
            where segmentation = {_CHOSEN} group by title_id
        ),
        shown as (
            select title_id from marts.titles left join audience using (title_id)
            where greatest(rating_count, raters) > 0
                and title_id in (select title_id from marts.similar_titles where basis = {_BASIS})
            order by rating_count desc, raters desc, title_id limit {TITLES_SHOWN}
        )
        select title_id, title, similar_title_id, similar_title, similarity from marts.similar_titles
        where basis = {_BASIS} and title_id in (from shown) and similar_title_id in (from shown)
        order by title_id, similar_title_id
        """,
    ),
    "user_genres": Query(
        ("most_active_members", "segmentations", "user_genres", "interaction_basis"),
        _most_active(_ACTIVE, FLOWS_SHOWN, "user_genres", "own.genre_label, own.ratings"),
    ),
    "segment_genres": Query(
        ("segment_genres", "segmentations"),
        f"""
        select segment_id, segment_name, genre_label, ratings from marts.segment_genres
        where segmentation = {_CHOSEN} order by segment_id, genre_label
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
        ("segment_titles", "segmentations"),
        f"""
        select segment_id, segment_name, rank, title, raters, rater_share, base_share, index from marts.segment_titles
        where segmentation = {_CHOSEN} and rank <= {LEANINGS_SHOWN} order by segment_id, rank
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


def queries_of(built: Collection[str]) -> dict[str, str]:
    """Return the SQL of every query whose marts are all among those that are built."""
    return {name: query.sql for name, query in QUERIES.items() if set(query.marts) <= set(built)}
