"""Lists by a model of some users are for everybody; by one of all users they are those of DuckDB's engine."""

import shutil
from datetime import datetime, timedelta

import duckdb
import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from ml.recommendation.interactions import from_frame
from ml.recommendation.lists import lists, published
from orchestration.assets.recommender import build_recommender
from orchestration.stores.recommender import RecommenderStore
from orchestration.tasks.recommender import may_be_listed
from tests.unit.recommendation.worlds import catalogue, two_tastes

USERS, TITLES = 1_200, 80


def strange_user() -> int:
    """Return an id whose hash is high, so that whoever has it is in no sample."""
    sql = "select arg_max(id, md5_number_lower(id::varchar)) from range(50000, 60000) as ids(id)"
    return duckdb.sql(sql).fetchall()[0][0]


def rated() -> pl.DataFrame:
    """Two tastes, a quarter of each user's titles held out; and a user who rated a title that nobody else did."""
    world = two_tastes(USERS, TITLES)
    alone = pl.DataFrame({"user_id": [strange_user()], "item_id": [TITLES], "rating": [4.0]})
    ratings = pl.concat([world.drop("timestamp").filter(held_out(world).not_()), alone])
    return ratings.select(
        "user_id",
        title_id="item_id",
        weight="rating",
        last_at=datetime(2024, 1, 1) + pl.int_range(pl.len()) * pl.lit(timedelta(minutes=1)),
    )


def held_out(world: pl.DataFrame) -> pl.Series:
    return pl.Series(np.random.default_rng(3).random(len(world)) < 0.25)


@pytest.fixture(scope="module")
def recommended(on_spark):
    """The recommender made from scratch."""
    said = catalogue(TITLES + 1).rename({"item_id": "title_id"})
    said = said.with_columns(
        title_key=pl.col("title_id").cast(pl.String),
        title=pl.lit(None, pl.String),
        overview=pl.lit(None, pl.String),
    )
    on_spark.table("features.user_interactions", rated().sample(fraction=1, shuffle=True, seed=0))
    on_spark.table("features.title_descriptions", said)
    on_spark.query("create schema if not exists landing")
    on_spark.query("create or replace table landing.ids (number bigint, id varchar)")
    store = RecommenderStore(on_spark.layout.recommender)

    def made(**settings) -> tuple[RecommenderStore, pl.DataFrame]:
        shutil.rmtree(store.folder, ignore_errors=True)
        steps = ("evaluation", "model", "lists", "similar")
        on_spark.make(build_recommender(), *(f"recommender/{step}" for step in steps), **settings)
        return store, store.read_table("recommendations")

    return made


@pytest.fixture(scope="module")
def by_duckdb(recommended):
    store, lists = recommended(engine="duckdb")
    return store.home.name, lists


def test_with_no_more_users_than_a_machine_holds_lists_are_those_of_duckdb(recommended, by_duckdb):
    version, expected = by_duckdb
    store, found = recommended(recommender_learned_from=USERS + 1)
    assert store.home.name == version
    assert_frame_equal(found, expected, check_exact=True)


def test_everybody_has_the_list_that_the_model_of_a_third_gives(recommended, by_duckdb):
    _, of_all = by_duckdb
    store, found = recommended(recommender_learned_from=USERS // 3)
    model, everybody = store.read_model(), rated()
    assert len(model.users) == USERS // 3
    assert found.schema == of_all.schema
    assert found["user_id"].unique(maintain_order=True).equals(everybody["user_id"].unique().sort())
    assert found.equals(found.sort("user_id", "rank"))
    both = found.join(
        everybody, left_on=["user_id", pl.col("title_id").cast(int)], right_on=["user_id", "title_id"]
    )
    assert both.is_empty(), "somebody is recommended what they have rated"
    known = everybody.rename({"title_id": "item_id", "weight": "rating"}).filter(pl.col("item_id") < TITLES)
    expected = lists(model.fitted, from_frame(known), 20, candidates=may_be_listed(store, model), reasons=2)
    assert_frame_equal(found.filter(pl.col("user_id") != strange_user()), published(expected))
    strange = found.filter(user_id=strange_user())
    assert strange.height == 20
    assert strange["because_title_id"].null_count() == 20, "it is popular, and nothing else is known"
    assert ndcg(found) == pytest.approx(ndcg(of_all), abs=0.005)


def ndcg(listed: pl.DataFrame, k: int = 10) -> float:
    """Mean nDCG@k of the lists, of the ratings that were held out."""
    world = two_tastes(USERS, TITLES)
    relevant = world.filter(held_out(world)).select("user_id", title_id=pl.col("item_id").cast(pl.String))
    gains = pl.Series(1 / np.log2(np.arange(2, k + 2)))
    ideal = relevant.group_by("user_id").agg(pl.len().clip(upper_bound=k).alias("n"))
    best = ideal.with_columns(best=gains.cum_sum().gather(ideal["n"] - 1))
    hits = listed.filter(pl.col("rank") <= k).join(relevant, on=["user_id", "title_id"])
    hits = hits.with_columns(gain=gains.gather(hits["rank"] - 1))
    of_users = best.join(hits.group_by("user_id").agg(pl.col("gain").sum()), on="user_id", how="left")
    return (of_users["gain"].fill_null(0) / of_users["best"]).mean()
