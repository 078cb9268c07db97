"""What the page of segments asks: how many there are, profiles, members.

Belongs here: SQL over the published tables of segmentations. Does not belong here: what others ask too
(`published.questions`), charts, pages.
"""

import polars as pl

from published.sets import PublishedSet


def published_k(data: PublishedSet, segmentation: str) -> int:
    """Return the number of published segments."""
    rows = data.ask(
        "select count(*) as k from segments where segmentation = $segmentation", segmentation=segmentation
    )
    return int(rows["k"].item())


def profiles(data: PublishedSet, segmentation: str) -> pl.DataFrame:
    """Return the mean of every feature per segment with the segment's name and size, those that differ most first."""
    return data.ask(
        """
        select profiles.*, segments.segment_name, segments.members
        from segment_profiles as profiles
        inner join segments using (segmentation, segment_id)
        where profiles.segmentation = $segmentation
        order by
            stddev_pop(profiles.index) over (partition by profiles.feature) desc nulls last,
            profiles.feature,
            profiles.segment_id
        """,
        segmentation=segmentation,
    )


def recommended(data: PublishedSet, segmentation: str, segment_id: int, most: int = 10) -> pl.DataFrame:
    """Return the titles that stand among the first ten for most members of a segment, the most frequent first.

    Returns
    -------
    title_id, title, genres, members (for whom), share of the members who are recommended anything, base_share of all
    who are, size (those members).
    """
    return data.ask(
        """
        with own as (
            select entity_id
            from segment_members
            where segmentation = $segmentation and segment_id = $segment_id
        ),
        first_ten as (
            select
                *, user_id in (select entity_id from own) as is_member,
                count(distinct user_id) over () as everybody
            from recommendations
            where rank <= 10
        )
        select
            title_id,
            any_value(title) as title,
            any_value(genres) as genres,
            count(*) filter (where is_member) as members,
            count(*) filter (where is_member) / any_value(size) as share,
            count(*) / any_value(everybody) as base_share,
            any_value(size) as size
        from first_ten
        cross join (select count(distinct user_id) filter (where is_member) as size from first_ten)
        where size > 0
        group by title_id
        having members > 0
        order by members desc, title_id
        limit $most
        """,
        segmentation=segmentation,
        segment_id=segment_id,
        most=most,
    )
