"""What is asked to recommend: users, titles like those somebody likes, how good the lists are.

Belongs here: SQL over the published recommendations and similarities. Does not belong here: models, charts, pages.
"""

import polars as pl

from published.sets import PublishedSet

POPULAR = "popular with other viewers"


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


def liked_recommendations(
    data: PublishedSet, title_ids: list[str], genre: str | None, n: int = 20
) -> pl.DataFrame:
    """Recommend to somebody who likes these titles: those most similar to them, then the most popular ones.

    Similarities by ratings and by content have different scales, so the sum of the first decides and the sum of the
    second only where the first is equal.

    Returns
    -------
    rank, title_id, title, genres, score (the sum of similarities by ratings), reason.
    """
    return data.ask(
        """
        with near as (
            select
                similar_title_id as title_id,
                sum(similarity) filter (where basis = 'ratings') as by_ratings,
                sum(similarity) filter (where basis <> 'ratings') as by_content,
                list(title order by basis <> 'ratings', similarity desc, title) as because
            from similar_titles
            where list_contains($title_ids, title_id) and not list_contains($title_ids, similar_title_id)
            group by similar_title_id
        ),
        candidates as (
            select
                titles.title_id,
                titles.title,
                titles.genres,
                titles.rating_count,
                coalesce(near.by_ratings, 0) as by_ratings,
                coalesce(near.by_content, 0) as by_content,
                case
                    when near.because is null then $popular
                    when len(near.because) = 1 then 'because you like ' || near.because[1]
                    else 'because you like ' || near.because[1] || ' and ' || near.because[2]
                end as reason
            from titles
            left join near using (title_id)
            where
                not list_contains($title_ids, titles.title_id)
                and (near.title_id is not null or titles.rating_count > 0)
                and ($genre is null or list_contains(string_split(titles.genres, ', '), $genre))
        )
        select
            cast(row_number() over (order by by_ratings desc, by_content desc, rating_count desc, title_id) as integer)
                as rank,
            title_id,
            title,
            genres,
            by_ratings as score,
            reason
        from candidates
        order by rank
        limit $n
        """,
        title_ids=title_ids,
        genre=genre,
        popular=POPULAR,
        n=n,
    )


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
