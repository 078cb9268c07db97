"""How far lists reach into the long tail is a choice: nothing by default, told with what it costs."""

import numpy as np
import polars as pl
import pytest
import scipy.sparse as sp

from ml.recommendation import metrics
from ml.recommendation.blend import Blend, parts_of
from ml.recommendation.ease import Ease
from ml.recommendation.evaluate import Evaluation, evaluate
from ml.recommendation.long_tail import LONG_TAIL_WEIGHTS, lists_by_weight, towards_long_tail
from ml.recommendation.neighbours import FittedNeighbours, Neighbours
from ml.recommendation.popularity import Popular, Rare
from ml.recommendation.ranking import recommend
from ml.recommendation.splits import stratified_split
from ml.recommendation.stored import StoredRecommender, arrays_of
from tests.unit.recommendation.test_models import WORLD
from tests.unit.recommendation.worlds import two_tastes

TASTE = Blend((Ease(), Neighbours()), (1.0, 0.5), Popular())


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture(scope="module")
def judged() -> dict[float, Evaluation]:
    """The blend without a weight of being rare, and with one."""
    train, test = stratified_split(two_tastes(), test_share=0.25, rng=np.random.default_rng(42))
    return {
        weight: evaluate(
            train, test, ["blend"], long_tail=weight, long_tail_steps=LONG_TAIL_WEIGHTS, rng=rng()
        )
        for weight in (0.0, 0.5)
    }


def test_without_a_weight_a_model_is_the_one_it_was():
    assert towards_long_tail(TASTE, 0) is TASTE
    assert towards_long_tail(Ease(), 0.5) == Ease()


def test_rare_titles_come_first_where_nothing_but_being_rare_counts():
    scores = Rare().fit(WORLD, rng=rng()).scores(WORLD.ratings[[0]])[0]
    assert (np.diff(scores[np.argsort(WORLD.popularity, kind="stable")]) <= 0).all()


@pytest.mark.parametrize("weight", LONG_TAIL_WEIGHTS)
def test_lists_side_by_side_are_those_of_the_model_with_that_weight(weight):
    rows = sp.csr_array(sp.vstack([WORLD.ratings, sp.csr_array((1, len(WORLD.items)), dtype=np.float32)]))
    taste, rare = TASTE.fit(WORLD, rng=rng()), Rare().fit(WORLD, rng=rng())
    (side_by_side,) = lists_by_weight(taste, rare, rows, 5, [weight])
    alone = recommend(towards_long_tail(TASTE, weight).fit(WORLD, rng=rng()), rows, 5).items
    assert np.array_equal(side_by_side, alone)


def test_somebody_of_whom_nothing_is_known_is_recommended_what_is_popular_at_any_weight():
    nobody = sp.csr_array((1, len(WORLD.items)), dtype=np.float32)
    lists = [
        recommend(towards_long_tail(TASTE, weight).fit(WORLD, rng=rng()), nobody, 5).items
        for weight in LONG_TAIL_WEIGHTS
    ]
    assert all(np.array_equal(items, lists[0]) for items in lists)


def test_the_more_being_rare_weighs_the_more_titles_are_of_the_long_tail():
    taste, rare = TASTE.fit(WORLD, rng=rng()), Rare().fit(WORLD, rng=rng())
    lists = lists_by_weight(taste, rare, WORLD.ratings, 5, LONG_TAIL_WEIGHTS)
    shares = [metrics.long_tail(items, WORLD.popularity) for items in lists]
    assert shares == sorted(shares)
    assert shares[-1] > shares[0]


def test_reasons_and_neighbours_are_found_in_a_blend_that_knows_what_is_rare():
    plain, reaching = (towards_long_tail(TASTE, weight).fit(WORLD, rng=rng()) for weight in (0, 0.5))
    row, items = WORLD.ratings[[1]], np.arange(5)[None, :]
    assert np.array_equal(plain.contributions(row, items), reaching.contributions(row, items))
    assert any(isinstance(part, FittedNeighbours) for part in parts_of(reaching))


def test_who_will_likely_watch_a_title_is_the_same_whatever_being_rare_weighs():
    said = pl.DataFrame({"title_id": WORLD.items.cast(pl.String)}).with_columns(
        title="title_id", genres="title_id"
    )
    ids = pl.LazyFrame(schema={"number": pl.Int64, "id": pl.String})
    plain, reaching = (
        StoredRecommender.of(
            arrays_of(towards_long_tail(TASTE, weight).fit(WORLD, rng=rng()), WORLD), said, ids
        ).likeliest(3, 10)
        for weight in (0, 0.5)
    )
    assert plain["score"].n_unique() > 1
    assert reaching.equals(plain)


def test_every_offered_weight_is_judged_on_the_same_users_beside_the_weight_of_nothing(judged):
    steps = judged[0.0].steps
    assert [step.weight for step in steps] == list(LONG_TAIL_WEIGHTS)
    assert steps[0].ndcg == pytest.approx(judged[0.0].figures["blend"].ndcg)
    assert (steps[0].ndcg_change, steps[0].change_low, steps[0].change_high) == (0, 0, 0)
    for step in steps[1:]:
        assert step.ndcg_change == pytest.approx(step.ndcg - steps[0].ndcg)
        assert step.change_low <= step.ndcg_change <= step.change_high


def test_the_figures_of_the_default_are_those_of_the_weight_it_has(judged):
    (step,) = (step for step in judged[0.0].steps if step.weight == 0.5)
    figures = judged[0.5].figures["blend"]
    assert (figures.ndcg, figures.coverage, figures.long_tail) == pytest.approx(
        (step.ndcg, step.coverage, step.long_tail)
    )
    assert judged[0.5].steps == judged[0.0].steps
    assert judged[0.5].models == judged[0.0].models
