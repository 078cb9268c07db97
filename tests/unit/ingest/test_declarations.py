"""A service says what its files hold, and is told before anything is read where that does not fit."""

import json
from datetime import datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ingest.cells import FIRST_TEXT_ID
from ingest.errors import IngestError
from ingest.sources import resolve_source

PLAYS = {
    "account": ["u-1", "u-2", "u-1"],
    "content": ["c-9", "c-9", "c-7"],
    "started_ms": [1_496_693_700_000, 1_496_780_100_000, 1_496_866_500_000],
    "watched_seconds": [5400, 60, 90],
    "device_type": ["TV", None, "Phone"],
}
VIEWS = """
    views:
      files: {files}
      columns:
        user_id: account
        title_id: content
        watched_at: epoch_ms(started_ms)
        minutes_watched: watched_seconds / 60
        device: device_type
"""


def plays_csv() -> str:
    rows = zip(*PLAYS.values(), strict=True)
    lines = [",".join("" if cell is None else str(cell) for cell in row) for row in rows]
    return "\n".join([",".join(PLAYS), *lines]) + "\n"


@pytest.fixture
def plays(folder, rows):
    """Land what is declared of plays, and return the views."""

    def land(files: str) -> list[dict]:
        folder.declare(VIEWS.format(files=files))
        return rows(folder.land_all(folder.root / "raw")["views"])

    return land


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_plays_without_any_known_name_land_by_their_declaration(folder, plays, kind):
    path = folder.write(f"plays/one.{kind}", plays_csv())
    if kind == "jsonl":
        rows = [dict(zip(PLAYS, row, strict=True)) for row in zip(*PLAYS.values(), strict=True)]
        path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    if kind == "parquet":
        pq.write_table(pa.table(PLAYS), path)
    views = plays(f"plays/*.{kind}")
    assert [(view["minutes_watched"], view["device"]) for view in views] == [
        (90, "TV"),
        (1, None),
        (1.5, "Phone"),
    ]
    assert views[0]["watched_at"] == datetime(2017, 6, 5, 20, 15)
    # Numbered in sorted order: c-7, c-9, u-1, u-2.
    first = FIRST_TEXT_ID
    assert [(view["user_id"], view["title_id"]) for view in views] == [
        (first + 2, first + 1),
        (first + 3, first + 1),
        (first + 2, first),
    ]


def test_the_genres_of_json_lines_may_be_lists(folder, rows):
    folder.write(
        "titles.jsonl",
        '{"content_id": "c-9", "name": "One", "tags": ["Drama", " War"], "year": 1951}\n'
        '{"content_id": "c-7", "name": "Two", "tags": [], "year": null}\n',
    )
    folder.declare("""
        titles:
          files: titles.jsonl
          columns: {title_id: content_id, title: name, genres: tags, release_year: year}
    """)
    one, two = rows(folder.land_all(folder.root / "raw")["titles"])
    assert (one["title"], one["genres"], one["release_year"]) == ("One", ["Drama", "War"], 1951)
    assert (two["genres"], two["release_year"]) == ([], None)


def test_rows_for_which_the_condition_is_false_are_left_out_and_counted(folder, rows):
    folder.write("r.csv", "user,item,score\n1,2,-1\n1,3,4\n1,4,\n2,2,-1\n")
    folder.declare("""
        ratings: {files: r.csv, where: score <> -1, columns: {user_id: user, title_id: item, rating: score}}
    """)
    landed = folder.land_all(folder.root / "raw", share=1)["ratings"]
    assert [row["rating"] for row in rows(landed)] == [4]
    assert (landed.rows_read, landed.rows_left_out, landed.rows_rejected) == (4, 2, 1)
    assert "2 rows left out (all but those where score <> -1)." in landed.notes


def test_what_an_expression_cannot_read_is_rejected_with_its_line(folder, rejects):
    folder.write("plays.csv", plays_csv() + "u-9,c-9,soon,60,TV\n")
    folder.declare(VIEWS.format(files="plays.csv").replace("started_ms)", "try_cast(started_ms as bigint))"))
    landed = folder.land_all(folder.root / "raw", share=1)["views"]
    (reject,) = rejects(landed)
    assert (reject["line"], reject["raw_text"]) == (5, "u-9,c-9,soon,60,TV")
    assert reject["reason"].startswith("started_ms: expected a local time")
    assert reject["reason"].endswith("got 'soon'")


def test_files_of_the_same_content_land_once_and_of_another_folder_of_a_day_twice(folder):
    for name in ("day=1/a.csv", "day=1/b.csv", "day=2/a.csv"):
        folder.write(f"plays/{name}", "account,content,minutes\nu,c,5\n")
    folder.declare("""
        views:
          files: plays
          columns:
            {user_id: account, title_id: content, minutes_watched: minutes,
             watched_at: "make_timestamp(2020, 1, day::bigint, 20, 15, 0)"}
    """)
    source = resolve_source(str(folder.root / "raw"))
    assert [file.name for file in source.tables[0].files] == [
        "plays/day=1/a.csv",
        "plays/day=1/b.csv",
        "plays/day=2/a.csv",
    ]
    views = folder.land_all(folder.root / "raw")
    days = {path.name for path in (folder.landing / "files").glob("views-*.manifest.parquet")}
    assert len(days) == 2
    assert views["views"].rows_landed == 1


def test_one_broken_file_among_many_is_named_and_nothing_is_replaced(folder):
    for number in range(5):
        folder.write(f"plays/{number}.csv", plays_csv().replace("u-1", f"u-{number}"))
    folder.write("plays/3.csv", plays_csv()[:-8])
    folder.declare(VIEWS.format(files="plays/*.csv"))
    with pytest.raises(IngestError, match=r"plays/3\.csv: the file is cut off"):
        folder.land_all(folder.root / "raw")
    assert not (folder.landing / "current").exists()


@pytest.mark.parametrize("name", ["it's here", "wh [2024]", "wh?x", "wh#1", "a  b"])
def test_a_path_is_never_a_pattern(folder, rows, name):
    folder.write(f"{name}/train[1].csv", "user_id,title_id,rating\n1,2,3\n")
    folder.write(f"{name}/train1.csv", "user_id,title_id,rating\n9,9,9\n")
    path = folder.write(f"{name}/matinee.yaml", "ratings: {files: 'train[1].csv'}\n")
    assert [row["user_id"] for row in rows(folder.land_all(path)["ratings"])] == [1]


@pytest.mark.parametrize(
    ("declared", "words"),
    [
        ("view: {files: a.csv}", ["table 'view' is not known. Did you mean 'views'?"]),
        (
            "ratings: {files: a.csv, columns: {user: u}}",
            ["column 'user' is not known. Did you mean 'user_id'?"],
        ),
        ("ratings: {file: a.csv}", ["ratings: file: there is no such setting; did you mean 'files'?"]),
        ("ratings: {columns: {user_id: u}}", ["ratings: give files, or a database"]),
        ("ratings: {files: b.csv}", ["ratings: files: there is no file 'b.csv'. Did you mean '"]),
        ("ratings: {files: [}", ["cannot be read as YAML"]),
        ("", ["expected tables (ratings, links"]),
        (
            "ratings: {files: a.csv, columns: {rating: scoer / 2}}",
            ["a.csv: ratings: rating: scoer / 2", '"scoer" not found', "user_id, title_id, score"],
        ),
        (
            "ratings: {files: a.csv, where: score <>, columns: {rating: score}}",
            ["where: score <>", "syntax error"],
        ),
        ("ratings: {files: a.csv}", ["column 'rating' is missing"]),
        ("ratings: {database: 'oracle:x', table: r}", ["'oracle' is no kind of database we read"]),
        ("ratings: {database: 'postgresql://${NO_SUCH}', table: r}", ["variable NO_SUCH, which is not set"]),
        ("ratings: {database: 'sqlite:a.db'}", ["give a table or a query of the database"]),
        (
            "customers: {files: '*.csv', columns: {minutes_watched: '1', clv: '1', region_id: '1', channel_id: '1'}}",
            ["without a column of ids only one can be meant"],
        ),
    ],
)
def test_a_declaration_that_does_not_fit_is_refused_before_anything_is_read(folder, declared, words):
    folder.write("a.csv", "user_id,title_id,score\n1,2,3\n")
    folder.write("c.csv", "user_id,title_id,score\n1,2,3\n")
    path = folder.write("matinee.yaml", declared)
    with pytest.raises(IngestError) as caught:
        resolve_source(str(path))
    assert all(word in str(caught.value) for word in words), str(caught.value)
    assert not folder.landing.exists()
