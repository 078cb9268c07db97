"""A table that lost rows and a raw file whose columns changed are told of, beside what is published."""

from datetime import timedelta
from pathlib import Path

import dagster as dg
import polars as pl
import pytest

from ingest.landing import switch
from orchestration.assets.landing import COLUMNS_STAY, ROWS_STAY, SILENT, build_landing
from orchestration.settings import Settings
from orchestration.stores.layout import WarehouseLayout
from orchestration.tasks.landed_changes import Landed, changed_columns, compare, lost_rows
from orchestration.tasks.landing import land, stage
from orchestration.tools.warehouse import WarehouseResource

HEADER = "user_id,title_id,rating,rated_at\n"


def rows(count: int, header: str = HEADER, rated_at: str = "1260759144") -> str:
    return header + "".join(f"{n},31,2.5,{rated_at}\n" for n in range(1, count + 1))


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    folder.mkdir()
    (folder / "ratings.csv").write_text(rows(100))
    return folder


@pytest.fixture
def published(tmp_path: Path, source: Path) -> WarehouseLayout:
    """A warehouse in which 100 ratings are in force."""
    layout = WarehouseLayout(tmp_path / "warehouse")
    stage(land(Settings(warehouse=layout.root, source=str(source))), layout)
    switch(layout.landing)
    return layout


def told(layout: WarehouseLayout, source: Path) -> dict[str, dg.AssetCheckEvaluation]:
    """What landing tells of the ratings, by check."""
    result = dg.materialize(
        [build_landing()],
        resources={"warehouse": WarehouseResource(path=str(layout.root))},
        run_config={"ops": {"land_raw_files": {"config": {"source": str(source)}}}},
    )
    return {
        found.check_name: found
        for found in result.get_asset_check_evaluations()
        if found.asset_key.path[-1] in ("ratings", "manifest")
    }


def test_a_table_may_lose_the_share_of_rows_that_is_set_and_no_more():
    assert lost_rows("ratings", Landed(90), Landed(100), 0.1) is None
    assert lost_rows("ratings", Landed(500), Landed(100), 0.1) is None
    assert lost_rows("ratings", Landed(89), Landed(100), 0.1) == (
        "ratings has 89 rows, 11.0% fewer than the 100 published; at most 10% fewer are expected."
    )
    assert lost_rows("ratings", Landed(), Landed(100), 0.1) == "ratings has no rows; 100 are published."


@pytest.mark.parametrize(
    ("now", "said"),
    [
        ({"a": {"text"}, "b": {"numbers"}}, ""),
        ({"b": {"numbers"}, "a": {"text"}}, ""),
        ({"a": {"text"}}, "Columns of the raw file: b is gone."),
        ({"a": {"text"}, "b": {"numbers"}, "c": {"text"}}, "Columns of the raw file: c is new."),
        ({"a": {"text"}, "d": {"numbers"}}, "Columns of the raw file: b is now called d."),
        ({"a": {"text"}, "d": {"times"}}, "Columns of the raw file: b is gone; d is new."),
        ({"a": {"text"}, "b": {"text"}}, "Columns of the raw file: b held numbers and now holds text."),
    ],
)
def test_what_became_of_columns_is_said_in_words(now, said):
    assert changed_columns(now, {"a": {"text"}, "b": {"numbers"}}) == said


def test_a_file_that_lost_rows_lands_with_a_warning(published, source):
    (source / "ratings.csv").write_text(rows(80))
    found = told(published, source)
    assert not found[ROWS_STAY].passed
    assert found[ROWS_STAY].severity is dg.AssetCheckSeverity.WARN
    assert found[ROWS_STAY].metadata["rows"].value == 80


def test_the_same_file_again_warns_of_nothing(published, source):
    found = told(published, source)
    assert found[ROWS_STAY].passed
    assert found[COLUMNS_STAY].passed
    assert found[COLUMNS_STAY].metadata["columns"].value == 4


def test_a_column_is_followed_through_an_unchanged_file_to_a_changed_one(published, source):
    """The file that is in force was read in an earlier run: what it held is in its manifest."""
    told(published, source)
    (source / "ratings.csv").write_text(
        rows(100, HEADER.replace("rated_at", "timestamp"), "2009-12-14 02:52:24")
    )
    found = told(published, source)[COLUMNS_STAY]
    assert not found.passed
    assert found.description == "Columns of the raw file: rated_at is gone; timestamp is new."


def test_another_source_is_not_compared(published, source, tmp_path):
    other = source.rename(tmp_path / "other")
    (other / "ratings.csv").write_text(rows(3))
    found = told(published, other)[ROWS_STAY]
    assert found.passed
    assert found.description == "Not applicable: what is published came from another source."


def test_the_first_landing_has_nothing_to_be_compared_with(source, tmp_path):
    layout = WarehouseLayout(tmp_path / "new")
    comparison = compare(land(Settings(warehouse=layout.root, source=str(source))), layout)
    assert comparison.incomparable == "nothing was published before"
    assert comparison.now["ratings"].rows == 100


def test_a_manifest_of_before_columns_were_remembered_says_that_they_are_not_known(published, source):
    for file in (published.landing / "files").glob("*.manifest.parquet"):
        pl.read_parquet(file).drop("raw_columns").write_parquet(file)
    found = told(published, source)[COLUMNS_STAY]
    assert found.description == "Not applicable: it is not known which raw columns it had."


def test_a_source_that_stays_the_same_for_longer_than_is_set_is_told_of(published, source, monkeypatch):
    assert (
        told(published, source)[SILENT].description
        == "Not applicable: MATINEE_SOURCE_STALE_HOURS is not set."
    )
    monkeypatch.setenv("MATINEE_SOURCE_STALE_HOURS", "1")
    assert told(published, source)[SILENT].passed
    for file in (published.landing / "files").glob("*.manifest.parquet"):
        earlier = pl.col("landed_at") - timedelta(hours=30)
        pl.read_parquet(file).with_columns(earlier).write_parquet(file)
    found = told(published, source)[SILENT]
    assert not found.passed
    assert found.description == "No raw file changed for 30 hours; 1 may pass."
