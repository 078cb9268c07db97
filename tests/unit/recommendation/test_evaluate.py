"""Judging is fair: settings from the training ratings only, baselines always there, unseen ones counted."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.recommendation.blend import Blend
from ml.recommendation.content import Content, item_features
from ml.recommendation.declared import from_settings, to_settings
from ml.recommendation.ease import Ease
from ml.recommendation.errors import RecommendationError
from ml.recommendation.evaluate import Evaluation, evaluate, evaluate_later, prepare
from ml.recommendation.interactions import from_frame
from ml.recommendation.models import MODEL_NAMES
from ml.recommendation.popularity import HALF_LIVES, RecentPopular, Trend
from ml.recommendation.splits import stratified_split, time_split
from ml.recommendation.tuning import Tuner, _weigh, _wins, later_cuts, tuned, validation_cut
from tests.unit.recommendation.worlds import catalogue, learned, two_tastes


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture(scope="module")
def cut() -> tuple[pl.DataFrame, pl.DataFrame]:
    return stratified_split(two_tastes(), test_share=0.25, rng=np.random.default_rng(42))


@pytest.fixture(scope="module")
def blend(cut) -> Evaluation:
    """The blend judged on its own."""
    return evaluate(*cut, ["blend"], rng=rng())


def test_every_model_stands_beside_both_kinds_of_popularity_and_finds_the_tastes(cut):
    done = evaluate(*cut, MODEL_NAMES, items=catalogue(), rng=rng())
    assert set(done.figures) == set(MODEL_NAMES)
    for name in ("blend", "ease", "als", "cosine", "content"):
        assert done.figures[name].ndcg > 1.3 * done.figures["popular"].ndcg, name
    assert done.figures["blend"].genre_match > done.figures["popular"].genre_match
    assert done.per_user.height == len(done.task.users)
    assert done.per_user["ndcg_blend"].mean() == pytest.approx(done.figures["blend"].ndcg)


def test_choosing_and_judging_draw_nothing_but_from_the_generator_handed_in(cut, blend):
    again = evaluate(*cut, ["blend"], rng=rng())
    assert again.models == blend.models
    assert again.per_user.equals(blend.per_user)


def test_ids_as_text_in_one_file_and_as_numbers_in_the_other_are_the_same(cut):
    train, test = cut
    as_text = test.with_columns(pl.col("user_id", "item_id").cast(pl.String))
    one, two = evaluate(train, test, ["ease"], rng=rng()), evaluate(train, as_text, ["ease"], rng=rng())
    assert one.figures["ease"].ndcg == pytest.approx(two.figures["ease"].ndcg)


def test_a_held_out_title_that_training_never_saw_counts_as_missed(cut):
    train, test = cut
    strange = test.with_columns(item_id=pl.col("item_id") + 1_000)
    doubled = pl.concat([test, strange])
    fair, harder = (evaluate(train, t, ["popular"], rng=rng()).figures["popular"] for t in (test, doubled))
    assert harder.recall == pytest.approx(fair.recall / 2)


def test_a_user_whom_training_never_saw_is_judged_on_what_is_popular(cut):
    train, test = cut
    stranger = test.head(5).with_columns(user_id=pl.lit(9_999, dtype=pl.Int64))
    done = evaluate(train, stranger, ["popular", "ease"], rng=rng())
    assert done.task.users.to_list() == [9_999]
    assert done.figures["ease"].ndcg == done.figures["popular"].ndcg


def test_a_pair_of_the_training_file_is_not_held_out(cut):
    train, test = cut
    task = prepare(train, pl.concat([test, train.head(10)]))
    assert task.known_again == 10
    assert task.held_out.sum() == len(test)


def test_a_test_file_without_a_known_title_is_refused(cut):
    train, test = cut
    with pytest.raises(RecommendationError, match="share no title"):
        prepare(train, test.with_columns(item_id=pl.col("item_id") + 1_000))


def test_an_unknown_model_is_refused_with_those_there_are(cut):
    with pytest.raises(RecommendationError, match="blend, ease, als"):
        evaluate(*cut, ["magic"], rng=rng())


def test_content_without_anything_said_is_refused(cut):
    with pytest.raises(RecommendationError, match="genres, tags, people"):
        evaluate(*cut, ["content"], rng=rng())


def test_the_cut_for_choosing_holds_each_training_rating_once():
    world = learned()
    made = validation_cut(world, rng=rng())
    total = made.train.ratings + made.held_out
    assert (abs(total - world.ratings) > 1e-6).nnz == 0
    assert made.train.ratings.nnz + made.held_out.nnz == world.ratings.nnz
    assert made.train.days is not None
    assert len(made.train.days) == made.train.ratings.nnz


def test_the_cut_for_choosing_keeps_each_rating_with_its_age():
    frame = two_tastes().with_columns(timestamp=86_400 * pl.col("item_id"))
    made = validation_cut(from_frame(frame), rng=rng())
    assert made.train.days is not None
    columns = made.train.ratings.indices
    np.testing.assert_allclose(made.train.days, made.train.days.max() + columns.min() - columns)


@pytest.mark.parametrize("rows", [[(1, 1)], [(1, 1), (2, 1)], [(1, 1), (1, 2)]])
def test_settings_are_chosen_even_where_nothing_can_be_held_out(rows):
    frame = pl.DataFrame([(*row, 3.0) for row in rows], schema=["user_id", "item_id", "rating"], orient="row")
    world = from_frame(frame)
    fitted = tuned("blend", world, rng=rng()).fit(world, rng=rng())
    assert np.isfinite(fitted.scores(world.ratings)).all()


def test_a_models_figures_do_not_depend_on_which_others_are_asked_for(cut, blend):
    together = evaluate(*cut, ["ease", "als", "blend"], rng=rng())
    for name in ("ease", "als", "blend"):
        alone = blend if name == "blend" else evaluate(*cut, [name], rng=rng())
        assert alone.per_user[f"ndcg_{name}"].equals(together.per_user[f"ndcg_{name}"])


def test_what_two_models_share_is_trained_once(cut, monkeypatch):
    trained = []
    fit = Ease.fit

    def counted(model, interactions, *, rng):
        trained.append((model, len(interactions.ratings.data)))
        return fit(model, interactions, rng=rng)

    monkeypatch.setattr(Ease, "fit", counted)
    done = evaluate(*cut, ["ease", "blend"], rng=rng())
    assert len(trained) == len(set(trained))
    assert done.models["ease"] in done.models["blend"].parts


def test_the_evaluation_tells_the_chosen_settings_for_a_fit_on_all_ratings(cut):
    done = evaluate(*cut, ["blend"], items=catalogue(), rng=rng())
    world = from_frame(two_tastes())
    assert set(done.models) == {"blend", "popular", "recent_popular"}
    blend = from_settings(to_settings(done.models["blend"]), item_features(catalogue(), world.items))
    assert [part for part in blend.parts if isinstance(part, Content)] != []
    assert np.isfinite(blend.fit(world, rng=rng()).scores(world.ratings)).all()


def test_at_most_so_many_users_are_judged_and_the_rest_is_told(cut):
    some, everybody = (evaluate(*cut, ["popular"], rng=rng(), most_users=most) for most in (20, None))
    assert len(some.task.users) == some.per_user.height == 20
    assert some.task.users_held_out == len(everybody.task.users) == 60
    assert some.task.train.ratings.nnz == everybody.task.train.ratings.nnz
    both = some.per_user.join(everybody.per_user, on="user_id")
    assert both["ndcg_popular"].equals(both["ndcg_popular_right"])


def test_progress_is_told_model_by_model(cut):
    told: list[str] = []
    done: list[tuple[int, int]] = []
    evaluate(*cut, ["cosine"], rng=rng(), say=told.append, tell=lambda at, of: done.append((at, of)))
    assert done == [(0, 3), (1, 3), (2, 3)]
    assert [sentence.split(":")[0] for sentence in told] == ["cosine", "popular", "recent_popular"]


def test_a_test_file_that_repeats_training_is_refused_in_these_words(cut):
    train, _ = cut
    with pytest.raises(RecommendationError, match="stands in the training file too"):
        prepare(train, train)


def test_another_setting_must_win_by_more_than_chance():
    rank = np.random.default_rng(1)
    some = rank.random(200)
    assert not _wins(some, some)
    assert not _wins(some + rank.normal(0.0, 0.3, 200), some + 0.02)
    assert _wins(some + rank.normal(0.1, 0.3, 200), some)
    assert not _wins(np.ones(3), np.zeros(3))


@given(st.lists(st.integers(0, 30), min_size=2, max_size=60), st.integers(0, 5))
def test_a_cut_in_time_holds_out_only_what_is_newer_than_all_that_is_learned_from(days, seed):
    frame = pl.DataFrame(
        {
            "user_id": [place % 7 for place in range(len(days))],
            "item_id": [place // 7 for place in range(len(days))],
            "rating": 3.0,
            "timestamp": [86_400 * day for day in days],
        }
    )
    world = from_frame(frame)
    moment = {(row["user_id"], row["item_id"]): row["timestamp"] for row in frame.iter_rows(named=True)}
    for cut in later_cuts(world, rng=np.random.default_rng(seed)):
        learned_from, held_out = (
            [
                moment[cut.train.users[int(row)], cut.train.items[int(column)]]
                for row, column in zip(*matrix.nonzero(), strict=True)
            ]
            for matrix in (cut.train.ratings, cut.held_out)
        )
        assert max(learned_from, default=0) < min(held_out, default=np.inf)
        assert cut.train.days is not None
        assert cut.train.days.min(initial=0) >= 0


def fashions(half_life: float, seed: int = 0) -> pl.DataFrame:
    """Every day forty newcomers rate ten titles each, those the more that came out lately."""
    rng = np.random.default_rng(seed)
    rows = []
    for day in range(200):
        age = np.maximum(day - np.arange(-200, 200) * 1.0, -1)
        chance = np.where(age >= 0, np.exp2(-age / half_life), 0)
        for user in range(4):
            titles = rng.choice(400, 10, replace=False, p=(chance + 1e-9) / (chance + 1e-9).sum())
            rows += [(day * 4 + user, int(title), 3.0, 86_400 * day) for title in titles]
    return pl.DataFrame(rows, schema=["user_id", "item_id", "rating", "timestamp"], orient="row")


def test_a_half_life_is_short_where_fashions_are_short():
    chosen = tuned("recent_popular", from_frame(fashions(7.0)), rng=rng())
    assert isinstance(chosen, RecentPopular)
    assert chosen.half_life_days < HALF_LIVES[0]


def test_a_half_life_does_not_hang_on_what_is_judged():
    train, test = time_split(fashions(7.0), test_share=0.25)
    other = test.with_columns(item_id=pl.col("item_id").reverse())
    one, two = (evaluate(train, held_out, ["popular"], rng=rng()).models for held_out in (test, other))
    assert (
        one["recent_popular"]
        == two["recent_popular"]
        == tuned("recent_popular", from_frame(train), rng=rng())
    )


def test_without_timestamps_the_default_half_life_stays():
    world = from_frame(two_tastes().drop("timestamp"))
    assert later_cuts(world, rng=rng()) == []
    assert tuned("recent_popular", world, rng=rng()) == RecentPopular()


def test_what_is_on_the_rise_takes_part_only_where_what_is_judged_comes_next(cut):
    by_time = evaluate(*time_split(two_tastes(), test_share=0.25), ["blend"], rng=rng())
    at_random = evaluate(*cut, ["blend"], rng=rng())
    assert (by_time.task.ahead, at_random.task.ahead) == (True, False)
    assert [type(part) for part in by_time.models["blend"].parts].count(Trend) == 1
    assert Trend not in [type(part) for part in at_random.models["blend"].parts]


def test_the_taste_of_a_blend_is_the_same_whether_or_not_it_looks_ahead():
    world = learned()
    ahead, plain = (Tuner(world, ahead=ahead, rng=rng()).model("blend") for ahead in (True, False))
    assert ahead.parts[:-1] == plain.parts
    assert ahead.weights[:-1] == plain.weights
    assert ahead.fallback == plain.fallback


def test_the_newest_ratings_are_judged_as_their_cut_by_time_is():
    done = evaluate_later(two_tastes(), test_share=0.25, rng=rng())
    assert done is not None
    cut = time_split(two_tastes(), test_share=0.25)
    assert done.per_user.equals(evaluate(*cut, taste=False, rng=rng()).per_user)


def test_what_comes_next_is_recommended_with_the_taste_of_all_and_what_is_of_late():
    taste, ahead = Tuner(learned(), rng=rng()), Tuner(learned(), ahead=True, taste=False, rng=rng())
    chosen, later = taste.model("blend"), ahead.model("blend")
    assert isinstance(chosen, Blend)
    assert isinstance(later, Blend)
    both = chosen.with_what_is_of_late(later)
    assert both.parts == (*chosen.parts, later.parts[-1])
    assert both.weights == (*chosen.weights, later.weights[-1])
    assert both.fallback == later.fallback


def test_nothing_is_judged_by_time_where_time_is_not_told():
    untold = two_tastes().drop("timestamp"), two_tastes().with_columns(timestamp=pl.lit(5))
    assert [evaluate_later(frame, test_share=0.25, rng=rng()) for frame in untold] == [None, None]


def test_a_part_that_only_harms_has_no_weight_and_one_that_is_best_alone_is_left_alone():
    made = validation_cut(learned(), rng=rng())
    right = made.held_out.toarray() + rng().normal(0, 0.01, made.held_out.shape)
    noise = rng().normal(0, 5, made.held_out.shape)
    scores = [part.astype(np.float32) for part in (right, noise)]
    assert _weigh([(1.0,), (2.0, 0.0)], scores, made) == (1.0, 0.0)
    # No single step leaves both others out.
    assert _weigh([(1.0, 1.1), (1.0,), (0.0,)], [scores[1], scores[1], scores[0]], made) == (0.0, 0.0, 1.0)


def test_what_is_popular_of_late_alone_takes_the_place_of_taste_where_it_wins_ahead():
    taste = Tuner(learned(), rng=rng()).model("blend")
    assert isinstance(taste, Blend)
    nothing = (0.0,) * len(taste.weights)
    late = RecentPopular(7.0)
    ahead = Blend((*taste.parts, late), (*nothing, 1.0), late)
    assert taste.with_what_is_of_late(ahead).used == (late,)
