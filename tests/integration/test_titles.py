"""Titles of either catalogue, from raw files to segments and picks; the demo world has both catalogues."""

from pathlib import Path

import polars as pl
import pytest
from sklearn.metrics import adjusted_rand_score

from tests.integration.conftest import mart

NAMES = {"Well Received", "Poorly Received", "Oldest Titles", "Little Known"}


@pytest.fixture(scope="module")
def titles(demo_warehouse: Path) -> pl.DataFrame:
    members = mart(demo_warehouse, "segment_members").filter(segmentation="title_reception")
    return members.join(mart(demo_warehouse, "titles"), left_on="entity_id", right_on="title_id")


def test_every_title_of_both_catalogues_has_a_segment(demo_warehouse, titles):
    assert len(titles) == len(mart(demo_warehouse, "titles"))
    assert set(titles["catalogue"]) == {"movies", "streaming"}
    assert set(titles["segment_name"]) == NAMES


def test_a_name_is_true_of_the_titles_that_have_it(titles):
    newest = titles["release_year"].max()
    means = titles.group_by("segment_name").agg(
        pl.col("weighted_score", "audience_score").mean(),
        (newest - pl.col("release_year")).mean().alias("age"),
    )

    def extreme(column: str, *, descending: bool) -> str:
        return means.sort(column, descending=descending)["segment_name"][0]

    assert extreme("weighted_score", descending=True) == "Well Received"
    assert extreme("audience_score", descending=False) == "Poorly Received"
    assert extreme("age", descending=True) == "Oldest Titles"


def test_the_segments_are_not_the_catalogues_under_another_name(titles):
    assert adjusted_rand_score(titles["catalogue"], titles["segment_name"]) < 0.2


def test_the_picks_of_a_segment_are_its_best_titles_in_order(demo_warehouse, titles):
    picks = mart(demo_warehouse, "catalogue_picks").sort("segment_name", "rank")
    assert set(picks["segment_name"]) == NAMES
    for (name,), own in picks.group_by("segment_name"):
        scores = (
            titles.filter(segment_name=name)["weighted_score"].drop_nulls().sort(descending=True).head(20)
        )
        assert own["rank"].to_list() == list(range(1, len(scores) + 1))
        assert own["weighted_score"].to_list() == scores.to_list()


def test_titles_are_scored_by_their_ids_of_text(matinee, demo_warehouse, tmp_path):
    members = mart(demo_warehouse, "segment_members").filter(segmentation="title_reception")
    profile = mart(demo_warehouse, "segment_profiles").filter(segmentation="title_reception", segment_id=0)
    columns = dict(zip(profile["feature"], profile["base_mean"], strict=True))
    given = pl.DataFrame(
        {"title_id": ["c7", "862"], **{name: [value] * 2 for name, value in columns.items()}}
    )
    given.write_parquet(tmp_path / "new.parquet")
    answer = matinee(
        *("score", "title_reception", "--input", tmp_path / "new.parquet", "--output", tmp_path / "out.csv"),
        warehouse=demo_warehouse,
    )
    assert answer.exit_code == 0, answer.said
    scored = pl.read_csv(tmp_path / "out.csv", schema_overrides={"entity_id": pl.String})
    assert scored["entity_id"].to_list() == ["c7", "862"]
    assert set(scored["segment_name"]) <= set(members["segment_name"])


@pytest.mark.long
def test_one_catalogue_is_enough(warehouse_without_its_customers):
    assert set(mart(warehouse_without_its_customers, "segments")["segmentation"]) == {"title_reception"}
    assert set(mart(warehouse_without_its_customers, "titles")["catalogue"]) == {"streaming"}
