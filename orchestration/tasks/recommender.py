"""The work behind the assets of the recommender, on its store and snapshots of two feature tables.

Belongs here: which computation of `ml` makes which file of the store. Does not belong here: Dagster, DuckDB, the
computation itself. The functions run in the worker process (`orchestration.tasks.worker`).

A version is named by a hash of the ratings, of what is said about the titles and of the code that learns from them; so
what a version holds already is what would come out again, and is not computed twice.
"""

import hashlib
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

import ml.recommendation
from ml.recommendation.content import ItemFeatures, item_features
from ml.recommendation.declared import from_settings, to_settings
from ml.recommendation.errors import RecommendationError
from ml.recommendation.evaluate import evaluate, evaluate_later
from ml.recommendation.interactions import Interactions, from_frame
from ml.recommendation.lists import lists
from ml.recommendation.models import BASELINES, DEFAULT_MODEL, MODEL_NAMES
from ml.recommendation.similar import similar_by_content, similar_items
from ml.recommendation.splits import stratified_split
from ml.recommendation.tuning import tuned
from orchestration.stores.recommender import RecommenderStore
from orchestration.stores.versions import VersionedStore

SEED = 0
TEST_SHARE = 0.25
K = 10
PER_USER = 20
MOST_JUDGED = 5_000
"""Users whose lists are judged; the mean nDCG of so many is known to about 0.004."""
MOST_CANDIDATES = 8_000
"""Most rated titles that may be recommended to everybody: scores of 45,000 titles for 270,000 users take 11 minutes."""


def evaluate_recommenders(store: RecommenderStore, ratings: Path, titles: Path, ids: Path) -> dict[str, Any]:
    """Choose settings, judge every model on held-out ratings and store both; return what was stored as settings."""
    everything, described = pl.read_parquet(ratings), pl.read_parquet(titles)
    store.begin_candidate(_version(everything, described, pl.read_parquet(ids)))
    if store.has("settings.json"):
        return store.settings()
    frame, items = _as_ratings(everything), _as_items(described)
    try:
        found = _judged(store, frame, items)
    except RecommendationError as error:  # too few ratings to hold any out: recommended all the same
        store.write_table("recommender_metrics", _metrics({}))
        store.write_table("recommender_user_ndcg", _user_ndcg(None))
        model = tuned(
            DEFAULT_MODEL, _interactions(ratings), features=_features(ratings, titles), rng=_rng("settings")
        )
        found = {"model": to_settings(model), "judged_users": 0, "not_judged": str(error), "figures": {}}
    store.write_settings(found)
    return found


def fit_recommender(store: RecommenderStore, ratings: Path, titles: Path, ids: Path) -> dict[str, int]:
    """Train the default model on all ratings with the chosen settings; return what it knows."""
    interactions = _interactions(ratings)
    if not store.has("arrays"):
        model = from_settings(store.settings()["model"], _features(ratings, titles))
        fitted = model.fit(interactions, rng=_rng("fit"))
        store.write_model(fitted, interactions, pl.read_parquet(titles), pl.read_parquet(ids))
    return {
        "users": len(interactions.users),
        "titles": len(interactions.items),
        "ratings": interactions.ratings.nnz,
    }


def list_recommendations(store: RecommenderStore, ratings: Path) -> int:
    """Store the best titles of every user with the reasons; return how many rows."""
    if not store.has("recommendations.parquet"):
        interactions = _interactions(ratings)
        popular = np.argsort(-interactions.popularity, kind="stable")[:MOST_CANDIDATES]
        candidates = np.zeros(len(interactions.items), dtype=bool)
        candidates[popular] = True
        found = lists(store.read_model().fitted, interactions, PER_USER, candidates=candidates, reasons=2)
        store.write_table(
            "recommendations",
            found.select(
                "user_id",
                "rank",
                pl.col("item_id").cast(pl.String).alias("title_id"),
                pl.col("score").cast(pl.Float64),
                pl.col("because").list.get(0, null_on_oob=True).cast(pl.String).alias("because_title_id"),
                pl.col("because")
                .list.get(1, null_on_oob=True)
                .cast(pl.String)
                .alias("because_other_title_id"),
            ),
        )
    return _rows(store, "recommendations")


def find_similar_titles(store: RecommenderStore, ratings: Path, titles: Path) -> int:
    """Store the titles most like each title; return how many rows."""
    if not store.has("similar_titles.parquet"):
        found = similar_items(
            _interactions(ratings), _features(ratings, titles), PER_USER, rng=_rng("similar")
        )
        store.write_table("similar_titles", _similar_rows(found))
    return _rows(store, "similar_titles")


def find_similar_catalogue_titles(store: VersionedStore, titles: Path) -> int:
    """Store the titles most like each title of a catalogue that nobody rates; return how many rows."""
    described = pl.read_parquet(titles)
    store.begin_candidate(_version(described))
    if not store.has("similar_catalogue_titles.parquet"):
        features = item_features(described.rename({"title_id": "item_id"}), described["title_id"])
        store.write_table(
            "similar_catalogue_titles",
            _similar_rows(similar_by_content(described["title_id"], features, PER_USER)),
        )
    return _rows(store, "similar_catalogue_titles")


def _judged(store: RecommenderStore, frame: pl.DataFrame, items: pl.DataFrame) -> dict[str, Any]:
    train, test = stratified_split(frame, test_share=TEST_SHARE, rng=_rng("split"))
    done = evaluate(
        train, test, MODEL_NAMES, k=K, items=items, most_users=MOST_JUDGED, rng=_rng("evaluation")
    )
    figures = {
        name: asdict(of_model) | {"seconds": of_model.seconds} for name, of_model in done.figures.items()
    }
    later = evaluate_later(
        frame, test_share=TEST_SHARE, k=K, items=items, most_users=MOST_JUDGED, rng=_rng("later")
    )
    for name, of_model in later.figures.items() if later else ():
        figures[name]["later_ndcg"] = of_model.ndcg
    judged = len(done.task.users)
    store.write_table("recommender_metrics", _metrics(figures, judged))
    store.write_table("recommender_user_ndcg", _user_ndcg(done.per_user))
    return {
        # What is published tonight is for what comes next.
        "model": to_settings((later or done).models[DEFAULT_MODEL]),
        "judged_users": judged,
        "not_judged": None,
        "figures": figures,
    }


def _metrics(figures: dict[str, dict[str, Any]], judged: int = 0) -> pl.DataFrame:
    values = [
        (model, metric, float(value))
        for model, of_model in figures.items()
        for metric, value in {**of_model, "users": judged}.items()
        # How long it took is no result: the same input must give the same tables.
        if value is not None and not metric.endswith("seconds")
    ]
    columns = {"model": pl.String, "metric": pl.String, "value": pl.Float64}
    return pl.DataFrame(values, schema=columns, orient="row").with_columns(
        is_default=pl.col("model") == DEFAULT_MODEL, is_baseline=pl.col("model").is_in(BASELINES)
    )


def _user_ndcg(per_user: pl.DataFrame | None) -> pl.DataFrame:
    if per_user is None:
        return pl.DataFrame(schema={"model": pl.String, "user_id": pl.Int64, "ndcg": pl.Float64})
    long = per_user.unpivot(index="user_id", variable_name="model", value_name="ndcg")
    return long.select(pl.col("model").str.strip_prefix("ndcg_"), "user_id", "ndcg")


def _similar_rows(found: pl.DataFrame) -> pl.DataFrame:
    return found.select(
        pl.col("item_id").cast(pl.String).alias("title_id"),
        "rank",
        pl.col("similar_item_id").cast(pl.String).alias("similar_title_id"),
        pl.col("similarity").cast(pl.Float64).clip(0, 1),
        "basis",
    )


def _version(*snapshots: pl.DataFrame) -> str:
    learned_from = hashlib.sha256()
    for frame in snapshots:
        for column in frame.iter_columns():
            learned_from.update(column.name.encode())
            if column.dtype == pl.String:
                learned_from.update("\x00".join(column.fill_null("\x01")).encode())
            else:
                learned_from.update(column.to_physical().to_numpy().tobytes())
    code = sorted(Path(ml.recommendation.__path__[0]).glob("*.py"))
    for path in (*code, Path(__file__)):
        learned_from.update(path.read_bytes())
    return learned_from.hexdigest()[:12]


def _rows(store: VersionedStore, table: str) -> int:
    return pl.scan_parquet(store.table_path(table)).select(pl.len()).collect().item()


def _rng(purpose: str) -> np.random.Generator:
    """Return the generator of one purpose, so that no step's draws hang on another's."""
    return np.random.default_rng([SEED, *purpose.encode()])


def _as_ratings(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.select("user_id", pl.col("title_id").alias("item_id"), rating="weight", timestamp="last_at")


def _as_items(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.select(pl.col("title_id").alias("item_id"), "genres", "overview")


# Model, lists and similar titles ask for the same matrix.
@lru_cache(maxsize=1)
def _interactions(ratings: Path) -> Interactions:
    return from_frame(_as_ratings(pl.read_parquet(ratings)))


@lru_cache(maxsize=1)
def _features(ratings: Path, titles: Path) -> ItemFeatures:
    return item_features(_as_items(pl.read_parquet(titles)), _interactions(ratings).items)
