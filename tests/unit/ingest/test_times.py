"""Times in which no rating or view can be: they are counted, and never stand in for a last time."""

from datetime import date

import pytest

from ingest.contracts import CONTRACTS
from ingest.landing import land_file
from tests.unit.ingest.conftest import RATINGS_HEADER

TODAY = date(2024, 5, 17)
VIEWS_HEADER = "user_id,movie_id,watched_at,device,minutes_watched\n"


@pytest.fixture
def landed(folder):
    def of(table, text, today=TODAY):
        path = folder.write({"ratings": "ratings.csv", "views": "watch_events.csv"}[table], text)
        return land_file(CONTRACTS[table], path, folder.landing, max_rejected_share=1.0, today=today)

    return of


@pytest.mark.parametrize("moment", ["0", "31535999", "1716076800", "4000000000", "2031-01-01T00:00:00Z"])
def test_a_rating_of_1970_or_of_the_future_lands_without_its_time_and_is_counted(landed, rows, moment):
    found = landed("ratings", f"{RATINGS_HEADER}1,2,3.5,{moment}\n1,3,4,1700000000\n")
    assert [row["rated_at"] is None for row in rows(found)] == [True, False]
    assert found.unreadable == {"rated_at": 1}
    assert any("from 1971 to the day after it is read" in note for note in found.notes)


@pytest.mark.parametrize("day", ["1970-01-01", "2024-05-19", "2031-01-01"])
def test_a_view_of_1970_or_of_the_future_is_rejected(landed, rows, day):
    found = landed("views", f"{VIEWS_HEADER}1,7,{day} 00:00:00,TV,90\n1,8,2024-05-16 20:00:00,TV,90\n")
    assert len(rows(found)) == 1
    assert found.rows_rejected == 1


def test_the_day_after_is_allowed_for_a_clock_may_be_ahead(landed, rows):
    found = landed("views", f"{VIEWS_HEADER}1,7,2024-05-18 23:59:59,TV,90\n")
    assert len(rows(found)) == 1


def test_what_was_the_future_is_read_when_its_day_has_come(landed, rows):
    text = f"{VIEWS_HEADER}1,7,2024-05-19 10:00:00,TV,90\n1,8,2024-05-16 20:00:00,TV,90\n"
    assert landed("views", text).rows_rejected == 1
    later = landed("views", text, today=date(2024, 5, 18))
    assert (later.rows_rejected, len(rows(later))) == (0, 2)


def test_a_view_longer_than_a_day_is_rejected_and_one_of_no_minutes_left_out(landed, rows):
    found = landed(
        "views",
        f"{VIEWS_HEADER}1,7,2024-05-16 20:00:00,TV,2400\n1,8,2024-05-16 20:00:00,TV,0\n1,9,2024-05-16 20:00:00,TV,1\n",
    )
    assert (found.rows_rejected, found.rows_left_out, len(rows(found))) == (1, 1, 1)


@pytest.mark.parametrize("word", ["infinity", "-infinity", "epoch", "0000-01-01", "10000-01-01"])
def test_a_day_of_no_calendar_is_none(folder, rows, word):
    landed = folder.land_text("titles", f"title_id,title,release_date\n1,One,{word}\n")
    assert (rows(landed)[0]["release_date"], landed.unreadable) == (None, {"release_date": 1})


def test_an_offset_of_ninety_nine_hours_is_no_time(folder, rows):
    times = "2020-01-01T00:00:00+99:99", "2020-01-01T00:00:00+14:00"
    landed = folder.land_text(
        "ratings", "user_id,title_id,rating,rated_at\n" + "".join(f"1,2,3,{t}\n" for t in times)
    )
    assert [str(row["rated_at"]) for row in rows(landed)] == ["None", "2019-12-31 10:00:00"]
