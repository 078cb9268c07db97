"""What is asked of segmentations: which there are, their segments, how k was chosen, what marks a segment.

Belongs here: SQL over the published tables of segmentations. Does not belong here: what one page alone asks.
"""

import polars as pl

from published.sets import PublishedSet


def segmentations(data: PublishedSet) -> list[str]:
    """Return the segmentations, those to act on first: with a playbook, of viewers."""
    rows = data.ask(
        "select segmentation from segments group by segmentation"
        " order by count(audience) = 0, any_value(entity) <> 'user_id', segmentation"
    )
    return rows["segmentation"].to_list()


def segments(data: PublishedSet, segmentation: str) -> pl.DataFrame:
    """Return one row per segment, by id."""
    return data.ask(
        "select * from segments where segmentation = $segmentation order by segment_id",
        segmentation=segmentation,
    )


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


def claims(data: PublishedSet, segmentation: str) -> pl.DataFrame:
    """Return what is said of the judged features of each segment, the supported first, and why of others nothing is."""
    return data.ask(
        """
        select segment_id, segment_name, feature, is_supported, coalesce(sentence, reason) as text
        from segment_claims
        where segmentation = $segmentation
        order by is_supported desc, feature, segment_id
        """,
        segmentation=segmentation,
    )


def titles(data: PublishedSet, segmentation: str) -> pl.DataFrame:
    """Return the titles that each segment rates far more often than everybody, the strongest first."""
    return data.ask(
        """
        select titles.*, segments.members
        from segment_titles as titles
        inner join segments using (segmentation, segment_id)
        where titles.segmentation = $segmentation
        order by titles.segment_id, titles.rank
        """,
        segmentation=segmentation,
    )


def devices(data: PublishedSet) -> pl.DataFrame:
    """Return one row per segmentation, segment and device, with the segment's size."""
    return data.ask(
        """
        select devices.*, segments.members
        from segment_devices as devices
        inner join segments using (segmentation, segment_id)
        order by devices.segmentation, devices.segment_id, devices.device
        """
    )
