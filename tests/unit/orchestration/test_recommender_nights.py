"""What a night of the recommender does again, and what it takes over from an earlier one."""

import shutil
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from orchestration.stores.recommender import RecommenderStore
from orchestration.tasks import recommender
from orchestration.tasks.recommender import (
    evaluate_recommenders,
    find_similar_titles,
    fit_recommender,
    list_recommendations,
)
from tests.unit.recommendation.worlds import catalogue, two_tastes

FIRST = datetime(2024, 1, 1)


def ratings() -> pl.DataFrame:
    world = two_tastes().sort("user_id", "item_id")
    return world.select(
        "user_id",
        title_id="item_id",
        weight="rating",
        last_at=FIRST + pl.int_range(pl.len()) * pl.lit(timedelta(minutes=1)),
    )


class Nights:
    """Nights of one warehouse, one after the other."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = RecommenderStore(folder / "recommender")
        self.titles = catalogue()["item_id"].to_list()
        self.long_tail = 0.0

    @property
    def files(self) -> list[Path]:
        return [self.folder / f"{name}.parquet" for name in ("ratings", "titles", "ids")]

    def whole(
        self, rated: pl.DataFrame, *, serves: bool = False, anew: bool = False
    ) -> tuple[dict, pl.DataFrame]:
        """A night whose version is put in force: of which ratings the model is, and the lists."""
        # Each run has a worker and files of its own.
        recommender._interactions.cache_clear()
        recommender._features.cache_clear()
        self.night(rated, serves=serves, anew=anew)
        fitted = fit_recommender(self.store, *self.files)
        self.trained, self.kept = fitted["trained"], fitted["kept"]
        self.made = list_recommendations(self.store, self.files[0])["users_listed_anew"]
        find_similar_titles(self.store, *self.files[:2])
        self.store.promote_candidate()
        self.store.prune()
        return self.trained, self.store.read_table("recommendations")

    def night(
        self, rated: pl.DataFrame, *, serves: bool = False, anew: bool = False
    ) -> tuple[dict, pl.DataFrame]:
        files = self.files
        said = catalogue().rename({"item_id": "title_id"}).filter(pl.col("title_id").is_in(self.titles))
        said = said.with_columns(title_key=pl.col("title_id").cast(pl.String), title=pl.lit(None, pl.String))
        said = (
            said.with_columns(pl.lit(None, pl.String).alias("overview")) if "overview" not in said else said
        )
        ids = pl.DataFrame(schema={"number": pl.Int64, "id": pl.String})
        for file, frame in zip(files, (rated, said, ids), strict=True):
            frame.write_parquet(file)
        found = evaluate_recommenders(self.store, files, self.long_tail, serves, anew)
        return found, self.store.read_table("recommender_metrics")


@pytest.fixture
def nights(tmp_path) -> Nights:
    return Nights(tmp_path)


@pytest.fixture(scope="module")
def first_night(tmp_path_factory) -> tuple[Path, dict, pl.DataFrame]:
    """A warehouse after a night on all ratings, and what that night said and wrote."""
    folder = tmp_path_factory.mktemp("first_night")
    return folder, *Nights(folder).night(ratings())


@pytest.fixture
def after_one(first_night, tmp_path) -> Nights:
    """A warehouse that has had its first night."""
    shutil.copytree(first_night[0], tmp_path, dirs_exist_ok=True)
    return Nights(tmp_path)


@pytest.fixture(scope="module")
def first_whole_night(tmp_path_factory) -> Nights:
    """A warehouse in which the version of a night on all ratings is in force."""
    nights = Nights(tmp_path_factory.mktemp("first_whole_night"))
    nights.whole(ratings())
    return nights


@pytest.fixture
def in_force(first_whole_night, tmp_path) -> Nights:
    """A copy of it, for nights that follow."""
    shutil.copytree(first_whole_night.folder, tmp_path, dirs_exist_ok=True)
    nights = Nights(tmp_path)
    for told in ("trained", "made", "kept"):
        setattr(nights, told, getattr(first_whole_night, told))
    return nights


@pytest.fixture
def judgings(monkeypatch) -> list[int]:
    done, judge = [], recommender.evaluate

    def counted(train, *args, **options):
        done.append(train.height)
        return judge(train, *args, **options)

    monkeypatch.setattr(recommender, "evaluate", counted)
    return done


def test_a_second_night_on_the_same_ratings_judges_nothing(first_night, after_one, judgings):
    _, first, figures = first_night
    second, again = after_one.night(ratings())
    assert len(judgings) == 0
    assert first == second
    assert figures.equals(again)


def test_a_night_on_which_little_changed_keeps_settings_and_figures_and_says_of_which_ratings_they_are(
    nights, judgings
):
    before = ratings()
    first, figures = nights.night(before[:-20])
    version = nights.store.home.name
    second, kept = nights.night(before)
    assert nights.store.home.name != version
    assert len(judgings) == 1
    assert first == second
    assert kept.equals(figures)
    assert kept["judged_ratings"].unique().to_list() == [len(before) - 20]
    assert kept["judged_until"].unique().to_list() == [before["last_at"][-21]]


def test_changes_that_are_small_each_night_are_judged_when_they_are_much_together(nights, judgings):
    every = ratings()
    sizes = [int(len(every) * share) for share in (0.90, 0.93, 0.96, 0.99)]
    for size in sizes:
        nights.night(every[:size])
    assert len(judgings) == 2
    assert nights.night(every)[1]["judged_ratings"][0] == sizes[2]


def test_ratings_that_changed_their_value_count_as_changed(after_one, judgings):
    after_one.night(ratings().with_columns(pl.col("weight") % 5 + 1))
    assert len(judgings) == 1


def test_new_code_is_judged(after_one, judgings, monkeypatch):
    monkeypatch.setattr(recommender, "_code", lambda: "new")
    after_one.night(ratings())
    assert len(judgings) == 1


def test_another_weight_of_being_rare_is_judged_trained_and_listed_anew(in_force, judgings):
    trained, lists = in_force.trained, in_force.store.read_table("recommendations")
    steps = in_force.store.read_table("recommender_long_tail")
    assert steps.filter("is_in_force")["weight"].to_list() == [0]
    in_force.long_tail = 1.0
    again, reaching = in_force.whole(ratings())
    assert len(judgings) == 1
    assert again["version"] != trained["version"]
    assert not reaching.equals(lists)
    assert in_force.store.settings()["model"]["weights"] == [1.0, 1.0]
    after = in_force.store.read_table("recommender_long_tail")
    assert after.filter("is_in_force")["weight"].to_list() == [1]
    assert after.drop("is_in_force").equals(steps.drop("is_in_force"))
    assert in_force.whole(ratings())[0] == again
    assert len(judgings) == 1


def test_after_a_night_without_a_candidate_the_judging_of_the_version_in_force_stays(after_one, judgings):
    after_one.store.promote_candidate()
    after_one.store.skip("nobody rated")
    after_one.night(ratings()[:-1])
    assert len(judgings) == 0


def test_of_many_users_models_learn_from_as_many_as_declared_with_all_their_ratings(
    nights, judgings, monkeypatch
):
    monkeypatch.setattr(recommender, "MOST_LEARNED_FROM", 30)
    found, _ = nights.night(ratings())
    assert found["judged_on"]["learned_from"] == 30
    assert found["judged_on"]["users"] == ratings()["user_id"].n_unique()
    assert found["judged_users"] == 30
    assert 0.6 < judgings[0] / (len(ratings()) / 2) < 0.9


def test_the_interval_of_a_mean_holds_it_and_is_of_the_judged_users(first_night, after_one):
    figures = first_night[2]
    per_user = after_one.store.read_table("recommender_user_ndcg")
    for model, value, low, high in (
        figures.filter(metric="ndcg").select("model", "value", "low", "high").iter_rows()
    ):
        own = per_user.filter(model=model)["ndcg"].to_numpy()
        assert low <= value <= high
        error = own.std(ddof=1) / np.sqrt(len(own))
        assert [low, high] == pytest.approx([max(value - 1.96 * error, 0), min(value + 1.96 * error, 1)])
    assert figures.filter(metric="coverage")["low"].null_count() == figures["model"].n_unique()


def rated_since(user: int, title: int, weight: float = 4.0) -> pl.DataFrame:
    """The ratings of all nights and one more."""
    one = {"user_id": user, "title_id": title, "weight": weight, "last_at": FIRST + timedelta(days=90)}
    every = ratings().filter(~((pl.col("user_id") == user) & (pl.col("title_id") == title)))
    return pl.concat([every, pl.DataFrame([one], schema=every.schema)]).sort("user_id", "title_id")


def of_others(lists: pl.DataFrame, user: int) -> pl.DataFrame:
    return lists.filter(pl.col("user_id") != user)


def test_while_little_changed_the_model_stays_and_only_users_with_new_ratings_are_listed_anew(in_force):
    trained, before = in_force.trained, in_force.store.read_table("recommendations")
    assert in_force.made == ratings()["user_id"].n_unique()
    first = before.filter(user_id=107)["title_id"][0]
    assert not in_force.kept
    still, after = in_force.whole(rated_since(107, int(first)))
    assert in_force.made == 1
    assert in_force.kept
    assert still == trained
    assert trained["until"] == str(ratings()["last_at"].max())
    assert in_force.store.settings()["trained"] == trained
    assert in_force.store.home.name != trained["version"]
    assert of_others(after, 107).equals(of_others(before, 107))
    assert first not in after.filter(user_id=107)["title_id"].to_list()
    assert after.equals(after.sort("user_id", "rank"))


def test_a_list_of_a_kept_model_is_what_that_model_says_of_the_users_ratings_now(in_force):
    then = in_force.store.read_model()
    after = in_force.whole(rated_since(107, 39, 5.0))[1].filter(user_id=107)
    now = in_force.store.read_model()
    assert then.fitted.scores(now.row("107")).tobytes() == now.fitted.scores(now.row("107")).tobytes()
    seen = set(ratings().filter(user_id=107)["title_id"]) | {39}
    assert not seen & set(after["title_id"].cast(pl.Int64))


def test_a_rating_that_changed_its_value_or_went_makes_its_users_list_anew(in_force):
    own = ratings().filter(user_id=103)
    in_force.whole(rated_since(103, own["title_id"][0], float(own["weight"][0]) + 1))
    assert in_force.made == 1
    in_force.whole(ratings()[1:])
    assert in_force.made == 1 + (ratings()["user_id"][0] != 103)


def test_a_new_user_has_a_list_and_one_who_went_has_none(in_force):
    _, lists = in_force.whole(rated_since(9_999, 2))
    assert in_force.made == 1
    assert lists.filter(user_id=9_999)["rank"].to_list() == list(range(1, 21))
    _, lists = in_force.whole(ratings())
    assert in_force.made == 0
    assert not lists["user_id"].is_in([9_999]).any()


def test_similar_titles_stay_with_the_model(in_force):
    before = in_force.store.read_table("similar_titles")
    in_force.whole(rated_since(107, 39, 5.0))
    assert in_force.store.read_table("similar_titles").equals(before)


def test_a_title_first_rated_since_waits_for_the_next_training(nights):
    known = ratings().filter(pl.col("title_id") != 20)
    trained, before = nights.whole(known)
    new = rated_since(107, 20).filter((pl.col("title_id") != 20) | (pl.col("user_id") == 107))
    still, after = nights.whole(new)
    assert still == trained
    assert "20" not in after["title_id"].to_list()
    assert of_others(after, 107).equals(of_others(before, 107))
    assert "20" in nights.store.read_table("similar_titles")["title_id"].to_list()
    later = pl.concat([new, rated_since(108, 15).filter(pl.col("user_id") == 108)]).unique(
        ["user_id", "title_id"], keep="last", maintain_order=True
    )
    third, relisted = nights.whole(later.sort("user_id", "title_id"))
    assert third == trained
    assert nights.made == 1
    assert "20" not in relisted["title_id"].to_list()


def test_a_model_is_trained_anew_when_much_changed_or_a_title_of_it_is_rated_no_more(in_force):
    first = in_force.trained
    in_force.whole(ratings()[: int(0.9 * len(ratings()))])
    assert not in_force.kept
    assert in_force.trained["version"] == in_force.store.home.name != first["version"]
    assert in_force.made == ratings()[: int(0.9 * len(ratings()))]["user_id"].n_unique()
    most = in_force.trained
    rare = pl.col("title_id") == 16
    in_force.whole(ratings()[: int(0.9 * len(ratings()))].filter(~rare))
    assert in_force.trained["version"] == in_force.store.home.name != most["version"]


def test_new_code_trains_and_lists_anew(in_force, monkeypatch):
    first = in_force.trained
    monkeypatch.setattr(recommender, "_code", lambda: "new")
    second, _ = in_force.whole(ratings())
    assert second["version"] != first["version"]
    assert in_force.made == ratings()["user_id"].n_unique()


def test_a_night_that_makes_all_anew_judges_and_trains_on_the_ratings_of_an_earlier_night_that_kept_its_model(
    nights, judgings
):
    trained, _ = nights.whole(ratings())
    rated = rated_since(107, 39, 5.0)
    assert nights.whole(rated)[0] == trained
    kept = nights.store.home.name
    anew, lists = nights.whole(rated, anew=True)
    assert len(judgings) == 2
    assert anew["ratings"] == len(rated)
    assert nights.made == rated["user_id"].n_unique()
    assert nights.store.home.name != kept, "a version in force never changes"
    for again in (nights.whole(rated), nights.whole(rated, anew=True)):
        assert again[0] == anew
        assert again[1].equals(lists)
    assert len(judgings) == 2, "of the same ratings nothing else would come out"


def test_a_night_that_was_killed_while_listing_leaves_no_lists_and_the_next_one_makes_them(
    in_force, monkeypatch
):
    changed = rated_since(107, 39, 5.0)

    def killed(*_args, **_options):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(recommender, "lists", killed)
        with pytest.raises(KeyboardInterrupt):
            in_force.whole(changed)
    assert not in_force.store.has("recommendations.parquet")
    _, lists = in_force.whole(changed)
    assert in_force.made == 1
    assert lists["user_id"].n_unique() == changed["user_id"].n_unique()


def test_between_nights_the_model_serves_whatever_changed_and_the_next_night_judges_and_trains(
    in_force, judgings
):
    trained = in_force.trained
    half = ratings().filter(pl.col("user_id") % 2 == 0)
    more = half.with_columns(pl.col("user_id") + 50_000)
    much = pl.concat([ratings(), more]).sort("user_id", "title_id")
    before = len(judgings)
    still, lists = in_force.whole(much, serves=True)
    assert still == trained
    assert len(judgings) == before
    assert in_force.made == more["user_id"].n_unique()
    assert set(more["user_id"]) <= set(lists["user_id"])
    in_force.whole(much, serves=True)
    assert in_force.made == 0
    anew, _ = in_force.whole(much)
    assert len(judgings) == before + 1
    assert anew["ratings"] == much.height


def test_where_no_model_is_in_force_a_refresh_between_nights_trains_one(nights):
    trained, _ = nights.whole(ratings(), serves=True)
    assert trained["ratings"] == ratings().height
