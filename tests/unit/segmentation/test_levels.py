"""How much somebody watches divides each segment once more, and has no part in finding it."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.segmentation.errors import SegmentationError
from ml.segmentation.levels import Levels
from ml.segmentation.model import SegmentationModel
from ml.segmentation.spec import LevelsSpec, SegmentationSpec
from ml.segmentation.train import train

DECLARED = LevelsSpec(by="titles")


@given(st.lists(st.integers(0, 50), min_size=2, max_size=200), st.integers(2, 4))
def test_more_is_never_a_lower_level_and_a_level_ends_at_its_cut(values, parts):
    levels = Levels.fit(pl.Series("titles", values), LevelsSpec(by="titles", names=tuple("abcd"[:parts])))
    told = pl.DataFrame({"value": values, "level": levels.of(pl.Series("titles", values))}).sort("value")
    assert told["level"].is_sorted()
    for name, cut in zip(levels.names, levels.cuts, strict=False):
        assert (told.filter(pl.col("value") <= cut)["level"] <= name).all()
        assert (told.filter(pl.col("value") > cut)["level"] > name).all()


def test_halves_are_equal_where_values_differ_and_nobody_without_a_value_has_a_level():
    levels = Levels.fit(pl.Series("titles", range(100)), DECLARED)
    assert levels.of(pl.Series([*range(100)])).value_counts(sort=True)["count"].to_list() == [50, 50]
    assert levels.of(pl.Series([None, 3, 99])).to_list() == [None, "light", "heavy"]


def test_every_segment_has_every_level_with_its_bounds_and_its_share():
    levels = Levels("titles", ("light", "heavy"), (20.0,))
    members = pl.DataFrame({"segment_id": [0, 0, 0, 1], "level": ["light", "light", "heavy", "heavy"]})
    assert levels.table(members).rows() == [
        (0, "light", "titles", None, 20.0, 2, pytest.approx(2 / 3)),
        (0, "heavy", "titles", 20.0, None, 1, pytest.approx(1 / 3)),
        (1, "light", "titles", None, 20.0, 0, 0.0),
        (1, "heavy", "titles", 20.0, None, 1, 1.0),
    ]


def declared(**more) -> SegmentationSpec:
    return SegmentationSpec.model_validate(
        {
            "name": "taste",
            "description": "By taste",
            "entity": "user_id",
            "features": {"table": "features.taste", "columns": ["drama"]},
            "clustering": {"candidates": [2], "publish": 2},
            "naming": {"rank_by": "drama"},
            "levels": {"by": "titles"},
            **more,
        }
    )


def users(n: int = 200) -> pl.DataFrame:
    rng = np.random.default_rng(0)
    drama = np.repeat([0.1, 0.9], n // 2) + rng.normal(0, 0.02, n)
    return pl.DataFrame({"user_id": range(n), "drama": drama, "titles": rng.permutation(n), "told": "x"})


def test_a_stored_model_tells_the_level_of_new_users_by_the_cut_it_was_trained_with():
    model = SegmentationModel.from_json(train(users(), declared()).published.to_json())
    again = model.members(users())
    assert again["level"].value_counts(sort=True)["count"].to_list() == [100, 100]
    alone = model.members(users().slice(3, 1))
    assert alone.row(0) == again.row(3)
    assert model.members(users().drop("titles"))["level"].null_count() == 200


@pytest.mark.parametrize(
    ("by", "said"),
    [("drama", "is clustered on"), ("told", "is no number"), ("minutes", "no column 'minutes'")],
)
def test_a_column_that_cannot_give_levels_is_refused(by, said):
    with pytest.raises(SegmentationError, match=said):
        train(users(), declared(levels={"by": by}))
