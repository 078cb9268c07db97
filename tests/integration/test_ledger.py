"""Runs say where their time went."""

import json

import duckdb
import polars as pl

from tests.integration.conftest import mart

LAST = {"publish", "report"}


def test_a_run_tells_what_each_stage_took_and_all_of_them_are_nearly_all_of_it(demo_warehouse):
    run = json.loads((demo_warehouse / "report" / "run.json").read_text())
    (file,) = (demo_warehouse / "ledger").glob("*.parquet")
    stages = pl.read_parquet(file)
    assert set(stages["run"]) == {run["run_id"]}
    assert set(stages["outcome"]) == {"finished"}
    of_segments = {f"{stage} user_ratings" for stage in ("train", "judge", "place", "draw")}
    assert set(stages["stage"]) >= {"landing", "dbt before ML", "gather", "dbt after ML", *of_segments, *LAST}
    assert 0.7 * run["seconds"] <= stages["seconds"].sum() <= run["seconds"]
    assert stages["cpu_seconds"].min() > 0


def test_what_is_published_of_the_run_is_all_but_its_last_two_stages(demo_warehouse):
    (file,) = (demo_warehouse / "ledger").glob("*.parquet")
    assert mart(demo_warehouse, "run_ledger").equals(
        pl.read_parquet(file).filter(~pl.col("stage").is_in(LAST))
    )


def test_the_database_tells_of_the_run_whole(demo_warehouse):
    with duckdb.connect(str(demo_warehouse / "matinee.duckdb"), read_only=True) as connection:
        told = {stage for (stage,) in connection.execute("select stage from marts.run_ledger").fetchall()}
    assert told >= LAST


def test_rows_and_bytes_are_those_that_were_landed_placed_and_published(demo_warehouse):
    (file,) = (demo_warehouse / "ledger").glob("*.parquet")
    stages = {row["stage"]: row for row in pl.read_parquet(file).iter_rows(named=True)}
    files = mart(demo_warehouse, "landing_manifest")
    landing = stages["landing"]
    assert (landing["rows_in"], landing["bytes_in"]) == (files["rows_read"].sum(), files["bytes"].sum())
    assert landing["rows_out"] == files["rows_landed"].sum()
    members = mart(demo_warehouse, "segment_members").filter(segmentation="user_ratings")
    profiles = mart(demo_warehouse, "segment_profiles").filter(segmentation="user_ratings")
    placed = stages["place user_ratings"]
    assert (placed["rows_in"], placed["rows_out"]) == (len(members), len(members) + len(profiles))
    published = (demo_warehouse / "published").resolve().iterdir()
    sizes = {file.name: file.stat().st_size for file in published if file.name != "made_of.json"}
    assert stages["publish"]["bytes_out"] == sum(sizes.values())
