"""Public files are known by what they hold, and land as the canonical tables."""

import pytest

from ingest.cells import FIRST_TEXT_ID
from ingest.errors import IngestError
from ingest.layouts import known_layouts
from ingest.sources import resolve_source

FLAGS = "|".join("1" if place in (1, 5) else "0" for place in range(19))
NETFLIX = (
    "show_id,type,title,director,cast,country,date_added,release_year,rating,duration,listed_in,description\n"
)
TMDB = (
    "budget,genres,homepage,id,keywords,original_title,release_date,runtime,title,vote_average,vote_count\n"
)
VIEWED = (
    "Profile Name,Start Time,Duration,Attributes,Title,Supplemental Video Type,Device Type,Bookmark,Country\n"
)

LAYOUTS = {
    "MovieLens latest, 25M or 32M": {
        "ratings.csv": "userId,movieId,rating,timestamp\n1,2,3.5,978300760\n",
        "movies.csv": 'movieId,title,genres\n2,"Lamp, The (1951)",Drama|War\n3,Odd,(no genres listed)\n',
        "links.csv": "movieId,imdbId,tmdbId\n2,01,7\n",
        "tags.csv": "userId,movieId,tag,timestamp\n1,2,slow,5\n",
    },
    "MovieLens 1M": {
        "ratings.dat": "1::2::4::978300760\n",
        "movies.dat": "2::Lamp, Thé (1951)::Drama|War\n".encode("latin-1"),
        "users.dat": "1::F::25::10::48067\n",
    },
    "MovieLens 10M": {
        "ratings.dat": "1::2::4.5::978300760\n",
        "movies.dat": "2::Lamp (1951)::Drama|War\n",
        "tags.dat": "1::2::slow::5\n",
    },
    "MovieLens 100K": {
        "u.data": "1\t2\t4\t881250949\n",
        "u.item": f"2|Lamp (1951)|01-Jan-1951||http://x|{FLAGS}\n",
        "u.user": "1|24|M|technician|85711\n",
    },
    "MovieTweetings": {
        "ratings.dat": "1::0000002::9::1381620027\n",
        "movies.dat": "0000002::Lamp (1951)::Drama|War\n",
        "users.dat": "1::977517\n",
    },
    "Netflix catalogue in one table": {
        "netflix_titles.csv": NETFLIX + 's1,Movie,Lamp,,A. B.,,,1951,PG,90 min,"Drama, War",x\n'
        "s2,TV Show,Odd,,,,,2001,PG,2 Seasons,Drama,x\n",
    },
    "A personal viewing history of Netflix": {
        "ViewingActivity.csv": VIEWED
        + "Ann,2023-03-05 19:58:11,00:42:30,,Lamp: Season 1: Pilot,,TV,0,XX\n"
        + "Ann,2023-03-05 19:57:11,00:00:31,,Trailer,TRAILER,TV,0,XX\n",
    },
    "TMDB 5000": {
        "tmdb_5000_movies.csv": TMDB
        + '0,"[{""id"": 1, ""name"": ""Drama""}]",,7,[],L,2001-05-04,90,Lamp,7,9\n',
    },
    "An export of one person's IMDb ratings": {
        "ratings.csv": "Const,Your Rating,Date Rated,Title,Genres,Year\n"
        'tt9,8,2023-02-03,Lamp,"Drama, War",1951\n',
    },
    "An export of one person's Letterboxd ratings": {
        "ratings.csv": "Date,Name,Year,Letterboxd URI,Rating\n2023-01-02,Lamp,1951,https://x/1,4.5\n",
    },
    "Matinee's own tables": {
        "titles.csv": "title_id,title,genres\na,Lamp,Drama|War\n",
        "views.csv": "user_id,title_id,watched_at,minutes_watched\nu,a,2020-01-01 20:00:00,5\n",
    },
}


@pytest.fixture
def landed(folder):
    """Write the files of a layout and land them."""

    def land(layout: str) -> dict:
        for name, content in LAYOUTS[layout].items():
            if content:
                folder.write(name, content)
        return folder.land_all(folder.root / "raw")

    return land


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_layout_is_named_with_its_files_and_every_line_lands(landed, layout):
    files = landed(layout)
    assert {file.layout for file in files.values()} == {layout}
    assert set(files) >= {"ratings"} or set(files) & {"titles", "views"}
    assert all(file.rows_rejected == 0 and file.unreadable == {} for file in files.values())


def test_what_was_found_is_a_line_for_a_person(folder):
    for name, content in LAYOUTS["MovieLens 1M"].items():
        folder.write(name, content)
    found = resolve_source(str(folder.root / "raw")).found
    assert found == ["MovieLens 1M: ratings.dat, movies.dat, users.dat"]


@pytest.mark.parametrize(
    ("layout", "title", "year", "genres"),
    [
        ("MovieLens latest, 25M or 32M", "Lamp, The", 1951, ["Drama", "War"]),
        ("MovieLens 1M", "Lamp, Thé", 1951, ["Drama", "War"]),
        ("MovieLens 10M", "Lamp", 1951, ["Drama", "War"]),
        ("MovieLens 100K", "Lamp", 1951, ["Action", "Comedy"]),
        ("MovieTweetings", "Lamp", 1951, ["Drama", "War"]),
        ("Netflix catalogue in one table", "Lamp", 1951, ["Drama", "War"]),
        ("TMDB 5000", "Lamp", None, ["Drama"]),
        ("An export of one person's IMDb ratings", "Lamp", 1951, ["Drama", "War"]),
        ("An export of one person's Letterboxd ratings", "Lamp", 1951, None),
        ("A personal viewing history of Netflix", "Lamp", None, None),
    ],
)
def test_a_title_of_a_layout_lands_with_its_name_year_and_genres(landed, rows, layout, title, year, genres):
    found = rows(landed(layout)["titles"])[0]
    assert (found["title"], found["release_year"], found["genres"]) == (title, year, genres)


def test_a_title_without_genres_has_none_and_a_series_no_minutes(landed, rows):
    assert rows(landed("MovieLens latest, 25M or 32M")["titles"])[1]["genres"] is None


def test_the_ids_of_ratings_and_titles_meet(landed, rows):
    files = landed("MovieTweetings")
    assert rows(files["ratings"])[0]["title_id"] == rows(files["titles"])[0]["title_id"] == FIRST_TEXT_ID


def test_users_of_a_layout_land_with_what_is_known_of_them(landed, rows):
    (user,) = rows(landed("MovieLens 100K")["users"])
    assert (user["age"], user["gender"], user["occupation"], user["region"]) == (
        "24",
        "M",
        "technician",
        "85711",
    )


def test_trailers_of_a_viewing_history_are_left_out_and_durations_are_minutes(landed, rows):
    views = landed("A personal viewing history of Netflix")["views"]
    assert views.rows_left_out == 1
    assert [(row["minutes_watched"], row["watched_at"].hour) for row in rows(views)] == [(42.5, 19)]


def test_a_file_of_no_known_product_under_a_known_name_is_told_what_is_missing(folder):
    folder.write("ratings.csv", "who,what\n1,2\n")
    with pytest.raises(IngestError, match=r"ratings cannot do without\. The header is: who, what"):
        resolve_source(str(folder.root / "raw"))


def test_a_backslash_before_a_quote_is_evident(folder, rows):
    text = 'id,imdb_id,title,genres\n1,tt1,"The \\"Lamp\\", again",[]\n2,tt2,Two,[]\n'
    landed = folder.land_text("titles", text)
    assert rows(landed)[0]["title"] == 'The "Lamp", again'
    assert "a backslash" in landed.notes[0]


def test_text_of_windows_is_read_and_said(folder, rows):
    text = "id,imdb_id,title,genres\n1,tt1,Café – Zoë,[]\n".encode("cp1252")
    landed = folder.land_text("titles", text)
    assert rows(landed)[0]["title"] == "Café – Zoë"
    assert landed.notes == ("read as Windows-1252, for it is not UTF-8.",)


def test_every_layout_has_a_name_and_a_description():
    assert all(layout.name and layout.description for layout in known_layouts().values())
