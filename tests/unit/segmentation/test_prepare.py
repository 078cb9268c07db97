"""Preparation is fitted once, refuses what it cannot use, and survives JSON bit for bit."""

import json

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.preprocessing import StandardScaler

from ml.segmentation.errors import SegmentationError, UntrainableError
from ml.segmentation.prepare import Preparation
from ml.segmentation.spec import Features


def features(**changes) -> Features:
    return Features.model_validate({"table": "features.t", "columns": ["*"], **changes})


def test_standardize_agrees_with_scikit_learn():
    values = np.random.default_rng(0).normal(3, 7, (50, 4))
    frame = pl.DataFrame(values, schema=list("abcd"))
    expected = StandardScaler().fit_transform(values)
    np.testing.assert_allclose(Preparation.fit(frame, features()).transform(frame), expected, atol=1e-6)


def test_new_rows_are_scaled_with_the_training_rows():
    preparation = Preparation.fit(pl.DataFrame({"a": [0.0, 2.0]}), features())
    np.testing.assert_allclose(preparation.transform(pl.DataFrame({"a": [4.0]})), [[3.0]])


def test_log1p_applies_to_the_columns_it_names_and_before_standardize():
    frame = pl.DataFrame({"cnt_a": [0.0, 9.0], "b": [1.0, 3.0]})
    steps = [{"step": "log1p", "columns": ["cnt_*"]}]
    X = Preparation.fit(frame, features(prepare=steps)).transform(frame)
    np.testing.assert_allclose(X, [[0, 1], [np.log(10), 3]], rtol=1e-6)
    with pytest.raises(SegmentationError, match="log1p must come before standardize"):
        Preparation.fit(frame, features(prepare=["standardize", "log1p"]))


def test_robust_scales_by_what_the_middle_half_spans_whatever_the_tails_hold():
    values = np.random.default_rng(0).normal(3, 7, 20_000)
    for tail in (1e3, 1e9):
        frame = pl.DataFrame({"a": [*values, tail, tail]})
        X = Preparation.fit(frame, features(prepare=["robust"])).transform(frame)[:-2]
        assert np.median(X) == pytest.approx(0, abs=1e-3)
        assert X.std() == pytest.approx(1, abs=0.02)


def test_robust_falls_back_to_the_standard_deviation_where_half_of_the_rows_are_alike():
    frame = pl.DataFrame({"a": [0.0] * 9 + [10.0]})
    X = Preparation.fit(frame, features(prepare=["robust"])).transform(frame)
    np.testing.assert_allclose(X.ravel(), [0.0] * 9 + [10 / 3], rtol=1e-6)


def test_winsorize_pulls_values_beyond_the_training_quantiles_to_them():
    frame = pl.DataFrame({"a": [float(value) for value in range(100)] + [288_508.0]})
    steps = [{"step": "winsorize", "columns": ["a"], "share": 0.01}]
    preparation = Preparation.fit(frame, features(prepare=steps))
    assert preparation.transform(frame).max() == 99
    assert preparation.transform(pl.DataFrame({"a": [-7.0, 50.0, 1e9]})).ravel().tolist() == [1, 50, 99]


def test_limits_are_fitted_before_the_steps_that_follow():
    frame = pl.DataFrame({"a": [*np.linspace(0, 10, 200), 1e6]})
    steps = [{"step": "winsorize", "columns": ["a"], "share": 0.01}, "log1p", "standardize"]
    X = Preparation.fit(frame, features(prepare=steps)).transform(frame)
    assert X.mean() == pytest.approx(0, abs=1e-6)
    assert X.std() == pytest.approx(1, rel=1e-6)
    assert X.max() < 2


def test_winsorizing_a_column_down_to_one_value_is_refused_by_name():
    frame = pl.DataFrame({"rare": [1.0] + [0.0] * 999, "b": np.arange(1000.0)})
    steps = [{"step": "winsorize", "share": 0.01}]
    with pytest.raises(SegmentationError, match=r"share 0.01 leaves one value in rare"):
        Preparation.fit(frame, features(prepare=steps))


def test_columns_weighed_as_one_have_the_variance_of_one_standardized_column():
    rng = np.random.default_rng(0)
    category = rng.integers(0, 8, 4000)
    frame = pl.DataFrame(np.eye(8)[category], schema=[f"kind_{i}" for i in range(8)])
    frame = frame.with_columns(amount=pl.Series(rng.random(4000)))
    steps = ["standardize", {"step": "weigh_as_one", "columns": ["kind_*"]}]
    X = Preparation.fit(frame, features(prepare=steps)).transform(frame)
    variances = X.var(axis=0, dtype=np.float64)
    assert variances[:8].sum() == pytest.approx(1, rel=1e-5)
    assert variances[8] == pytest.approx(1, rel=1e-5)


@pytest.mark.parametrize(
    ("steps", "says"),
    [
        (["standardize", {"step": "winsorize", "share": 0.1}], "winsorize must come before standardize"),
        (["log1p", {"step": "winsorize", "share": 0.1}], "winsorize must come before log1p"),
        (
            [{"step": "weigh_as_one", "columns": ["a"]}, "standardize"],
            "weigh_as_one must come after standardize",
        ),
    ],
)
def test_a_step_that_would_undo_another_is_refused(steps, says):
    with pytest.raises(SegmentationError, match=says):
        Preparation.fit(pl.DataFrame({"a": np.arange(50.0)}), features(prepare=steps))


def test_a_glob_passes_over_text_and_a_text_column_named_in_full_is_refused():
    frame = pl.DataFrame({"kind_a": [0.0, 1.0], "kind_name": ["b", "a"]})
    assert Preparation.fit(frame, features(columns=["kind_*"])).columns == ("kind_a",)
    with pytest.raises(SegmentationError, match="not a number: kind_name"):
        Preparation.fit(frame, features(columns=["kind_*", "kind_name"]))


def test_a_preparation_written_before_there_were_limits_still_loads():
    frame = pl.DataFrame({"a": [1.0, 2.0, 4.0]})
    state = Preparation.fit(frame, features()).to_dict()
    assert state.keys() == {"columns", "fill", "log1p", "shift", "scale"}
    again = Preparation.from_dict(state)
    assert again.transform(frame).tobytes() == Preparation.fit(frame, features()).transform(frame).tobytes()


def test_log1p_refuses_negative_values_and_names_the_column():
    with pytest.raises(SegmentationError, match="negative values in a"):
        Preparation.fit(pl.DataFrame({"a": [-1.0, 2.0]}), features(prepare=["log1p"]))


def test_a_constant_feature_is_refused_or_dropped_as_declared():
    frame = pl.DataFrame({"a": [1.0, 2.0], "flat": [7.0, 7.0]})
    with pytest.raises(SegmentationError, match="constant feature: flat has the same value in all 2 rows"):
        Preparation.fit(frame, features(constant="error"))
    dropping = Preparation.fit(frame, features())
    assert (dropping.columns, dropping.dropped) == (("a",), ("flat",))
    again = Preparation.from_dict(json.loads(json.dumps(dropping.to_dict())))
    assert again.dropped == ("flat",)
    np.testing.assert_allclose(again.transform(pl.DataFrame({"a": [3.0]})), [[3.0]])  # needs no `flat`


def test_a_step_may_name_a_column_that_turned_out_constant_and_was_dropped():
    frame = pl.DataFrame({"a": [1.0, 2.0], "flat": [0.0, 0.0]})
    steps = [{"step": "log1p", "columns": ["flat"]}, "standardize"]
    assert Preparation.fit(frame, features(prepare=steps)).columns == ("a",)


def test_without_a_feature_that_varies_nothing_can_be_trained():
    with pytest.raises(
        UntrainableError, match="no feature is left: each of flat has the same value in all 2 rows"
    ):
        Preparation.fit(pl.DataFrame({"flat": [7.0, 7.0]}), features())


@pytest.mark.parametrize(("rule", "filled"), [("zero", 0.0), ("mean", 2.0)])
def test_missing_values_are_filled_by_the_declared_rule(rule, filled):
    frame = pl.DataFrame({"a": [1.0, 3.0, None]})
    X = Preparation.fit(frame, features(prepare=[], missing=rule)).transform(frame)
    assert X[2, 0] == filled


def test_missing_values_are_refused_by_default_with_column_and_count():
    with pytest.raises(SegmentationError, match=r"missing values in a \(2\)"):
        Preparation.fit(pl.DataFrame({"a": [1.0, None, float("nan")]}), features())


def test_a_missing_value_at_scoring_is_refused_where_training_refused_it():
    preparation = Preparation.fit(pl.DataFrame({"a": [1.0, 2.0]}), features())
    with pytest.raises(SegmentationError, match="missing values in a"):
        preparation.transform(pl.DataFrame({"a": [None]}, schema={"a": pl.Float64}))


def test_text_and_infinite_features_are_refused_by_name():
    with pytest.raises(SegmentationError, match="not a number: a"):
        Preparation.fit(pl.DataFrame({"a": ["x", "y"]}), features())
    with pytest.raises(SegmentationError, match="infinite value in a"):
        Preparation.fit(pl.DataFrame({"a": [1.0, float("inf")]}), features())


def test_an_absent_column_at_scoring_is_named():
    preparation = Preparation.fit(pl.DataFrame({"a": [1.0, 2.0]}), features())
    with pytest.raises(SegmentationError, match="missing feature column: a"):
        preparation.transform(pl.DataFrame({"b": [1.0]}))


@given(arrays(float, (6, 2), elements=st.floats(-1e6, 1e6), unique=True))
def test_a_preparation_survives_json_bit_for_bit(values):
    frame = pl.DataFrame(values, schema=["a", "b"])
    steps = [{"step": "winsorize", "columns": ["a"], "share": 0.1}, "standardize"]
    preparation = Preparation.fit(frame, features(prepare=steps))
    again = Preparation.from_dict(json.loads(json.dumps(preparation.to_dict())))
    assert preparation.transform(frame).tobytes() == again.transform(frame).tobytes()
