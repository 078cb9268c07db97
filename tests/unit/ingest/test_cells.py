"""What a cell is read as, and what of its column decides it."""

import duckdb
import pytest

from ingest.cells import MACROS

RATINGS = "userId,movieId,rating,timestamp\n"
MOMENT = "2016-09-15 17:25:10"


@pytest.fixture
def labels():
    connection = duckdb.connect()
    connection.execute(MACROS)
    return lambda cell: connection.execute("select labels(?)", [cell]).fetchall()[0][0]


@pytest.mark.parametrize(
    ("cell", "found"),
    [
        ("['Action', 'War']", ["Action", "War"]),
        ('["Action", "Caf\\u00e9"]', ["Action", "Café"]),
        ('[{"id": 28, "name": "Action"}, {"name": "War", "id": 1}]', ["Action", "War"]),
        ("[{'id': 28, 'name': 'Action'}, {'id': 7, 'name': \"Piper's\"}]", ["Action", "Piper's"]),
        (r"[{'id': 1, 'name': 'War\'s End'}]", ["War's End"]),
        ("""['Sci, Fi', "It's"]""", ["Sci, Fi", "It's"]),
        ("Action|War|Action", ["Action", "War"]),
        (" Action , War, ", ["Action", "War"]),
        ("Action; War", ["Action", "War"]),
        ('{Action,"Film Noir"}', ["Action", "Film Noir"]),
        ("Action", ["Action"]),
        ("[]", []),
        ("[28, 12]", None),
        ("[{'id': 28}]", None),
        ("<b>Action</b>", None),
        ("28", None),
    ],
)
def test_genres_of_every_shape_are_labels_and_an_unknown_shape_is_none(labels, cell, found):
    assert labels(cell) == found


@pytest.mark.parametrize(
    "times",
    [
        ["1473960310", "1475893910"],
        ["1473960310000", "1475893910000"],
        ["1473960310000000", "1475893910000000"],
        [MOMENT, "2016-10-08 02:31:50"],
        ["2016-09-15T17:25:10Z", "2016-10-08T02:31:50Z"],
        ["2016-09-15 19:25:10+02:00", "2016-10-08 04:31:50+02:00"],
        ["15.09.2016 17:25:10", "08.10.2016 02:31:50"],
        ["09/15/2016 17:25:10", "10/08/2016 02:31:50"],
    ],
)
def test_a_column_of_times_shows_how_it_is_written(folder, rows, times):
    text = RATINGS + "".join(f"{user},1,3,{time}\n" for user, time in enumerate(times))
    landed = folder.land_text("ratings", text)
    assert [str(row["rated_at"]) for row in rows(landed)] == [MOMENT, "2016-10-08 02:31:50"]
    assert landed.unreadable == {}


def test_a_number_of_another_unit_than_the_columns_is_counted_and_never_guessed(folder, rows):
    times = ["1473960310000", "1475893910000", "1473960310"]
    text = RATINGS + "".join(f"{user},1,3,{time}\n" for user, time in enumerate(times))
    landed = folder.land_text("ratings", text)
    assert rows(landed)[2]["rated_at"] is None
    assert landed.unreadable == {"rated_at": 1}


@pytest.mark.parametrize(
    ("days", "found", "unread"),
    [
        (["22-01-2021", "09-02-2021"], ["2021-01-22", "2021-02-09"], 0),
        (["01/22/2021", "02/09/2021"], ["2021-01-22", "2021-02-09"], 0),
        (["09-02-2021", "10-02-2021"], ["None", "None"], 2),  # no day above 12: either order
        (["22-01-2021", "01/22/2021"], ["None", "None"], 2),  # both orders
        (["30 Oct 1995", "October 3, 1995"], ["1995-10-30", "1995-10-03"], 0),
        (["2021-01-22", r"\N"], ["2021-01-22", "None"], 0),
    ],
)
def test_an_order_of_day_and_month_is_evident_or_nothing_is_read(folder, rows, days, found, unread):
    text = "user_id,joined_on\n" + "".join(f'{user},"{day}"\n' for user, day in enumerate(days))
    landed = folder.land_text("users", text)
    assert [str(row["joined_on"]) for row in rows(landed)] == found
    assert landed.unreadable.get("joined_on", 0) == unread


def test_an_order_that_shows_only_far_down_the_file_is_found(folder, rows):
    days = ["09-02-2021"] * 10_100 + ["22-01-2021"]
    text = "user_id,joined_on\n" + "".join(f"{user},{day}\n" for user, day in enumerate(days))
    landed = folder.land_text("users", text)
    assert (landed.unreadable, str(rows(landed)[0]["joined_on"])) == ({}, "2021-02-09")


def test_a_declared_order_is_taken_where_none_is_evident(folder, rows):
    folder.write("u.csv", "user_id,joined_on\n1,09-02-2021\n")
    folder.declare("users: {files: u.csv, columns: {joined_on: {value: joined_on, order: month first}}}")
    landed = folder.land_all(folder.root / "raw")["users"]
    assert str(rows(landed)[0]["joined_on"]) == "2021-09-02"


def test_decimal_commas_are_read_between_semicolons(folder, rows):
    text = "userId;movieId;rating;timestamp\n1;3;1,5;978300760\n1;4;3;978300760\n"
    landed = folder.land_text("ratings", text)
    assert [row["rating"] for row in rows(landed)] == [1.5, 3]
    assert landed.notes == ("rating: read with decimal commas.",)


@pytest.mark.parametrize("marker", [r"\N", "NULL", "NaN", "nan", "None", "N/A", ""])
def test_a_marker_of_nothing_is_nothing_where_no_text_is_meant(folder, rows, marker):
    text = f"id,imdb_id,title,genres,runtime,release_date\n1,tt1,None,[],{marker},{marker}\n"
    landed = folder.land_text("titles", text)
    (row,) = rows(landed)
    assert (row["title"], row["runtime_minutes"], row["release_date"]) == ("None", None, None)
    assert landed.unreadable == {}
