"""The agreement of two divisions does not depend on what their labels are called."""

from itertools import combinations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import adjusted_rand_score

from ml.segmentation.agreement import adjusted_rand_index, mean_agreement

labellings = st.integers(2, 60).flatmap(
    lambda n: st.tuples(*[st.lists(st.integers(0, 4), min_size=n, max_size=n)] * 2)
)


@given(labellings)
def test_it_is_the_index_that_scikit_learn_gives(pair):
    one, other = map(pl.Series, pair)
    assert adjusted_rand_index(one, other) == pytest.approx(adjusted_rand_score(*pair))


@given(labellings)
def test_renaming_the_labels_changes_nothing(pair):
    one, other = pl.Series(pair[0]), pl.Series(pair[1])
    renamed = pl.Series([f"segment {label}" for label in pair[1]])
    assert adjusted_rand_index(one, other) == adjusted_rand_index(one, renamed)


def test_a_division_agrees_with_itself_whatever_its_size():
    ids = pl.Series(np.arange(100_000) % 7)
    assert adjusted_rand_index(ids, ids) == 1.0


@given(st.integers(2, 6), st.integers(2, 40), st.integers(0, 99))
def test_the_mean_agreement_is_the_mean_over_all_pairs(count, n, seed):
    labellings = np.random.default_rng(seed).integers(0, 4, (count, n))
    pairs = [adjusted_rand_score(one, other) for one, other in combinations(labellings, 2)]
    assert mean_agreement(labellings) == pytest.approx(np.mean(pairs))


def test_a_single_division_agrees_with_nothing():
    assert np.isnan(mean_agreement(np.zeros((1, 5), dtype=int)))
