"""An over-index is told with how sure it is."""

import numpy as np
import polars as pl
import pytest

from ml.segmentation.profile import over_index, profile


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def two_segments(members: int = 400) -> tuple[pl.DataFrame, np.ndarray]:
    ids = np.repeat([0, 1], members)
    drama = np.concatenate([rng(1).lognormal(0.5, 1, members), rng(2).lognormal(0, 1, members)])
    return pl.DataFrame({"drama": drama, "idle": rng(3).random(2 * members)}), ids


def test_a_column_in_which_a_segment_differs_stands_apart_and_another_does_not():
    frame, ids = two_segments()
    table = over_index(frame, ids, 2, rng=rng())
    assert table.drop("index_low", "index_high", "is_apart").equals(profile(frame, ids, 2))
    drama, idle = (
        table.filter(feature=feature, segment_id=0).row(0, named=True) for feature in frame.columns
    )
    assert 100 < drama["index_low"] < drama["index"] < drama["index_high"]
    assert idle["index_low"] < 100 < idle["index_high"]
    assert table["is_apart"].to_list() == [True, False, True, False]


def test_segments_that_are_all_alike_seldom_seem_to_differ():
    frame = pl.DataFrame(rng().lognormal(0, 1, (900, 60)), schema=[f"c{i}" for i in range(60)])
    assert over_index(frame, rng(1).integers(3, size=900), 3, rng=rng())["is_apart"].mean() < 0.08


@pytest.mark.parametrize("values", [np.zeros(40), -rng().random(40)], ids=["zero", "negative"])
def test_no_index_is_told_on_a_base_that_is_not_above_zero(values):
    table = over_index(pl.DataFrame({"x": values}), np.arange(40) % 2, 2, rng=rng())
    assert table["index_low"].null_count() == 2
    assert not table["is_apart"].any()


def test_nine_members_are_too_few():
    frame, _ = two_segments(50)
    table = over_index(frame, np.arange(100) // 9 // 11, 2, rng=rng())
    assert table.filter(segment_id=1)["index_low"].null_count() == 2
