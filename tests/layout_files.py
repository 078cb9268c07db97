"""Small folders in the shape of each known layout, made of the demo world's users and titles."""

import shutil
from pathlib import Path

import duckdb

from ingest.demo import Sizes, write_demo_world
from ingest.landing import land
from ingest.layouts import known_layouts
from ingest.sources import resolve_source

SIZES = Sizes(
    users=300, ratings=10_000, title_rows=400, customers=400, catalogue_rows=200, watch_events=3_000,
    plays=1_000, shows=100,
)  # fmt: skip
DEMO = {
    "movies_dataset": ["ratings.csv", "links.csv", "movies_metadata.csv"],
    "customers": ["customers/customer_segmentation_data.csv"],
    "streaming_catalogue": ["catalogue/netflix_titles.csv"],
    "viewing": ["viewing/users.csv", "viewing/watch_events.csv"],
}
"""Files of the demo world as it is written."""

_NAME = "title || coalesce(' (' || year || ')', '')"
_DAY = "coalesce(strftime(released, '%d-%b-%Y'), '')"
_NO_GENRES = "coalesce(nullif(array_to_string(genres, '|'), ''), '(no genres listed)')"
_MOVIELENS_TITLES = f"select concat_ws('::', movie, {_NAME}, {_NO_GENRES}) from title"
_FLAGS = ", ".join(f"coalesce(list_contains(genres, '{genre}'), false)::int" for genre in [
    "unknown", "Action", "Adventure", "Animation", "Family", "Comedy", "Crime", "Documentary", "Drama", "Fantasy",
    "Noir", "Horror", "Music", "Mystery", "Romance", "Science Fiction", "Thriller", "War", "Western",
])  # fmt: skip
_JSON = "to_json(list_transform(genres, lambda g: {'id': 1, 'name': g}))"
_SERIES = "case when movie % 3 = 0 then title || ': Season 1: Episode ' || (row_number() over ()) % 9 else title end"

FORMS = {
    "movielens_latest": {
        "ratings.csv": "select user as userId, movie as movieId, rating, seconds as timestamp from rating",
        "movies.csv": f"select movie as movieId, {_NAME} as title, {_NO_GENRES} as genres from title",
        "links.csv": "select movie as movieId, imdb[3:] as imdbId, tmdb as tmdbId from title",
        "tags.csv": "select 1 as userId, 1 as movieId, 'slow' as tag, 5 as timestamp",
    },
    "movielens_1m": {
        "ratings.dat": "select concat_ws('::', user, movie, ceil(rating)::int, seconds) from rating",
        "movies.dat": _MOVIELENS_TITLES,
        "users.dat": "select concat_ws('::', user, 'F', 25, user % 20, '48067') from viewer",
    },
    "movielens_10m": {
        "ratings.dat": "select concat_ws('::', user, movie, rating, seconds) from rating",
        "movies.dat": _MOVIELENS_TITLES,
        "tags.dat": "select '1::1::slow::5'",
    },
    "movielens_100k": {
        "u.data": "select concat_ws(chr(9), user, movie, ceil(rating)::int, seconds) from rating",
        "u.item": f"select concat_ws('|', movie, {_NAME}, {_DAY}, '', 'http://x', {_FLAGS}) from title",
        "u.user": "select concat_ws('|', user, 18 + user % 60, 'M', 'technician', '85711') from viewer",
    },
    "movietweetings": {
        "ratings.dat": "select concat_ws('::', user, imdb[3:], (rating * 2)::int, seconds) "
        "from rating join title using (movie)",
        "movies.dat": f"select concat_ws('::', imdb[3:], {_NAME}, array_to_string(genres, '|')) from title",
        "users.dat": "select concat_ws('::', user, 900 + user) from viewer",
    },
    "netflix_titles": {
        "netflix_titles.csv": "select 's' || movie as show_id, if(movie % 3 = 0, 'TV Show', 'Movie') as type, title, "
        "null as director, 'A. B., C. D.' as cast, 'France' as country, 'September 9, 2019' as date_added, "
        "year as release_year, 'PG' as rating, if(movie % 3 = 0, '2 Seasons', runtime::int || ' min') as duration, "
        "array_to_string(genres, ', ') as listed_in, overview as description from title",
    },
    "netflix_viewing": {
        "ViewingActivity.csv": "select 'Ann' as \"Profile Name\", watched_at as \"Start Time\", "
        "strftime(timestamp '2000-01-01' + to_seconds((minutes * 60)::bigint), '%H:%M:%S') as Duration, "
        f"null as Attributes, {_SERIES} as Title, if(movie % 9 = 0, 'TRAILER', null) as \"Supplemental Video Type\", "
        "device as \"Device Type\", '00:10:00' as Bookmark, 'FR (France)' as Country "
        "from watched join title using (movie)",
    },
    "tmdb_5000": {
        "tmdb_5000_movies.csv": f"select budget, {_JSON} as genres, null as homepage, tmdb as id, '[]' as keywords, "
        "'en' as original_language, title as original_title, overview, popularity, released as release_date, revenue, "
        "runtime, 'Released' as status, title, vote_average, vote_count from title",
    },
    "imdb_export": {
        "ratings.csv": "select imdb as Const, any_value((rating * 2)::int) as \"Your Rating\", "
        "any_value(rated_at::date) as \"Date Rated\", any_value(title) as Title, 'movie' as \"Title Type\", "
        "any_value(vote_average) as \"IMDb Rating\", any_value(runtime::int) as \"Runtime (mins)\", "
        "any_value(year) as Year, any_value(array_to_string(genres, ', ')) as Genres, "
        "any_value(vote_count) as \"Num Votes\", 'E. F.' as Directors "
        "from rating join title using (movie) group by imdb",
    },
    "letterboxd_export": {
        "ratings.csv": "select any_value(rated_at::date) as Date, any_value(title) as Name, any_value(year) as Year, "
        "'https://boxd.it/' || movie as \"Letterboxd URI\", any_value(rating) as Rating "
        "from rating join title using (movie) group by movie",
    },
    "matinee": {
        "titles.csv": "select 't' || movie as title_id, title, array_to_string(genres, '|') as genres from title",
        "views.csv": "select user as user_id, 't' || movie as title_id, watched_at, minutes as minutes_watched, device "
        "from watched",
        "users.csv": "select user as user_id, subscription, region from viewer",
    },
}  # fmt: skip
"""Files by layout, each a query over the demo world; but in CSV its rows are lines."""


def write_world(folder: Path) -> None:
    """Write the small demo world, and land it beside."""
    write_demo_world(folder / "demo", scale=SIZES)
    land(resolve_source(str(folder / "demo")), folder / "landing")


def write_layout(layout: str, world: Path, to: Path) -> Path:
    """Write the files of a layout into a new folder."""
    to.mkdir(parents=True)
    for name in DEMO.get(layout, ()):
        shutil.copy(world / "demo" / name, to)
    with duckdb.connect() as connection:
        for table in ("ratings", "titles", "links", "users", "views"):
            files = f"{world}/landing/files/{table}-{'?' * 24}.parquet"
            connection.execute(f"create view {table} as from read_parquet('{files}')")
        connection.execute(_TABLES)
        for name, query in FORMS.get(layout, {}).items():
            if name.endswith(".csv"):
                connection.execute(f"copy ({query}) to '{to / name}' (header)")
            else:
                lines = [line for (line,) in connection.execute(query).fetchall()]
                encoding = known_layouts()[layout].tables.get("titles").encoding or "utf-8"
                (to / name).write_bytes(("\n".join(lines) + "\n").encode(encoding, "replace"))
    return to


_TABLES = """
create table title as select distinct on (movie) rated_id as movie, titles.title_id as tmdb, title, genres,
    titles.imdb_id as imdb, release_date as released, year(release_date) as year, runtime_minutes as runtime,
    overview, budget, revenue, popularity, vote_average, vote_count
    from titles join links using (title_id) where titles.imdb_id is not null and title is not null order by movie;
create table rating as select user_id as user, title_id as movie, rating, rated_at, epoch(rated_at)::bigint as seconds
    from ratings semi join title on title_id = movie;
create table viewer as select user_id as user, subscription, region from users;
create table watched as select user_id as user, title_id as movie, watched_at, minutes_watched as minutes, device
    from views semi join title on title_id = movie;
"""
