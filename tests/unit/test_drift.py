"""The population stability index says how far a feature or the sizes of segments have moved, whatever the scale."""

import json

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.drift import MOVED_MUCH, drift, histograms, is_telling, stability_index

COUNTS = st.lists(st.integers(0, 1000), min_size=2, max_size=12).filter(any)
PAIRS = st.integers(2, 12).flatmap(
    lambda k: st.tuples(*(st.lists(st.integers(0, 1000), min_size=k, max_size=k).filter(any),) * 2)
)
ROWS = 600


def moved(then: np.ndarray, now: np.ndarray) -> float:
    kept = json.loads(json.dumps(histograms(pl.DataFrame({"x": then}), ["x"])))
    return drift(kept, pl.DataFrame({"x": now}))["stability_index"].item()


@given(COUNTS, st.integers(1, 9))
def test_the_same_shares_have_not_moved_however_many_they_are(counts, times):
    assert stability_index(counts, [times * count for count in counts]) == pytest.approx(0, abs=1e-12)


@given(PAIRS)
def test_the_index_is_never_below_nothing_and_the_same_from_either_side(pair):
    one, other = pair
    assert stability_index(one, other) == pytest.approx(stability_index(other, one))
    assert stability_index(one, other) >= 0


def test_the_index_of_two_histograms_is_that_of_the_formula():
    p, q = np.array([0.2, 0.3, 0.5]), np.array([0.25, 0.25, 0.5])
    assert stability_index([20, 30, 50], [25, 25, 50]) == pytest.approx(((q - p) * np.log(q / p)).sum())


@pytest.mark.parametrize(("one", "other"), [([1, 2], [1, 2, 3]), ([0, 0], [1, 2]), ([], [])])
def test_what_has_no_shares_or_other_bins_is_not_compared(one, other):
    with pytest.raises(ValueError, match="same bins"):
        stability_index(one, other)


@given(st.integers(0, 10_000), st.sampled_from([np.exp, np.cbrt, lambda x: 3 * x - 7, np.arctan]))
def test_a_monotone_change_of_scale_changes_nothing(seed, scale):
    rng = np.random.default_rng(seed)
    then, now = rng.normal(size=ROWS).round(1), rng.normal(rng.uniform(-1, 1), size=ROWS).round(1)
    assert moved(then, now) == pytest.approx(moved(scale(then), scale(now)))


@given(st.integers(0, 10_000))
def test_chance_alone_does_not_look_like_a_move(seed):
    rng = np.random.default_rng(seed)
    assert moved(rng.normal(size=2 * ROWS), rng.normal(size=2 * ROWS)) < MOVED_MUCH / 2


@pytest.mark.parametrize("now", [0.0, 4.0])
def test_a_constant_that_became_another_has_moved_up_or_down(now):
    then = np.full(ROWS, 2.0)
    assert moved(then, then) == 0
    assert moved(then, np.full(ROWS, now)) > MOVED_MUCH


def test_values_that_went_missing_are_a_move():
    then = np.arange(ROWS, dtype=float)
    assert moved(then, np.where(then < ROWS / 2, np.nan, then)) > MOVED_MUCH
    assert moved(np.full(ROWS, np.nan), np.full(ROWS, np.nan)) == 0


def test_a_few_rows_are_not_judged_and_a_column_that_is_gone_is_left_out():
    assert not is_telling([5] * 10, [6] * 10)
    assert is_telling([60] * 10, [60] * 10)
    then = histograms(pl.DataFrame({"x": np.arange(ROWS), "y": np.arange(ROWS)}), ["x", "y"])
    assert drift(then, pl.DataFrame({"x": np.arange(50)})).is_empty()
    assert drift(then, pl.DataFrame({"x": np.arange(ROWS)}))["column"].to_list() == ["x"]


def test_of_many_rows_every_so_manieth_will_do():
    many = pl.DataFrame({"x": np.arange(400_000)})
    kept = histograms(many, ["x"])
    assert sum(kept["x"]["counts"]) == 50_000
    assert drift(kept, many)["stability_index"].to_list() == [0]
