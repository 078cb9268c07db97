"""What is asked before a number of segments is chosen.

Belongs here: SQL over the indices of every candidate k. Does not belong here: charts, pages.
"""

import polars as pl

from dashboard.published import PublishedSet


def k_metrics(data: PublishedSet, segmentation: str) -> pl.DataFrame:
    """Return one row per candidate k; an index that is not defined is null."""
    return data.ask(
        "select * from k_metrics where segmentation = $segmentation order by k", segmentation=segmentation
    ).with_columns(pl.col("silhouette", "calinski_harabasz", "davies_bouldin").fill_nan(None))


def start_agreement(data: PublishedSet, segmentation: str) -> dict | None:
    """Return how the published fit came about; None when nothing is known."""
    rows = data.ask(
        "select * from start_agreement where segmentation = $segmentation", segmentation=segmentation
    )
    return rows.row(0, named=True) if len(rows) else None


def free_segments(data: PublishedSet, segmentation: str) -> pl.DataFrame:
    """Return the groups of the best free fit, largest first."""
    return data.ask(
        """
        select group_id, members, nearest_segment_id, nearest_segment_name, shared_members,
            shared_members / members as shared_share
        from free_segments
        where segmentation = $segmentation
        order by members desc, group_id
        """,
        segmentation=segmentation,
    )
