"""Intervals of means, many columns at once."""

import numpy as np
import pytest

from ml.segmentation.resampling import mean_interval, mean_intervals

SKEWED = np.random.default_rng(0).lognormal(size=(300, 4))


def rng() -> np.random.Generator:
    return np.random.default_rng(1)


@pytest.mark.parametrize("most_parts", [100, 1_000])
def test_columns_resampled_together_have_the_intervals_of_each_alone(most_parts):
    together = mean_intervals(SKEWED, rng(), most_parts=most_parts)
    alone = [mean_interval(column, rng(), most_parts=most_parts) for column in SKEWED.T]
    np.testing.assert_allclose(together, alone)


def test_an_interval_is_the_bootstrap_t_by_hand():
    values = SKEWED[:50, 0]
    drawn = values[rng().integers(50, size=(999, 50), dtype=np.int32)]
    t = np.sort((drawn.mean(axis=1) - values.mean()) / (drawn.std(axis=1, ddof=1) / np.sqrt(50)))
    error = values.std(ddof=1) / np.sqrt(50)
    expected = values.mean() - t[[-25, 24]] * error
    assert mean_interval(values, rng()) == pytest.approx(tuple(expected))


def test_a_column_of_nearly_one_value_has_no_interval_and_does_not_touch_another():
    rare = np.zeros(300)
    rare[0] = 1e9
    found = mean_intervals(np.column_stack([SKEWED[:, 0], rare]), rng())
    assert np.isnan(found[1]).all()
    assert tuple(found[0]) == pytest.approx(mean_interval(SKEWED[:, 0], rng()))
