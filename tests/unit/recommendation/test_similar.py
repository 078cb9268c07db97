"""Titles like a title: by raters where enough rated both, by content where not."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml.recommendation.content import item_features
from ml.recommendation.interactions import Interactions, from_frame
from ml.recommendation.neighbours import FittedNeighbours, Neighbours
from ml.recommendation.similar import similar_by_content, similar_items
from tests.unit.recommendation.worlds import catalogue, two_tastes

WORLD = from_frame(two_tastes().filter(pl.col("item_id") != 4), catalogue=catalogue()["item_id"])
FEATURES = item_features(catalogue(), WORLD.items)


def near(world: Interactions, most_ratings: int = 1_000) -> FittedNeighbours:
    return Neighbours(30, most_ratings=most_ratings).fit(world, rng=np.random.default_rng(0))


def test_titles_rated_by_the_same_people_are_alike():
    table = similar_items(WORLD, near(WORLD), FEATURES, 5).filter(pl.col("basis") == "ratings")
    assert ((table["item_id"] - table["similar_item_id"]) % 2 == 0).mean() > 0.9


def test_a_title_that_nobody_rated_is_like_those_of_which_the_same_is_said_the_most_rated_first():
    own = similar_items(WORLD, near(WORLD), FEATURES, 3).filter(pl.col("item_id") == 4)
    most = [i for i in np.argsort(-WORLD.popularity, kind="stable").tolist() if i % 2 == 0 and i != 4][:3]
    assert own["similar_item_id"].to_list() == most
    assert own["basis"].unique().to_list() == ["content"]
    assert own["similarity"].to_list() == pytest.approx([1, 1, 1])


def test_without_content_a_title_that_nobody_rated_is_like_nothing():
    table = similar_items(WORLD, near(WORLD), None, 5)
    assert 4 not in table["item_id"]
    assert 4 not in table["similar_item_id"]
    assert table["basis"].unique().to_list() == ["ratings"]


def test_content_fills_the_places_after_ratings_without_a_title_twice():
    table = similar_items(WORLD, near(WORLD), FEATURES, 30, least_similarity=0.3)
    assert set(table["basis"]) == {"ratings", "content"}
    assert table.select("item_id", "similar_item_id").is_unique().all()
    first = table.filter(pl.col("basis") == "content").group_by("item_id").agg(first=pl.col("rank").min())
    last = table.filter(pl.col("basis") == "ratings").group_by("item_id").agg(last=pl.col("rank").max())
    both = first.join(last, on="item_id")
    assert both.height > 0
    assert (both["last"] < both["first"]).all()


@given(
    rows=st.lists(
        st.tuples(st.integers(0, 5), st.integers(0, 6), st.integers(1, 5)), min_size=1, max_size=40
    ),
    n=st.integers(1, 9),
)
@settings(max_examples=60, deadline=None)
def test_ranks_run_from_one_similarities_lie_within_a_cosine_and_fall_within_a_basis(rows, n):
    world = from_frame(
        pl.DataFrame(rows, schema=["user_id", "item_id", "rating"], orient="row"),
        catalogue=pl.Series(range(7)),
    )
    table = similar_items(world, near(world), item_features(catalogue(7), world.items), n)
    assert (table["item_id"] != table["similar_item_id"]).all()
    assert table["similarity"].is_between(0, 1).all()
    assert (table["similarity"] > 0).all()
    for (_,), own in table.group_by("item_id", maintain_order=True):
        assert own["rank"].to_list() == list(range(1, own.height + 1))
        assert own.height <= n
    falls = table.with_columns(fall=pl.col("similarity").diff().over("item_id", "basis"))["fall"].drop_nulls()
    assert (falls <= 1e-6).all()


def test_the_same_seed_gives_the_same_table():
    one, two = (similar_items(WORLD, near(WORLD, most_ratings=200), FEATURES, 5) for _ in range(2))
    assert one.equals(two)


def test_a_catalogue_that_nobody_rates_is_compared_by_what_is_said_alone():
    said = catalogue()
    table = similar_by_content(said["item_id"], item_features(said, said["item_id"]), 3)
    assert table.group_by("item_id").len()["len"].to_list() == [3] * len(said)
    assert (table["item_id"] != table["similar_item_id"]).all()
    assert ((table["item_id"] - table["similar_item_id"]) % 2 == 0).all()
    assert table["basis"].unique().to_list() == ["content"]
