"""The published lists are what one user would be recommended, for everybody, with the titles that speak for each."""

import numpy as np
import polars as pl
import pytest

from ml.recommendation import ranking
from ml.recommendation.als import Als
from ml.recommendation.blend import Blend
from ml.recommendation.content import Content, item_features
from ml.recommendation.ease import Ease
from ml.recommendation.interactions import from_frame
from ml.recommendation.lists import lists
from ml.recommendation.popularity import Popular
from ml.recommendation.ranking import recommend
from ml.recommendation.reasons import reasons
from tests.unit.recommendation.test_models import EVERY, PERSONAL, WORLD, every, personal, rng
from tests.unit.recommendation.worlds import catalogue, two_tastes


@every
def test_each_user_gets_the_titles_and_reasons_that_one_alone_would(model):
    fitted = model.fit(WORLD, rng=rng())
    table = lists(fitted, WORLD, 5)
    assert table.columns == ["user_id", "rank", "item_id", "score", "because"]
    for row, user in enumerate(WORLD.users.to_list()[:10]):
        own = table.filter(pl.col("user_id") == user)
        alone = recommend(fitted, WORLD.ratings[[row]], 5)
        assert own["rank"].to_list() == [1, 2, 3, 4, 5]
        assert own["item_id"].to_list() == WORLD.items.gather(alone.items[0]).to_list()
        why = reasons(fitted, WORLD.ratings[[row]], alone.items[0])
        assert own["because"].to_list() == [WORLD.items.gather(list(r.items)).to_list() for r in why]


@every
def test_scoring_some_titles_gives_what_scoring_all_gives_for_them(model):
    fitted, columns = model.fit(WORLD, rng=rng()), np.array([1, 4, 5, 30])
    some, every_one = fitted.scorer(columns)(WORLD.ratings), fitted.scores(WORLD.ratings)[:, columns]
    if isinstance(model, Blend):
        # Its parts are put on the scale of what is scored, so only without a second part the order must stay.
        assert some.shape == every_one.shape
        return
    unseen = WORLD.ratings[:, columns].toarray() == 0
    np.testing.assert_allclose(some[unseen], every_one[unseen], rtol=1e-4, atol=1e-5)


@every
def test_only_candidates_are_listed_and_they_are_ranked_by_their_own_scores(model):
    candidates = np.zeros(len(WORLD.items), dtype=bool)
    candidates[10:25] = True
    table = lists(model.fit(WORLD, rng=rng()), WORLD, 20, candidates=candidates)
    allowed = set(WORLD.items.filter(pl.Series(candidates)).to_list())
    seen = WORLD.ratings.toarray()[:, candidates] > 0
    assert set(table["item_id"]) <= allowed
    assert table.height == (~seen).sum()
    falls = table.with_columns(fall=pl.col("score").diff().over("user_id"))["fall"].drop_nulls()
    assert (falls <= 0).all()


def test_reasons_are_seen_titles_as_many_as_asked_for():
    fitted = PERSONAL["blend"].fit(WORLD, rng=rng())
    seen = {(u, i) for u, i in zip(*WORLD.ratings.nonzero(), strict=True)}
    for most in (0, 1, 3):
        table = lists(fitted, WORLD, 5, reasons=most)
        assert table["because"].list.len().max() == most
        assert table["because"].dtype == pl.List(WORLD.items.dtype)
        pairs = table.explode("because").drop_nulls("because")
        rows, columns = WORLD.user_rows(pairs["user_id"]), WORLD.item_columns(pairs["because"])
        assert set(zip(rows.tolist(), columns.tolist(), strict=True)) <= seen


def test_popularity_names_no_titles():
    table = lists(Popular().fit(WORLD, rng=rng()), WORLD, 3)
    assert table["because"].list.len().max() == 0


@personal
@pytest.mark.parametrize("cells", [40, 400])
def test_blocks_and_threads_change_neither_titles_nor_reasons(model, cells, monkeypatch):
    fitted = model.fit(WORLD, rng=rng())
    whole = lists(fitted, WORLD, 5)
    monkeypatch.setattr(ranking, "BLOCK_CELLS", cells)
    one, two = lists(fitted, WORLD, 5), lists(fitted, WORLD, 5)
    assert one.equals(two)
    assert one.drop("score").equals(whole.drop("score"))


def test_a_user_who_has_seen_everything_has_no_list():
    frame = pl.DataFrame({"user_id": [1, 1, 2], "item_id": ["a", "b", "a"], "rating": [3.0, 4.0, 5.0]})
    world = from_frame(frame)
    table = lists(EVERY["ease"].fit(world, rng=rng()), world, 10)
    assert table.select("user_id", "rank", "item_id").rows() == [(2, 1, "b")]
    assert table["because"].to_list() == [["a"]]


def test_without_a_candidate_there_is_an_empty_table():
    nothing = np.zeros(len(WORLD.items), dtype=bool)
    table = lists(PERSONAL["ease"].fit(WORLD, rng=rng()), WORLD, 5, candidates=nothing)
    assert table.height == 0
    assert table.columns == ["user_id", "rank", "item_id", "score", "because"]


def test_a_title_that_nobody_rated_is_listed_because_of_what_is_said_about_it():
    frame = two_tastes().filter(pl.col("item_id") != 4)
    world = from_frame(frame, catalogue=catalogue()["item_id"])
    features = item_features(catalogue(), world.items)
    blend = Blend((Ease(10), Als(8), Content(features)), (1, 1, 5), Popular()).fit(world, rng=rng())
    new = lists(blend, world, 10).filter(pl.col("item_id") == 4)
    assert (new["user_id"] % 2 == 0).mean() > 0.9
    assert new.height > 10
    because = new.explode("because")["because"]
    assert because.null_count() == 0
    assert (because % 2 == 0).all()


def test_it_is_told_how_many_users_are_done(monkeypatch):
    monkeypatch.setattr(ranking, "BLOCK_CELLS", WORLD.ratings.shape[1] * 7)
    told: list[tuple[int, int]] = []
    lists(Popular().fit(WORLD, rng=rng()), WORLD, 5, tell=lambda done, of: told.append((done, of)))
    users = len(WORLD.users)
    assert sorted(told) == [(min(done, users), users) for done in range(7, users + 7, 7)]
