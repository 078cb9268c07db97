"""What users did as of a day, and scores that are published only where they are worth it."""

from datetime import date, timedelta
from pathlib import Path

import duckdb
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.demo import write_demo_world
from ml.departure.dates import Dates, dates_of
from ml.segmentation.errors import UntrainableError
from orchestration.stores.versions import VersionedStore
from orchestration.tasks.departure import ACTIVITY, KNOWN, USERS, as_of, score_departures

DAY = date(2026, 3, 31)
DATES = Dates(DAY - timedelta(days=20), DAY - timedelta(days=10), DAY, window_days=14, horizon_days=10)

events = st.lists(
    st.tuples(st.integers(1, 4), st.integers(-30, 30), st.integers(0, 2), st.integers(0, 2)), max_size=30
)


def ask(
    query: str, rows: list[tuple[int, int, int, int]], ended: dict[int, int] | None = None
) -> pl.DataFrame:
    """Answer a query on activity: user, day before or after `DAY`, views, ratings; a view lasts ten minutes."""
    with duckdb.connect() as connection:
        connection.execute(f"create schema {ACTIVITY.split('.')[0]}")
        connection.execute(
            f"create table {ACTIVITY} "
            "(user_id bigint, active_on date, views bigint, ratings bigint, minutes double)"
        )
        for user, day, views, ratings in {row[:2]: row for row in rows if row[2] + row[3]}.values():
            connection.execute(
                f"insert into {ACTIVITY} values (?, ?, ?, ?, ?)",
                [user, DAY + timedelta(days=day), views, ratings, 10.0 * views],
            )
        connection.execute(f"create table {USERS} (user_id bigint, ended_on date)")
        for user, day in (ended or {}).items():
            connection.execute(f"insert into {USERS} values (?, ?)", [user, DAY + timedelta(days=day)])
        return connection.sql(query).pl()


@given(events, events)
def test_nothing_after_the_day_is_known_of_a_user_but_whether_they_departed(before, after):
    before = [row for row in before if row[1] <= 0]
    after = [row for row in after if row[1] > 0]
    known, later = (ask(as_of(DAY, DATES), rows) for rows in (before, before + after))
    assert known["departs"].all()
    assert later.drop("departs").equals(known.drop("departs"))
    came_back = {user for user, day, views, ratings in after if day <= DATES.horizon_days and views + ratings}
    assert set(later.filter(~pl.col("departs"))["user_id"]) == came_back & set(known["user_id"])


def test_who_ended_the_subscription_departed_and_is_not_scored_any_more():
    rows = [(user, day, 1, 0) for user in (1, 2, 3, 4) for day in (-1, 5)]
    found = ask(as_of(DAY, DATES), rows, ended={1: DATES.horizon_days, 2: DATES.horizon_days + 1, 3: 0})
    assert dict(found.select("user_id", "departs").iter_rows()) == {1: True, 2: False, 4: False}


def test_a_user_is_told_by_days_in_the_window():
    rows = [(1, -14, 1, 0), (1, -13, 1, 0), (1, -7, 0, 2), (1, -6, 2, 1), (1, -3, 1, 0), (2, -14, 5, 0)]
    assert ask(as_of(DAY, DATES), rows).to_dicts() == [
        {
            "user_id": 1, "recency_days": 3, "active_days": 4, "recent_days": 2, "events": 7, "minutes": 40.0,
            "known_days": 13, "departs": True,
        }
    ]  # fmt: skip


def test_activity_is_known_from_the_later_beginning_of_views_and_ratings():
    ratings, views = (1, -400, 0, 1), (1, -20, 1, 0)
    newest = (2, 0, 0, 1)
    assert ask(KNOWN, [ratings, views, newest]).row(0) == (DAY - timedelta(days=20), DAY)
    assert ask(KNOWN, [ratings, newest]).row(0) == (DAY - timedelta(days=400), DAY)
    assert ask(KNOWN, []).row(0) == (None, None)


def snapshots(folder: Path, foretells: str) -> tuple[Path, Path, Path]:
    """Write what 400 users did as of three days; who departs goes by one column."""
    files = []
    for number in range(3):
        draws = pl.DataFrame({"user_id": range(400)}).with_columns(
            recency_days=(pl.col("user_id") * 37 + number) % 14,
            active_days=1 + (pl.col("user_id") * 53 + number) % 7,
        )
        frame = draws.with_columns(
            recent_days=pl.lit(1), events=pl.col("active_days"), minutes=pl.lit(0.0), known_days=pl.lit(13),
            departs=pl.col(foretells) * 3 + (pl.col("user_id") * 29) % 11 > 20,
        )  # fmt: skip
        files.append(folder / f"{number}.parquet")
        frame.write_parquet(files[-1])
    return tuple(files)


def test_scores_that_beat_recency_alone_are_published_with_reasons(tmp_path):
    store = VersionedStore(tmp_path / "departure")
    made = score_departures(store, DATES, snapshots(tmp_path, "active_days"))
    scores = store.read_table("departure")
    assert made["rows"] == len(scores) == 400
    assert scores["reason"].str.contains("active on . of 14 days").any()
    assert set(scores["as_of"]) == {DAY}
    assert set(scores["decile"]) <= set(range(1, 11))


def test_scores_that_tell_no_more_than_recency_are_not_published_and_the_figures_say_so(tmp_path):
    store = VersionedStore(tmp_path / "departure")
    made = score_departures(store, DATES, snapshots(tmp_path, "recency_days"))
    assert made["rows"] == len(store.read_table("departure")) == 0
    passed = dict(store.read_table("departure_quality").select("measure", "passed").iter_rows())
    assert passed["auc"] is True
    assert passed["auc_gain"] is False


def test_too_few_departures_are_told_with_their_number(tmp_path):
    files = snapshots(tmp_path, "active_days")
    pl.read_parquet(files[0]).with_columns(departs=pl.col("user_id") < 3).write_parquet(files[0])
    with pytest.raises(
        UntrainableError, match="of 400 users who were active in the 14 days up to 2026-03-11, 3 did"
    ):
        score_departures(VersionedStore(tmp_path / "departure"), DATES, files)


def test_the_departure_planted_in_the_demo_world_is_found_beyond_recency_alone(tmp_path):
    write_demo_world(tmp_path, scale="small")
    with duckdb.connect() as connection:
        connection.execute(f"create schema {ACTIVITY.split('.')[0]}")
        connection.execute(f"""
            create table {ACTIVITY} as
            select user_id, moment::date as active_on, sum(views)::bigint as views, sum(ratings)::bigint as ratings,
                sum(minutes)::double as minutes
            from (
                select user_id, watched_at as moment, 1 as views, 0 as ratings, minutes_watched as minutes
                from read_csv('{tmp_path}/viewing/watch_events.csv')
                union all
                select "userId", make_timestamp("timestamp" * 1000000), 0, 1, 0
                from read_csv('{tmp_path}/ratings.csv')
            )
            group by all
        """)
        connection.execute(f"create table {USERS} (user_id bigint, ended_on date)")
        dates = dates_of(*connection.sql(KNOWN).fetchall()[0])
        files = tuple(tmp_path / f"{day}.parquet" for day in (dates.learn, dates.judge, dates.score))
        for file in files:
            connection.sql(as_of(date.fromisoformat(file.stem), dates)).write_parquet(str(file))
    store = VersionedStore(tmp_path / "departure")
    assert score_departures(store, dates, files)["rows"] > 2_000
    figures = {row["measure"]: row for row in store.read_table("departure_quality").to_dicts()}
    assert figures["auc"]["value"] >= 0.75
    assert figures["auc_gain"]["low"] > 0
    for measure in ("auc", "average_precision", "top_decile_lift"):
        assert figures[measure]["value"] > figures[measure]["beside"], measure
    assert figures["calibration_error"]["value"] < 0.05
