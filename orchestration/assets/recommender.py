"""The recommender as assets: settings judged, model trained, lists for every user, similar titles.

Belongs here: order, checks and metadata. Does not belong here: the work (`orchestration.tasks.recommender`), the
tables made of it (`ml_tables`).
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl

from ml.recommendation.models import BASELINES, DEFAULT_MODEL
from orchestration.progress import doing
from orchestration.settings import load_settings
from orchestration.stores.recommender import RecommenderStore
from orchestration.stores.versions import VersionedStore
from orchestration.tasks import worker
from orchestration.tasks.everybody import list_for_everybody
from orchestration.tools import spark
from orchestration.tools.sampling import among_sampled
from orchestration.tools.shown import markdown, not_applicable
from orchestration.tools.steps import Step, build_step
from orchestration.tools.warehouse import WarehouseResource

GROUP = "recommender"
INTERACTIONS, TITLES, CATALOGUE = "user_interactions", "title_descriptions", "catalogue_descriptions"
BEATS_POPULARITY = "the_default_beats_both_kinds_of_popularity"
MATCHES_GENRES = "genre_match_is_above_popularitys"
CHECKS = {
    BEATS_POPULARITY: "nDCG@10 of the default is above that of most popular and recently popular.",
    MATCHES_GENRES: "A user's three most watched genres are matched more often than by most popular.",
}

STEPS = {
    "evaluation": "Settings chosen on a cut of the training ratings; every model judged on a quarter of each user's "
    "ratings, beside most popular and recently popular; kept from an earlier night while little changed.",
    "model": "The default recommender, trained on all ratings with the chosen settings; kept from an earlier night "
    "while little changed.",
    "lists": "The 20 best titles for every user, with the rated titles that speak for each; made anew where the user's "
    "ratings or the model changed.",
    "similar": "The titles most like each rated title, by who rated them or by what is said about them.",
    "similar_catalogue": "The titles most like each title of the streaming catalogue, by what is said about them.",
}
_CATALOGUE_ROWS = f"select * from features.{CATALOGUE} order by title_id"


def build_recommender() -> list[dg.AssetsDefinition]:
    """Return the assets of the recommender."""
    ratings, titles, catalogue = (
        dg.AssetKey(["features", table]) for table in (INTERACTIONS, TITLES, CATALOGUE)
    )
    keys = {step: dg.AssetKey([GROUP, step]) for step in STEPS}
    evaluation, model, *_ = keys.values()

    def step(
        name: str,
        work: Callable[..., Any],
        upstream: list[dg.AssetKey],
        store: Callable[[WarehouseResource], Any] = _recommender,
        **more: Any,
    ) -> dg.AssetsDefinition:
        return build_step(
            keys[name],
            work,
            store=store,
            description=STEPS[name],
            deps=upstream,
            group_name=GROUP,
            kinds={"numpy"},
            **more,
        )

    return [
        step(
            "evaluation",
            _evaluate,
            [ratings, titles],
            stage="judge",
            lacks=_no_ratings,
            checks=[
                dg.AssetCheckSpec(check, asset=evaluation, description=description)
                for check, description in CHECKS.items()
            ],
        ),
        step("model", _fit, [evaluation, ratings, titles], stage="train"),
        step("lists", _list, [model, ratings, titles], stage="list"),
        step("similar", _find_similar, [model, ratings, titles], stage="list"),
        step(
            "similar_catalogue",
            _find_in_catalogue,
            [catalogue],
            _catalogue,
            stage="list",
            lacks=_no_catalogue,
        ),
    ]


def _evaluate(here: Step[RecommenderStore]) -> dg.MaterializeResult:
    snapshots = _rated(here)
    found = worker.run(
        "evaluate_recommenders", here.store, snapshots, load_settings().long_tail, here.serves, here.anew
    )
    if f"{GROUP}/model" in here.asked_for:
        worker.begin("fit_recommender", here.store, *snapshots)
    figures = found["figures"]
    return dg.MaterializeResult(
        metadata={
            "version": here.store.home.name,
            "settings": dg.MetadataValue.json(found["model"]),
            "judged_users": found["judged_users"],
            "judged_on": dg.MetadataValue.json(found.get("judged_on", {})),
            **({"not_judged": found["not_judged"]} if found["not_judged"] else {}),
            "figures": markdown(_by_model(figures)),
        },
        check_results=[
            _above_popularity(BEATS_POPULARITY, "ndcg", figures, BASELINES),
            _above_popularity(MATCHES_GENRES, "genre_match", figures, ("popular",)),
        ],
    )


def _fit(here: Step[RecommenderStore]) -> dg.MaterializeResult:
    snapshots = _rated(here)
    trained = worker.run("fit_recommender", here.store, *snapshots)
    if f"{GROUP}/lists" in here.asked_for and not _sampled(here):
        worker.begin("list_recommendations", here.store, snapshots[0])
    size = sum(path.stat().st_size for path in (here.store.home / "arrays").iterdir())
    return dg.MaterializeResult(
        metadata={
            "version": here.store.home.name,
            **trained,
            "trained": dg.MetadataValue.json(trained["trained"]),
            "bytes": size,
        }
    )


def _list(here: Step[RecommenderStore]) -> dg.MaterializeResult:
    ratings, *_ = _rated(here)
    if _sampled(here):
        return dg.MaterializeResult(metadata={"dagster/row_count": _list_for_everybody(here, ratings)})
    listed = worker.run("list_recommendations", here.store, ratings)
    return dg.MaterializeResult(
        metadata={"dagster/row_count": listed["rows"], "users_listed_anew": listed["users_listed_anew"]}
    )


def _list_for_everybody(here: Step[RecommenderStore], ratings: Path) -> int:
    settings = load_settings()
    with doing("listing for everybody"), spark.in_words(settings), here.warehouse.connect() as connection:
        opened = spark.session(settings)
        return list_for_everybody(opened, connection, here.store, ratings, f"features.{INTERACTIONS}")


def _find_similar(here: Step[RecommenderStore]) -> dg.MaterializeResult:
    ratings, titles, _ = _rated(here)
    rows = worker.run("find_similar_titles", here.store, ratings, titles)
    return dg.MaterializeResult(metadata={"dagster/row_count": rows})


def _find_in_catalogue(here: Step[VersionedStore]) -> dg.MaterializeResult:
    (titles,) = here.snapshots(_CATALOGUE_ROWS)
    rows = worker.run("find_similar_catalogue_titles", here.store, titles)
    return dg.MaterializeResult(metadata={"version": here.store.home.name, "dagster/row_count": rows})


def _recommender(warehouse: WarehouseResource) -> RecommenderStore:
    return RecommenderStore(warehouse.layout.recommender)


def _catalogue(warehouse: WarehouseResource) -> VersionedStore:
    return VersionedStore(warehouse.layout.catalogue_similarity)


def _rated_rows(here: Step[RecommenderStore]) -> tuple[str, str]:
    """Return the queries of ratings and titles, in a fixed order: the same rows always give the same version."""
    return (
        f"select user_id, title_id, weight, last_at from features.{INTERACTIONS}{_sampled(here)} "
        "order by user_id, title_id",
        f"select * from features.{TITLES} order by title_id",
    )


def _user_ids(here: Step[RecommenderStore]) -> str:
    """Return the query of users' written ids, sorted, so that a reader who looks one up needs one part of the file."""
    return (
        "select ids.number, ids.id from landing.ids as ids semi join "
        f"(from features.{INTERACTIONS}{_sampled(here)}) as users on ids.number = users.user_id order by ids.id"
    )


def _sampled(here: Step[RecommenderStore]) -> str:
    most = load_settings().recommender_learned_from
    return among_sampled(here.warehouse, here.run_id, "user_id", f"features.{INTERACTIONS}", most)


def _no_ratings(here: Step[RecommenderStore]) -> str | None:
    if not _have_rows(here, *_rated_rows(here)):
        return "nobody has rated or watched a title of the catalogue"
    users = pl.scan_parquet(here.snapshots(*_rated_rows(here))[0]).select("user_id")
    is_alone = users.min().collect().item() == users.max().collect().item()
    return "one user only has rated or watched titles: there is nobody to learn from" if is_alone else None


def _no_catalogue(here: Step[VersionedStore]) -> str | None:
    return None if _have_rows(here, _CATALOGUE_ROWS) else "the source has no streaming catalogue"


def _have_rows(here: Step[Any], *queries: str) -> bool:
    return all(pl.scan_parquet(file).select(pl.len()).collect().item() for file in here.snapshots(*queries))


def _rated(here: Step[RecommenderStore]) -> list[Path]:
    """Return files of ratings, titles and written ids of users for the worker."""
    if not _have_rows(here, *_rated_rows(here)):
        msg = "the features changed while the recommender was trained: run it again"
        raise dg.Failure(description=msg, allow_retries=False)
    return here.snapshots(*_rated_rows(here), _user_ids(here))


def _above_popularity(
    check: str, metric: str, figures: dict[str, dict[str, Any]], baselines: Sequence[str]
) -> dg.AssetCheckResult:
    found = {name: figures[name][metric] for name in (DEFAULT_MODEL, *baselines) if name in figures}
    judged = {name: value for name, value in found.items() if value is not None}
    if not judged:
        return not_applicable(check, "nothing could be judged")
    return dg.AssetCheckResult(
        check_name=check,
        passed=all(judged[DEFAULT_MODEL] > judged[name] for name in baselines),
        severity=dg.AssetCheckSeverity.WARN,
        metadata={name: round(value, 4) for name, value in judged.items()},
    )


def _by_model(figures: dict[str, dict[str, Any]]) -> pl.DataFrame:
    """Return what every model reached, the best first."""
    metrics = [
        "ndcg",
        "later_ndcg",
        "precision",
        "recall",
        "map",
        "coverage",
        "novelty",
        "diversity",
        "genre_match",
        "seconds",
    ]
    rows = [(name, *(of_model.get(metric) for metric in metrics)) for name, of_model in figures.items()]
    schema = {"model": pl.String, **dict.fromkeys(metrics, pl.Float64)}
    return pl.DataFrame(rows, schema=schema, orient="row").sort("ndcg", descending=True)
