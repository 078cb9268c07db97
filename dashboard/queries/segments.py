"""What the page of segments asks: profiles, what to recommend, where members lie on a map.

Belongs here: SQL over the published tables of segmentations. Does not belong here: what others ask too
(`published.questions`), charts, pages.
"""

import polars as pl

from published.questions.segments import loadings
from published.sets import PublishedSet


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


def explored(data: PublishedSet, segmentation: str) -> list[int]:
    """Return the numbers of segments that have a map."""
    rows = data.ask(
        "select distinct k from segment_map where segmentation = $segmentation order by k",
        segmentation=segmentation,
    )
    return rows["k"].to_list()


def points(data: PublishedSet, segmentation: str, k: int, most: int = 5_000) -> pl.DataFrame:
    """Return the centres of the segments and a sample of at most so many members, the same members for every k."""
    return data.ask(
        """
        select segment_id, segment_name, is_centre, pc1, pc2
        from (
            -- A random order that is the same for every k: members are known by their place on the map alone.
            select *, row_number() over (partition by is_centre order by hash(pc1, pc2), pc1, pc2) as place
            from segment_map
            where segmentation = $segmentation and k = $k
        )
        where is_centre or place <= $most
        order by segment_id
        """,
        segmentation=segmentation,
        k=k,
        most=most,
    )


def explained(data: PublishedSet, segmentation: str) -> tuple[float, float]:
    """Return the share of the variance that each of the two components holds."""
    ratios = dict(loadings(data, segmentation).select("component", "explained_variance_ratio").iter_rows())
    return ratios.get(1, 0.0), ratios.get(2, 0.0)
