"""What is asked for a map of members: where they lie, and how much the map holds.

Belongs here: SQL over the map and the components. Does not belong here: charts, pages.
"""

import polars as pl

from published.questions.segments import loadings
from published.sets import PublishedSet


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
            -- The members stand in the same order, a random one, for every k.
            select *, row_number() over (partition by is_centre) as place
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
