"""What is asked of one user: whether they are known, what they are recommended.

Belongs here: SQL over the published tables that have a row per user. Does not belong here: what one page alone asks.
"""

import polars as pl

from published.sets import PublishedSet


def user(data: PublishedSet, user_id: str) -> dict | None:
    """Return what is known of a user; None for a stranger."""
    rows = data.ask("select * from users where user_id = $user_id", user_id=user_id)
    return rows.row(0, named=True) if len(rows) else None


def recommendations(data: PublishedSet, user_id: str, genre: str | None = None) -> pl.DataFrame:
    """Return what a user is recommended, of one genre or all."""
    return data.ask(
        """
        select rank, title_id, title, genres, score, reason
        from recommendations
        where user_id = $user_id and ($genre is null or list_contains(string_split(genres, ', '), $genre))
        order by rank
        """,
        user_id=user_id,
        genre=genre,
    )


def segments_in_reasons(data: PublishedSet, user_id: str | None = None) -> pl.DataFrame:
    """Return user_id and segment_name of the segmentation that published reasons name, of one user or of all."""
    return data.ask(
        """
        select members.entity_id as user_id, members.segment_name
        from segment_members as members
        inner join segmentations using (segmentation)
        where segmentations.is_named_in_reasons and ($user_id is null or members.entity_id = $user_id)
        """,
        user_id=user_id,
    )
