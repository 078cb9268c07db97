"""The recommender as assets: settings judged, model trained, lists for every user, similar titles.

Belongs here: order, checks and metadata. Does not belong here: the work (`orchestration.tasks.recommender`), the
tables made of it (`ml_tables`).
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import dagster as dg

from ml.recommendation.models import BASELINES, DEFAULT_MODEL
from orchestration.stores.recommender import RecommenderStore
from orchestration.stores.versions import VersionedStore
from orchestration.tasks import worker
from orchestration.tools.dbt import OWNER
from orchestration.tools.skipping import skipped
from orchestration.tools.warehouse import POOL, WarehouseResource

GROUP = "recommender"
RATINGS, TITLES, CATALOGUE = "user_title_ratings", "title_descriptions", "catalogue_descriptions"
BEATS_POPULARITY = "the_default_beats_both_kinds_of_popularity"
MATCHES_GENRES = "genre_match_is_above_popularitys"

STEPS = {
    "evaluation": "Settings chosen on a cut of the training ratings; every model judged on a quarter of each user's "
    "ratings, beside most popular and recently popular.",
    "model": "The default recommender, trained on all ratings with the chosen settings.",
    "lists": "The 20 best titles for every user, with the rated titles that speak for each.",
    "similar": "The titles most like each rated title, by who rated them or by what is said about them.",
    "similar_catalogue": "The titles most like each title of the streaming catalogue, by what is said about them.",
}


def build_recommender() -> list[dg.AssetsDefinition]:
    """Return the assets of the recommender."""

    def key(step: str) -> dg.AssetKey:
        return dg.AssetKey([GROUP, step])

    rated = [dg.AssetKey(["features", RATINGS]), dg.AssetKey(["features", TITLES])]

    def declare(step: str, upstream: Sequence[dg.AssetKey], **extra: Any) -> dict[str, Any]:
        return {
            "key": key(step),
            "description": STEPS[step],
            "deps": list(upstream),
            "group_name": GROUP,
            "owners": [OWNER],
            "kinds": {"numpy"},
            "pool": POOL,
            **extra,
        }

    @dg.asset(
        **declare("evaluation", rated),
        check_specs=[
            dg.AssetCheckSpec(
                BEATS_POPULARITY,
                asset=key("evaluation"),
                description="nDCG@10 of the default is above that of most popular and recently popular.",
            ),
            dg.AssetCheckSpec(
                MATCHES_GENRES,
                asset=key("evaluation"),
                description="A user's three most watched genres are matched more often than by most popular.",
            ),
        ],
    )
    def evaluation(context: dg.AssetExecutionContext, warehouse: WarehouseResource) -> Iterator[Any]:
        store = _store(warehouse)
        snapshots = _snapshots(context, warehouse)
        if snapshots is None:
            store.skip("nobody has rated a title of the catalogue")
            yield skipped(store, (BEATS_POPULARITY, MATCHES_GENRES))
            return
        found = worker.run("evaluate_recommenders", store, *snapshots)
        figures = found["figures"]
        worker.begin("fit_recommender", store, *snapshots)
        yield dg.MaterializeResult(
            metadata={
                "version": store.home.name,
                "settings": dg.MetadataValue.json(found["model"]),
                "judged_users": found["judged_users"],
                **({"not_judged": found["not_judged"]} if found["not_judged"] else {}),
                "figures": dg.MetadataValue.md(_markdown(figures)),
            },
            check_results=[
                _above_popularity(BEATS_POPULARITY, "ndcg", figures, BASELINES),
                _above_popularity(MATCHES_GENRES, "genre_match", figures, ("popular",)),
            ],
        )

    @dg.asset(**declare("model", [key("evaluation"), *rated]))
    def model(context: dg.AssetExecutionContext, warehouse: WarehouseResource) -> dg.MaterializeResult:
        store = _store(warehouse)
        if store.skipped:
            return skipped(store)
        ratings, titles = _required(_snapshots(context, warehouse))
        trained = worker.run("fit_recommender", store, ratings, titles)
        worker.begin("list_recommendations", store, ratings)
        return dg.MaterializeResult(
            metadata={
                "version": store.home.name,
                **trained,
                "bytes": sum(path.stat().st_size for path in (store.home / "arrays").iterdir()),
            }
        )

    @dg.asset(**declare("lists", [key("model"), *rated]))
    def lists(context: dg.AssetExecutionContext, warehouse: WarehouseResource) -> dg.MaterializeResult:
        store = _store(warehouse)
        if store.skipped:
            return skipped(store)
        ratings, _ = _required(_snapshots(context, warehouse))
        return dg.MaterializeResult(
            metadata={"dagster/row_count": worker.run("list_recommendations", store, ratings)}
        )

    @dg.asset(**declare("similar", [key("evaluation"), *rated]))
    def similar(context: dg.AssetExecutionContext, warehouse: WarehouseResource) -> dg.MaterializeResult:
        store = _store(warehouse)
        if store.skipped:
            return skipped(store)
        snapshots = _required(_snapshots(context, warehouse))
        return dg.MaterializeResult(
            metadata={"dagster/row_count": worker.run("find_similar_titles", store, *snapshots)}
        )

    @dg.asset(**declare("similar_catalogue", [dg.AssetKey(["features", CATALOGUE])]))
    def similar_catalogue(
        context: dg.AssetExecutionContext, warehouse: WarehouseResource
    ) -> dg.MaterializeResult:
        store = VersionedStore(warehouse.layout.catalogue_similarity)
        titles = _snapshot(context, warehouse, CATALOGUE, "title_id")
        if titles is None:
            store.skip("the source has no streaming catalogue")
            return skipped(store)
        rows = worker.run("find_similar_catalogue_titles", store, titles)
        return dg.MaterializeResult(metadata={"version": store.home.name, "dagster/row_count": rows})

    return [evaluation, model, lists, similar, similar_catalogue]


def _store(warehouse: WarehouseResource) -> RecommenderStore:
    return RecommenderStore(warehouse.layout.recommender)


def _snapshots(context: dg.AssetExecutionContext, warehouse: WarehouseResource) -> tuple[Path, Path] | None:
    """Return files of ratings and titles for the worker; None where nobody rated anything."""
    ratings = _snapshot(context, warehouse, RATINGS, "user_id, title_id")
    titles = _snapshot(context, warehouse, TITLES, "title_id")
    return None if ratings is None or titles is None else (ratings, titles)


def _snapshot(
    context: dg.AssetExecutionContext, warehouse: WarehouseResource, table: str, order: str
) -> Path | None:
    """Return a file of a feature table, in a fixed order; None where it has no rows."""
    snapshot = warehouse.layout.temporary / f"{context.run.run_id}-{table}.parquet"
    with warehouse.connect() as connection:
        if not snapshot.exists():
            connection.execute(
                f"copy (select * from features.{table} order by {order}) to '{snapshot}' (format parquet)"
            )
        has_rows = connection.execute(f"select 1 from read_parquet('{snapshot}') limit 1").fetchall()
    return snapshot if has_rows else None


def _required(snapshots: tuple[Path, Path] | None) -> tuple[Path, Path]:
    if snapshots is None:
        msg = "the features changed while the recommender was trained: run it again"
        raise dg.Failure(description=msg, allow_retries=False)
    return snapshots


def _above_popularity(
    check: str, metric: str, figures: dict[str, dict[str, Any]], baselines: Sequence[str]
) -> dg.AssetCheckResult:
    found = {name: figures[name][metric] for name in (DEFAULT_MODEL, *baselines) if name in figures}
    judged = {name: value for name, value in found.items() if value is not None}
    return dg.AssetCheckResult(
        check_name=check,
        passed=all(judged[DEFAULT_MODEL] > judged[name] for name in baselines) if judged else True,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={name: round(value, 4) for name, value in judged.items()},
        description=None if judged else "Nothing could be judged.",
    )


def _markdown(figures: dict[str, dict[str, Any]]) -> str:
    metrics = (
        "ndcg",
        "precision",
        "recall",
        "map",
        "coverage",
        "novelty",
        "diversity",
        "genre_match",
        "seconds",
    )
    lines = [f"| model | {' | '.join(metrics)} |", f"|---{'|---:' * len(metrics)}|"]
    for name, of_model in sorted(figures.items(), key=lambda item: -item[1]["ndcg"]):
        cells = ["" if of_model[metric] is None else f"{of_model[metric]:.3f}" for metric in metrics]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)
