"""A campaign in the demo world, from the first run to what may be said of it."""

import shutil

import polars as pl

from ingest.demo import EFFECT
from tests.conftest import DEMO
from tests.integration.conftest import mart

FIVE_WEEKS_BEFORE = pl.datetime(2017, 7, 31)


def test_the_effect_that_is_planted_in_the_demo_world_is_found(
    matinee, demo_warehouse, demo_world, tmp_path, monkeypatch
):
    monkeypatch.setattr("ingest.demo.world.sizes_of", lambda _: DEMO)
    monkeypatch.setenv("MATINEE_HOLDOUT_SHARE", "0.3")  # of a fifth of a world, enough for the other side
    warehouse = shutil.copytree(demo_warehouse, tmp_path / "warehouse", symlinks=True)

    after = ("demo-data", "--after-export", "weekly_letter")
    run = ("run", "--job", "update", "--source", demo_world)
    for command in (run, ("export", "weekly_letter"), after, run):
        monkeypatch.setenv("MATINEE_TODAY", "2017-10-09" if command == run else "2017-09-03")
        answer = matinee(*command, warehouse=warehouse)
        assert answer.exit_code == 0, answer.said
    found = {row["outcome"]: row for row in mart(warehouse, "audience_lift").iter_rows(named=True)}
    views = pl.read_csv(demo_world / "viewing" / "watch_events.csv", try_parse_dates=True)
    (treated,) = warehouse.glob("deliveries/weekly_letter/*/treated.parquet")
    sent = pl.read_parquet(treated).filter(~pl.col("held_out"))["entity_id"].cast(int)
    late = views.filter(pl.col("watched_at") >= FIVE_WEEKS_BEFORE, pl.col("user_id").is_in(sent.implode()))
    for outcome, before in (("views", len(late)), ("minutes", late["minutes_watched"].sum())):
        row = found[outcome]
        planted = EFFECT * before / len(sent) * 30 / 35
        assert 0 < row["low"] <= planted <= row["high"], row
        assert "more" in row["says"]
        assert row["treated"] == len(sent)
    again = matinee(*after, warehouse=warehouse)
    assert again.exit_code == 1
    assert "the newest view is of 2017-10-08" in again.error
