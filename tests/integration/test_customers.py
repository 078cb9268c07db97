"""Customers are segmented by declared rules, alone or beside the viewers, and bad files are told apart."""

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from tests.integration.conftest import Matinee
from tests.published_customers import PUBLISHED

FILE = "customer_segmentation_data.csv"


def mart(warehouse: Path, name: str) -> pl.DataFrame:
    return pl.read_parquet(warehouse / "published" / f"{name}.parquet")


@pytest.fixture(scope="module")
def real_customers_warehouse(matinee: Matinee, real_movies, tmp_path_factory) -> Path:
    """A warehouse after a run on the public customers' file alone."""
    warehouse = tmp_path_factory.mktemp("customers") / "warehouse"
    answer = matinee("run", "--source", real_movies.parent / "customers", warehouse=warehouse)
    assert answer.exit_code == 0, answer.said
    return warehouse


@pytest.mark.real_data
def test_the_public_file_gives_the_published_table_to_the_printed_digit(real_customers_warehouse):
    segments = mart(real_customers_warehouse, "segments")
    assert dict(segments["segment_name", "members"].iter_rows()) == {
        name: figures[3] for name, figures in PUBLISHED.items()
    }
    assert segments.sort("segment_id")["segment_name"].to_list() == list(PUBLISHED)
    profiles = mart(real_customers_warehouse, "segment_profiles").join(segments, on="segment_id")
    for name, figures in PUBLISHED.items():
        means = dict(profiles.filter(segment_name=name)["feature", "segment_mean"].iter_rows())
        printed = tuple(round(means[feature], 2) for feature in ("minutes_watched", "clv", "region"))
        assert printed == figures[:3]


@pytest.mark.real_data
def test_nobody_leaves_their_rule_and_the_free_optimum_stands_beside(real_customers_warehouse):
    row = mart(real_customers_warehouse, "start_agreement").row(0, named=True)
    assert round(row["inertia"], 2) == 22_653.66
    assert row["left_rule"] == 0
    assert row["free_inertia"] <= 22_554.5
    assert 0 < row["start_agreement"] < 1
    assert mart(real_customers_warehouse, "free_segments")["members"].sum() == 3_834


@pytest.mark.real_data
def test_that_facebook_brings_the_most_engaged_is_not_supported(real_customers_warehouse):
    claim = mart(real_customers_warehouse, "segment_claims").filter(
        segment_name="Facebook Followers", feature="minutes_watched"
    )
    assert not claim["is_supported"].item()
    assert claim["sentence"].item() is None
    assert "rests on one member: 2,767.64 with it, 1,830.79 without" in claim["reason"].item()
    page = (real_customers_warehouse / "report" / "index.html").read_text()
    supported, _, rest = page.partition("Not supported")
    assert "2,767.64 with it" not in supported
    assert "2,767.64 with it" in rest


@pytest.mark.real_data
def test_without_viewers_nothing_is_said_of_them(real_customers_warehouse):
    assert set(mart(real_customers_warehouse, "segments")["segmentation"]) == {"customer_acquisition"}
    assert not (real_customers_warehouse / "plots" / "user_ratings").exists()


@pytest.mark.real_data
def test_the_published_customer_figures_are_reproduced(matinee, real_movies, tmp_path):
    answer = matinee("replicate", "--source", real_movies.parent / "customers", warehouse=tmp_path)
    assert answer.exit_code == 0, answer.said
    assert "104 ok" in answer.said


def test_a_folder_with_both_publishes_both(demo_warehouse):
    segmentations = set(mart(demo_warehouse, "segments")["segmentation"])
    assert segmentations >= {"customer_acquisition", "user_activity_and_ratings", "user_ratings"}


@pytest.fixture(scope="module")
def warehouse_without_its_customers(
    matinee: Matinee, demo_world: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A warehouse after two runs on one folder, from which the customers were taken away in between."""
    folder = tmp_path_factory.mktemp("customers_gone")
    both, warehouse = folder / "both", folder / "warehouse"
    both.mkdir()
    for file in ("ratings.csv", "links.csv", "movies_metadata.csv"):
        (both / file).symlink_to(demo_world / file)
    customers = both / FILE
    customers.symlink_to(demo_world / "customers" / FILE)
    assert matinee("run", "--source", both, warehouse=warehouse).exit_code == 0
    customers.unlink()
    answer = matinee("run", "--source", both, warehouse=warehouse)
    assert answer.exit_code == 0, answer.said
    return warehouse


def test_a_source_without_customers_leaves_their_last_model_and_publishes_viewers(
    warehouse_without_its_customers,
):
    segmentations = set(mart(warehouse_without_its_customers, "segments")["segmentation"])
    assert "user_ratings" in segmentations
    assert "customer_acquisition" not in segmentations
    models = warehouse_without_its_customers / "models"
    assert (models / "customer_acquisition" / "current.json").exists()


def test_the_report_says_what_is_gone_since_the_last_run_of_the_same_source(warehouse_without_its_customers):
    page = (warehouse_without_its_customers / "report" / "index.html").read_text()
    _, _, changes = page.partition('id="changes"')
    changes, _, _ = changes.partition("</section>")
    assert "Compared with the last run" in changes
    assert "Customer acquisition" in changes
    assert "Not in this run" in changes
    assert "New Explorers" not in changes  # the viewers are the same as before


@pytest.fixture
def customers(demo_world: Path, tmp_path: Path) -> Callable[[Callable[[list[list[str]]], None]], Path]:
    """Write the demo world's customers, changed by a function over their cells, into a folder of their own."""

    def write(change: Callable[[list[list[str]]], None]) -> Path:
        header, *lines = (demo_world / "customers" / FILE).read_text().splitlines()
        rows = [line.split(",") for line in lines]
        change(rows)
        folder = tmp_path / "customers_only"
        folder.mkdir()
        (folder / FILE).write_text("\n".join([header, *map(",".join, rows)]) + "\n")
        return folder

    return write


def test_lines_with_unknown_codes_or_negative_numbers_are_rejected_and_the_rest_goes_on(
    matinee, customers, tmp_path
):
    def spoil(rows: list[list[str]]) -> None:
        rows[0][3], rows[1][2], rows[2][0], rows[3][1] = "9", "7", "-1", "-0.5"

    answer = matinee("run", "--source", customers(spoil), warehouse=tmp_path / "w")
    assert answer.exit_code == 3, answer.said
    rejects = mart(tmp_path / "w", "rejects").sort("line")
    assert rejects["line"].to_list() == [2, 3, 4, 5]
    for reason, column in zip(
        rejects["reason"], ("channel", "region", "minutes_watched", "CLV"), strict=True
    ):
        assert reason.startswith(f"{column}: expected")
    members = mart(tmp_path / "w", "segment_members")
    assert len(members) == 3_830
    assert (
        "5" in members["entity_id"].to_list()
    )  # a customer's number is that of the line, whatever was rejected


def test_a_channel_with_one_customer_is_no_obstacle(matinee, customers, tmp_path):
    def leave_one(rows: list[list[str]]) -> None:
        others = [row for row in rows if row[3] == "8"]
        for row in others[1:]:
            row[3] = "1"

    answer = matinee("run", "--source", customers(leave_one), warehouse=tmp_path / "w")
    assert answer.exit_code == 0, answer.said


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda rows: [row.__setitem__(0, "") for row in rows], ["minutes_watched", "same value"]),
        (lambda rows: [row.__setitem__(2, "2") for row in rows], ["Anglo-Saxon Multi-Channel"]),
        (lambda rows: rows.__delitem__(slice(7, None)), ["customer_acquisition"]),
    ],
    ids=["all minutes empty", "one region only", "fewer customers than segments"],
)
def test_customers_that_cannot_be_divided_stop_the_run_in_plain_words(
    matinee, customers, tmp_path, change, says
):
    answer = matinee("run", "--source", customers(change), warehouse=tmp_path / "w")
    assert answer.exit_code == 1
    for word in says:
        assert word in answer.said
    assert "Traceback" not in answer.said
