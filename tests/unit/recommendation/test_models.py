"""Rules that every recommender keeps, whatever it is made of."""

import numpy as np
import polars as pl
import pytest
import scipy.sparse as sp

from ml.recommendation import ease
from ml.recommendation.als import Als
from ml.recommendation.blend import Blend
from ml.recommendation.content import Content, item_features
from ml.recommendation.ease import Ease
from ml.recommendation.errors import RecommendationError
from ml.recommendation.interactions import from_frame
from ml.recommendation.long_tail import towards_long_tail
from ml.recommendation.neighbours import Neighbours
from ml.recommendation.popularity import Popular, RecentPopular, Trend
from ml.recommendation.ranking import best, best_of_one_order, recommend
from ml.recommendation.reasons import POPULAR, Reason, reasons
from tests.unit.recommendation.worlds import catalogue, learned, two_tastes

WORLD = learned()
FEATURES = item_features(catalogue(), WORLD.items)
PERSONAL = {
    "cosine": Neighbours(neighbours=10, shrinkage=2),
    "ease": Ease(regularization=10),
    "als": Als(factors=3, regularization=1, confidence=5),
    "content": Content(FEATURES),
}
PERSONAL["blend"] = Blend((*PERSONAL.values(), Trend()), (1, 1, 1, 0.5, 0.5), RecentPopular())
PERSONAL["long_tail"] = towards_long_tail(PERSONAL["blend"], 0.5)
EVERY = PERSONAL | {"popular": Popular(), "recent_popular": RecentPopular()}


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


every = pytest.mark.parametrize("model", EVERY.values(), ids=EVERY.keys())
personal = pytest.mark.parametrize("model", PERSONAL.values(), ids=PERSONAL.keys())


@every
def test_nothing_seen_is_recommended_and_nothing_twice(model):
    lists = recommend(model.fit(WORLD, rng=rng()), WORLD.ratings, 10).items
    for row, ranked in enumerate(lists):
        seen = WORLD.ratings[[row]].indices
        shown = ranked[ranked >= 0]
        assert not set(shown) & set(seen)
        assert len(set(shown)) == len(shown)


@every
def test_scores_fall_along_the_list(model):
    assert (np.diff(recommend(model.fit(WORLD, rng=rng()), WORLD.ratings, 5).scores, axis=1) <= 0).all()


@every
def test_only_allowed_titles_are_recommended_and_missing_ones_leave_gaps_at_the_end(model):
    allowed = np.zeros(len(WORLD.items), dtype=bool)
    allowed[[3, 4]] = True
    ranked = recommend(model.fit(WORLD, rng=rng()), WORLD.ratings, 5, allowed=allowed)
    assert set(np.unique(ranked.items)) <= {-1, 3, 4}
    assert (ranked.items[:, 2:] == -1).all()


@every
def test_the_same_seed_gives_the_same_scores_to_the_last_bit(model):
    one, two = (model.fit(WORLD, rng=rng()).scores(WORLD.ratings) for _ in range(2))
    assert one.tobytes() == two.tobytes()


@every
def test_a_user_of_whom_nothing_is_known_gets_what_is_popular(model):
    nobody = sp.csr_array((1, len(WORLD.items)), dtype=np.float32)
    fitted = model.fit(WORLD, rng=rng())
    of_late = (PERSONAL["blend"], PERSONAL["long_tail"], EVERY["recent_popular"])
    base = RecentPopular() if model in of_late else Popular()
    wanted = recommend(base.fit(WORLD, rng=rng()), nobody, 10)
    assert recommend(fitted, nobody, 10).items.tolist() == wanted.items.tolist()


@personal
def test_a_new_user_who_likes_two_titles_gets_more_of_their_kind(model):
    liked = WORLD.row_of_liked([0, 2])
    top = recommend(model.fit(WORLD, rng=rng()), liked, 10).items[0]
    assert (top % 2 == 0).mean() >= 0.8


@personal
def test_the_reason_is_a_title_that_the_user_has_seen(model):
    fitted = model.fit(WORLD, rng=rng())
    row = WORLD.ratings[[7]]
    for reason in reasons(fitted, row, recommend(fitted, row, 5).items[0]):
        assert set(reason.items) <= set(row.indices)
        assert 1 <= len(reason.items) <= 2
        assert 0 < sum(reason.shares) <= 1 + 1e-6
        assert list(reason.shares) == sorted(reason.shares, reverse=True)


@pytest.mark.parametrize("name", ["cosine", "ease", "als", "content"])
def test_what_seen_titles_add_makes_the_score(name):
    fitted = PERSONAL[name].fit(WORLD, rng=rng())
    row = WORLD.ratings[[3]]
    unseen = np.setdiff1d(np.arange(len(WORLD.items)), row.indices)
    added = fitted.contributions(row, unseen[None, :])
    np.testing.assert_allclose(added.sum(axis=0), fitted.scores(row)[0, unseen], rtol=1e-3, atol=1e-4)


@every
@pytest.mark.parametrize(("users", "items"), [(1, 1), (1, 3), (3, 1), (2, 2)])
def test_one_user_or_one_title_is_enough(model, users, items):
    rows = [(u, i, 3.0) for u in range(users) for i in range(items)]
    tiny = from_frame(pl.DataFrame(rows, schema=["user_id", "item_id", "rating"], orient="row"))
    knows_other_titles = (PERSONAL["content"], PERSONAL["blend"], PERSONAL["long_tail"])
    if model not in knows_other_titles:
        fitted = model.fit(tiny, rng=rng())
        assert np.isfinite(fitted.scores(tiny.ratings)).all()
        assert (recommend(fitted, tiny.ratings, 10).items == -1).all()


def test_popularity_gives_popularity_as_its_reason():
    found = reasons(Popular().fit(WORLD, rng=rng()), WORLD.ratings[[0]], [1, 2])
    assert [reason.sentence(str) for reason in found] == [POPULAR] * 2


def test_a_reason_names_its_titles_in_words():
    assert (
        Reason((3, 5), (0.6, 0.2)).sentence(lambda item: f"Title {item}")
        == "because you rated Title 3 and Title 5"
    )
    assert Reason((), ()).sentence(str, "popular with Loyalists") == "popular with Loyalists"


def test_both_forms_of_ease_give_the_same_weights(monkeypatch):
    wide = learned(users=20)
    over_users = Ease(regularization=5).fit(wide, rng=rng())
    monkeypatch.setattr(ease, "DUAL_CELLS", 0)
    over_items = Ease(regularization=5).fit(wide, rng=rng())
    assert type(over_users) is not type(over_items)
    np.testing.assert_allclose(over_users.scores(wide.ratings), over_items.scores(wide.ratings), atol=1e-4)
    row, items = wide.ratings[[2]], np.arange(6)[None, :]
    np.testing.assert_allclose(
        over_users.contributions(row, items), over_items.contributions(row, items), atol=1e-4
    )


def test_ease_is_its_closed_form():
    Z = WORLD.ratings.toarray().astype(np.float64)
    Z = np.where(Z > 0, np.sqrt(Z / WORLD.mean_rating), 0)
    P = np.linalg.inv(Z.T @ Z + 10 * np.eye(Z.shape[1]))
    B = -P / np.diag(P)
    np.fill_diagonal(B, 0)
    np.testing.assert_allclose(PERSONAL["ease"].fit(WORLD, rng=rng()).scores(WORLD.ratings), Z @ B, atol=1e-4)


def test_beyond_its_limit_ease_gives_weights_to_the_most_rated_titles_only():
    fitted = Ease(regularization=10, most_items=5).fit(WORLD, rng=rng())
    most = set(np.argsort(-WORLD.popularity, kind="stable")[:5])
    assert set(np.flatnonzero(fitted.scores(WORLD.ratings).any(axis=0))) == most


def test_titles_factors_learned_from_drawn_users_still_tell_tastes():
    few = Als(factors=8, regularization=1, confidence=5, most_ratings=WORLD.ratings.nnz // 2)
    fitted = few.fit(WORLD, rng=rng())
    top = recommend(fitted, WORLD.ratings, 5).items
    users = np.arange(len(top))[:, None] % 2
    assert (top % 2 == users).mean() > 0.8


def test_a_similarity_with_few_users_in_common_shrinks():
    plain, shrunk = (Neighbours(50, shrinkage).fit(WORLD, rng=rng()).similarity for shrinkage in (0, 20))
    assert (shrunk.toarray() <= plain.toarray() + 1e-6).all()
    assert plain.max() <= 1 + 1e-6
    assert not plain.diagonal().any()


def test_each_title_has_at_most_so_many_neighbours():
    similarity = Neighbours(neighbours=3, shrinkage=0).fit(WORLD, rng=rng()).similarity
    assert np.bincount(similarity.indices, minlength=40).max() <= 3


def test_recent_popularity_counts_a_rating_half_after_its_half_life():
    frame = pl.DataFrame(
        {"user_id": [1, 2, 3], "item_id": [1, 1, 2], "rating": [3.0] * 3, "timestamp": [0, 0, 90 * 86_400]}
    )
    fitted = RecentPopular(half_life_days=90).fit(from_frame(frame), rng=rng())
    assert fitted.popularity.tolist() == [1.0, 1.0]


def test_a_title_that_nobody_rated_is_found_by_content_and_reasoned():
    frame = two_tastes().filter(pl.col("item_id") != 4)
    world = from_frame(frame, catalogue=catalogue()["item_id"])
    features = item_features(catalogue(), world.items)
    blend = Blend((Ease(10), Content(features)), (1, 5), Popular()).fit(world, rng=rng())
    row = world.row_of_liked([0, 2])
    only_new = np.arange(40) == 4
    assert recommend(blend, row, 1, allowed=only_new).items.tolist() == [[4]]
    assert blend.parts[1].scores(row)[0, 4] > blend.parts[1].scores(row)[0, 5]
    assert set(reasons(blend, row, [4])[0].items) == {0, 2}


def test_the_name_of_a_title_is_not_what_is_said_about_it():
    named = catalogue().with_columns(title=pl.lit("The Same Name"))
    assert (item_features(named, WORLD.items).vectors != FEATURES.vectors).nnz == 0


def test_lists_and_text_of_genres_are_read_alike():
    lists = catalogue().with_columns(pl.col("genres").str.split("|"))
    commas = catalogue().with_columns(pl.col("genres").str.replace(r"\|", ", "))
    for other in (lists, commas):
        found = item_features(other, WORLD.items)
        assert found.genre_names == ("Comedy", "Drama", "Family")
        assert (found.vectors != FEATURES.vectors).nnz == 0


def test_words_of_the_overview_bring_titles_together():
    plots = ["a heist in Paris", "heist gone wrong", "a farm"] + ["x"] * 17
    overviews = pl.DataFrame({"item_id": range(20), "overview": plots})
    vectors = item_features(overviews, WORLD.items).vectors
    cosines = (vectors @ vectors.T).toarray()
    assert cosines[0, 1] > 0
    assert cosines[0, 2] == 0


def test_an_unknown_genre_is_refused_with_those_there_are():
    with pytest.raises(RecommendationError, match="Comedy, Drama, Family"):
        FEATURES.allowed("Western")
    assert FEATURES.allowed("drama").sum() == 20


@pytest.mark.parametrize("half_life", [7.0, 365.0])
def test_what_gains_lately_rises_and_what_loses_falls(half_life):
    rows = [(user, user % 2, 3.0, 86_400 * (1_000 if user % 2 else 0)) for user in range(20)]
    rows += [(user, 2, 3.0, 86_400 * (1_000 if user < 5 else 0)) for user in range(10)]
    world = from_frame(pl.DataFrame(rows, schema=["user_id", "item_id", "rating", "timestamp"], orient="row"))
    old, new, both = Trend(half_life).fit(world, rng=rng()).popularity
    assert old < both < new


def test_without_timestamps_nothing_rises():
    world = from_frame(two_tastes().drop("timestamp"))
    assert np.ptp(Trend().fit(world, rng=rng()).popularity) == 0


def test_a_user_with_fewer_titles_than_factors_has_the_factors_of_the_full_equations():
    fitted = Als(factors=16, regularization=1, confidence=3).fit(WORLD, rng=rng())
    rows = WORLD.ratings
    assert np.diff(rows.indptr).min() < 16 <= np.diff(rows.indptr).max()
    weights = np.sqrt(rows.toarray() / WORLD.mean_rating)
    for row, found in enumerate(fitted.user_factors(rows)):
        c = np.where(rows.toarray()[row] > 0, 3 * weights[row], 1).astype(np.float64)
        Y = fitted.item_factors.astype(np.float64)
        wanted = np.linalg.solve((Y.T * c) @ Y + np.eye(16), Y.T @ np.where(c != 1, c, 0))
        np.testing.assert_allclose(found, wanted, atol=1e-4)


@pytest.mark.parametrize("n", [1, 5, 45])
def test_lists_of_one_order_for_all_are_those_of_its_scores(n):
    scores = Popular().fit(WORLD, rng=rng()).popularity + np.linspace(0.5, 0, len(WORLD.items))
    every = np.tile(scores, (len(WORLD.users), 1)).astype(np.float32)
    wanted = best(every, WORLD.ratings, n).items
    assert best_of_one_order(scores.astype(np.float32), WORLD.ratings, n).tolist() == wanted.tolist()
