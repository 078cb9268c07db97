"""A night on which nothing is new ends after landing; whatever is new is never overlooked (also: `test_customers`)."""

import shutil
from pathlib import Path

import polars as pl
import pytest

from orchestration.stores.layout import WarehouseLayout, switch_symlink
from orchestration.tasks import nothing_new
from tests.integration.conftest import Matinee, in_force


@pytest.fixture(scope="module")
def warehouse(demo_warehouse: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A warehouse of its own with published results."""
    folder = tmp_path_factory.mktemp("again") / "warehouse"
    shutil.copytree(demo_warehouse, folder, symlinks=True)
    return folder


def test_a_night_with_nothing_new_leaves_what_is_published_and_says_so(
    matinee: Matinee, warehouse: Path, demo_world: Path
):
    before = in_force(warehouse)
    answer = matinee("run", "--source", demo_world, "--job", "segments", "--if-new", warehouse=warehouse)
    assert answer.exit_code == 0, answer.said
    assert "Nothing is new" in answer.said
    assert "emitted no result" not in answer.said
    assert in_force(warehouse) == before
    assert "nothing was new" in matinee("status", warehouse=warehouse).out
    stages = pl.concat(map(pl.read_parquet, (warehouse / "ledger").glob("*.parquet"))).sort("started_at")
    read = stages.filter(stage="landing")["rows_in"].to_list()
    assert len(read) == 2
    assert read[0] > 0
    assert read[1] is None, "a file that is unchanged was read again"


@pytest.fixture
def layout(tmp_path: Path) -> WarehouseLayout:
    """A warehouse that has published what it was made of."""
    layout = WarehouseLayout(tmp_path)
    (layout.landing / "candidate" / "manifest").mkdir(parents=True)
    (layout.landing / "candidate" / "source.json").write_text("{}")
    (layout.models / "taste").mkdir(parents=True)
    (layout.models / "taste" / "current.json").write_text('{"version": "a"}')
    finished = layout.published_sets / "first"
    finished.mkdir(parents=True)
    switch_symlink(layout.published, finished)
    nothing_new.remember(layout, ["marts/users", "published/tables"])
    return layout


def test_nothing_is_new_for_a_run_of_no_more_than_what_was_published(layout: WarehouseLayout):
    assert nothing_new.is_nothing_new(layout, ["marts/users"])
    assert not nothing_new.is_nothing_new(layout, ["marts/users", "recommender/lists"])


def test_another_source_is_new(layout: WarehouseLayout):
    (layout.landing / "candidate" / "source.json").write_text('{"folder": "elsewhere"}')
    assert not nothing_new.is_nothing_new(layout, ["marts/users"])


def test_a_model_that_a_person_put_in_force_is_new(layout: WarehouseLayout):
    (layout.models / "taste" / "current.json").write_text('{"version": "b"}')
    assert not nothing_new.is_nothing_new(layout, ["marts/users"])


def test_other_code_is_new(layout: WarehouseLayout, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(nothing_new, "code_in_use", lambda: "another")
    assert not nothing_new.is_nothing_new(layout, ["marts/users"])


def test_another_weight_of_being_rare_is_new(layout: WarehouseLayout, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MATINEE_LONG_TAIL", "0.5")
    assert not nothing_new.is_nothing_new(layout, ["marts/users"])


@pytest.mark.parametrize("content", [None, "", "[]", '{"assets": 1, "made_of": "x"}'])
def test_a_set_that_does_not_say_what_it_is_made_of_is_made_anew(
    layout: WarehouseLayout, content: str | None
):
    file = layout.published.resolve() / "made_of.json"
    file.unlink() if content is None else file.write_text(content)
    assert not nothing_new.is_nothing_new(layout, ["marts/users"])


def test_what_models_published_that_only_served_is_new_to_a_night_and_not_to_the_next_hour(
    layout: WarehouseLayout,
):
    nothing_new.remember(layout, ["marts/users"], serves=True)
    assert nothing_new.is_nothing_new(layout, ["marts/users"], serves=True)
    assert not nothing_new.is_nothing_new(layout, ["marts/users"])
