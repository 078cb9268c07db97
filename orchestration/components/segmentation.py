"""A segmentation's YAML file turned into assets.

Belongs here: the assets every segmentation has, their checks and metadata.
Does not belong here: the schema (`ml.segmentation.spec`), any computation, any one segmentation.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl
import polars.selectors as cs

from ingest.contracts import CONTRACTS
from ingest.errors import counted
from ingest.store import source_of
from ml.drift import MOVED, MOVED_MUCH, is_telling, stability_index
from ml.plots.words import feature_label
from ml.segmentation.spec import SegmentationSpec
from orchestration.components.declared import DeclaredComponent
from orchestration.progress import doing
from orchestration.settings import load_settings
from orchestration.stores.segmentations import ModelStore
from orchestration.tasks import worker
from orchestration.tasks.everybody import place_everybody
from orchestration.tasks.promotion import decide, is_serving, kept_decision, serve_on
from orchestration.tools import spark
from orchestration.tools.dbt import landing_tables_behind
from orchestration.tools.sampling import among_sampled
from orchestration.tools.shown import COLUMNS, markdown, not_applicable, parquet_columns, pictures
from orchestration.tools.steps import Step, build_step
from orchestration.tools.warehouse import WarehouseResource

SPEC_DESCRIPTION = "segmentation"
"""Metadata of every asset of a segmentation: its declared description, and what its columns are called."""
STEPS = {
    "k_metrics": "Every candidate k fitted once and judged by every index; the elbow.",
    "quality": "Whether the segments come back, what they are worth, and what nothing would be.",
    "model": "Preprocessing, centroids and names together; scoring never refits.",
    "members": "The segment of every entity.",
    "profile": "What the members of each segment are like beside everybody, the rule of each; principal components.",
    "plots": "Elbow, index panel, maps, heat map, sizes, distribution, and what else the declaration asks for.",
}
INERTIA_FALLS, NONE_EMPTY = "inertia_falls_as_k_grows", "no_segment_is_empty"
THRESHOLDS_HOLD = "new_segments_hold_their_thresholds"
ONE_SEGMENT_EACH = "every_entity_has_one_segment"
FEATURES_STAY, SIZES_STAY = "features_have_not_drifted", "segment_sizes_have_not_drifted"
_WARNING = {THRESHOLDS_HOLD, FEATURES_STAY, SIZES_STAY}
"""Checks whose failure stops nothing."""
_TITLES = "features.title_descriptions"
_TELLING = ("ratings", "views", "customers", "titles", "catalogue", "users", "links")
"""Landing tables, the one first whose absence tells most: without ratings the links to their titles are not missed."""
_Work = Callable[[SegmentationSpec, Step[ModelStore]], dg.MaterializeResult]


class SegmentationComponent(DeclaredComponent[SegmentationSpec]):
    """Train, judge, name, assign, profile and draw one declared segmentation."""

    schema, called = SegmentationSpec, "a segmentation"

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:  # noqa: ARG002
        """Return the assets of the segmentation."""
        return build_segmentation_defs(self.spec)


def build_segmentation_defs(spec: SegmentationSpec) -> dg.Definitions:
    """Return the assets of a segmentation and their checks."""
    features = [dg.AssetKey(table.split(".")) for table in spec.trained_on]
    keys = {step: dg.AssetKey([spec.name, step]) for step in STEPS}

    def step(
        name: str, work: _Work, upstream: list[dg.AssetKey], kind: str, **more: Any
    ) -> dg.AssetsDefinition:
        return build_step(
            keys[name],
            partial(work, spec),
            store=partial(_store, spec),
            description=f"{spec.description}. {STEPS[name]}",
            deps=upstream,
            group_name=spec.name,
            kinds={kind},
            metadata={SPEC_DESCRIPTION: spec.description},
            checks=[
                dg.AssetCheckSpec(
                    check, asset=keys[name], blocking=check not in _WARNING, description=description
                )
                for check, description in _checks(spec).get(name, {}).items()
            ],
            **more,
        )

    acts = [
        dg.AssetKey(table.split(".")) for table in (spec.interactions, _TITLES) if spec.interactions and table
    ]
    read = list(dict.fromkeys([*features, *acts]))
    k_metrics, quality, model, members, profile, _ = keys.values()
    return dg.Definitions(
        assets=[
            # It begins the judging, so that what that reads must be there.
            step(
                "k_metrics", _train, read, "scikitlearn", stage="train", lacks=partial(_absent_landing, spec)
            ),
            step("quality", _judge, [k_metrics, *read], "scikitlearn", stage="judge"),
            step("model", _name, [quality], "json", stage="judge"),
            step("members", _assign, [model, *features], "parquet", stage="place"),
            step("profile", _profile, [members, *features], "parquet", stage="place"),
            # Asked for when everything else is done, so that nothing waits for the drawing.
            step(
                "plots",
                _draw,
                [k_metrics, members, profile],
                "matplotlib",
                stage="draw",
                op_tags={"dagster/priority": "-1"},
            ),
        ]
    )


def _checks(spec: SegmentationSpec) -> dict[str, dict[str, str]]:
    """Return names and descriptions of the checks of each step that has some."""
    return {
        "k_metrics": {
            INERTIA_FALLS: "More segments never fit worse; a rise means that a free fit stopped in a bad optimum.",
            NONE_EMPTY: "Every candidate k has members in each of its segments.",
        },
        "model": {
            THRESHOLDS_HOLD: (
                "New segments take over only where each declared figure is good enough; else those in force serve on."
            )
        },
        "members": {
            ONE_SEGMENT_EACH: f"Each {spec.entity} of {spec.features.table} is a member of exactly one segment.",
            FEATURES_STAY: (
                "The population stability index of each feature, beside what the model in force was trained on, is "
                f"below {MOVED_MUCH}."
            ),
            SIZES_STAY: (
                f"The population stability index of the segments' sizes, beside those in force, is below {MOVED_MUCH}."
            ),
        },
    }


def _train(spec: SegmentationSpec, here: Step[ModelStore]) -> dg.MaterializeResult:
    declared, features = _labelled(spec, here), _features(spec, here)
    serves = here.serves or (
        not here.anew and worker.run("has_little_changed", declared, here.store, features)
    )
    if serves and serve_on(here.store, features, here.run_id):
        return _trained(here)
    worker.run("train_candidate", declared, here.store, features, here.warehouse.threads)
    if f"{spec.name}/quality" in here.asked_for:  # while the next one is trained
        worker.begin(*_judging(spec, here))
    return _trained(here)


def _trained(here: Step[ModelStore]) -> dg.MaterializeResult:
    metrics = here.store.read_table("k_metrics").drop("segmentation")
    starts = here.store.read_table("start_agreement").drop("segmentation")
    # An anchored fit may be worse than the free one for a smaller k: that is said, and no fault of a fit.
    inertia = metrics.select(
        pl.when("is_published").then(starts["free_inertia"].item()).otherwise("inertia").alias("inertia")
    )["inertia"]
    return dg.MaterializeResult(
        metadata={
            "version": here.store.home.name,
            "kept": is_serving(here.store.home.name),
            "elbow": metrics.filter("is_elbow")["k"].item(),
            "published_k": metrics.filter("is_published")["k"].item(),
            "rows_trained_on": here.store.model().trained_on,
            "features_dropped": dg.MetadataValue.json(list(here.store.model().preparation.dropped)),
            "indices": markdown(metrics),
            "starts": markdown(starts),
            **_table(here.store, "k_metrics", len(metrics)),
        },
        check_results=[
            dg.AssetCheckResult(
                check_name=INERTIA_FALLS,
                passed=bool((inertia.diff().drop_nulls() < 0).all()),
                metadata={"inertia": dg.MetadataValue.json(inertia.to_list())},
            ),
            dg.AssetCheckResult(
                check_name=NONE_EMPTY,
                passed=bool((metrics["size_min"] > 0).all()),
                metadata={"smallest": dg.MetadataValue.json(metrics["size_min"].to_list())},
            ),
        ],
    )


def _has_served(here: Step[ModelStore]) -> bool:
    """Return whether what is in force serves on, so that there is no candidate to judge.

    A step that is run alone asks it of what the run before left.
    """
    return is_serving(here.store.home.name)


def _judge(spec: SegmentationSpec, here: Step[ModelStore]) -> dg.MaterializeResult:
    served = _has_served(here)
    quality = here.store.read_table("segment_quality") if served else worker.run(*_judging(spec, here))
    whole = quality.filter(pl.col("segment_id").is_null()).drop("segment_id", cs.starts_with("beside_"))
    return dg.MaterializeResult(
        metadata={"figures": markdown(whole), **_table(here.store, "segment_quality", len(quality))}
    )


def _judging(spec: SegmentationSpec, here: Step[ModelStore]) -> tuple[Any, ...]:
    acts = tuple(here.snapshots(*_acts(spec, here)))
    return "judge_candidate", spec, here.store, _features(spec, here), acts, here.warehouse.threads


def _acts(spec: SegmentationSpec, here: Step[ModelStore]) -> list[str]:
    """Return queries of who chose which title, and of the titles' genres, where segments are judged by that."""
    if not spec.interactions:
        return []
    return [
        _pairs(spec, spec.interactions, here),
        f"select titles.title_id, genres.genre from {_TITLES} as titles "
        "inner join intermediate.int_titles__genres as genres on titles.title_key = genres.title_id order by 1, 2",
    ]


def _name(spec: SegmentationSpec, here: Step[ModelStore]) -> dg.MaterializeResult:
    decision = (
        kept_decision(here.store)
        if _has_served(here)
        else decide(spec, here.store, _features(spec, here), here.run_id, _now())
    )
    trained = here.store.model()
    return dg.MaterializeResult(
        metadata={
            "version": here.store.home.name,
            "decision": decision.status,
            "k": trained.k,
            "segments": dg.MetadataValue.json(list(trained.segment_names)),
            "path": dg.MetadataValue.path(str(here.store.home / "model.json")),
        },
        check_results=[
            dg.AssetCheckResult(
                check_name=THRESHOLDS_HOLD,
                passed=decision.reason is None,
                severity=dg.AssetCheckSeverity.WARN,
                description=decision.reason and f"{decision.status}: {decision.reason}",
                metadata={"candidate": decision.version},
            )
        ],
    )


def _assign(spec: SegmentationSpec, here: Step[ModelStore]) -> dg.MaterializeResult:
    features, everybody = _features(spec, here), _placed_everybody(spec, here)
    entities, sizes, moved = worker.run("assign_members", here.store, features, _now(), everybody)
    if f"{spec.name}/profile" in here.asked_for:
        worker.begin(*_profiling(spec, here))
    rows = int(sizes["members"].sum())
    return dg.MaterializeResult(
        metadata={**_table(here.store, "segment_members", rows), "sizes": markdown(sizes)},
        check_results=[
            dg.AssetCheckResult(
                check_name=ONE_SEGMENT_EACH,
                passed=entities == rows,
                metadata={"entities": entities, "members": rows},
            ),
            check_features(moved),
            check_sizes(sizes),
        ],
    )


def _placed_everybody(spec: SegmentationSpec, here: Step[ModelStore]) -> Path | None:
    """Return the segments of everybody, placed by Spark; None where training reads everybody, whom it places, too."""
    if not _sampled(spec, here):
        return None
    settings = load_settings()
    target = here.warehouse.layout.temporary / f"{here.run_id}-{spec.name}-members.parquet"
    with doing("placing everybody"), spark.in_words(settings), here.warehouse.connect() as connection:
        place_everybody(
            spark.session(settings),
            connection,
            here.store,
            spec.features.table,
            pairs=next(iter(spec.trained_on[1:]), None),
            target=target,
        )
    return target


def check_features(moved: pl.DataFrame | None) -> dg.AssetCheckResult:
    """Return what is told of the drift of features, those that moved most first."""
    if moved is None:
        return not_applicable(FEATURES_STAY, "no earlier model says what it was trained on")
    if moved.is_empty():
        return not_applicable(FEATURES_STAY, "there are too few rows to tell drift from chance")
    much = moved.filter(pl.col("stability_index") >= MOVED_MUCH)
    some = len(moved.filter(pl.col("stability_index") >= MOVED))
    column, index = moved.row(0)
    words = (
        f"{some} of {counted(len(moved), 'feature')} moved since the model in force was trained, {len(much)} of them "
        f"much; most of all {feature_label(column)}: stability index {index:.2f}, {MOVED_MUCH} is much."
    )
    return dg.AssetCheckResult(
        check_name=FEATURES_STAY,
        passed=much.is_empty(),
        severity=dg.AssetCheckSeverity.WARN,
        description=words if some else None,
        metadata={
            "largest": index,
            "moved": some,
            "moved_much": len(much),
            "features": markdown(moved.head(20)),
        },
    )


def check_sizes(sizes: pl.DataFrame) -> dg.AssetCheckResult:
    """Return what is told of the sizes of segments beside those in force, where they are the same segments."""
    now, before = (sizes[column].to_list() for column in ("members", "members_before"))
    if not any(before):
        return not_applicable(SIZES_STAY, "there were no segments before")
    if None in now or None in before:
        return not_applicable(SIZES_STAY, "segments were born or died: see segment_history")
    if not is_telling(before, now):
        return not_applicable(SIZES_STAY, "there are too few members to tell drift from chance")
    index = stability_index(before, now)
    shares = sizes.select(
        "segment_name", *(pl.col(name) / pl.col(name).sum() for name in ("members_before", "members"))
    )
    name, was, is_now = max(shares.iter_rows(), key=lambda row: abs(row[2] - row[1]))
    return dg.AssetCheckResult(
        check_name=SIZES_STAY,
        passed=index < MOVED_MUCH,
        severity=dg.AssetCheckSeverity.WARN,
        description=(
            f"The sizes of segments moved, stability index {index:.2f}, {MOVED_MUCH} is much; most of all {name}: "
            f"{is_now:.1%} of all, before {was:.1%}."
            if index >= MOVED
            else None
        ),
        metadata={"stability_index": index, "shares": markdown(shares)},
    )


def _profile(spec: SegmentationSpec, here: Step[ModelStore]) -> dg.MaterializeResult:
    profiles = worker.run(*_profiling(spec, here))
    if f"{spec.name}/plots" in here.asked_for:  # while dbt builds the marts
        worker.begin(*_drawing(spec, here))
    explained = [round(float(ratio), 4) for ratio in here.store.projection().explained_variance_ratio]
    return dg.MaterializeResult(
        metadata={
            **_table(here.store, "segment_profiles", len(profiles)),
            "explained_variance": dg.MetadataValue.json(explained),
        }
    )


def _profiling(spec: SegmentationSpec, here: Step[ModelStore]) -> tuple[Any, ...]:
    return "profile_segments", _labelled(spec, here), here.store, _features(spec, here)


def _drawing(spec: SegmentationSpec, here: Step[ModelStore]) -> tuple[Any, ...]:
    return "draw_plots", _labelled(spec, here), here.store, _features(spec, here)


def _draw(spec: SegmentationSpec, here: Step[ModelStore]) -> dg.MaterializeResult:
    thumbnails = worker.run(*_drawing(spec, here))
    return dg.MaterializeResult(
        metadata={
            **pictures(thumbnails),
            "folder": dg.MetadataValue.path(str(here.store.home / "plots")),
        }
    )


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)


def _store(spec: SegmentationSpec, warehouse: WarehouseResource) -> ModelStore:
    return ModelStore(warehouse.layout.models / spec.name)


def _absent_landing(spec: SegmentationSpec, here: Step[ModelStore]) -> str | None:
    """Return for lack of what there is nothing to train on: None where the features have rows.

    Features may come from either of two tables, and one is enough then. Features without rows although nothing is
    absent are no reason to skip: training says what is wrong with them.
    """
    with here.warehouse.connect() as connection:
        if connection.execute(f"select 1 from {spec.features.table} limit 1").fetchone():
            return None
    landing = here.warehouse.layout.landing
    landed = {path.name for path in (landing / "candidate").iterdir()}
    absent = (landing_tables_behind(spec.features.table) & set(CONTRACTS)) - landed
    if not absent:
        return None
    telling = min(absent, key=_TELLING.index)
    is_refused = telling in (source_of(landing, "candidate") or {}).get("refused", {})
    return f"the source has no {telling}{' that can be used' if is_refused else ''}"


def _features(spec: SegmentationSpec, here: Step[ModelStore]) -> tuple[Path, ...]:
    """Return the features for the worker, ordered by entity, so that the same table always trains the same model.

    Where interactions are embedded or decide how many segments there are, they are the second file. Of more entities
    than a machine holds they are those of a sample.
    """
    queries = [f"select * from {spec.features.table}{_sampled(spec, here)} order by {spec.entity}"]
    queries += [_pairs(spec, table, here) for table in spec.trained_on[1:]]
    return tuple(here.snapshots(*queries))


def _pairs(spec: SegmentationSpec, table: str, here: Step[ModelStore]) -> str:
    """Return the query of who chose which title: asked alike by all steps of a run, it is answered once."""
    # The rating where there is one: means by genre are made of it anew.
    more = "columns(lambda c: c in ('title_id', 'rating'))"
    return f"select {spec.entity}, {more} from {table}{_sampled(spec, here)} order by {spec.entity}, title_id"


def _sampled(spec: SegmentationSpec, here: Step[ModelStore]) -> str:
    settings = load_settings()
    return among_sampled(here.warehouse, here.run_id, spec.entity, spec.features.table, settings.learned_from)


def _labelled(spec: SegmentationSpec, here: Step[ModelStore]) -> SegmentationSpec:
    """Return the declaration with what the data calls its columns, where it does not say so itself."""
    schema, table = spec.features.table.split(".")
    with here.warehouse.connect() as connection:
        labels = connection.execute(
            "select feature, feature_label from intermediate.int_features__labels where feature in "
            "(select column_name from duckdb_columns() where schema_name = ? and table_name = ?) order by feature",
            [schema, table],
        ).fetchall()
    plots = spec.plots.model_copy(update={"labels": {**dict(labels), **spec.plots.labels}})
    return spec.model_copy(update={"plots": plots})


def _table(store: ModelStore, table: str, rows: int) -> dict[str, Any]:
    return {"dagster/row_count": rows, COLUMNS: parquet_columns(store.table_path(table))}
