"""Datasets of a source land each for itself; what is in force changes with what is published."""

from collections.abc import Callable
from pathlib import Path

import dagster as dg
import duckdb
import polars as pl
import pytest

from ingest.contracts import CONTRACTS, DATASETS
from ingest.errors import IngestError
from ingest.landing import switch
from orchestration.assets.landing import build_landing
from orchestration.settings import Settings
from orchestration.stores.layout import WarehouseLayout
from orchestration.tasks.landing import LandedSource, land, stage
from orchestration.tasks.left_out import refusals
from orchestration.tasks.switching import is_made_of_the_candidate
from orchestration.tools.warehouse import WarehouseResource

RATINGS = "user_id,title_id,rating,rated_at\n{},31,2.5,1260759144\n"
CUSTOMERS = "customer_id,minutes_watched,CLV,region,channel\n{},30,10,1,1\n"
UNLIKE = "name,city\nAda,Paris\n"
BROKEN = "customer_id,minutes_watched,CLV,region,channel\n1,half an hour,10,1,1\n"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Ratings and customers."""
    folder = tmp_path / "source"
    folder.mkdir()
    (folder / "ratings.csv").write_text(RATINGS.format(1))
    (folder / "customers.csv").write_text(CUSTOMERS.format(1))
    return folder


@pytest.fixture
def layout(tmp_path: Path) -> WarehouseLayout:
    return WarehouseLayout(tmp_path / "warehouse")


@pytest.fixture
def land_it(layout: WarehouseLayout) -> Callable[[Path], LandedSource]:
    """Lands a source and makes a candidate of it."""

    def run(source: Path) -> LandedSource:
        landed = land(Settings(warehouse=layout.root, source=str(source)))
        stage(landed, layout)
        return landed

    return run


def values(layout: WarehouseLayout, which: str, table: str, column: str) -> list[object]:
    return pl.read_parquet(layout.landing / which / table / "*.parquet")[column].to_list()


def test_every_table_belongs_to_one_dataset():
    assert sorted(table for tables in DATASETS for table in tables) == sorted(CONTRACTS)


def test_a_refused_dataset_keeps_what_is_in_force_and_the_others_land(source, layout, land_it):
    land_it(source)
    switch(layout.landing)
    (source / "customers.csv").write_text(BROKEN)
    (source / "ratings.csv").write_text(RATINGS.format(7))
    landed = land_it(source)
    assert list(landed.refused) == ["customers"]
    assert values(layout, "candidate", "ratings", "user_id") == [7]
    assert values(layout, "candidate", "customers", "customer_id") == ["1"]
    assert values(layout, "current", "ratings", "user_id") == [1]
    (said,) = refusals(layout)
    assert said.startswith("customers.csv: ")
    assert "minutes_watched: expected a number" in said
    assert said.endswith("the data stays as it was in customers; the rest of the source goes on.")


def test_a_file_that_is_not_what_its_name_says_stops_its_dataset_alone(source, layout, land_it):
    land_it(source)
    switch(layout.landing)
    (source / "customers.csv").write_text(UNLIKE)
    (source / "ratings.csv").write_text(RATINGS.format(7))
    landed = land_it(source)
    assert list(landed.refused) == ["customers"]
    assert "minutes_watched" in landed.refused["customers"]
    assert values(layout, "candidate", "ratings", "user_id") == [7]
    assert values(layout, "candidate", "customers", "customer_id") == ["1"]


def test_what_another_source_gave_is_no_stand_in_for_a_refused_dataset(source, layout, land_it):
    land_it(source)
    switch(layout.landing)
    other = source.rename(source.with_name("other"))
    (other / "customers.csv").write_text(BROKEN)
    before = (layout.landing / "candidate").readlink()
    with pytest.raises(IngestError, match=r"customers\.csv: .* minutes_watched"):
        land_it(other)
    assert (layout.landing / "candidate").readlink() == before


def test_a_refused_dataset_of_which_nothing_is_in_force_is_absent(source, layout, land_it):
    (source / "customers.csv").write_text(BROKEN)
    land_it(source)
    assert not (layout.landing / "candidate" / "customers").exists()
    assert values(layout, "candidate", "ratings", "user_id") == [1]


def test_a_source_of_which_every_dataset_is_refused_is_refused(source, layout, land_it):
    (source / "ratings.csv").unlink()
    land_it(source)
    switch(layout.landing)
    before = (layout.landing / "candidate").readlink()
    (source / "customers.csv").write_text(BROKEN)
    with pytest.raises(IngestError, match=r"customers\.csv"):
        land_it(source)
    assert (layout.landing / "candidate").readlink() == before


def test_tables_built_from_an_older_set_do_not_put_the_candidate_in_force(source, layout, land_it):
    """As when somebody materialises the landing and the published tables, and leaves out what lies between."""
    land_it(source)
    manifest = layout.root / "landing_manifest.parquet"
    files = f"read_parquet('{layout.landing}/candidate/manifest/*.parquet')"
    duckdb.execute(
        f"copy (select table_name, sha256, landed_at from {files}) to '{manifest}' (format parquet)"
    )
    assert is_made_of_the_candidate(layout, layout.root)
    (source / "ratings.csv").write_text(RATINGS.format(7))
    land_it(source)
    assert not is_made_of_the_candidate(layout, layout.root)


def test_a_run_that_failed_keeps_the_numbers_that_it_gave(source, layout, land_it):
    (source / "ratings.csv").write_text(RATINGS.format("ada"))
    land_it(source)
    given = values(layout, "candidate", "ratings", "user_id")
    (source / "ratings.csv").write_text(RATINGS.format("aaron") + RATINGS.format("ada").partition("\n")[2])
    land_it(source)
    assert values(layout, "candidate", "ratings", "user_id") == [given[0] + 1, given[0]]


def test_landing_alone_puts_nothing_in_force_and_shows_no_e_mails(source, layout):
    twins = RATINGS.format("Ada@example.org") + RATINGS.format("ada@example.org").partition("\n")[2]
    (source / "ratings.csv").write_text(twins)
    result = dg.materialize(
        [build_landing()],
        resources={"warehouse": WarehouseResource(path=str(layout.root))},
        run_config={"ops": {"land_raw_files": {"config": {"source": str(source)}}}},
    )
    assert result.success
    assert (layout.landing / "candidate").exists()
    assert not (layout.landing / "current").exists()
    told = {
        event.asset_key.path[-1]: event.materialization for event in result.get_asset_materialization_events()
    }
    (note,) = told["ratings"].metadata["notes"].value
    assert "differ from another by case" in note
    assert "a***@…" in note
    assert "example.org" not in note
