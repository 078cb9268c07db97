"""Features are compared with what the model in force was trained on, segments with their sizes the night before."""

from datetime import timedelta

import numpy as np
import polars as pl
import pytest

from ml.drift import MOVED_MUCH
from orchestration.components.segmentation import check_features, check_sizes
from orchestration.stores.segmentations import ModelStore
from orchestration.tasks.segmentation import assign_members
from tests.unit.orchestration.refreshes import START, Refreshes, habits

GROUPS = np.repeat([0, 1, 2], 300)


@pytest.fixture
def refreshes(tmp_path):
    return Refreshes(tmp_path)


def found_tonight(refreshes: Refreshes):
    """What assigning tells once more of the last refresh: sizes and drift, beside what is in force."""
    file = refreshes.root / f"features-{refreshes.runs}.parquet"
    at = START + timedelta(days=30 * refreshes.runs)
    return assign_members(refreshes.store, (file,), at)[1:]


def shifted(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(pl.col("habit_1") + 3)


def test_the_first_model_has_nothing_to_have_drifted_from(refreshes):
    refreshes.run(habits(GROUPS), ari=1, is_published=False)
    sizes, moved = found_tonight(refreshes)
    assert moved is None
    assert (
        check_features(moved).description == "Not applicable: no earlier model says what it was trained on."
    )
    assert check_sizes(sizes).description == "Not applicable: there were no segments before."


def test_other_people_with_the_same_habits_are_no_drift(refreshes):
    refreshes.run(habits(GROUPS), ari=1)
    refreshes.run(habits(GROUPS, seed=1, first=5_000), ari=1, is_published=False)
    sizes, moved = found_tonight(refreshes)
    assert moved["stability_index"].max() < 0.1
    assert check_features(moved).passed
    assert check_sizes(sizes).passed
    assert check_sizes(sizes).description is None


def test_a_feature_that_moved_is_named_with_its_figure(refreshes):
    refreshes.run(habits(GROUPS), ari=1)
    refreshes.run(shifted(habits(GROUPS)), ari=1, is_published=False)
    _, moved = found_tonight(refreshes)
    assert moved["column"].to_list() == ["habit_1", "habit_2"]
    check = check_features(moved)
    assert not check.passed
    assert check.severity.value == "WARN"
    assert check.description.startswith(
        "1 of 2 features moved since the model in force was trained, 1 of them much;"
    )
    assert "Habit 1: stability index" in check.description


def test_a_model_that_serves_on_is_compared_with_what_it_was_trained_on_however_many_nights_ago(refreshes):
    """Else drift that comes slowly would never be seen."""
    refreshes.run(habits(GROUPS), ari=1)
    trained = ModelStore(refreshes.store.folder, "current").reference()
    for step in range(1, 4):
        slow = habits(GROUPS, seed=step).with_columns(pl.col("habit_1") + step)
        assert refreshes.run(slow, ari=0.1).is_refused
        assert ModelStore(refreshes.store.folder, "current").reference() == trained
    _, moved = found_tonight(refreshes)
    assert moved.row(0)[0] == "habit_1"
    assert moved.row(0)[1] > MOVED_MUCH


def test_sizes_that_moved_are_told_of_by_the_largest_move(refreshes):
    refreshes.run(habits(GROUPS), ari=1)
    fewer = np.repeat([0, 1, 2], [100, 500, 300])
    refreshes.run(habits(fewer), ari=1, is_published=False)
    sizes, _ = found_tonight(refreshes)
    check = check_sizes(sizes)
    assert not check.passed
    assert "of all, before 33.3%." in check.description


def test_segments_that_are_others_than_before_are_not_compared_by_size():
    sizes = pl.DataFrame(
        {
            "segment_id": [0, 1, 2],
            "segment_name": ["a", "b", None],
            "members": [500, 500, None],
            "members_before": [500, None, 500],
        }
    )
    assert (
        check_sizes(sizes).description == "Not applicable: segments were born or died: see segment_history."
    )


def test_a_handful_of_members_is_not_judged():
    sizes = pl.DataFrame(
        {"segment_id": [0, 1], "segment_name": ["a", "b"], "members": [9, 1], "members_before": [5, 5]}
    )
    assert "too few members" in check_sizes(sizes).description
    assert (
        "too few rows"
        in check_features(pl.DataFrame(schema={"column": pl.String, "stability_index": float})).description
    )


@pytest.mark.parametrize("content", [None, "", "{"])
def test_a_reference_that_is_gone_or_damaged_stops_nothing(refreshes, content):
    refreshes.run(habits(GROUPS), ari=1)
    file = ModelStore(refreshes.store.folder, "current").home / "reference.json"
    file.unlink() if content is None else file.write_text(content)
    refreshes.run(shifted(habits(GROUPS)), ari=1, is_published=False)
    _, moved = found_tonight(refreshes)
    assert moved is None
