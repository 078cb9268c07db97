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
