"""The audiences of the demo world, after a whole run on it."""

import duckdb
import polars as pl

from ml.audiences.holdout import place
from tests.integration.conftest import mart


def test_the_eight_audiences_of_the_demo_world_have_members_and_leave_some_out(demo_warehouse):
    audiences = mart(demo_warehouse, "audiences")
    assert len(audiences) == 8
    assert audiences["warning"].null_count() == 8
    assert audiences["members"].min() > 0
    assert audiences["share"].max() < 0.9
    sizes = mart(demo_warehouse, "audience_members").group_by("audience").len()
    assert dict(sizes.iter_rows()) == dict(audiences.select("audience", "members").iter_rows())


def test_each_rule_finds_in_the_warehouse_whom_its_published_sql_says(demo_warehouse):
    with duckdb.connect(str(demo_warehouse / "matinee.duckdb"), read_only=True) as connection:
        for audience, sql in mart(demo_warehouse, "audiences").select("audience", "sql").iter_rows():
            found = connection.sql(sql).pl()["entity_id"].sort()
            asked = "select entity_id from ml.audience_matches where audience = ?"
            assert found.equals(connection.sql(asked, params=[audience]).pl()["entity_id"].sort()), audience


def test_a_waterfall_runs_from_everybody_to_the_members_who_are_not_held_out(demo_warehouse):
    ends = mart(demo_warehouse, "audience_waterfall").group_by("audience").agg(pl.col("kept").last())
    audiences = mart(demo_warehouse, "audiences").with_columns(sent=pl.col("members") - pl.col("held_out"))
    assert dict(ends.iter_rows()) == dict(audiences.select("audience", "sent").iter_rows())


def test_a_user_is_in_one_audience_of_those_with_a_priority(demo_warehouse):
    ordered = mart(demo_warehouse, "audiences").drop_nulls("priority")
    members = mart(demo_warehouse, "audience_members").join(ordered, on="audience")
    assert len(ordered) == 4
    assert members["entity_id"].is_unique().all()
    lost = mart(demo_warehouse, "audience_overlap").filter(pl.col("lost_to_other") > 0)
    ranks = dict(ordered.select("audience", "priority").iter_rows())
    assert len(lost)
    assert all(ranks[other] < ranks[one] for one, other in lost.select("audience", "other").iter_rows())


def test_who_is_held_out_of_all_is_held_out_of_each(demo_warehouse):
    members = mart(demo_warehouse, "audience_members")
    expected = [place(one, "matinee") < 0.05 for one in members["entity_id"]]
    assert members.filter(pl.Series(expected))["held_out"].all()
    without_own = members.filter(pl.col("audience") != "lapsing_loyalists", pl.col("held_out"))
    assert all(place(one, "matinee") < 0.05 for one in without_own["entity_id"])


def test_everybody_who_is_in_has_entered_and_not_left(demo_warehouse):
    still = mart(demo_warehouse, "audience_history").filter(pl.col("left_at").is_null())
    key = ["audience", "entity_id"]
    assert still.select(key).sort(key).equals(mart(demo_warehouse, "audience_members").select(key).sort(key))
