"""Users and what they watch go through a whole run, and what is wrong with their files is told."""

import json
from pathlib import Path

import polars as pl
import pytest

from tests.conftest import DEMO
from tests.integration.conftest import Answer, Matinee, mart

USERS_HEADER = "user_id,subscription,region,joined_on"
EVENTS_HEADER = "user_id,movie_id,watched_at,device,minutes_watched"


Run = tuple[Answer, Path]


@pytest.fixture(scope="module")
def viewing_alone(matinee: Matinee, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run on 20 users with 300 events and, after them, two bad lines and an event of nobody who is listed."""
    folder = tmp_path_factory.mktemp("viewing")
    listed = [f"{user},Basic,India,2015-01-{user:02}" for user in range(1, 21)]
    watched = [
        f"{event % 20 + 1},{event % 7 + 1},2017-06-{event % 28 + 1:02} {event % 24:02}:15:00,TV,{event % 90}"
        for event in range(300)
    ]
    odd = ["1,1,2017-06-05,TV,10", "1,1,2017-06-05 20:15:00,TV,-3", "99,1,2017-06-05 20:15:00,TV,7"]
    (folder / "users.csv").write_text("\n".join([USERS_HEADER, *listed]) + "\n")
    (folder / "watch_events.csv").write_text("\n".join([EVENTS_HEADER, *watched, *odd]) + "\n")
    return matinee("run", "--source", folder, warehouse=folder / "w"), folder / "w"


def test_a_run_publishes_what_the_demo_world_watches(demo_warehouse):
    users = mart(demo_warehouse, "users")
    events = mart(demo_warehouse, "weekly_activity")["events"].sum()
    assert len(users) == DEMO.users
    assert users["subscription"].null_count() == 0
    by_device = mart(demo_warehouse, "user_devices")["events"].sum()
    assert users["events"].sum() == events == by_device == DEMO.watch_events
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
    (said,) = advice.filter(topic="catalogue to tend").iter_rows(named=True)
    figures = json.loads(said["figures"])
    row = mart(demo_warehouse, said["source"]).filter(genre=figures["genre"]).row(0, named=True)
    assert row["genre_label"] in said["sentence"]
    assert f"{row['mean_rating']:.2f} stars" in said["sentence"]


@pytest.mark.real_data
@pytest.mark.long
def test_ratings_alone_are_enough_for_five_recommendations(real_warehouse):
    """The public files have customers and a second catalogue too: what comes of these does not count."""
    advice = mart(real_warehouse, "strategic_recommendations")
    assert not {"segment and device", "time of viewing", "upgrade"} & set(advice["topic"])
    of_others = advice["topic"].str.starts_with("customers") | advice["topic"].str.starts_with("catalogue")
    assert len(advice.filter(~of_others)) >= 5


@pytest.mark.long
def test_viewing_alone_is_published_without_genres(viewing_alone: Run):
    _, warehouse = viewing_alone
    users = mart(warehouse, "users")
    # Four of the views have 0 minutes: previews, which are no viewing.
    assert (users["events"].sum(), users["total_ratings"].sum()) == (297, 0)
    assert mart(warehouse, "genre_popularity")["events"].sum() == 0
    assert set(mart(warehouse, "segments")["segmentation"]) == {"user_viewing"}


@pytest.mark.long
def test_bad_lines_of_viewing_are_rejected_and_strangers_are_kept(viewing_alone: Run):
    answer, warehouse = viewing_alone
    assert answer.exit_code == 3, answer.said
    reasons = mart(warehouse, "rejects").sort("line")["reason"].to_list()
    assert reasons[0].startswith("watched_at: expected a local time from 1971 to the day after it is read")
    assert reasons[1].startswith("minutes_watched: expected a number of minutes from 0 to 1440")
    steps = dict(mart(warehouse, "data_funnel")["step", "row_count"].iter_rows())
    assert steps["watch events read"] - steps["watch events landed"] == 2 + 4  # rejected, and left out
    assert steps["watch events landed"] - steps["watch events of listed users"] == 1
    assert "99" in mart(warehouse, "users")["user_id"]


@pytest.mark.long
def test_of_lines_that_were_rejected_only_the_run_that_landed_them_ends_with_another_code(
    viewing_alone: Run, matinee: Matinee
):
    _, warehouse = viewing_alone
    again = matinee("run", "--source", warehouse.parent, "--if-new", warehouse=warehouse)
    assert "Nothing is new" in again.said
    assert again.exit_code == 0, again.said
