"""The agreement of two divisions does not depend on what their labels are called."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import adjusted_rand_score

from ml.segmentation.agreement import adjusted_rand_index

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
