"""Advice from a stored recommender: who asks, what they like, what cannot be found."""

import shutil
import time
from collections.abc import Callable

import numpy as np
import polars as pl
import pytest

from ingest.cells import FIRST_TEXT_ID
from ml.recommendation.ease import Ease
from ml.recommendation.interactions import from_frame
from orchestration.commands.recommend.answers import Recommender, RecommendError
from orchestration.stores.layout import ModelNotFoundError
from orchestration.stores.recommender import RecommenderStore
from tests.unit.recommendation.worlds import learned, two_tastes

TITLES = pl.DataFrame(
    {
        "title_id": range(40),
        "title_key": [str(i) for i in range(40)],
        "title": [
            {4: "Twice Told", 6: "Twice Told", 9: "Hiver à Vellión", 12: None}.get(i, f"Film {i}")
            for i in range(40)
        ],
        "genres": ["Drama|War" if i % 2 else "Comedy" for i in range(40)],
    }
)
NO_IDS = pl.DataFrame(schema={"number": pl.Int64, "id": pl.String})


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> RecommenderStore:
    store = RecommenderStore(tmp_path_factory.mktemp("models") / "recommender")
    store.begin_candidate("abc")
    interactions = learned()
    store.write_model(
        Ease(20.0).fit(interactions, rng=np.random.default_rng(0)), interactions, TITLES, NO_IDS
    )
    store.promote_candidate()
    return store


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    folder = tmp_path_factory.mktemp("published")
    pl.DataFrame(
        {
            "segmentation": ["user_activity", "user_ratings"],
            "segment_id": [1, 3],
            "entity_id": ["100", "100"],
            "segment_name": ["Busy", "Loyalists"],
        }
    ).write_parquet(folder / "segment_members.parquet")
    pl.DataFrame(
        {"segmentation": ["user_activity", "user_ratings"], "is_named_in_reasons": [False, True]}
    ).write_parquet(folder / "segmentations.parquet")
    pl.DataFrame({"user_id": ["100", "999"]}).write_parquet(folder / "users.parquet")
    return folder


@pytest.fixture(scope="module")
def recommender(store, published) -> Recommender:
    return Recommender(store, published)


def test_a_user_is_recommended_new_titles_of_their_own_taste_with_reasons(recommender):
    advice = recommender.for_user("100", n=5)
    seen = set(two_tastes().filter(pl.col("user_id") == 100)["item_id"].cast(pl.String))
    assert advice.rows["rank"].to_list() == [1, 2, 3, 4, 5]
    assert not seen & set(advice.rows["title_id"])
    assert all(int(title) % 2 == 0 for title in advice.rows["title_id"])
    assert all(reason.startswith("because you rated ") for reason in advice.rows["reason"])


def test_only_titles_of_the_asked_genre_are_recommended_however_it_is_written(recommender):
    for genre in ("War", "war", "WAR"):
        assert set(recommender.for_user("100", n=5, genre=genre).rows["genres"]) == {"Drama, War"}


def test_an_unknown_genre_suggests_the_nearest(recommender):
    with pytest.raises(RecommendError, match=r"no title has the genre 'Dramma'\. Did you mean 'Drama'\?"):
        recommender.for_user("100", genre="Dramma")


def test_an_unknown_user_hears_which_are_known_and_which_is_nearest(recommender):
    with pytest.raises(RecommendError, match=r"no user 163 among 60 users, 100 to 159.*nearest is 159"):
        recommender.for_user("163")
    with pytest.raises(RecommendError, match="user ids are whole numbers"):
        recommender.for_user("Robert'); drop table users;--")


@pytest.fixture(scope="module")
def by_text(tmp_path_factory) -> Recommender:
    """What is learned of users 100 and 101 by their numbers, who outside are an address and a number with zeros."""
    store = RecommenderStore(tmp_path_factory.mktemp("text") / "recommender")
    store.begin_candidate("abc")
    users = {100: FIRST_TEXT_ID, 101: FIRST_TEXT_ID + 1}
    interactions = from_frame(two_tastes().with_columns(pl.col("user_id").replace(users)))
    titles = TITLES.with_columns(title_key="t-" + pl.col("title_key"))
    ids = pl.DataFrame({"number": [FIRST_TEXT_ID + 1, FIRST_TEXT_ID], "id": ["0102", "ada@example.org"]})
    fitted = Ease(20.0).fit(interactions, rng=np.random.default_rng(0))
    store.write_model(fitted, interactions, titles, ids)
    store.promote_candidate()
    return Recommender(store)


def test_users_and_titles_go_by_their_ids_as_the_source_writes_them(recommender, by_text):
    for number, written in (("100", "ada@example.org"), ("101", "0102"), ("102", "102")):
        advice = by_text.for_user(written, n=5).rows
        assert advice["title_id"].to_list() == [
            f"t-{title}" for title in recommender.for_user(number, n=5).rows["title_id"]
        ]
    assert by_text.for_liked(["t-5"], n=1).rows["title_id"].str.starts_with("t-").all()


@pytest.mark.parametrize("unknown", ["100", "0103", str(FIRST_TEXT_ID), "-1", ""])
def test_a_number_that_stands_for_an_id_inside_is_no_id(by_text, unknown):
    with pytest.raises(RecommendError, match="no user"):
        by_text.for_user(unknown)


def test_an_unknown_user_hears_how_ids_look_and_nobodys_address(by_text, monkeypatch):
    with pytest.raises(RecommendError, match=r"such as '0102' or whole numbers, 102 to 159"):
        by_text.for_user("nobody")
    with pytest.raises(RecommendError, match=r"no user 'b\*\*\*@… #[0-9a-f]{6}'"):
        by_text.for_user("bo@example.org")
    monkeypatch.setenv("MATINEE_SHOW_EMAILS", "true")
    with pytest.raises(RecommendError, match=r"no user 'bo@example\.org'"):
        by_text.for_user("bo@example.org")


def test_a_user_who_has_rated_nothing_is_recommended_what_is_popular(recommender):
    advice = recommender.for_user("999", n=3)
    assert advice.rows["reason"].to_list() == ["popular with other viewers"] * 3
    assert "has rated nothing yet" in advice.said[0]


def test_somebody_new_is_recommended_titles_like_those_they_like(recommender):
    advice = recommender.for_liked(["Film 1", "film 3", "5"], n=5)
    assert all(int(title) % 2 for title in advice.rows["title_id"])
    assert not {"1", "3", "5"} & set(advice.rows["title_id"])
    assert all(reason.startswith("because you like ") for reason in advice.rows["reason"])


def test_a_title_is_found_without_its_accents(recommender):
    advice = recommender.for_liked(["hiver a vellion"], n=3)
    assert set(advice.rows["reason"]) == {"because you like Hiver à Vellión"}


@pytest.mark.parametrize("blank", ["", "  ", "\u0301"])
def test_a_blank_name_is_not_that_of_a_title_without_one(recommender, blank):
    with pytest.raises(RecommendError, match="no title"):
        recommender.for_liked([blank])


def test_a_title_without_a_name_goes_by_its_id(recommender):
    named = recommender.for_user("100", n=40).rows.select("title_id", "title")
    assert ("12", "12") in named.rows()
    assert set(recommender.for_liked(["12"], n=3).rows["reason"]) == {"because you like 12"}


def test_of_titles_with_one_name_the_most_rated_is_taken_and_said(recommender):
    counts = two_tastes()["item_id"].value_counts()
    most = counts.filter(pl.col("item_id").is_in([4, 6])).sort("count", "item_id", descending=[True, False])
    advice = recommender.for_liked(["Twice Told"])
    assert (
        f"2 titles are called 'Twice Told'; this is the most rated one, id {most['item_id'][0]}"
        in advice.said[0]
    )


def test_a_misspelt_title_suggests_the_nearest(recommender):
    with pytest.raises(RecommendError, match="Did you mean 'Twice Told'"):
        recommender.for_liked(["Twice Tolt"])


def test_asking_for_more_titles_than_are_left_gives_what_is_left_and_says_so(recommender):
    advice = recommender.for_user("100", n=1000, genre="Drama")
    assert len(advice.rows) < 1000
    assert advice.said[-1] == f"No more than {len(advice.rows)} titles can be recommended."


def test_a_title_is_for_users_of_its_taste_who_have_not_seen_it(recommender):
    audience = recommender.for_title("Film 2", n=60)
    seen = two_tastes().filter(pl.col("item_id") == 2)["user_id"].cast(pl.String)
    users = audience.rows["user_id"]
    assert sorted([*users, *seen]) == [str(user) for user in range(100, 160)]
    even = sum(1 for user in range(100, 160, 2) if str(user) not in set(seen))
    assert sum(int(user) % 2 == 0 for user in users[:even]) >= 0.75 * even
    assert audience.rows["score"].is_sorted(descending=True)
    assert audience.rows.filter(pl.col("user_id") == "100")["segment_name"].to_list() in ([], ["Loyalists"])
    assert f"No more than {len(users)} users can be named: the others have rated it." in audience.said


def test_users_of_a_title_go_by_their_ids_as_the_source_writes_them(recommender, by_text):
    named = {"100": "ada@example.org", "101": "0102"}
    expected = [named.get(user, user) for user in recommender.for_title("3", n=60).rows["user_id"]]
    assert by_text.for_title("t-3", n=60).rows["user_id"].to_list() == expected


def test_one_user_is_answered_from_the_mapped_model_at_ten_times_the_cost_of_scoring_or_less(
    store, recommender
):
    stored = store.read_model()
    row = stored.row("101")
    scoring = least_seconds(lambda: stored.fitted.scores(row))
    assert least_seconds(lambda: recommender.for_user("101")) < 10 * scoring


def least_seconds(work: Callable[[], object]) -> float:
    """Return the processor seconds of the quickest of some runs, after one to warm up."""
    took = []
    for _ in range(8):
        began = time.process_time()
        work()
        took.append(time.process_time() - began)
    return min(took[1:])


def test_without_a_trained_recommender_the_command_that_trains_one_is_named(tmp_path):
    with pytest.raises(ModelNotFoundError, match="run `matinee run` first"):
        Recommender(RecommenderStore(tmp_path / "recommender", "current"))


def test_a_recommender_that_outlives_its_ratings_says_so(tmp_path, store):
    shutil.copytree(store.folder, tmp_path / "recommender")
    outlived = RecommenderStore(tmp_path / "recommender", "current")
    outlived.skip("nobody has rated a title of the catalogue")
    for genre in (None, "Drama"):
        said = Recommender(outlived).for_user("100", genre=genre).said
        assert said[0].startswith("The last run trained no recommender (nobody has rated a title")


def test_where_no_run_had_ratings_the_reason_is_given_and_not_another_run(tmp_path):
    store = RecommenderStore(tmp_path / "recommender", "current")
    store.skip("nobody has rated a title of the catalogue")
    with pytest.raises(ModelNotFoundError, match="not trained in the last run: nobody has rated"):
        Recommender(store)


def test_a_new_version_leaves_only_itself_and_the_one_in_force(tmp_path):
    store = RecommenderStore(tmp_path / "recommender")
    for version in ("one", "two", "three"):
        store.begin_candidate(version)
        if version == "one":
            store.promote_candidate()
    store.prune()
    assert sorted(path.name for path in store.folder.iterdir() if path.is_dir()) == ["one", "three"]
