"""Viewing has the structure that later segmentations must be able to find."""

from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path

import polars as pl
import pytest

from ingest.demo import EFFECT, write_views_after


@pytest.fixture(scope="module")
def events(folder: Path) -> pl.DataFrame:
    rows = pl.read_csv(folder / "viewing/watch_events.csv", try_parse_dates=True)
    users = pl.read_csv(folder / "viewing/users.csv")
    truth = pl.read_csv(folder / "truth/personas.csv")
    return rows.join(users, on="user_id").join(truth, on="user_id").sort("watched_at")


def test_every_event_is_of_a_known_user_and_film(folder: Path, events: pl.DataFrame) -> None:
    assert len(events) == 30_000
    links = pl.read_csv(folder / "links.csv", schema_overrides={"imdbId": pl.String})
    assert len(events.join(links, left_on="movie_id", right_on="movieId", how="anti")) == 0


def test_events_are_in_the_order_of_time(folder: Path) -> None:
    assert pl.read_csv(folder / "viewing/watch_events.csv", try_parse_dates=True)["watched_at"].is_sorted()


def test_minutes_are_those_of_films(events: pl.DataFrame) -> None:
    assert events["minutes_watched"].is_between(1, 240).all()


def _share(events: pl.DataFrame, persona: str, device: str) -> float:
    devices = events.filter(pl.col("persona") == persona)["device"]
    return devices.to_list().count(device) / len(devices)


def test_the_device_depends_on_the_persona(events: pl.DataFrame) -> None:
    assert _share(events, "Premium Loyalists", "TV") > 0.5
    assert _share(events, "New Explorers", "Mobile") > 0.45
    assert _share(events, "New Explorers", "TV") < 0.25


def test_the_device_depends_on_the_subscription_within_a_persona(events: pl.DataFrame) -> None:
    expanding = events.filter(pl.col("persona") == "Expanding Enthusiasts")
    tv = {
        plan: (expanding.filter(pl.col("subscription") == plan)["device"] == "TV").mean()
        for plan in ("Basic", "Standard", "Premium")
    }
    assert tv["Basic"] < tv["Standard"] < tv["Premium"]  # type: ignore[operator]


def test_people_watch_more_at_weekends_and_most_in_the_evening(events: pl.DataFrame) -> None:
    by_day = events["watched_at"].dt.weekday().value_counts().sort("watched_at")["count"]
    assert by_day[5] > 1.5 * by_day[1]
    hours = events["watched_at"].dt.hour()
    assert hours.is_between(18, 23).mean() > 0.45  # type: ignore[operator]
    assert hours.is_between(2, 6).mean() < 0.06  # type: ignore[operator]


def test_personas_watch_the_genres_that_they_rate(folder: Path, events: pl.DataFrame) -> None:
    titles = pl.read_csv(folder / "movies_metadata.csv", infer_schema=False).unique("id", keep="first")
    links = pl.read_csv(folder / "links.csv", infer_schema=False).select(
        pl.col("movieId").cast(int), "tmdbId"
    )
    watched = events.join(links, left_on="movie_id", right_on="movieId").join(
        titles.select("id", "genres"), left_on="tmdbId", right_on="id"
    )
    western = watched.group_by("persona").agg(pl.col("genres").str.contains("Western").mean())
    share = dict(western.iter_rows())
    assert share.pop("Premium Loyalists") > 0.02
    assert max(share.values()) < 0.005


def test_some_who_watched_as_much_as_others_stop_and_watched_less_and_less_before(
    events: pl.DataFrame,
) -> None:
    weeks = events.with_columns(week=(pl.col("watched_at") - pl.datetime(2017, 6, 5)).dt.total_days() // 7)
    last = weeks.group_by("user_id").agg(pl.col("week").max().alias("last"), pl.len().alias("views"))
    gone = last.filter((pl.col("views") >= 6) & (pl.col("last") <= 9))
    assert 0.02 < len(gone) / len(last) < 0.1
    ago = weeks.join(gone, on="user_id").with_columns(ago=pl.col("last") - pl.col("week"))
    views = dict(ago.filter(pl.col("ago") < 4).group_by("ago").len().iter_rows())
    # The last week is the one in which the last view was, so one is sure to be in it.
    assert views[0] - len(gone) < views[1] < views[2] < views[3]


def test_who_was_sent_something_watches_more_by_the_planted_effect_and_nobody_else_does(
    folder: Path, events: pl.DataFrame, tmp_path: Path
) -> None:
    newest: datetime = events["watched_at"].max()  # type: ignore[assignment]
    path, last = tmp_path / "after.csv", newest.date()
    write = partial(write_views_after, path, scale="small", sent=range(1, 2_001))
    write(newest=newest, on=last)
    after = pl.read_csv(path, try_parse_dates=True)
    assert after.columns == pl.read_csv(folder / "viewing/watch_events.csv", n_rows=1).columns
    assert after["watched_at"].is_sorted()
    assert after["watched_at"].dt.date().is_between(last + timedelta(1), last + timedelta(35)).all()
    before = events.filter(pl.col("watched_at").dt.date() > last - timedelta(35))
    of = pl.col("user_id") <= 2_000
    more = [len(after.filter(side)) / len(before.filter(side)) - 1 for side in (of, ~of)]
    assert more == [pytest.approx(EFFECT, abs=0.02), 0]
    minutes = [views.filter(of)["minutes_watched"].mean() for views in (before, after)]
    assert minutes[1] == pytest.approx(minutes[0], rel=0.03)
    with pytest.raises(ValueError, match="it was sent on 2026-12-01"):
        write(newest=newest, on=date(2026, 12, 1))
    with pytest.raises(ValueError, match="the newest view is of None"):
        write(newest=None, on=last)
