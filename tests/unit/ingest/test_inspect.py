"""What is told of a source before it is run: what its files are, what they become, what is wrong with them."""

import gzip
import json
import sqlite3
import zipfile
from contextlib import closing
from typing import Any

import polars as pl
import pytest

from ingest.arrivals import DropFolder, take_in
from ingest.columns import Seen
from ingest.facts import FileReport
from ingest.guessing import guess_tables
from ingest.inspect import Inspection, inspect
from ingest.landing import land_file
from tests.conftest import Matinee

ANN = "0b0b7c3a-5f0e-4a3c-9b7e-2f6d1c9a0001"
BEN = "0b0b7c3a-5f0e-4a3c-9b7e-2f6d1c9a0002"
PLAY = f"{BEN};t-2;2024-05-02 21:00:00;600\n"
PLAYS = f"account;content;started;seconds\n{ANN};t-1;2024-05-01 20:15:00;1800\n{PLAY}"
TITLES = "content_id,name,tags,year\nt-1,Low Tide,Drama|Crime,2019\nt-2,High Noonish,Comedy,2020\n"


def looked_at(folder: Any, **files: str | bytes) -> Inspection:
    """Write files and inspect their folder; `__` in a name is its point."""
    for name, content in files.items():
        folder.write(name.replace("__", "."), content)
    return inspect(folder.root / "raw", folder=folder.root / "raw")


def table(found: Inspection, name: str) -> FileReport:
    return next(file for file in found.files if file.table == name)


def seen(name: str, kind: str, most: float | None = None) -> Seen:
    return Seen(name, kind, "VARCHAR", 5, 0, most)


def test_a_known_layout_is_named_and_its_ratings_meet_the_titles(folder: Any) -> None:
    found = looked_at(
        folder,
        ratings__csv="userId,movieId,rating,timestamp\n1,31,2.5,1260759144\n2,32,4.0,1260759145\n",
        movies__csv="movieId,title,genres\n31,Low Tide (2019),Drama|Crime\n",
    )
    assert [layout.partition(":")[0] for layout in found.layouts] == ["MovieLens latest, 25M or 32M"]
    assert found.can_run
    ratings = table(found, "ratings")
    assert ratings.columns["rated_at"] == "timestamp"
    assert ratings.ids == {"user_id": {"whole numbers": 2}, "title_id": {"whole numbers": 2}}
    assert ratings.scale == {"least": 2.5, "most": 4.0, "step": 1.5}
    assert ratings.times["rated_at"][0].startswith("2009-12-14")
    assert table(found, "titles").genres == {"different": 2, "most": {"Crime": 1, "Drama": 1}}
    assert [(m.table, m.ids, m.found) for m in found.meetings] == [("ratings", 2, 1)]


def test_ids_meet_through_links_where_there_are(folder: Any) -> None:
    found = looked_at(
        folder,
        ratings__csv="userId,movieId,rating,timestamp\n1,31,2.5,1260759144\n1,99,2.5,1260759144\n",
        links__csv="movieId,imdbId,tmdbId\n31,0114709,862\n",
        movies_metadata__csv="id,imdb_id,title,genres\n862,tt0114709,Low Tide,\"['Drama']\"\n",
    )
    (meeting,) = found.meetings
    assert (meeting.ids, meeting.found, meeting.through_links) == (2, 1, True)


def test_unknown_files_are_guessed_by_names_and_contents(folder: Any) -> None:
    found = looked_at(folder, plays__csv=PLAYS, titles_list__csv=TITLES)
    views, titles = table(found, "views"), table(found, "titles")
    assert "semicolons" in views.what
    assert views.columns == {
        "user_id": "account",
        "title_id": "content",
        "watched_at": "started",
        "minutes_watched": '"seconds" / 60',
    }
    assert views.ids["user_id"] == {"UUIDs": 2}
    assert titles.columns == {
        "title_id": "content_id",
        "title": "name",
        "genres": "tags",
        "release_year": "year",
    }
    assert found.meetings[0].found == 2
    assert found.can_run


@pytest.mark.parametrize("ending", ["csv", "csv.gz", "zip", "jsonl", "json", "parquet"])
def test_the_written_declaration_lands_whatever_the_kind_of_file(folder: Any, ending: str) -> None:
    plays = pl.read_csv(PLAYS.encode(), separator=";")
    lines = "".join(f"{json.dumps(row)}\n" for row in plays.iter_rows(named=True))
    path = folder.write(f"plays.{ending}", PLAYS)
    if ending == "csv.gz":
        path.write_bytes(gzip.compress(PLAYS.encode()))
    elif ending == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("plays.csv", PLAYS)
            archive.writestr("titles.csv", TITLES)
    elif ending == "jsonl":
        path.write_text(lines)
    elif ending == "json":
        path.write_text(json.dumps(plays.to_dicts(), indent=1))
    elif ending == "parquet":
        plays.write_parquet(path)
    found = inspect(folder.root / "raw", folder=folder.root / "raw")
    landed = folder.land_all(folder.write("service.yaml", found.declaration))
    assert landed["views"].rows_landed == 2
    assert ("titles" in landed) == (ending == "zip")


def test_rejected_lines_and_unreadable_cells_are_counted_with_reasons(folder: Any) -> None:
    wrong = f"{ANN};t-1;yesterday;5\n"
    found = looked_at(
        folder,
        plays__csv=f"{PLAYS}{PLAY * 19}{wrong * 2}",
        people__csv="member,country,joined\nann@example.org,NO,2024-01-01\nben@example.org,SE,2024-13-45\n",
    )
    views, users = table(found, "views"), table(found, "users")
    assert (views.rows, views.rejected) == (23, 2)
    assert views.reasons[0].startswith("plays.csv line 23: started: expected a local time")
    assert "would be rejected" in views.problem
    assert users.ids["user_id"] == {"e-mails": 2}
    assert users.unreadable == {"joined_on": 1}


def test_a_table_that_does_not_land_is_written_as_a_comment(folder: Any) -> None:
    found = looked_at(folder, plays__csv="account,content,started\n1,2,2024-05-01 20:15:00\n", t__csv=TITLES)
    assert "minutes_watched" in table(found, "views").problem
    landed = folder.land_all(folder.write("service.yaml", found.declaration))
    assert list(landed) == ["titles"]


def test_a_draft_asks_for_the_order_of_dates_that_show_none(folder: Any) -> None:
    found = looked_at(folder, plays__csv="account,content,started,minutes\n1,2,03/05/2024 20:15,30\n")
    asked = "  # ? no day is above 12, so that nothing shows whether day or month comes first: write "
    line = next(line for line in found.declaration.splitlines() if "watched_at" in line)
    written, _, doubt = line.partition(asked)
    assert (written, doubt) == (
        "#     watched_at: started",
        "{value: started, order: day first}, or month first",
    )
    assert not any("no day is above 12" in note for note in table(found, "views").notes)
    text = found.declaration.replace(written, "#     watched_at: {value: started, order: month first}")
    _, _, draft = text.partition("# This does not land yet")
    declared = "\n".join(line.removeprefix("# ") for line in draft.splitlines()[1:])
    assert folder.land_all(folder.write("service.yaml", declared))["views"].rows_landed == 1


@pytest.mark.parametrize(
    ("scores", "written"),
    [
        (
            (4.5, 0.5),
            "rating: {value: score, minimum: 0.5, maximum: 4.5}  # ? minimum and maximum are the lowest",
        ),
        (
            (-1, 10),
            "rating: {value: score, minimum: -1, maximum: 10}  # ? from -1: does a number below zero mean",
        ),
    ],
)
def test_a_draft_bounds_ratings_by_the_lowest_and_the_highest_seen(
    folder: Any, scores: tuple[float, float], written: str
) -> None:
    found = looked_at(
        folder, stars__csv="member,film,score\n" + "".join(f"1,2,{score}\n" for score in scores)
    )
    (line,) = [line for line in found.declaration.splitlines() if "rating:" in line]
    assert line.strip().startswith(written)
    assert "is this the scale?" in line
    folder.write("later.csv", "member,film,score\n1,2,4\n1,2,11\n")
    declared = folder.write("service.yaml", found.declaration.replace("stars.csv", "later.csv"))
    assert folder.land_all(declared, share=1)["ratings"].rows_rejected == 1


def test_the_report_agrees_in_number(folder: Any, matinee: Matinee) -> None:
    answer = matinee("inspect", folder.write("stars.csv", "member,film,score,date\n1,2,3,2024-13-45\n"))
    assert "all 1 row: " in answer.out
    assert "(1 cell cannot be read)" in answer.out


def test_what_is_no_table_is_named_with_the_reason(folder: Any) -> None:
    found = looked_at(folder, page__html="<html></html>", t__csv="a,b\n1,2\n", empty__csv="")
    assert {file.name: file.problem or file.notes[0] for file in found.files} == {
        "empty.csv": "the file is empty.",
        "page.html": "this is a web page or XML, not a table (often a sign-in page saved under the file's name).",
        "t.csv": "no table is recognised in its columns (a, b)",
    }
    assert not found.can_run


def test_of_a_large_file_the_head_is_read(folder: Any) -> None:
    lines = "".join(f"{user},7,{user % 5 + 1},1260759144\n" for user in range(500))
    folder.write("scores.csv", f"member,movie,stars,ts\n{lines}broken\n")
    found = inspect(folder.root / "raw", rows=100)
    ratings = table(found, "ratings")
    assert (ratings.rows, ratings.rejected, ratings.is_whole) == (100, 0, False)


def test_a_head_ends_with_a_whole_record(folder: Any) -> None:
    rows = "".join(f't{number},"Line\nend {number}",Drama\n' for number in range(50))
    folder.write("shows.csv", f"show_id,name,genres\n{rows}")
    titles = table(inspect(folder.root / "raw", rows=30), "titles")
    assert titles.rejected == 0


def test_files_without_names_are_taken_as_user_title_rating_time(folder: Any) -> None:
    found = looked_at(folder, a__dat="1::31::4::1260759144\n", b__dat="2::32::5::1260759145\n")
    ratings = table(found, "ratings")
    assert (ratings.files, ratings.rows) == (2, 2)
    assert "order" in ratings.doubts["user_id"]


def test_many_files_of_one_shape_are_one_table_and_one_pattern(folder: Any) -> None:
    found = looked_at(folder, **{f"plays/{month}__csv": PLAYS for month in "12345"})
    assert "files: plays/*.csv" in found.declaration
    assert table(found, "views").files == 5


def test_a_table_of_a_database_is_looked_at(folder: Any) -> None:
    folder.write("app.db", b"")
    with closing(sqlite3.connect(folder.root / "raw" / "app.db")) as database, database:
        database.execute("create table stars (member, movie, score)")
        database.executemany("insert into stars values (?, ?, ?)", [(user, 3, 2) for user in range(20)])
    declared = folder.declare("""
        ratings:
          database: sqlite:app.db
          table: stars
          columns: {user_id: member, title_id: movie, rating: score}
    """)
    ratings = table(inspect(declared, rows=10), "ratings")
    assert (ratings.rows, ratings.is_whole) == (10, False)


@pytest.mark.parametrize(
    ("declared", "says"),
    [
        ("views: {files: plays.csv, columns: {user_id: nobody}}", "nobody"),
        ("views: {files: plays.csv, columns: {user_id: account +}}", "account +"),
        ("views: {files: plays.csv, colums: {}}", "did you mean 'columns'"),
        ("views: {files: days.csv}", "Did you mean 'plays.csv'"),
        ("views: {database: '${NO_SUCH_ADDRESS}', table: plays}", "NO_SUCH_ADDRESS"),
        ("views: [", "cannot be read as YAML"),
    ],
)
def test_a_wrong_declaration_is_refused_in_its_own_words_as_wrong_usage(
    folder: Any, matinee: Matinee, declared: str, says: str
) -> None:
    folder.write("plays.csv", PLAYS)
    answer = matinee("inspect", folder.declare(declared))
    assert answer.exit_code == 2
    assert says in answer.said


@pytest.mark.parametrize(
    ("columns", "feeds"),
    [
        ([seen("played_ms", "milliseconds"), seen("secs", "whole number")], 'epoch_ms("played_ms"::bigint)'),
        ([seen("ts", "seconds"), seen("minutes", "number")], 'make_timestamp("ts"::bigint * 1000000)'),
        (
            [seen("at", "time with offset"), seen("min", "number")],
            "timezone('UTC', try_cast(\"at\" as timestamptz))",
        ),
    ],
)
def test_times_of_views_become_local_times_with_a_doubt(columns: list[Seen], feeds: str) -> None:
    user, title = seen("profileId", "text"), seen("asset_id", "text")
    (guess,) = guess_tables([user, title, *columns])
    assert guess.columns["watched_at"] == feeds
    assert guess.doubts["watched_at"]


@pytest.mark.parametrize(
    ("name", "most", "feeds"),
    [
        ("duration", 90, "duration"),
        ("duration", 5_400, '"duration" / 60'),
        ("duration", 5_400_000, '"duration" / 60000'),
        ("watched_hours", 3, '"watched_hours" * 60'),
    ],
)
def test_minutes_come_from_the_unit_of_the_name_else_from_the_size(
    name: str, most: float, feeds: str
) -> None:
    columns = [
        seen("user", "text"),
        seen("item", "text"),
        seen("started", "time"),
        seen(name, "number", most),
    ]
    (guess,) = guess_tables(columns)
    assert guess.columns["minutes_watched"] == feeds


def test_the_command_writes_a_declaration_and_ends_by_what_can_run(folder: Any, matinee: Matinee) -> None:
    folder.write("plays.csv", PLAYS)
    folder.write("none/t.csv", "a,b\n1,2\n")
    written = folder.root / "service.yaml"
    done = matinee("inspect", folder.root / "raw" / "plays.csv", "--write", written, "--json")
    assert (done.exit_code, json.loads(done.out)["can_run"]) == (0, True)
    assert folder.land_all(written)["views"].rows_landed == 2
    assert "user_id" in matinee("inspect", written).out
    assert matinee("inspect", folder.root / "raw" / "none").exit_code == 1
    assert matinee("inspect", folder.root / "raw", "--write", written).exit_code == 2
    assert matinee("inspect", folder.root / "nowhere").exit_code == 2


def test_what_is_an_object_is_no_id(folder: Any) -> None:
    assets = [
        {"asset": {"uuid": f"a{at}"}, "uuid": f"a{at}", "headline": f"Name {at}", "genres": ["Drama"]}
        for at in range(9)
    ]
    titles = table(
        looked_at(folder, assets__jsonl="".join(f"{json.dumps(asset)}\n" for asset in assets)), "titles"
    )
    assert titles.columns == {"title_id": "uuid", "title": "headline", "genres": "genres"}


def test_the_guess_of_minutes_reads_decimal_commas(folder: Any) -> None:
    found = looked_at(folder, plays__csv=PLAYS.replace(";600", ";600,5").replace(";1800", ";1800,0"))
    views = table(found, "views")
    assert views.columns["minutes_watched"] == "replace(\"seconds\", ',', '.')::double / 60"
    assert not views.problem


def test_a_database_is_called_one_and_how_to_name_it_is_said(folder: Any) -> None:
    path = folder.write("titles.db", b"")
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("create table titles (id)")
        connection.commit()
    found = inspect(folder.root / "raw", folder=folder.root / "raw")
    assert [file.problem for file in found.files] == ["this is a SQLite database, not a table."]


def test_what_waits_in_a_drop_folder_is_told_and_its_draft_serves_there(
    folder: Any, matinee: Matinee
) -> None:
    incoming = folder.root / "raw" / "incoming"
    empty = folder.root / "incoming"
    (empty / "views").mkdir(parents=True)
    assert "No file waits here." in matinee("inspect", empty).out
    folder.write("incoming/views/may.csv", PLAYS)
    folder.write("incoming/ratings/own.csv", "userId,movieId,rating,timestamp\n1,31,4,1260759144\n")
    folder.write("incoming/titles/no.csv", "a,b\n1,2\n")
    folder.write("incoming/titles/half.csv.part", "a")
    folder.write("incoming/customers/all.csv", "minutes,ltv,region,channel\n12,20,1,4\n")  # nobody's id
    assert "which --write starts" in matinee("inspect", incoming).out
    draft = incoming / "matinee.yaml"
    told = matinee("inspect", incoming, "--write", draft)
    assert told.exit_code == 0
    assert "No known layout (views/may.csv). A guess:" in told.out
    assert "which --write starts" not in told.out, "it is written already"
    found = inspect(draft)
    assert {file.name: bool(file.problem) for file in found.files} == {
        "ratings/own.csv": False,
        "views/may.csv": False,
        "titles/no.csv": True,
        "customers/all.csv": True,
    }
    assert not found.unknown
    drop = DropFolder(incoming, folder.root / "processed", folder.root / "failed")
    taken = take_in(drop, folder.landing, {}, lambda *file: land_file(*file, folder.landing))
    assert sorted(taken.failed) == ["customers/all.csv", "titles/no.csv"]
    assert {arrival.shown: landed.rows_landed for arrival, landed in taken.landed} == {
        "ratings/own.csv": 1,
        "views/may.csv": 2,
    }


def test_what_waits_is_told_as_the_source_of_runs_declares_it(folder: Any) -> None:
    folder.write("plays.csv", PLAYS)
    drafted = inspect(folder.root / "raw" / "plays.csv", folder=folder.root / "raw").declaration
    waiting = folder.write("incoming/views/may.csv", PLAYS).parents[1]
    assert inspect(waiting, run_source=str(folder.write("service.yaml", drafted))).layouts == [
        "service.yaml: views/may.csv"
    ]
