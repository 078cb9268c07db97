"""What is asked to recommend: users, titles for those somebody likes, how good the lists are.

Belongs here: SQL over the published recommendations, questions to the stored recommender. Does not belong here: its
answers (`ml.recommendation.stored`), charts, pages.
"""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import polars as pl

from ml.recommendation.errors import RecommendationError
from ml.recommendation.stored import StoredRecommender
from published.errors import PublishedError
from published.finding import warehouse_of
from published.questions import users as questions
from published.recommender import read_files, version_in_force
from published.sets import PublishedSet


def users_near(data: PublishedSet, user_id: str, most: int = 3) -> list[str]:
    """Return the known users whose numbers are nearest; none where the id or theirs is no number."""
    rows = data.ask(
        """
        select user_id
        from users
        where try_cast($user_id as bigint) is not null and try_cast(user_id as bigint) is not null
        order by abs(cast(user_id as hugeint) - cast($user_id as hugeint)), cast(user_id as bigint)
        limit $most
        """,
        user_id=user_id if user_id.isascii() and user_id.isdigit() else "",
        most=most,
    )
    return rows["user_id"].to_list()


def first_user(data: PublishedSet) -> str | None:
    """Return a user to begin with; None where nobody is recommended anything."""
    rows = data.ask(
        "select user_id from recommendations order by try_cast(user_id as bigint), user_id limit 1"
    )
    return rows.item() if len(rows) else None


def segments_of_user(data: PublishedSet, user_id: str) -> pl.DataFrame:
    """Return the segments that a user is in."""
    return data.ask(
        """
        select members.segmentation, members.segment_id, members.segment_name
        from segment_members as members
        inner join segments using (segmentation, segment_id)
        where segments.entity = 'user_id' and members.entity_id = $user_id
        order by members.segmentation
        """,
        user_id=user_id,
    )


def genres_of_user(data: PublishedSet, user_id: str) -> pl.DataFrame:
    """Return how many ratings a user gave to titles of each genre, most first."""
    return data.ask(
        "select genre_label, ratings, share, mean_rating from user_genres where user_id = $user_id"
        " order by ratings desc, genre_label",
        user_id=user_id,
    )


def recommender(data: PublishedSet) -> StoredRecommender:
    """Return the recommender in force, the one that `matinee recommend` asks; opened once for any number of questions.

    Raises
    ------
    PublishedError
        When none is trained, or it cannot be read; the message says what to do.
    """
    return _opened(version_in_force(warehouse_of(data)))


@lru_cache(maxsize=2)
def _opened(version: Path) -> StoredRecommender:
    files = read_files(version)
    try:
        return StoredRecommender.of(files.arrays, files.titles, files.ids)
    except RecommendationError as error:
        msg = f"The stored recommender cannot be used: {error}."
        raise PublishedError(msg) from error


def liked_recommendations(
    stored: StoredRecommender, title_ids: Sequence[str], genre: str | None, n: int = 20
) -> tuple[pl.DataFrame, list[str]]:
    """Recommend to somebody who likes these titles.

    Returns
    -------
    rank, title_id, title, genres, score, reason, as `StoredRecommender.advised` gives them; and which of the titles
    the recommender does not know.
    """
    known = stored.columns(title_ids)
    row = stored.row_of_liked(list(known.values())) if known else stored.row_of_nobody()
    return stored.advised(row, n, genre=genre, did="like"), [
        title_id for title_id in title_ids if title_id not in known
    ]


def likeliest(data: PublishedSet, stored: StoredRecommender, title_id: str, most: int) -> pl.DataFrame | None:
    """Return the users who most likely watch a title and have not; None where the recommender does not know it.

    Returns
    -------
    rank, user_id, score (`StoredRecommender.likeliest`), segment_name of the segmentation that reasons name.
    """
    known = stored.columns([title_id])
    if not known:
        return None
    found = stored.likeliest(known[title_id], most)
    if not (data.has("segment_members") and data.has("segmentations", "is_named_in_reasons")):
        return found
    segments = questions.segments_in_reasons(data)
    return found.join(segments, on="user_id", how="left", maintain_order="left")


def genres(data: PublishedSet) -> list[str]:
    """Return the genres that titles have, by name."""
    rows = data.ask(
        """
        select distinct unnest(string_split(genres, ', ')) as genre_label
        from titles
        where genres is not null
        order by genre_label
        """
    )
    return [label for label in rows["genre_label"] if label]


def metrics(data: PublishedSet) -> pl.DataFrame:
    """Return one row per model that was judged, the best first, with a column per metric."""
    rows = data.ask(
        "select model, metric, value, is_default, is_baseline from recommender_metrics order by all"
    )
    wide = rows.pivot(on="metric", index=["model", "is_default", "is_baseline"], values="value")
    return wide.sort("ndcg", descending=True, nulls_last=True) if "ndcg" in wide.columns else wide
