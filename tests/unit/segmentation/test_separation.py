"""A segment is said to differ only where its members, not one of them and not chance, say so."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import f_oneway, kruskal

from ml.segmentation import separation as judging
from ml.segmentation.correlation import correlation_matrix
from ml.segmentation.errors import SegmentationError
from ml.segmentation.resampling import mean_interval
from ml.segmentation.separation import claims, separation

NAMES = ["low", "middle", "high"]


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def claim(values: list[np.ndarray], segment: int = 0, seed: int = 0) -> dict:
    """The claim about one of several segments, given by their members' values."""
    ids = np.repeat(np.arange(len(values)), [len(own) for own in values])
    frame = pl.DataFrame({"spend_eur": np.concatenate(values)})
    table = claims(frame, ids, NAMES[: len(values)], ["spend_eur"], rng=rng(seed))
    return table.filter(segment_id=segment).row(0, named=True)


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 6)), min_size=8, max_size=60))
@settings(max_examples=60)
def test_both_figures_are_those_of_scipy(rows):
    ids, values = np.array([row[0] for row in rows]), np.array([float(row[1]) for row in rows])
    groups = [values[ids == i] for i in np.unique(ids)]
    table = separation(pl.DataFrame({"x": values}), ids, ["x"]).row(0, named=True)
    if len(set(values)) == 1:
        assert table["eta_squared"] is table["kruskal_p"] is None
    elif len(groups) == 1:
        assert (table["eta_squared"], table["kruskal_p"]) == (pytest.approx(0, abs=1e-12), None)
    else:
        assert table["kruskal_p"] == pytest.approx(kruskal(*groups).pvalue)
        if all(len(own) > 1 for own in groups):
            f = f_oneway(*groups).statistic * (len(groups) - 1) / (len(values) - len(groups))
            assert table["eta_squared"] == pytest.approx(f / (1 + f) if np.isfinite(f) else 1, nan_ok=True)


def test_the_best_column_is_the_one_that_explains_most():
    frame = pl.DataFrame(
        {"x": [1.0, 1.1, 5.0, 5.1], "by": ["a", "a", "b", None], "idle": ["c", "d", "c", "d"]}
    )
    row = separation(frame, np.array([0, 1, 0, 1]), ["x"], ["idle", "by"]).row(0, named=True)
    assert row["best_column"] == "by"
    assert row["best_eta_squared"] > 0.99 > row["eta_squared"]


def test_a_feature_that_does_not_vary_has_nothing_to_explain():
    frame = pl.DataFrame({"x": [0.0] * 6, "by": list("aabbcc")})
    row = separation(frame, np.arange(6) % 2, ["x"], ["by"]).row(0, named=True)
    assert [row[column] for column in ("eta_squared", "kruskal_p", "best_eta_squared", "best_kruskal_p")] == [
        None
    ] * 4


def test_rows_without_a_value_do_not_count():
    whole = pl.DataFrame({"x": [1.0, 2.0, 3.0, 5.0]})
    holed = pl.DataFrame({"x": [1.0, None, 2.0, 3.0, float("nan"), 5.0]})
    ids = np.array([0, 0, 0, 1, 1, 1])
    assert separation(holed, ids, ["x"]).equals(separation(whole, ids[[0, 2, 3, 5]], ["x"]))


def test_nothing_judged_gives_empty_frames_of_the_same_columns():
    frame, ids = pl.DataFrame({"x": [1.0, 2.0]}), np.array([0, 1])
    explained, said = separation(frame, ids, []), claims(frame, ids, NAMES[:2], [], rng=rng())
    assert len(explained) == len(said) == 0
    assert explained.schema == separation(frame, ids, ["x"]).schema
    assert said.schema == claims(frame, ids, NAMES[:2], ["x"], rng=rng()).schema


@pytest.mark.parametrize(
    ("features", "against", "says"),
    [
        (["y"], [], "judge.features: no column 'y'; there are: x, by"),
        (["x"], ["z"], "judge.against: no column 'z'"),
        (["by"], [], "judge.features must be numbers; not a number: by"),
    ],
)
def test_a_column_that_cannot_be_judged_is_refused_by_name(features, against, says):
    frame = pl.DataFrame({"x": [1.0, 2.0], "by": ["a", "b"]})
    with pytest.raises(SegmentationError, match=says):
        separation(frame, np.array([0, 1]), features, against)


def test_a_segment_that_differs_is_said_to_in_words_with_its_figures():
    row = claim([rng(1).normal(10, 1, 200), rng(2).normal(20, 1, 200)])
    assert row["is_supported"]
    assert row["reason"] is None
    assert row["interval_low"] < row["segment_mean"] < row["interval_high"] < row["base_mean"]
    assert row["sentence"].startswith(f"low: spend eur {row['segment_mean']:.2f} on average, below the 1")
    assert "95 % interval" in row["sentence"]


def test_a_segment_like_all_others_is_not_said_to_differ():
    row = claim([rng(seed).normal(10, 3, 100) for seed in range(3)])
    assert not row["is_supported"]
    assert row["sentence"] is None
    assert f"includes the {row['base_mean']:.2f} of all" in row["reason"]


@pytest.mark.parametrize("seed", range(5))
def test_one_extreme_member_supports_nothing_and_is_named_as_the_reason(seed):
    usual = 0.9 * rng(3).lognormal(7, 1, 300)
    row = claim([np.append(usual, 290_000.0), rng(4).lognormal(7, 1, 3000)], seed=seed)
    assert not row["is_supported"]
    assert row["reason"].startswith("its mean is the highest of all segments, but the 95 % interval")
    rests = (
        f"rests on one member: {row['segment_mean']:,.2f} with it, {row['mean_without_largest']:,.2f} without"
    )
    assert rests in row["reason"]


def test_a_direction_that_turns_without_one_member_is_not_claimed_even_where_the_interval_is_sure():
    sure = judging._Difference(members=50, mean=12, base=10, interval=(11, 13), without_largest=9.5)
    words = sure.in_words("it", None)
    assert words == {
        "is_supported": False,
        "sentence": None,
        "reason": "rests on one member: 12.00 with it, 9.50 without",
    }


def test_a_few_members_are_too_few_and_one_has_no_mean_without_it():
    nine = claim([np.full(9, 100.0) + rng().random(9), np.zeros(500)])
    assert (nine["interval_low"], nine["is_supported"]) == (None, False)
    assert "9 members are too few for an interval" in nine["reason"]
    one = claim([np.array([5.0]), np.zeros(500)])
    assert one["mean_without_largest"] is None
    assert "one member is too few for an interval" in one["reason"]


def test_members_of_one_value_are_as_sure_as_can_be_and_nearly_so_are_not_sure_at_all():
    alike = claim([np.full(40, 2.0), np.arange(100.0)])
    assert (alike["interval_low"], alike["interval_high"], alike["is_supported"]) == (2, 2, True)
    nearly = claim([np.append(np.zeros(99), 100.0), np.full(300, 5.0)])
    assert nearly["interval_high"] is None
    assert "nearly all members have the same value" in nearly["reason"]


def test_a_segment_without_any_value_says_so():
    frame = pl.DataFrame({"x": [None, None, 1.0, 2.0]})
    table = claims(frame, np.array([0, 0, 1, 1]), NAMES[:2], ["x"], rng=rng())
    assert table["reason"][0] == "no member has a value"
    assert table["segment_mean"][0] is None


def test_a_feature_that_is_empty_everywhere_or_the_same_everywhere_supports_nothing():
    frame = pl.DataFrame({"x": [0.0] * 60, "none": pl.Series([None] * 60, dtype=pl.Float64)})
    table = claims(frame, np.arange(60) % 3, NAMES, ["x", "none"], rng=rng())
    assert not table["is_supported"].any()
    assert table["reason"].null_count() == 0


def test_intervals_of_skewed_amounts_cover_the_true_mean_about_as_often_as_they_say():
    true = np.exp(0.5)
    covered = 0
    for seed in range(150):
        low, high = mean_interval(rng(seed).lognormal(0, 1, 60), rng(seed))
        covered += low <= true <= high
    assert 0.9 <= covered / 150 <= 0.99


def test_many_members_are_resampled_in_parts_with_the_same_interval():
    values = rng(5).lognormal(0, 1, 20_000)
    parts = mean_interval(values, rng())
    whole = mean_interval(values, rng(), most_parts=len(values))
    width = whole[1] - whole[0]
    np.testing.assert_allclose(parts, whole, atol=0.08 * width)


def test_correlations_are_those_of_numpy_and_none_where_a_column_does_not_vary():
    X = rng(6).normal(size=(300, 3)) @ np.array([[1, 0.5, 0], [0, 1, 0], [0, 0, 1]])
    frame = pl.DataFrame(X, schema=list("abc")).with_columns(flat=pl.lit(0.1))
    matrix = correlation_matrix(frame, ["a", "b", "c", "flat"])
    np.testing.assert_allclose(matrix[:3, :3], np.corrcoef(X.T))
    assert np.isnan(matrix[3]).all()
    assert np.isnan(matrix[:, 3]).all()
