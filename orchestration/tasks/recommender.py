"""The work behind the assets of the recommender, on its store and snapshots of two feature tables.

Belongs here: which computation of `ml` makes which file of the store. Does not belong here: Dagster, DuckDB, the
computation itself. The functions run in the worker process (`orchestration.tasks.worker`).

A version is named by a hash of the ratings, of what is said about the titles and of the code that learns from them; so
what a version holds already is what would come out again, and is not computed twice.

Settings are chosen, models judged and the default trained again when the code changed or more than `CHANGED_SHARE` of
what it was done on; until then settings, figures and the trained model stay, and say of which ratings they are. A list
is made anew where its user's ratings or the model changed.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, fields
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

import ml.recommendation
from ml.changed_rows import CHANGED_SHARE, changed_share, sample
from ml.recommendation.blend import Blend, parts_of
from ml.recommendation.content import ItemFeatures, item_features
from ml.recommendation.declared import from_settings, to_settings
from ml.recommendation.errors import RecommendationError
from ml.recommendation.evaluate import Evaluation, LongTailStep, evaluate, evaluate_later
from ml.recommendation.interactions import Interactions, from_frame, positions
from ml.recommendation.lists import lists, published
from ml.recommendation.long_tail import LONG_TAIL_WEIGHTS, towards_long_tail
from ml.recommendation.models import BASELINES, DEFAULT_MODEL, MODEL_NAMES, NEAREST
from ml.recommendation.neighbours import FittedNeighbours
from ml.recommendation.ranking import Fitted, Model
from ml.recommendation.similar import similar_by_content, similar_items
from ml.recommendation.splits import stratified_split
from ml.recommendation.state import widened
from ml.recommendation.stored import StoredRecommender
from ml.recommendation.tuning import tuned
from orchestration.progress import counting, doing
from orchestration.stores.file_hashes import hash_of_files
from orchestration.stores.recommender import RecommenderStore, in_order
from orchestration.stores.versions import VersionedStore, made_as

SEED = 0
TEST_SHARE = 0.25
K = 10
PER_USER = 20
MOST_LEARNED_FROM = 25_000
"""Users on whose ratings models learn that are judged: figures compare models, and that takes no more."""
MOST_JUDGED = 2_500
"""Of these, users whose lists are judged; the mean nDCG of so many is known to about 0.006."""
MOST_CANDIDATES = 8_000
"""Most rated titles that may be recommended to everybody: scores of 45,000 titles for 270,000 users take 11 minutes."""
_FEWEST_IN_INTERVAL = 2
_Z95 = 1.96


def evaluate_recommenders(
    store: RecommenderStore,
    snapshots: tuple[Path, Path, Path],
    long_tail: float = 0.0,
    serves: bool = False,
    anew: bool = False,
) -> dict[str, Any]:
    """Choose settings and judge every model, or keep what an earlier judging found; return what is stored as settings.

    Models learn from a part of the ratings of at most `MOST_LEARNED_FROM` users, drawn, and are judged on the rest.
    `long_tail` is what being rare weighs in the default model; another weight than before is judged and trained anew.
    Where the model in force only serves (`serves`), an earlier judging by the same code is kept whatever changed; with
    `anew` only one of the same ratings is, with a model that was trained on these.
    """
    ratings, titles, ids = snapshots
    everything, described = pl.read_parquet(ratings), pl.read_parquet(titles)
    earlier = None if anew else store.last_judging()
    made_by = pl.DataFrame({"code": [_code()], "long_tail": [long_tail]})
    version = _version(everything, described, pl.read_parquet(ids), made_by)
    store.begin_candidate(version)
    if anew and store.has("settings.json") and not _is_of_its_ratings(store.settings(), version):
        store.begin_candidate(f"{version}-anew")  # the other one may be in force
    if store.has("settings.json"):
        return store.settings()
    rows = sample({"ratings": everything, "titles": described, "code": made_by})
    if earlier:
        then = pl.read_parquet(earlier / "judged_on.parquet")
        is_little = changed_share(then, rows) <= CHANGED_SHARE
        if serves and not is_little and changed_share(then.filter(of="code"), rows) == 0:
            # Of a name of its own, so that the night on the same ratings judges and trains.
            store.begin_candidate(f"{version}-served")
            is_little = True
        if store.has("settings.json"):
            return store.settings()
        if is_little:
            return store.keep_judging(earlier)
    try:
        found = _judged(store, everything, _as_items(described), long_tail)
        store.write_table("judged_on", rows)
    except RecommendationError as error:  # too few ratings to hold any out: recommended all the same
        store.write_table("recommender_metrics", _metrics({}))
        store.write_table("recommender_user_ndcg", _user_ndcg(None))
        store.write_table("recommender_long_tail", _long_tail((), long_tail))
        model = tuned(
            DEFAULT_MODEL, _interactions(ratings), features=_features(ratings, titles), rng=_rng("settings")
        )
        model = towards_long_tail(model, long_tail)
        found = {"model": to_settings(model), "judged_users": 0, "not_judged": str(error), "figures": {}}
    found["judged_in"] = store.home.name
    store.write_settings(found)
    return found


def _is_of_its_ratings(settings: dict[str, Any], version: str) -> bool:
    """Whether nothing of a version was taken over from one of other ratings."""
    made_in = (settings["judged_in"], settings.get("trained", {"version": version})["version"])
    return all(made_as(name) == version for name in made_in)


def fit_recommender(store: RecommenderStore, ratings: Path, titles: Path, ids: Path) -> dict[str, Any]:
    """Train the default model on all ratings with the chosen settings, or keep that in force; return what it knows.

    The model in force stays while its judging does and every title that it was trained on is still rated. Titles rated
    since have a column, and are neither recommended nor a reason before the model is trained again.
    """
    interactions = _interactions(ratings)
    if not store.has("arrays"):
        settings, described = store.settings(), pl.read_parquet(titles)
        fitted, trained, unknown = _kept(store, in_order(described, interactions.items))
        if fitted is None:
            model = from_settings(settings["model"], _features(ratings, titles))
            fitted = model.fit(interactions, rng=_rng("fit"))
            newest = pl.scan_parquet(ratings).select(pl.col("last_at").max()).collect().item()
            trained = {
                "version": store.home.name,
                "ratings": interactions.ratings.nnz,
                "until": str(newest),
            }
        store.write_settings(settings | {"trained": trained, "titles_since": unknown})
        store.write_model(fitted, interactions, described, pl.read_parquet(ids))
    return {
        "users": len(interactions.users),
        "titles": len(interactions.items),
        "ratings": interactions.ratings.nnz,
        "trained": store.settings()["trained"],
        "kept": _of_same_model(store) is not None,
    }


def list_recommendations(store: RecommenderStore, ratings: Path) -> dict[str, int]:
    """Store the best titles of every user with the reasons; return how many rows, and of how many users made anew.

    While the model is that in force the lists of users whose ratings did not change are taken over.
    """
    made = 0
    if not store.has("recommendations.parquet"):
        interactions, model = _interactions(ratings), store.read_model()
        unchanged, kept = np.zeros(len(interactions.users), dtype=bool), None
        if earlier := _of_same_model(store):
            then = earlier.read_model()
            places = positions(model.titles["title_id"], then.titles["title_id"])
            unchanged = model.same_users(then, places)
            users = interactions.users.filter(pl.Series(unchanged))
            kept = earlier.read_table("recommendations").filter(pl.col("user_id").is_in(users.implode()))
        rows = np.flatnonzero(~unchanged)
        made = len(rows)
        with counting("listing", "users") as tell:
            found = lists(
                model.fitted,
                interactions.of_users(rows),
                PER_USER,
                candidates=may_be_listed(store, model),
                reasons=2,
                tell=tell,
            )
        listed = published(found)
        whole = listed if kept is None else pl.concat([kept, listed]).sort("user_id", "rank")
        store.write_table("recommendations", whole)
        _forget()
    return {"rows": _rows(store, "recommendations"), "users_listed_anew": made}


def may_be_listed(store: RecommenderStore, model: StoredRecommender) -> np.ndarray:
    """Return which titles of a model may be recommended, (titles,) bool: the most rated ones that it was trained on."""
    popularity = model.popularity()
    popularity[np.isin(model.titles["title_id"].to_numpy(), store.settings()["titles_since"])] = 0
    popular = np.argsort(-popularity, kind="stable")[:MOST_CANDIDATES]
    candidates = np.zeros(len(popularity), dtype=bool)
    candidates[popular[popularity[popular] > 0]] = True
    return candidates


def _of_same_model(store: RecommenderStore) -> RecommenderStore | None:
    """Return the version in force where its model is that of the candidate; None where it is another."""
    earlier = store.in_force()
    return earlier if earlier and earlier.settings().get("trained") == store.settings()["trained"] else None


def _kept(store: RecommenderStore, titles: pl.DataFrame) -> tuple[Fitted | None, dict[str, Any], list[int]]:
    """Return the model in force for tonight's titles, of what it was trained, and which of them it was not trained on.

    None where it must be trained anew.
    """
    earlier = store.in_force()
    if earlier is None or not store.has("judged_on.parquet"):
        return None, {}, []
    trained = earlier.settings().get("trained")
    if trained is None or earlier.settings().get("judged_in") != store.settings()["judged_in"]:
        return None, {}, []
    model = earlier.read_model()
    places = positions(titles["title_id"], model.titles["title_id"])
    if (places < 0).any() or (np.diff(places) <= 0).any():
        return None, {}, []
    since = np.setdiff1d(np.arange(len(titles)), places)
    unknown = {*titles["title_id"].gather(since).to_list(), *earlier.settings()["titles_since"]}
    return widened(model.fitted, places, len(titles)), trained, sorted(unknown)


def find_similar_titles(store: RecommenderStore, ratings: Path, titles: Path) -> int:
    """Store the titles most like each title; return how many rows.

    While the model is that in force they are taken over, but where a title was first rated since.
    """
    if not store.has("similar_titles.parquet"):
        model, earlier = store.read_model(), _of_same_model(store)
        if earlier and model.titles["title_id"].equals(earlier.read_model().titles["title_id"]):
            store.write_table("similar_titles", earlier.read_table("similar_titles"))
            return _rows(store, "similar_titles")
        interactions = _interactions(ratings)
        # The blend has them where they are of use to it.
        parts = parts_of(model.fitted)
        near = next((part for part in parts if isinstance(part, FittedNeighbours)), None)
        near = near or NEAREST.fit(interactions, rng=_rng("similar"))
        found = similar_items(interactions, near, _features(ratings, titles), PER_USER)
        store.write_table("similar_titles", _similar_rows(found))
        _forget()
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


def _judged(
    store: RecommenderStore, everything: pl.DataFrame, items: pl.DataFrame, long_tail: float
) -> dict[str, Any]:
    users = everything["user_id"].unique().sort()
    drawn = everything
    if len(users) > MOST_LEARNED_FROM:
        rows = _rng("sample").choice(len(users), MOST_LEARNED_FROM, replace=False)
        drawn = everything.filter(pl.col("user_id").is_in(users.gather(rows).implode()))
    train, test = stratified_split(_as_ratings(drawn), test_share=TEST_SHARE, rng=_rng("split"))
    rng = _rng("evaluation")
    with counting("learning and judging", "models") as tell:
        done = evaluate(
            train,
            test,
            MODEL_NAMES,
            k=K,
            items=items,
            most_users=MOST_JUDGED,
            long_tail=long_tail,
            long_tail_steps=sorted({*LONG_TAIL_WEIGHTS, long_tail}),
            rng=rng,
            tell=tell,
        )
    figures = {
        name: asdict(of_model) | {"seconds": of_model.seconds} for name, of_model in done.figures.items()
    }
    with doing("judging what comes next"):
        later = evaluate_later(
            _as_ratings(drawn),
            test_share=TEST_SHARE,
            k=K,
            items=items,
            most_users=MOST_JUDGED,
            long_tail=long_tail,
            rng=_rng("later"),
        )
    for name, of_model in later.figures.items() if later else ():
        figures[name]["later_ndcg"] = of_model.ndcg
    newest = everything["last_at"].max()
    store.write_table("recommender_metrics", _metrics(figures, done.per_user, everything.height, newest))
    store.write_table("recommender_user_ndcg", _user_ndcg(done.per_user))
    store.write_table("recommender_long_tail", _long_tail(done.steps, long_tail))
    return {
        "model": to_settings(towards_long_tail(_for_what_comes_next(done, later), long_tail)),
        "judged_users": len(done.task.users),
        "judged_on": {
            "ratings": everything.height,
            "until": str(newest),
            "users": len(users),
            "learned_from": min(len(users), MOST_LEARNED_FROM),
        },
        "not_judged": None,
        "figures": figures,
    }


def _for_what_comes_next(done: Evaluation, later: Evaluation | None) -> Model:
    """Return the default model with taste as it was chosen on all ratings and what is of late as on the older ones.

    What is published tonight is for what comes next.
    """
    model, ahead = done.models[DEFAULT_MODEL], later and later.models[DEFAULT_MODEL]
    if isinstance(model, Blend) and isinstance(ahead, Blend):
        return model.with_what_is_of_late(ahead)
    return model


def _metrics(
    figures: dict[str, dict[str, Any]],
    per_user: pl.DataFrame | None = None,
    ratings: int = 0,
    newest: Any = None,
) -> pl.DataFrame:
    judged = 0 if per_user is None else len(per_user)
    values = [
        (model, metric, float(value), *_interval(per_user, metric, model))
        for model, of_model in figures.items()
        for metric, value in {**of_model, "users": judged}.items()
        # How long it took is no result: the same input must give the same tables.
        if value is not None and not metric.endswith("seconds")
    ]
    columns = {"model": pl.String, "metric": pl.String} | dict.fromkeys(("value", "low", "high"), pl.Float64)
    return pl.DataFrame(values, schema=columns, orient="row").with_columns(
        is_default=pl.col("model") == DEFAULT_MODEL,
        is_baseline=pl.col("model").is_in(BASELINES),
        judged_ratings=pl.lit(ratings, pl.Int64),
        judged_until=pl.lit(newest, pl.Datetime("us")),
    )


def _interval(per_user: pl.DataFrame | None, metric: str, model: str) -> tuple[float | None, float | None]:
    """Return the ends of the 95 % interval of a mean over users that are known one by one."""
    if per_user is None or f"{metric}_{model}" not in per_user.columns or len(per_user) < _FEWEST_IN_INTERVAL:
        return None, None
    values = per_user[f"{metric}_{model}"].to_numpy()
    mean, error = values.mean(), values.std(ddof=1) / np.sqrt(len(values))
    return max(mean - _Z95 * error, 0.0), min(mean + _Z95 * error, 1.0)


def _user_ndcg(per_user: pl.DataFrame | None) -> pl.DataFrame:
    if per_user is None:
        return pl.DataFrame(schema={"model": pl.String, "user_id": pl.Int64, "ndcg": pl.Float64})
    long = per_user.unpivot(index="user_id", variable_name="model", value_name="ndcg")
    return long.select(pl.col("model").str.strip_prefix("ndcg_"), "user_id", "ndcg")


def _long_tail(steps: Sequence[LongTailStep], in_force: float) -> pl.DataFrame:
    columns = dict.fromkeys((field.name for field in fields(LongTailStep)), pl.Float64)
    return pl.DataFrame([asdict(step) for step in steps], schema=columns).with_columns(
        is_in_force=pl.col("weight") == in_force
    )


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
    learned_from.update(_code().encode())
    return learned_from.hexdigest()[:12]


def _code() -> str:
    """Return a hash of the code that learns and judges."""
    models = hash_of_files(Path(ml.recommendation.__path__[0]), {".py"})
    return hashlib.sha256(models.encode() + Path(__file__).read_bytes()).hexdigest()


def _rows(store: VersionedStore, table: str) -> int:
    return pl.scan_parquet(store.table_path(table)).select(pl.len()).collect().item()


def _rng(purpose: str) -> np.random.Generator:
    """Return the generator of one purpose, so that no step's draws hang on another's."""
    return np.random.default_rng([SEED, *purpose.encode()])


def _as_ratings(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.select("user_id", pl.col("title_id").alias("item_id"), rating="weight", timestamp="last_at")


def _as_items(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.select(pl.col("title_id").alias("item_id"), "genres", "overview")


def _forget() -> None:
    """Give back the memory of all ratings: dbt, which builds next, and the other worker need it."""
    _interactions.cache_clear()
    _features.cache_clear()


# Model, lists and similar titles ask for the same matrix.
@lru_cache(maxsize=1)
def _interactions(ratings: Path) -> Interactions:
    return from_frame(_as_ratings(pl.read_parquet(ratings)))


@lru_cache(maxsize=1)
def _features(ratings: Path, titles: Path) -> ItemFeatures:
    return item_features(_as_items(pl.read_parquet(titles)), _interactions(ratings).items)
