"""What is asked of segmentations: which there are, their segments, how k was chosen, what marks a segment.

Belongs here: SQL over the published tables of segmentations. Does not belong here: what one page alone asks.
"""

from collections.abc import Callable, Mapping
from datetime import datetime

import polars as pl

from published.questions.audience import interest
from published.sets import PublishedSet


def segmentations(data: PublishedSet) -> list[str]:
    """Return the segmentations, those to act on first: with a playbook, of viewers."""
    # A set of an earlier version does not say their order.
    places = "segmentations" if data.has("segmentations") else "(select '' as segmentation, 0 as place)"
    rows = data.ask(
        f"select segmentation from segments left join {places} using (segmentation)"
        " group by segmentation order by any_value(place), segmentation"
    )
    return rows["segmentation"].to_list()


def segments(data: PublishedSet, segmentation: str) -> pl.DataFrame:
    """Return one row per segment, by id."""
    return of(data, "segments", segmentation)


def with_badges(data: PublishedSet, rows: pl.DataFrame) -> pl.DataFrame:
    """Return rows about segments with how far each can be relied on, in words; null in a set that does not say it."""
    if not data.has("segments", "badge"):
        return rows.with_columns(pl.lit(None, pl.String).alias("badge"))
    badges = data.ask("select segmentation, segment_id, badge from segments")
    return rows.join(badges, on=["segmentation", "segment_id"], how="left", maintain_order="left")


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


def genre_ratings(data: PublishedSet, segmentation: str) -> pl.DataFrame:
    """Return one row per segment and genre with the genre's label, the genre rated by most first.

    `is_few` marks those that too few rated for their mean to be shown like others.
    """
    labels = "genre_counts" if data.has("genre_counts") else "(select '' as genre, '' as genre_label)"
    return data.ask(
        f"""
        select
            ratings.segment_id,
            ratings.segment_name,
            ratings.genre,
            coalesce(genres.genre_label, replace(ratings.genre, '_', ' ')) as genre_label,
            ratings.members,
            ratings.raters,
            ratings.rater_share,
            ratings.published_mean_rating,
            ratings.rater_mean_rating,
            ratings.raters < $least as is_few
        from segment_genre_ratings as ratings
        left join {labels} as genres using (genre)
        where ratings.segmentation = $segmentation
        order by sum(ratings.raters) over (partition by ratings.genre) desc, ratings.genre, ratings.segment_id
        """,
        segmentation=segmentation,
        least=interest(data).least_raters,
    )


def feature_names(data: PublishedSet, segmentation: str) -> dict[str, str]:
    """Return what features are called, of those whose column does not say it."""
    if not data.has("segment_profiles", "feature_label"):  # a set of an earlier version
        return {}
    rows = data.ask(
        "select distinct feature, feature_label from segment_profiles"
        " where segmentation = $segmentation and feature_label is not null order by feature",
        segmentation=segmentation,
    )
    return dict(rows.iter_rows())


def loadings(data: PublishedSet, segmentation: str) -> pl.DataFrame:
    """Return what the components are made of, the largest loadings first, and how much variance each holds."""
    return data.ask(
        """
        select component, feature, loading, explained_variance_ratio
        from pca_loadings
        where segmentation = $segmentation
        order by component, abs(loading) desc, feature
        """,
        segmentation=segmentation,
    )


def titles(data: PublishedSet, segmentation: str) -> pl.DataFrame:
    """Return the titles that each segment rates more than is expected of it, the surest first."""
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


def devices(data: PublishedSet, segmentation: str | None = None) -> pl.DataFrame:
    """Return one row per segmentation, segment and device, with the segment's size; of one segmentation or all."""
    return data.ask(
        """
        select devices.*, segments.members
        from segment_devices as devices
        inner join segments using (segmentation, segment_id)
        where $segmentation is null or devices.segmentation = $segmentation
        order by devices.segmentation, devices.segment_id, devices.device
        """,
        segmentation=segmentation,
    )


def trained_at(data: PublishedSet, segmentation: str) -> datetime | None:
    """Return when the model in force was first decided on, in the run that fitted every k (UTC); it serves since.

    None in a set of an earlier version.
    """
    if not data.has("segment_promotions"):
        return None
    rows = data.ask(
        """
        select min(decided_at) as trained_at from segment_promotions
        where segmentation = $segmentation and version = (
            select max_by(version, decided_at) from segment_promotions
            where segmentation = $segmentation and status <> 'refused'
        )
        """,
        segmentation=segmentation,
    )
    moment: datetime | None = rows.item()
    return moment


def card_rows(data: PublishedSet, segmentation: str) -> dict[str, pl.DataFrame]:
    """Return what cards of segments are made of, by table; a table that cannot be read is left out."""
    asked = (*OF_CARDS, "segment_subscriptions", "segment_genres")
    return {table: of(data, table, segmentation) for table in asked if data.has(table)}


def of(data: PublishedSet, table: str, segmentation: str) -> pl.DataFrame:
    """Return the rows of a table that are of one segmentation, with what readers need beside them, in their order."""
    if table in _ASKED:
        return _ASKED[table](data, segmentation)
    order = f" order by {_ORDER[table]}" if table in _ORDER else ""
    return data.ask(
        f"select * from {table} where segmentation = $segmentation{order}", segmentation=segmentation
    )


_ASKED: Mapping[str, Callable[[PublishedSet, str], pl.DataFrame]] = {
    "free_segments": free_segments,
    "k_metrics": k_metrics,
    "pca_loadings": loadings,
    "segment_claims": claims,
    "segment_devices": devices,
    "segment_genre_ratings": genre_ratings,
    "segment_titles": titles,
}
_ORDER = {
    "segment_exemplars": "segment_id, rank",
    "segment_genres": "segment_id, genre",
    "segment_history": "happened_at, kind, segment_id",
    "segment_levels": "segment_id, above nulls first",
    "segment_migration": "from_segment_id nulls last, to_segment_id nulls last",
    "segment_promotions": "decided_at",
    "segment_quality": "segment_id nulls first, measure",
    "segment_rules": "segment_id",
    "segment_subscriptions": "segment_id, subscription",
    "segment_unfinished": "segment_id, rank",
    "segments": "segment_id",
}
OF_CARDS = (
    "segment_profiles",
    "segment_levels",
    "segment_separation",
    "segment_claims",
    "segment_rules",
    "segment_quality",
    "segment_titles",
    "segment_devices",
    "segment_genre_ratings",
    "segment_exemplars",
    "pca_loadings",
)
"""The tables that any card of a segment is made of."""
