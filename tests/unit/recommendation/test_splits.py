"""A cut loses no rating, doubles none, and holds out what it says."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.recommendation.errors import RecommendationError
from ml.recommendation.splits import SPLITS, random_split, split, stratified_split, time_split
from tests.unit.recommendation.worlds import two_tastes


def rng() -> np.random.Generator:
    return np.random.default_rng(42)


def cuts(frame: pl.DataFrame):
    yield random_split(frame, test_share=0.25, rng=rng())
    yield stratified_split(frame, test_share=0.25, rng=rng())
    yield time_split(frame, test_share=0.25)


def test_every_rating_is_in_one_of_the_parts():
    frame = two_tastes()
    for train, test in cuts(frame):
        assert pl.concat([train, test]).sort(pl.all()).equals(frame.sort(pl.all()))


@given(
    st.lists(st.integers(0, 5), min_size=1, max_size=80),
    st.floats(0.05, 0.95),
)
def test_a_stratified_cut_holds_out_the_share_of_each_user_and_leaves_one(users, share):
    frame = pl.DataFrame({"user_id": users, "item_id": range(len(users))})
    _, test = stratified_split(frame, test_share=share, rng=rng())
    for user in set(users):
        ratings = users.count(user)
        assert len(test.filter(user_id=user)) == min(round(ratings * share), ratings - 1)


def test_a_cut_by_time_holds_out_only_what_is_newer():
    train, test = time_split(two_tastes(), test_share=0.25)
    assert train["timestamp"].max() < test["timestamp"].min()
    assert len(test) / (len(train) + len(test)) == pytest.approx(0.25, abs=0.01)


def test_a_cut_by_time_of_one_moment_is_refused():
    frame = two_tastes().with_columns(timestamp=pl.lit(5))
    with pytest.raises(RecommendationError, match="nothing to hold out"):
        time_split(frame, test_share=0.25)


def test_a_cut_by_time_needs_timestamps():
    with pytest.raises(RecommendationError, match="timestamp"):
        time_split(two_tastes().drop("timestamp"), test_share=0.25)


@pytest.mark.parametrize("share", [0, 1, -0.1, 2])
def test_a_share_outside_zero_and_one_is_refused(share):
    with pytest.raises(RecommendationError, match="between 0 and 1"):
        random_split(two_tastes(), test_share=share, rng=rng())


def test_the_same_seed_gives_the_same_cut():
    one, two = (stratified_split(two_tastes(), test_share=0.25, rng=rng())[1] for _ in range(2))
    assert one.equals(two)


@pytest.mark.parametrize("by", ["user", "item"])
def test_a_cut_by_user_or_item_leaves_something_of_each(by):
    frame = two_tastes()
    train, test = split(frame, by, test_share=0.25, rng=rng())
    assert set(train[f"{by}_id"]) == set(frame[f"{by}_id"])
    assert len(test) / len(frame) == pytest.approx(0.25, abs=0.02)


def test_a_cut_that_there_is_not_is_refused_with_those_there_are():
    with pytest.raises(RecommendationError, match=", ".join(SPLITS)):
        split(two_tastes(), "moon", test_share=0.25, rng=rng())
