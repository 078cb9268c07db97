"""Figures of ranked lists, checked against worked examples and their limits."""

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from ml.recommendation import metrics


def relevant(*rows: list[int], items: int = 10) -> sp.csr_array:
    table = np.zeros((len(rows), items))
    for row, columns in enumerate(rows):
        table[row, columns] = 1
    return sp.csr_array(table)


def test_a_worked_example():
    hit = metrics.hits(np.array([[3, 7, 5]]), relevant([3, 5, 8, 9]))
    counts = np.array([4])
    assert hit.tolist() == [[True, False, True]]
    gain, ideal = 1 + 1 / np.log2(4), 1 + 1 / np.log2(3) + 1 / np.log2(4)
    assert metrics.ndcg(hit, counts)[0] == pytest.approx(gain / ideal)
    assert metrics.precision(hit)[0] == pytest.approx(2 / 3)
    assert metrics.recall(hit, counts)[0] == pytest.approx(2 / 4)
    assert metrics.average_precision(hit, counts)[0] == pytest.approx((1 + 2 / 3) / 3)


def test_no_title_is_never_a_hit():
    assert not metrics.hits(np.array([[-1, -1]]), relevant([9], [9])[[1]]).any()


@given(st.lists(st.booleans(), min_size=1, max_size=10), st.integers(0, 10))
def test_every_accuracy_lies_between_zero_and_one_and_a_perfect_list_reaches_it(places, more):
    hit = np.array([places])
    counts = np.array([max(hit.sum() + more, 1)])
    for value in (
        metrics.ndcg(hit, counts)[0],
        metrics.precision(hit)[0],
        metrics.recall(hit, counts)[0],
        metrics.average_precision(hit, counts)[0],
    ):
        assert 0 <= value <= 1
    perfect = np.arange(len(places))[None, :] < counts[:, None]
    assert metrics.ndcg(perfect, counts)[0] == pytest.approx(1)
    assert metrics.average_precision(perfect, counts)[0] == pytest.approx(1)


def test_a_hit_further_up_is_worth_more():
    early, late = np.array([[True, False]]), np.array([[False, True]])
    assert metrics.ndcg(early, np.array([1])) > metrics.ndcg(late, np.array([1]))
    assert metrics.average_precision(early, np.array([1])) > metrics.average_precision(late, np.array([1]))


def test_coverage_counts_titles_once_and_no_title_not_at_all():
    assert metrics.coverage(np.array([[1, 2], [2, -1]]), 4) == 0.5


def test_the_long_tail_is_all_but_the_most_rated_titles_that_hold_half_of_the_ratings():
    popularity = np.array([1, 6, 3, 2, 0], dtype=np.float32)
    assert metrics.long_tail(np.array([[1, -1], [1, 2]]), popularity) == pytest.approx(1 / 3)
    assert metrics.long_tail(np.array([[0, 3], [4, 2]]), popularity) == 1
    assert metrics.long_tail(np.array([[-1]]), popularity) == 0


def test_a_title_that_half_the_users_rated_carries_one_bit():
    assert metrics.novelty(np.array([[0]]), np.array([5.0]), 10) == pytest.approx(1)


def test_a_list_of_the_same_is_not_diverse_and_a_list_of_strangers_is():
    vectors = sp.csr_array(np.array([[1.0, 0], [2, 0], [0, 1]]))
    assert metrics.intra_list_diversity(np.array([[0, 1]]), vectors) == pytest.approx(0)
    assert metrics.intra_list_diversity(np.array([[0, 2]]), vectors) == pytest.approx(1)
    assert metrics.intra_list_diversity(np.array([[0, 1, -1]]), vectors) == pytest.approx(0)


def test_genre_match_is_the_share_with_a_genre_that_the_user_watches_most():
    genres = sp.csr_array(np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 0]]))
    watched = sp.csr_array(np.array([[4.0, 0, 0, 0], [0, 0, 0, 5.0]]))
    lists = np.array([[0, 1], [0, 1]])
    assert metrics.genre_match(lists, genres, watched, favourites=1) == 0.5
