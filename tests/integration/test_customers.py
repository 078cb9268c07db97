"""Customers are segmented by declared rules, alone or beside others, and bad lines are told apart."""

import shutil
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from tests.conftest import DEMO
from tests.integration.conftest import Answer, Matinee, Rows, mart, write_customers

MARKUP = "<script>alert(1)</script>"


def test_a_folder_with_both_publishes_both(demo_warehouse):
    segmentations = set(mart(demo_warehouse, "segments")["segmentation"])
    assert segmentations >= {"customer_acquisition", "user_activity_and_ratings", "user_ratings"}


@pytest.mark.long
def test_a_source_without_customers_leaves_their_last_model_and_publishes_the_rest(
    warehouse_without_its_customers,
):
    segmentations = set(mart(warehouse_without_its_customers, "segments")["segmentation"])
    assert segmentations == {"title_reception"}
    models = warehouse_without_its_customers / "models"
    assert (models / "customer_acquisition" / "current.json").exists()


@pytest.mark.long
def test_the_report_says_what_is_gone_since_the_last_run_of_the_same_source(warehouse_without_its_customers):
    page = (warehouse_without_its_customers / "report" / "index.html").read_text()
    assert "Compared with the last run" in page
    _, _, changes = page.partition('id="changes"')
    changes, _, _ = changes.partition('<details class="part">')
    assert "Customer acquisition" in changes
    assert "Not in this run" in changes
    assert "Well Received" not in changes  # the titles are the same as before


Run = tuple[Answer, Path]


@pytest.fixture(scope="module")
def spoilt(
    matinee: Matinee, demo_world: Path, demo_warehouse: Path, tmp_path_factory: pytest.TempPathFactory
) -> Run:
    """A night, which may end early, on customers alone: five bad lines, and of channel 8 one customer only."""

    def spoil(rows: Rows) -> None:
        others = [row for row in rows[5:] if row[3] == "8"]
        for row in others[1:]:
            row[3] = "1"
        rows[0][3], rows[1][2], rows[2][0], rows[3][1], rows[4][0] = "9", "7", "-1", "-0.5", MARKUP

    folder = tmp_path_factory.mktemp("spoilt")
    source = write_customers(demo_world, folder / "source", spoil)
    warehouse = folder / "warehouse"
    shutil.copytree(demo_warehouse, warehouse, symlinks=True)
    return matinee("run", "--source", source, "--if-new", warehouse=warehouse), warehouse


def test_new_files_are_published_although_a_night_may_end_early(spoilt: Run, demo_warehouse):
    answer, warehouse = spoilt
    assert "Nothing is new" not in answer.said
    assert (warehouse / "published").readlink() != (demo_warehouse / "published").readlink()


def test_bad_lines_are_rejected_with_their_reasons_and_the_exit_code_tells(spoilt: Run):
    answer, warehouse = spoilt
    assert answer.exit_code == 3, answer.said
    rejects = mart(warehouse, "rejects").sort("line")
    assert rejects["line"].to_list() == [2, 3, 4, 5, 6]
    columns = ("channel", "region", "minutes_watched", "CLV", "minutes_watched")
    for column, (line, reason) in zip(columns, rejects["line", "reason"].iter_rows(), strict=True):
        assert reason.startswith(f"{column}: expected")
        assert f"line {line}: {reason}" in " ".join(answer.said.split())


def test_the_rest_goes_on_and_a_customers_number_is_that_of_the_line_whatever_was_rejected(spoilt: Run):
    members = mart(spoilt[1], "segment_members")
    assert len(members) == DEMO.customers - 5
    assert "6" in members["entity_id"].to_list()


def test_a_channel_with_one_customer_is_no_obstacle(spoilt: Run):
    assert mart(spoilt[1], "customer_channels").filter(channel="other")["customers"].item() == 1


def test_nothing_of_a_rejected_line_stands_in_the_report(spoilt: Run):
    page = (spoilt[1] / "report" / "index.html").read_text()
    assert "alert(1)" not in page
    assert "<script" not in page


def test_without_a_catalogue_no_title_is_published_and_its_absence_is_the_reason_to_skip(spoilt: Run):
    answer, warehouse = spoilt
    assert "the source has no titles" in " ".join(answer.said.split())
    assert len(mart(warehouse, "titles")) == 0


def test_what_earlier_runs_tell_of_their_time_stays_whole(spoilt: Run, demo_warehouse):
    (earlier,) = (pl.read_parquet(file) for file in (demo_warehouse / "ledger").glob("*.parquet"))
    told = mart(spoilt[1], "run_ledger")
    assert told["run"].n_unique() == 2
    assert_frame_equal(told.filter(pl.col("run") == earlier["run"][0]), earlier, check_row_order=False)


@pytest.mark.long
def test_rejects_may_be_allowed(matinee: Matinee, spoilt: Run):
    warehouse = spoilt[1]
    source = warehouse.with_name("source")
    answer = matinee("run", "--source", source, "--job", "sql_layer", "--allow-rejects", warehouse=warehouse)
    assert answer.exit_code == 0, answer.said
