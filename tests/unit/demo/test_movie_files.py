"""The files about films and their ratings keep the real files' shape, id spaces and quirks."""

import ast
import csv
import json
from collections.abc import Iterator
from pathlib import Path

import duckdb
import numpy as np
import pytest

from ingest.demo.genres import GENRES, REAL_TAGS, REAL_TITLES_WITH_GENRES, TMDB_GENRE_IDS, draw_genres
from ingest.demo.movie_files import MOVIE_COLUMNS


@pytest.fixture(scope="module")
def db(folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        csv_text = "header = true, all_varchar = true, quote = '\"', escape = '\"'"
        connection.execute(f"create table rows as from read_csv('{folder}/movies_metadata.csv', {csv_text})")
        connection.execute(f"create table links_text as from read_csv('{folder}/links.csv', {csv_text})")
        connection.execute(f"create table ratings as from read_csv('{folder}/ratings.csv')")
        connection.execute(
            "create table links as select movieId::bigint as movie_id, 'tt' || imdbId as imdb_id,"
            " tmdbId::bigint as tmdb_id from links_text"
        )
        connection.execute(
            "create table titles as select distinct on (id) id::bigint as title_id, imdb_id, title, genres"
            " from rows where try_cast(id as bigint) is not null"
        )
        yield connection


def _one(db: duckdb.DuckDBPyConnection, query: str) -> object:
    return db.execute(query).fetchall()[0][0]


def test_headers_and_line_ends_are_those_of_the_real_files(folder: Path, real_movies: Path) -> None:
    real = {
        "movies_metadata.csv": "movies_metadata_head_24_columns.csv",
        "links.csv": "links.csv",
        "ratings.csv": "ratings_small.csv",
    }
    for ours, theirs in real.items():
        with (folder / ours).open("rb") as mine, (real_movies / theirs).open("rb") as genuine:
            assert mine.readline() == genuine.readline()


def test_no_title_is_that_of_a_real_film(folder: Path, real_movies: Path) -> None:
    def titles(path: Path) -> set[str]:
        with path.open(encoding="utf-8", newline="") as file:
            rows = csv.DictReader(file)
            return {row[name] for row in rows for name in ("title", "original_title") if row["title"]}

    assert titles(folder / "movies_metadata.csv") & titles(real_movies / "movies_metadata.csv") == set()


def test_three_rows_are_shifted_and_have_a_date_as_id(db: duckdb.DuckDBPyConnection) -> None:
    shifted = db.execute("select id, genres, title from rows where try_cast(id as bigint) is null").fetchall()
    assert sorted(row[0] for row in shifted) == ["1997-08-20", "2012-09-29", "2014-01-01"]
    for _, genres, title in shifted:
        labels = {entry["name"] for entry in ast.literal_eval(genres)}
        assert labels
        assert not labels & set(GENRES)
        assert title is None


def test_a_torn_row_leaves_a_first_half_without_title(db: duckdb.DuckDBPyConnection) -> None:
    assert _one(db, "select count(*) from rows where title is null and try_cast(id as bigint) > 0") == 3


def test_every_other_row_keeps_the_contract_of_its_column(db: duckdb.DuckDBPyConnection) -> None:
    bad = """
        select count(*) from rows
        where try_cast(id as bigint) is not null and not (
            id::bigint > 0
            and coalesce(regexp_full_match(imdb_id, 'tt[0-9]{7}'), true)
            and genres like '[%]'
            and (release_date is null or try_cast(release_date as date) is not null)
            and (runtime is null or try_cast(runtime as double) >= 0)
            and (popularity is null or try_cast(popularity as double) > 0)
            and (vote_average is null or try_cast(vote_average as double) between 0 and 10)
            and (vote_count is null or try_cast(vote_count as bigint) >= 0)
            and budget::bigint >= 0 and (revenue is null or revenue::bigint >= 0)
        )"""
    assert _one(db, bad) == 0


def test_genres_are_python_lists_with_either_quote(folder: Path) -> None:
    single = double = 0
    known = dict(zip(GENRES, TMDB_GENRE_IDS, strict=True))
    with (folder / "movies_metadata.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            assert tuple(row) == MOVIE_COLUMNS
            if not row["id"].isdigit():
                continue
            genres = json.loads(row["genres"]) if '"' in row["genres"] else ast.literal_eval(row["genres"])
            assert len(genres) <= 4
            assert all(known[genre["name"]] == genre["id"] for genre in genres)
            single += "'" in row["genres"]
            double += '"' in row["genres"]
    assert double > 20
    assert single > 10 * double


def test_company_names_with_an_apostrophe_stand_in_double_quotes(db: duckdb.DuckDBPyConnection) -> None:
    query = "select count(*) from rows where production_companies like '%\"O''%' and adult = 'False'"
    assert _one(db, query) > 50  # type: ignore[operator]


def test_genre_frequencies_are_the_real_ones() -> None:
    places = draw_genres(np.random.default_rng(0), 20_000)
    share = (places > 0).mean(axis=0) / (REAL_TAGS / REAL_TITLES_WITH_GENRES)
    assert np.abs(share - 1).max() < 0.03
    assert set((places > 0).sum(axis=1).tolist()) == {1, 2, 3, 4}


def test_about_one_title_in_eighteen_has_no_genre(db: duckdb.DuckDBPyConnection) -> None:
    assert 0.04 < _one(db, "select avg((genres = '[]')::int) from rows") < 0.07  # type: ignore[operator]


def test_some_titles_stand_in_two_rows(db: duckdb.DuckDBPyConnection) -> None:
    repeated = db.execute(
        "select count(distinct title), count(distinct popularity) from rows group by id having count(*) = 2"
    ).fetchall()
    assert len(repeated) == 6
    assert all(titles == 1 for titles, _ in repeated)
    assert any(popularities == 2 for _, popularities in repeated)


def test_titles_hold_what_breaks_careless_readers(db: duckdb.DuckDBPyConnection) -> None:
    assert _one(db, "select count(*) from rows where title like '%<script>alert(1)</script>%'") == 1
    for awkward in ('%"%', "%,%", "%'%", "%é%", "%&%"):
        assert db.execute("select count(*) from rows where title like ?", [awkward]).fetchall()[0][0] > 5
    assert _one(db, "select count(*) from rows where overview like '%' || chr(10) || '%'") > 50  # type: ignore[operator]


def test_the_script_title_is_rated_by_many(db: duckdb.DuckDBPyConnection) -> None:
    query = """
        select count(*) from ratings join links on movieId = movie_id join titles on title_id = tmdb_id
        where title like '%<script>%'"""
    assert _one(db, query) > 50  # type: ignore[operator]


def test_links_have_padded_imdb_ids_and_some_empty_tmdb_ids(db: duckdb.DuckDBPyConnection) -> None:
    assert _one(db, "select count(*) from links_text where not regexp_full_match(imdbId, '[0-9]{7}')") == 0
    assert _one(db, "select count(*) from links_text where imdbId like '0%'") > 10  # type: ignore[operator]
    assert _one(db, "select count(*) from links where tmdb_id is null") == 10
    assert _one(db, "select count(*) - count(distinct movie_id) from links") == 0


def test_some_films_have_two_or_three_movie_ids(db: duckdb.DuckDBPyConnection) -> None:
    uses = db.execute("select count(*) from links group by tmdb_id having count(tmdb_id) > 1").fetchall()
    assert {2, 3} == {count for (count,) in uses}


def test_some_users_rate_one_film_under_two_ids_at_different_times(db: duckdb.DuckDBPyConnection) -> None:
    repeats = db.execute(
        "select count(distinct timestamp) from ratings join links on movieId = movie_id"
        " where tmdb_id is not null group by userId, tmdb_id having count(*) > 1"
    ).fetchall()
    assert len(repeats) > 20
    assert all(times > 1 for (times,) in repeats)


def test_nearly_every_rating_finds_its_film_through_links(db: duckdb.DuckDBPyConnection) -> None:
    joined = """
        select count(*) / (select count(*) from ratings), avg((titles.imdb_id = links.imdb_id)::int)
        from ratings join links on movieId = movie_id join titles on title_id = tmdb_id"""
    found, right_film = db.execute(joined).fetchall()[0]
    assert 0.98 < found < 1
    assert 0.99 < right_film < 1


def test_a_direct_join_finds_many_films_and_never_the_right_one(db: duckdb.DuckDBPyConnection) -> None:
    joined = """
        select count(*) / (select count(*) from ratings), avg((titles.imdb_id = links.imdb_id)::int)
        from ratings join links on movieId = movie_id join titles on title_id = movieId"""
    found, right_film = db.execute(joined).fetchall()[0]
    assert 0.35 < found < 0.55
    assert right_film == 0


def test_ratings_are_half_stars_sorted_by_user_and_movie(db: duckdb.DuckDBPyConnection) -> None:
    assert _one(db, "select count(*) from ratings where rating * 2 not in range(1, 11)") == 0
    assert _one(db, "select count(distinct userId) = max(userId) and min(userId) = 1 from ratings")
    unsorted = """
        select count(*) from (
            select (userId, movieId) <= lag((userId, movieId)) over (order by line) as falls
            from (select *, row_number() over () as line from ratings)
        ) where falls"""
    assert _one(db, unsorted) == 0


def test_rating_times_are_those_of_movielens(db: duckdb.DuckDBPyConnection) -> None:
    first, last = db.execute("select min(timestamp), max(timestamp) from ratings").fetchall()[0]
    assert first >= 825_638_400
    assert last <= 1_501_804_800


def test_hardly_any_rating_is_older_than_its_film(db: duckdb.DuckDBPyConnection) -> None:
    query = """
        select count(*) / (select count(*) from ratings)
        from ratings join links on movieId = movie_id join rows on try_cast(id as bigint) = tmdb_id
        where to_timestamp(timestamp)::date < try_cast(release_date as date)"""
    assert _one(db, query) < 0.002  # type: ignore[operator]


def test_a_few_titles_get_most_of_the_ratings(db: duckdb.DuckDBPyConnection) -> None:
    query = """
        select sum(n) filter (place <= 0.1 * titles) / sum(n)
        from (
            select count(*) as n, row_number() over (order by count(*) desc) as place, count(*) over () as titles
            from ratings group by movieId
        )"""
    assert _one(db, query) > 0.35  # type: ignore[operator]
