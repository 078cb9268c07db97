"""What a night of the recommender does again, and what it takes over from an earlier one."""

import shutil
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from orchestration.stores.recommender import RecommenderStore
from orchestration.tasks import recommender
from orchestration.tasks.recommender import evaluate_recommenders
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

    def night(self, rated: pl.DataFrame) -> tuple[dict, pl.DataFrame]:
        files = [self.folder / f"{name}.parquet" for name in ("ratings", "titles", "ids")]
        said = catalogue().rename({"item_id": "title_id"})
        said = (
            said.with_columns(pl.lit(None, pl.String).alias("overview")) if "overview" not in said else said
        )
        ids = pl.DataFrame(schema={"number": pl.Int64, "id": pl.String})
        for file, frame in zip(files, (rated, said, ids), strict=True):
            frame.write_parquet(file)
        return evaluate_recommenders(self.store, *files), self.store.read_table("recommender_metrics")


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
