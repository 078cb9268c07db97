"""What is asked of titles: finding one, how it was received, who watches it, what is like it.

Belongs here: SQL over the published tables of titles. Does not belong here: recommending, charts, pages.
"""

import polars as pl

from published.questions.audience import interest
from published.sets import PublishedSet

RECEPTION = "title_reception"
"""The segmentation that divides titles."""
_FOLDED = "strip_accents(lower(coalesce(title, '')))"
_HOLDS = f"contains({_FOLDED}, strip_accents(lower(word)))"
_SPELT_LIKE = f"""len(list_filter(
    regexp_split_to_array({_FOLDED}, '[^\\p{{L}}\\p{{N}}]+'),
    lambda own: damerau_levenshtein(own, strip_accents(lower(word)))
        <= case when length(word) >= 8 then 2 when length(word) >= 4 then 1 else 0 end
)) > 0"""
_COLUMNS = (
    "title_id, catalogue, title, kind, release_year, runtime, runtime_minutes, genres, languages, countries,"
    " audience_score, critic_score, votes, weighted_score, rating_count, mean_rating"
)


def search(data: PublishedSet, text: str, most: int = 50) -> pl.DataFrame:
    """Return titles that hold every word of a text, whatever their case and accents; the most rated first.

    Without a word, the most rated titles of all. A title named exactly so comes first. Where no title holds all words,
    those whose words are spelt like them: one letter wrong, missing, too many or swapped with its neighbour in a word
    of four letters or more, two from eight on.
    """
    words = text.split()
    for holds in (_HOLDS, _SPELT_LIKE) if words else (_HOLDS,):
        found = data.ask(
            f"""
            select {_COLUMNS}
            from titles
            where len(list_filter($words, lambda word: not {holds})) = 0
            order by
                $text <> '' and {_FOLDED} = strip_accents(lower($text)) desc,
                rating_count desc,
                votes desc nulls last,
                title,
                title_id
            limit $most
            """,
            words=words or [""],
            text=" ".join(words),
            most=most,
        )
        if len(found):
            break
    return found


def title(data: PublishedSet, title_id: str) -> dict | None:
    """Return everything about one title; None where there is no such title."""
    rows = data.ask(f"select {_COLUMNS} from titles where title_id = $title_id", title_id=title_id)
    return rows.row(0, named=True) if len(rows) else None


def named(data: PublishedSet, title_ids: list[str]) -> dict[str, str]:
    """Return title id to a label that tells titles of one name apart."""
    rows = data.ask(
        "select title_id, title, release_year from titles where list_contains($title_ids, title_id)",
        title_ids=title_ids or [""],
    )
    return {row["title_id"]: label(row) for row in rows.iter_rows(named=True)}


def label(row: dict) -> str:
    """Return name and year of a title."""
    year = f" ({row['release_year']})" if row["release_year"] else ""
    return f"{row['title'] or row['title_id']}{year}"


def reception(data: PublishedSet, title_id: str) -> dict | None:
    """Return the reception cluster of a title with its size; None where it has none."""
    rows = data.ask(
        """
        select segments.*
        from segment_members as members
        inner join segments using (segmentation, segment_id)
        where members.segmentation = $reception and members.entity_id = $title_id
        """,
        reception=RECEPTION,
        title_id=title_id,
    )
    return rows.row(0, named=True) if len(rows) else None


def audience(data: PublishedSet, title_id: str) -> pl.DataFrame:
    """Return how each segment takes to a title: one row per segmentation and segment."""
    return data.ask(
        # By name: a set of an older version has an index of another meaning, and says so.
        """
        select
            segmentation, segment_id, segment_name, title_id, title, members, raters, rater_share, base_share,
            index, index_low, index_high, raw_index, mean_rating
        from title_audience
        where title_id = $title_id
        order by segmentation, segment_id
        """,
        title_id=title_id,
    )


def similar(data: PublishedSet, title_id: str) -> pl.DataFrame:
    """Return the titles nearest to a title, with what is known of them."""
    return data.ask(
        """
        select
            near.rank,
            near.similar_title_id,
            near.similar_title,
            near.similarity,
            near.basis,
            titles.release_year,
            titles.genres,
            titles.rating_count,
            titles.mean_rating
        from similar_titles as near
        left join titles on near.similar_title_id = titles.title_id
        where near.title_id = $title_id
        order by near.rank
        """,
        title_id=title_id,
    )


def similarities(data: PublishedSet, title_ids: list[str]) -> pl.DataFrame:
    """Return the similarities known among a few titles: of pairs where one is among the nearest of the other."""
    return data.ask(
        """
        select title_id, similar_title_id, similarity, basis
        from similar_titles
        where list_contains($title_ids, title_id) and list_contains($title_ids, similar_title_id)
        """,
        title_ids=title_ids or [""],
    )


def by_genre(data: PublishedSet, per_genre: int = 60) -> pl.DataFrame:
    """Return the most rated titles of each genre with their mean rating, genres of the highest median first.

    A title that a few rated, and a genre of a few such titles, are left out.
    """
    return data.ask(
        """
        with listed as (
            select title_id, title, rating_count, mean_rating, unnest(string_split(genres, ', ')) as genre_label
            from titles
            where rating_count >= $least and mean_rating is not null and genres is not null
        ),
        ranked as (
            select *, row_number() over (partition by genre_label order by rating_count desc, title_id) as place
            from listed
            qualify count(*) over (partition by genre_label) >= $least
        )
        select genre_label, title, rating_count, mean_rating
        from ranked
        where place <= $per_genre
        order by median(mean_rating) over (partition by genre_label) desc, genre_label, place
        """,
        per_genre=per_genre,
        least=interest(data).least_raters,
    )
