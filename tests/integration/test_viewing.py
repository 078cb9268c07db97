"""Users and what they watch go through a whole run, and what is wrong with their files is told."""

import json
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

USERS_HEADER = "user_id,subscription,region,joined_on"
EVENTS_HEADER = "user_id,movie_id,watched_at,device,minutes_watched"


def mart(warehouse: Path, name: str) -> pl.DataFrame:
    return pl.read_parquet(warehouse / "published" / f"{name}.parquet")


@pytest.fixture
def viewing(tmp_path: Path) -> Callable[..., Path]:
    """Write 300 events of 20 users, with these lines at the end, into a folder of their own."""

    def write(users: list[str] | None = None, events: list[str] | None = None) -> Path:
        folder = tmp_path / "viewing"
        folder.mkdir()
        listed = [f"{user},Basic,India,2015-01-{user:02}" for user in range(1, 21)]
        watched = [
            f"{event % 20 + 1},{event % 7 + 1},2017-06-{event % 28 + 1:02} {event % 24:02}:15:00,TV,{event % 90}"
            for event in range(300)
        ]
        (folder / "users.csv").write_text("\n".join([USERS_HEADER, *listed, *(users or [])]) + "\n")
        (folder / "watch_events.csv").write_text("\n".join([EVENTS_HEADER, *watched, *(events or [])]) + "\n")
        return folder

    return write


def test_a_run_publishes_what_the_demo_world_watches(demo_warehouse):
    users = mart(demo_warehouse, "users")
    events = mart(demo_warehouse, "weekly_activity")["events"].sum()
    assert len(users) == 3_000
    assert users["subscription"].null_count() == 0
    assert users["events"].sum() == events == mart(demo_warehouse, "user_devices")["events"].sum() == 30_000
    shares = (
        mart(demo_warehouse, "segment_devices").group_by("segmentation", "segment_id").agg(pl.sum("share"))
    )
    assert ((shares["share"] - 1).abs() < 1e-9).all()


def test_the_planted_habits_are_found(demo_warehouse):
    devices = mart(demo_warehouse, "segment_devices").filter(segmentation="user_ratings", device="Mobile")
    assert devices.sort("index")["segment_name"][-1] == "New Explorers"
    completion = mart(demo_warehouse, "devices").sort("completion")["device"]
    assert (completion[0], completion[-1]) == ("Mobile", "TV")
    fullest = mart(demo_warehouse, "viewing_hours").sort("events").row(-1, named=True)
    assert fullest["hour"] in range(19, 23)


def test_every_recommendation_says_what_its_mart_holds(demo_warehouse):
    advice = mart(demo_warehouse, "strategic_recommendations").sort("rank")
    assert advice["rank"].to_list() == list(range(1, len(advice) + 1))
    assert advice["topic"].n_unique() >= 8
    for source in advice["source"]:
        assert (demo_warehouse / "published" / f"{source}.parquet").exists()
    (said,) = advice.filter(topic="hidden genre").iter_rows(named=True)
    figures = json.loads(said["figures"])
    row = mart(demo_warehouse, said["source"]).filter(genre=figures["genre"]).row(0, named=True)
    assert row["genre_label"] in said["sentence"]
    assert f"{row['mean_rating']:.2f} stars" in said["sentence"]


@pytest.mark.real_data
def test_ratings_alone_are_enough_for_five_recommendations(matinee, real_movies, tmp_path):
    answer = matinee("run", "--job", "segments", "--source", real_movies, warehouse=tmp_path)
    assert answer.exit_code == 0, answer.said
    advice = mart(tmp_path, "strategic_recommendations")
    assert len(advice) >= 5
    assert not {"segment and device", "time of viewing", "upgrade"} & set(advice["topic"])


def test_viewing_alone_is_published_without_genres(matinee, viewing, tmp_path):
    answer = matinee("run", "--source", viewing(), warehouse=tmp_path / "w")
    assert answer.exit_code == 0, answer.said
    users = mart(tmp_path / "w", "users")
    assert (users["events"].sum(), users["total_ratings"].sum()) == (300, 0)
    assert mart(tmp_path / "w", "genre_popularity")["events"].sum() == 0
    assert len(mart(tmp_path / "w", "segments")) == 0


def test_bad_lines_of_viewing_are_rejected_and_strangers_are_kept(matinee, viewing, tmp_path):
    source = viewing(
        events=["1,1,2017-06-05,TV,10", "1,1,2017-06-05 20:15:00,TV,-3", "99,1,2017-06-05 20:15:00,TV,7"]
    )
    answer = matinee("run", "--source", source, warehouse=tmp_path / "w")
    assert answer.exit_code == 3, answer.said
    reasons = mart(tmp_path / "w", "rejects").sort("line")["reason"].to_list()
    assert reasons[0].startswith("watched_at: expected a local time from 1970 to 2099")
    assert reasons[1].startswith("minutes_watched: expected a number from 0 to 1440")
    steps = dict(mart(tmp_path / "w", "data_funnel")["step", "row_count"].iter_rows())
    assert steps["watch events read"] - steps["watch events landed"] == 2
    assert steps["watch events landed"] - steps["watch events of listed users"] == 1
    assert 99 in mart(tmp_path / "w", "users")["user_id"]


def test_users_without_events_are_refused_with_what_is_missing(matinee, viewing, tmp_path):
    source = viewing()
    (source / "watch_events.csv").unlink()
    answer = matinee("run", "--source", source, warehouse=tmp_path / "w")
    assert answer.exit_code == 1
    assert "expected watch_events.csv for 'watch_events'; found users.csv" in answer.said


def test_a_file_of_events_without_times_is_refused_as_a_whole(matinee, viewing, tmp_path):
    source = viewing()
    text = (source / "watch_events.csv").read_text().replace("2017-06-", "June ")
    (source / "watch_events.csv").write_text(text)
    answer = matinee("run", "--source", source, warehouse=tmp_path / "w")
    assert answer.exit_code == 1
    assert "300 of 300 lines (100.00%) break the contract of watch_events" in answer.said
