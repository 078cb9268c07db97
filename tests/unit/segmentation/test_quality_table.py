"""The quality table says what was measured, beside what, and whether it holds."""

import numpy as np
import pytest

from ml.segmentation.quality.choose import Candidate, trusted
from ml.segmentation.quality.table import Figure, quality_table, resampled, sizes

LIFT = Figure("lift", 1.42, 1.35, 1.49, beside={"random": 0.98, "volume": 1.21})


def test_a_row_says_what_the_figure_is_compared_with():
    (row,) = quality_table([LIFT]).rows(named=True)
    assert row["beside"] == "random labels 0.98, volume 1.21"
    assert (row["beside_random"], row["beside_volume"], row["beside_shuffled"]) == (0.98, 1.21, None)
    assert (row["threshold"], row["passed"]) == (None, None)


@pytest.mark.parametrize(
    ("measure", "bound", "passed"),
    [
        ("lift", 1.42, True),
        ("lift", 1.43, False),
        ("largest_share", 0.5, True),
        ("largest_share", 0.3, False),
    ],
)
def test_a_threshold_is_the_least_value_that_passes_and_of_the_largest_share_the_most(measure, bound, passed):
    (row,) = quality_table(
        [LIFT if measure == "lift" else Figure("largest_share", 0.4)], {measure: bound}
    ).rows(named=True)
    assert (row["threshold"], row["passed"]) == (bound, passed)


def test_a_threshold_binds_the_whole_and_no_single_segment():
    table = quality_table([LIFT, Figure("lift", 0.9, segment_id=3)], {"lift": 1.2})
    assert table["passed"].to_list() == [True, None]
    assert table["segment_id"].to_list() == [None, 3]


@pytest.mark.parametrize("figures", [[], [Figure("lift", None)], [Figure("lift", 2.0, segment_id=0)]])
def test_what_could_not_be_measured_does_not_pass(figures):
    row = quality_table(figures, {"lift": 1.2}).rows(named=True)[
        -1 if figures != [Figure("lift", None)] else 0
    ]
    assert (row["measure"], row["value"], row["passed"]) == ("lift", None, False)


def test_the_interval_is_the_central_95_percent_of_the_resamples():
    figure = resampled("lift", 0.5, np.arange(1001) / 1000)
    assert (figure.low, figure.high) == pytest.approx((0.025, 0.975))
    assert figure.error == pytest.approx(0.95 / 3.92)


def test_what_is_not_a_number_is_left_out():
    assert resampled("lift", float("nan"), np.ones(3)).value is None
    assert resampled("lift", 1.0, np.array([1.0, np.nan]), beside={"volume": float("nan")}).beside == {}


def test_sizes_are_shares_and_an_empty_segment_has_none():
    assert [figure.value for figure in sizes(np.array([0, 0, 0, 1]), 3)] == [0.0, 0.75]


def candidates(*lifts: float, ari: tuple[float, ...] = (0.9, 0.9, 0.9, 0.9), error: float = 0.05):
    return [
        Candidate(k, stable, lift, error) for k, (lift, stable) in enumerate(zip(lifts, ari, strict=False), 2)
    ]


def test_the_smallest_k_within_one_standard_error_of_the_best_is_taken():
    assert trusted(candidates(1.10, 1.36, 1.40, 1.39), least_ari=0.7) == 3


def test_a_better_k_that_is_not_stable_is_passed_over():
    assert trusted(candidates(1.10, 1.2, 1.9, 1.3, ari=(0.9, 0.9, 0.5, 0.7)), least_ari=0.7) == 5


def test_the_order_of_the_candidates_does_not_matter():
    assert trusted(candidates(1.10, 1.36, 1.40, 1.39)[::-1], least_ari=0.7) == 3


def test_where_none_is_stable_the_most_stable_is_taken():
    assert trusted(candidates(1.1, 1.2, 1.9, ari=(0.3, 0.6, 0.6)), least_ari=0.7) == 3
