"""A segmentation's YAML file turned into assets.

Belongs here: the assets every segmentation has, their checks and metadata.
Does not belong here: the schema (`ml.segmentation.spec`), any computation, any one segmentation.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import dagster as dg
import polars as pl
from pydantic import BaseModel

from ml.segmentation.spec import SegmentationSpec
from orchestration.stores.models import ModelStore
from orchestration.tasks import worker
from orchestration.tools.columns import parquet_columns
from orchestration.tools.dbt import OWNER, landing_tables_behind
from orchestration.tools.skipping import skipped
from orchestration.tools.warehouse import POOL, WarehouseResource

SPEC_DESCRIPTION, SPEC_LABELS = "segmentation", "labels"
"""Metadata of every asset of a segmentation: its declared description, and what its columns are called."""
STEPS = {
    "k_metrics": "Every candidate k fitted once and judged by every index; the elbow.",
    "model": "Preprocessing, centroids and names together; scoring never refits.",
    "members": "The segment of every entity.",
    "profile": "What the members of each segment are like beside everybody; principal components.",
    "plots": "Elbow, index panel, maps, heat map, sizes, distribution, and what else the declaration asks for.",
}


class SegmentationComponent(dg.Component):
    """Train, judge, name, assign, profile and draw one declared segmentation."""

    def __init__(self, spec: SegmentationSpec) -> None:
        self.spec = spec

    @classmethod
    def get_model_cls(cls) -> type[BaseModel]:
        """Return the schema of the YAML attributes."""
        return SegmentationSpec

    @classmethod
    def load(cls, attributes: BaseModel | None, context: dg.ComponentLoadContext) -> Self:
        """Build the component from checked attributes."""
        if not isinstance(attributes, SegmentationSpec):
            msg = f"{context.path}: a segmentation needs attributes"
            raise dg.DagsterInvalidDefinitionError(msg)
        return cls(attributes)

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:  # noqa: ARG002
        """Return the five assets of the segmentation."""
        return build_segmentation_defs(self.spec)


def build_segmentation_defs(spec: SegmentationSpec) -> dg.Definitions:
    """Return the five assets of a segmentation and their checks."""
    schema, table = spec.features.table.split(".")
    features_key = dg.AssetKey([schema, table])

    def declare(step: str, upstream: list[dg.AssetKey], kinds: set[str], **extra: Any) -> dict[str, Any]:
        return {
            "key": dg.AssetKey([spec.name, step]),
            "description": f"{spec.description}. {STEPS[step]}",
            "deps": upstream,
            "group_name": spec.name,
            "owners": [OWNER],
            "kinds": kinds,
            "metadata": {SPEC_DESCRIPTION: spec.description, SPEC_LABELS: spec.plots.labels},
            "pool": POOL,
            **extra,
        }

    def key(step: str) -> dg.AssetKey:
        return dg.AssetKey([spec.name, step])

    @dg.asset(
        **declare("k_metrics", [features_key], {"scikitlearn"}),
        check_specs=[
            dg.AssetCheckSpec(
                "inertia_falls_as_k_grows",
                asset=key("k_metrics"),
                blocking=True,
                description="More segments never fit worse; a rise means that a free fit stopped in a bad optimum.",
            ),
            dg.AssetCheckSpec(
                "no_segment_is_empty",
                asset=key("k_metrics"),
                blocking=True,
                description="Every candidate k has members in each of its segments.",
            ),
        ],
    )
    def k_metrics(context: dg.AssetExecutionContext, warehouse: WarehouseResource) -> Iterator[Any]:
        store = _store(warehouse, spec)
        if absent := _absent_landing(warehouse, spec):
            store.skip(f"the source has no {' and no '.join(absent)}")
            yield skipped(store, ["inertia_falls_as_k_grows", "no_segment_is_empty"])
            return
        version = worker.run(
            "train_candidate", spec, store, _features(context, warehouse, spec), warehouse.threads
        )
        metrics = store.read_table("k_metrics").drop("segmentation")
        starts = store.read_table("start_agreement").drop("segmentation")
        # An anchored fit may be worse than the free one for a smaller k: that is said, and no fault of a fit.
        free = metrics.with_columns(
            pl.when("is_published").then(starts["free_inertia"].item()).otherwise("inertia").alias("inertia")
        )
        knee = metrics.filter("is_elbow")["k"].item()
        yield dg.MaterializeResult(
            metadata={
                "version": version,
                "elbow": knee,
                "published_k": metrics.filter("is_published")["k"].item(),
                "rows_trained_on": store.model().trained_on,
                "indices": dg.MetadataValue.md(_markdown(metrics)),
                "starts": dg.MetadataValue.md(_markdown(starts)),
                "dagster/row_count": len(metrics),
                "dagster/column_schema": parquet_columns(store.table_path("k_metrics")),
            },
            check_results=[
                dg.AssetCheckResult(
                    check_name="inertia_falls_as_k_grows",
                    passed=bool((free["inertia"].diff().drop_nulls() < 0).all()),
                    metadata={"inertia": dg.MetadataValue.json(free["inertia"].to_list())},
                ),
                dg.AssetCheckResult(
                    check_name="no_segment_is_empty",
                    passed=bool((metrics["size_min"] > 0).all()),
                    metadata={"smallest": dg.MetadataValue.json(metrics["size_min"].to_list())},
                ),
            ],
        )

    @dg.asset(**declare("model", [key("k_metrics")], {"json"}))
    def model(warehouse: WarehouseResource) -> dg.MaterializeResult:
        store = _store(warehouse, spec)
        if store.skipped:
            return skipped(store)
        trained = store.model()
        store.write_table(
            "segments",
            pl.DataFrame(
                {
                    "segment_id": range(trained.k),
                    "segment_name": trained.segment_names,
                    "entity": spec.entity,
                },
                schema={"segment_id": pl.Int32, "segment_name": pl.String, "entity": pl.String},
            ),
        )
        return dg.MaterializeResult(
            metadata={
                "version": store.home.name,
                "k": trained.k,
                "segments": dg.MetadataValue.json(list(trained.segment_names)),
                "path": dg.MetadataValue.path(str(store.home / "model.json")),
            }
        )

    @dg.asset(
        **declare("members", [key("model"), features_key], {"parquet"}),
        check_specs=[
            dg.AssetCheckSpec(
                "every_entity_has_one_segment",
                asset=key("members"),
                blocking=True,
                description=f"Each {spec.entity} of {spec.features.table} is a member of exactly one segment.",
            )
        ],
    )
    def members(context: dg.AssetExecutionContext, warehouse: WarehouseResource) -> Iterator[Any]:
        store = _store(warehouse, spec)
        if store.skipped:
            yield skipped(store, ["every_entity_has_one_segment"])
            return
        entities, sizes = worker.run("assign_members", store, _features(context, warehouse, spec))
        rows = int(sizes["members"].sum())
        yield dg.MaterializeResult(
            metadata={
                "dagster/row_count": rows,
                "dagster/column_schema": parquet_columns(store.table_path("segment_members")),
                "sizes": dg.MetadataValue.md(_markdown(sizes)),
            },
            check_results=[
                dg.AssetCheckResult(
                    check_name="every_entity_has_one_segment",
                    passed=entities == rows,
                    metadata={"entities": entities, "members": rows},
                )
            ],
        )

    @dg.asset(**declare("profile", [key("members"), features_key], {"parquet"}))
    def profile(context: dg.AssetExecutionContext, warehouse: WarehouseResource) -> dg.MaterializeResult:
        store = _store(warehouse, spec)
        if store.skipped:
            return skipped(store)
        features = _features(context, warehouse, spec)
        profiles = worker.run("profile_segments", spec, store, features)
        worker.begin("draw_plots", spec, store, features)  # while dbt builds the marts
        return dg.MaterializeResult(
            metadata={
                "dagster/row_count": len(profiles),
                "dagster/column_schema": parquet_columns(store.table_path("segment_profiles")),
                "explained_variance": dg.MetadataValue.json(
                    [round(float(ratio), 4) for ratio in store.projection().explained_variance_ratio]
                ),
            }
        )

    @dg.asset(
        **declare("plots", [key("k_metrics"), key("members"), key("profile")], {"matplotlib"}),
        # Asked for when everything else is done, so that nothing waits for the drawing.
        op_tags={"dagster/priority": "-1"},
    )
    def plots(context: dg.AssetExecutionContext, warehouse: WarehouseResource) -> dg.MaterializeResult:
        store = _store(warehouse, spec)
        if store.skipped:
            return skipped(store)
        thumbnails = worker.run("draw_plots", spec, store, _features(context, warehouse, spec))
        return dg.MaterializeResult(
            metadata={
                **{name: dg.MetadataValue.md(picture) for name, picture in thumbnails.items()},
                "folder": dg.MetadataValue.path(str(store.home / "plots")),
            }
        )

    return dg.Definitions(assets=[k_metrics, model, members, profile, plots])


def _store(warehouse: WarehouseResource, spec: SegmentationSpec) -> ModelStore:
    return ModelStore(warehouse.layout.models / spec.name)


def _absent_landing(warehouse: WarehouseResource, spec: SegmentationSpec) -> list[str]:
    """Return the landing tables for lack of which there is nothing to train on: none where the features have rows.

    Features may come from either of two tables, and one is enough then. Features without rows although nothing is
    absent are no reason to skip: training says what is wrong with them.
    """
    with warehouse.connect(read_only=True) as connection:
        if connection.execute(f"select 1 from {spec.features.table} limit 1").fetchone():
            return []
    landed = {path.name for path in (warehouse.layout.landing / "current").iterdir()}
    return sorted(landing_tables_behind(spec.features.table) - landed)


def _features(
    context: dg.AssetExecutionContext, warehouse: WarehouseResource, spec: SegmentationSpec
) -> Path:
    """Return a snapshot of the feature table, for the worker, which must not open the database while dbt writes.

    Ordered by entity, so that the same table always trains the same model.
    """
    table, entity = spec.features.table, spec.entity
    snapshot = warehouse.layout.temporary / f"{context.run.run_id}-{table}-{entity}.arrow"
    if not snapshot.exists():
        with warehouse.connect() as connection:
            connection.sql(f"select * from {table} order by {entity}").pl().write_ipc(snapshot)
    return snapshot


def _markdown(frame: pl.DataFrame) -> str:
    header = [f"| {' | '.join(frame.columns)} |", f"|{' --- |' * frame.width}"]
    rows = [f"| {' | '.join(_cell(value) for value in row)} |" for row in frame.iter_rows()]
    return "\n".join(header + rows)


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else ""
    if isinstance(value, float):
        return f"{value:,.3f}"
    return f"{value:,}" if isinstance(value, int) else str(value).replace("|", "\\|").replace("<", "&lt;")
