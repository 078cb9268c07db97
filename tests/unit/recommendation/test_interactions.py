"""Ratings become a matrix: one entry per pair, nothing that is no rating, ids of any kind."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.recommendation.errors import RecommendationError
from ml.recommendation.interactions import from_frame, of_known, positions, weights


def ratings(rows: list[tuple], *, timestamps: bool = False) -> pl.DataFrame:
    names = ["user_id", "item_id", "rating"] + (["timestamp"] if timestamps else [])
    return pl.DataFrame(rows, schema=names, orient="row")


def test_rows_without_user_title_or_a_finite_rating_are_dropped_and_counted():
    rows = [(1, 1, 4.0), (None, 1, 4.0), (1, None, 4.0), (1, 2, None), (1, 3, np.nan), (1, 4, np.inf)]
    made = from_frame(ratings(rows))
    assert made.dropped.missing == 5
    assert made.ratings.nnz == 1


def test_of_a_repeated_pair_the_latest_by_timestamp_stays():
    made = from_frame(ratings([(1, 1, 4.0, 20), (1, 1, 2.0, 10)], timestamps=True))
    assert made.ratings.data.tolist() == [4.0]
    assert made.dropped.repeated == 1


def test_of_a_repeated_pair_the_last_row_stays_where_there_is_no_timestamp():
    assert from_frame(ratings([(1, 1, 4.0), (1, 1, 2.0)])).ratings.data.tolist() == [2.0]


def test_a_rating_of_zero_is_seen():
    assert from_frame(ratings([(1, 1, 0.0), (1, 2, 3.0)])).ratings.nnz == 2


def test_an_absent_column_is_named_with_what_was_found():
    with pytest.raises(RecommendationError, match="no column item_id, rating; found: user_id"):
        from_frame(pl.DataFrame({"user_id": [1]}))


def test_a_frame_without_any_rating_is_refused():
    with pytest.raises(RecommendationError, match="no row holds a rating"):
        from_frame(ratings([(1, 1, None)]))


def test_ids_of_different_types_are_compared_as_text():
    known = pl.Series(["10", "9", "x"])
    assert positions(known, pl.Series([9, 7, 10])).tolist() == [1, -1, 0]


def test_whole_numbers_written_as_floats_are_the_same_ids():
    assert from_frame(ratings([(1.0, 7.0, 4.0)])).items.to_list() == [7]


@pytest.mark.parametrize("moments", [[0, 86_400], ["1970-01-01", "1970-01-02"], ["0", "86400"]])
def test_ages_are_days_before_the_newest_rating(moments):
    frame = ratings([(1, 1, 4.0), (1, 2, 4.0)]).with_columns(timestamp=pl.Series(moments))
    made = from_frame(frame)
    assert made.days is not None
    assert made.days.tolist() == [1.0, 0.0]


def test_moments_none_of_which_can_be_read_are_an_error_and_single_ones_are_as_old_as_the_oldest():
    frame = ratings([(1, 1, 4.0), (1, 2, 4.0), (1, 3, 4.0)])
    with pytest.raises(RecommendationError, match=r"timestamp: expected .*, got 'yesterday'"):
        from_frame(frame.with_columns(timestamp=pl.lit("yesterday")))
    made = from_frame(frame.with_columns(timestamp=pl.Series(["yesterday", "1970-01-01", "1970-01-02"])))
    assert made.days is not None
    assert made.days.tolist() == [1.0, 1.0, 0.0]


def test_titles_of_the_catalogue_get_a_column_though_nobody_rated_them():
    made = from_frame(ratings([(1, 5, 4.0)]), catalogue=pl.Series([9, 5, 7]))
    assert made.items.to_list() == [5, 7, 9]
    assert made.popularity.tolist() == [1, 0, 0]


def test_a_catalogue_with_ids_as_text_orders_titles_as_text():
    frame = ratings([(1, 9, 4.0), (1, 10, 3.0)])
    made = from_frame(frame, catalogue=pl.Series(["9", "10", "x"]))
    assert made.items.to_list() == ["10", "9", "x"]
    assert made.ratings.toarray().tolist() == [[3.0, 4.0, 0.0]]
    assert made.ratings.has_sorted_indices


def test_an_unknown_user_has_an_empty_row():
    made = from_frame(ratings([(1, 5, 4.0), (2, 6, 3.0)]))
    rows = made.rows(made.user_rows([2, 99, 1]))
    assert np.diff(rows.indptr).tolist() == [1, 0, 1]
    assert rows.toarray().tolist() == [[0, 3], [0, 0], [4, 0]]


def test_of_titles_that_a_model_knows_every_user_has_a_row_and_others_are_passed_over():
    known = from_frame(ratings([("a", 1, 4.0), ("a", 3, 2.0), ("b", 3, 5.0)]))
    more = ratings([("a", 1, 4.0), ("a", 3, 2.0), ("b", 3, 5.0), ("c", 2, 1.0), ("d", 2, 3.0), ("d", 3, 0.5)])
    found = of_known(more, known.items)
    assert found.users.to_list() == ["a", "b", "c", "d"]
    assert found.ratings.toarray().tolist() == [[4, 2], [0, 5], [0, 0], [0, 0.5]]
    assert found.ratings.dtype == known.ratings.dtype
    again = of_known(ratings([("a", 1, 4.0), ("a", 3, 2.0), ("b", 3, 5.0)]), known.items)
    assert (again.ratings != known.ratings).nnz == 0


def test_liking_an_unknown_title_is_refused_by_name():
    with pytest.raises(RecommendationError, match="77"):
        from_frame(ratings([(1, 5, 4.0)])).row_of_liked([5, 77])


def test_a_better_rating_weighs_more_and_none_weighs_nothing():
    found = weights(np.array([-3, 0, 1, 3, 5], np.float32), 3.0)
    assert (np.diff(found) >= 0).all()
    assert (found > 0).all()
    assert weights(np.array([-1, 1], np.float32), 0.0).tolist() == [1, 1]


pairs = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(1, 5)), min_size=1, max_size=60)


@given(pairs)
def test_every_pair_is_there_once_with_its_last_rating(rows):
    made = from_frame(ratings([(user, item, float(rating)) for user, item, rating in rows]))
    wanted = {(user, item): rating for user, item, rating in rows}
    found = made.ratings.tocoo()
    ids = zip(made.users[found.coords[0]].to_list(), made.items[found.coords[1]].to_list(), strict=True)
    assert dict(zip(ids, found.data.tolist(), strict=True)) == wanted
    assert made.dropped.repeated == len(rows) - len(wanted)


@given(pairs)
def test_text_and_numbers_as_ids_give_the_same_ratings(rows):
    numbers = ratings([(user, item, float(rating)) for user, item, rating in rows])
    texts = numbers.with_columns(pl.col("user_id", "item_id").cast(pl.String))
    assert (from_frame(numbers).ratings != from_frame(texts).ratings).nnz == 0
