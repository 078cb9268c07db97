"""What becomes of users and watch events: local times, devices, minutes, and lines that break the contract."""

from datetime import datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.cells import Form, value
from ingest.contracts import Kind
from ingest.errors import IngestError
from tests.conftest import examples

HEADER = "user_id,movie_id,watched_at,device,minutes_watched\n"
GOOD = "1,7,2017-06-05 20:15:00,TV,90\n"
A_LOCAL_TIME = "a local time from 1971 to the day after it is read, such as 2017-06-05 20:15:00"


def test_a_watch_event_lands_typed(folder, rows):
    assert rows(folder.land_text("views", HEADER + GOOD)) == [
        {
            "user_id": 1,
            "title_id": 7,
            "watched_at": datetime(2017, 6, 5, 20, 15),
            "device": "TV",
            "minutes_watched": 90.0,
        }
    ]


@pytest.mark.parametrize(
    ("cell", "lands_as"),
    [
        ("2017-06-05T20:15:00", "2017-06-05 20:15:00"),
        ("2017-06-05 20:15", "2017-06-05 20:15:00"),
        ("2017-06-05 20:15:00.25", "2017-06-05 20:15:00.250000"),
        ("1971-01-01 00:00:00", "1971-01-01 00:00:00"),
    ],
)
def test_a_local_time_may_have_a_t_and_parts_of_seconds_or_none(folder, rows, cell, lands_as):
    (row,) = rows(folder.land_text("views", f"{HEADER}1,7,{cell},TV,90\n"))
    assert str(row["watched_at"]) == lands_as


@pytest.mark.parametrize(
    "cell",
    [
        "",
        "yesterday",
        "2017-06-05",  # a day would become its midnight
        "2017-06-05 20:15:00+02:00",  # an offset would become UTC
        "2017-06-05T20:15:00Z",
        "1496693700",
        "2017-02-30 20:15:00",
        "2017-06-05 25:15:00",
        "05/06/2017 20:15",
        "1969-12-31 23:59:59",
        "2100-01-01 00:00:00",
        "1970-01-01 00:00:00",
        "infinity",
        "epoch",
    ],
)
def test_what_is_no_possible_local_time_is_rejected_with_what_was_expected(folder, rows, rejects, cell):
    landed = folder.land_text("views", f"{HEADER}{GOOD}1,7,{cell},TV,90\n")
    assert len(rows(landed)) == 1
    (reject,) = rejects(landed)
    got = f"'{cell}'" if cell else "nothing"
    assert (reject["line"], reject["reason"]) == (3, f"watched_at: expected {A_LOCAL_TIME}, got {got}")


@settings(max_examples=examples(150))
@given(
    st.datetimes(datetime(1971, 1, 1), datetime(2024, 12, 31)),
    st.sampled_from([" ", "T"]),
    st.sampled_from(["", "Z", "+01", " UTC", "x"]),
)
def test_a_written_moment_is_read_back_and_never_shifted(moment, between, suffix):
    import duckdb  # noqa: PLC0415 - for this test alone

    cell = moment.isoformat(sep=between) + suffix
    read = value(Kind.LOCAL_TIME, "cell", "VARCHAR", Form())
    found = duckdb.execute(f"select {read} from (select '{cell}' as cell)").fetchone()
    assert found == ((None,) if suffix else (moment,))


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (
            ",7,2017-06-05 20:15:00,TV,90",
            "user_id: expected an id, got nothing",
        ),
        (
            "1,,2017-06-05 20:15:00,TV,90",
            "movie_id: expected an id, got nothing",
        ),
        (
            "1,7,2017-06-05 20:15:00,TV,-1",
            "minutes_watched: expected a number of minutes from 0 to 1440, got '-1'",
        ),
        (
            "1,7,2017-06-05 20:15:00,TV,1440.5",
            "minutes_watched: expected a number of minutes from 0 to 1440, got '1440.5'",
        ),
        (
            "1,7,2017-06-05 20:15:00,TV,",
            "minutes_watched: expected a number of minutes from 0 to 1440, got nothing",
        ),
        ("1,7,2017-06-05 20:15:00,TV", "expected 5 cells, got 4"),
    ],
)
def test_a_bad_event_is_rejected_and_the_others_land(folder, rows, rejects, line, reason):
    landed = folder.land_text("views", f"{HEADER}{GOOD}{line}\n{GOOD}")
    assert len(rows(landed)) == 2
    assert [(row["line"], row["reason"]) for row in rejects(landed)] == [(3, reason)]


def test_any_device_is_kept_and_none_too(folder, rows):
    lines = [f"1,7,2017-06-05 20:15:00,{device},90\n" for device in ("TV", "Fridge", '"a, b"', "")]
    landed = folder.land_text("views", HEADER + "".join(lines))
    assert [row["device"] for row in rows(landed)] == ["TV", "Fridge", "a, b", None]


def test_a_view_may_last_a_whole_day_and_its_minutes_be_a_duration(folder, rows):
    lines = [f"1,7,2017-06-05 20:15:00,TV,{minutes}\n" for minutes in ("1440", "12.5", "01:30:30")]
    landed = folder.land_text("views", HEADER + "".join(lines))
    assert [row["minutes_watched"] for row in rows(landed)] == [1440.0, 12.5, 90.5]


def test_a_view_of_no_minutes_is_left_out_and_counted(folder, rows):
    lines = [f"1,7,2017-06-05 20:15:00,TV,{minutes}\n" for minutes in ("0", "5", "00:00:00")]
    landed = folder.land_text("views", HEADER + "".join(lines))
    assert [row["minutes_watched"] for row in rows(landed)] == [5.0]
    assert (landed.rows_read, landed.rows_left_out, landed.rows_rejected) == (3, 2, 0)
    assert landed.notes[0].startswith("2 rows left out (nobody watched")


@pytest.mark.parametrize("header", ["user_id,subscription,country", "userId,Subscription,Region"])
def test_a_users_region_may_be_called_country_and_the_user_as_in_the_ratings(folder, rows, header):
    landed = folder.land_text("users", f"{header}\n4,Basic,India\n5,,\n")
    found = [(row["user_id"], row["subscription"], row["region"]) for row in rows(landed)]
    assert found == [(4, "Basic", "India"), (5, None, None)]


def test_the_declared_name_goes_before_the_other_one(folder, rows):
    landed = folder.land_text("users", "country,user_id,subscription,region\nIndia,4,Basic,Asia\n")
    assert [row["region"] for row in rows(landed)] == ["Asia"]


def test_a_day_of_joining_that_cannot_be_read_is_unknown(folder, rows):
    text = "user_id,subscription,joined_on\n1,Basic,2015-03-01\n2,Basic,03/2015\n"
    assert [str(row["joined_on"]) for row in rows(folder.land_text("users", text))] == ["2015-03-01", "None"]


def test_events_without_minutes_are_refused_and_without_devices_they_land(folder, rows):
    with pytest.raises(IngestError, match="column 'minutes_watched' is missing, and views cannot do without"):
        folder.land_text("views", "user_id,movie_id,watched_at,device\n1,2,2017-06-05 20:15:00,TV\n")
    landed = folder.land_text(
        "views", "user_id,movie_id,watched_at,minutes_watched\n1,2,2017-06-05 20:15:00,3\n"
    )
    assert [row["device"] for row in rows(landed)] == [None]


def test_local_times_of_parquet_land_as_they_are_and_times_with_a_zone_are_refused(folder, rows):
    moments = [datetime(2017, 6, 5, 20, 15), None]
    columns = {"user_id": [1, 2], "title_id": [7, 8], "device": ["TV", "TV"], "minutes_watched": [9.0, 9.0]}
    path = folder.write("watch_events.parquet", b"")
    pq.write_table(pa.table(columns | {"watched_at": pa.array(moments, pa.timestamp("ns"))}), path)
    landed = folder.land("views", path)
    assert [str(row["watched_at"]) for row in rows(landed)] == ["2017-06-05 20:15:00"]
    pq.write_table(pa.table(columns | {"watched_at": pa.array(moments, pa.timestamp("us", "UTC"))}), path)
    with pytest.raises(IngestError, match=f"expected {A_LOCAL_TIME}"):
        folder.land("views", path)


def test_users_and_events_land_alone_or_together(folder):
    users = folder.write("users.csv", "user_id,subscription\n1,Basic\n")
    assert set(folder.land_all(users.parent)) == {"users"}
    folder.write("watch_events.csv", HEADER + GOOD)
    assert set(folder.land_all(users.parent)) == {"users", "views"}
