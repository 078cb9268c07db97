"""A segmentation's YAML file turned into assets.

Belongs here: the assets every segmentation has, their checks and metadata.
Does not belong here: the schema (`ml.segmentation.spec`), any computation, any one segmentation.
"""

import shutil
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Self

import dagster as dg
import polars as pl
from pydantic import BaseModel

from ml.segmentation.spec import SegmentationSpec
from orchestration.dbt import OWNER
from orchestration.layout import write_atomically
from orchestration.meanwhile import import_meanwhile
from orchestration.model_store import ModelStore
from orchestration.warehouse import POOL, WarehouseResource

SPEC_DESCRIPTION = "segmentation"
"""Metadata of every asset of a segmentation: its declared description."""
STEPS = {
    "k_metrics": "Every candidate k fitted once and judged by every index; the elbow.",
    "model": "Preprocessing, centroids and names together; scoring never refits.",
    "members": "The segment of every entity.",
    "profile": "What the members of each segment are like beside everybody; principal components.",
    "plots": "Elbow, index panel, maps, heat map, sizes and distribution.",
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
            "metadata": {SPEC_DESCRIPTION: spec.description},
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
                description="More segments never fit worse; a rise means that a fit stopped in a bad optimum.",
            ),
            dg.AssetCheckSpec(
                "no_segment_is_empty",
                asset=key("k_metrics"),
                blocking=True,
                description="Every candidate k has members in each of its segments.",
            ),
        ],
    )
    def k_metrics(warehouse: WarehouseResource) -> Iterator[Any]:
        from ml.segmentation.train import train  # noqa: PLC0415 - scikit-learn takes seconds to import

        import_meanwhile("orchestration.segment_plots")
        training = train(_features(warehouse, spec), spec, workers=warehouse.threads)
        version = _store(warehouse, spec).save_candidate(training)
        metrics = training.sweep.metrics
        knee = metrics.filter("is_elbow")["k"].item()
        yield dg.MaterializeResult(
            metadata={
                "version": version,
                "elbow": knee,
                "published_k": training.sweep.published.k,
                "rows_trained_on": training.published.trained_on,
                "indices": dg.MetadataValue.md(_markdown(metrics)),
                "dagster/row_count": len(metrics),
            },
            check_results=[
                dg.AssetCheckResult(
                    check_name="inertia_falls_as_k_grows",
                    passed=bool((metrics["inertia"].diff().drop_nulls() < 0).all()),
                    metadata={"inertia": dg.MetadataValue.json(metrics["inertia"].to_list())},
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
    def members(warehouse: WarehouseResource) -> Iterator[Any]:
        store, frame = _store(warehouse, spec), _features(warehouse, spec)
        assigned = store.model().members(frame)
        store.write_table("segment_members", assigned)
        sizes = assigned.group_by("segment_id", "segment_name").len("members").sort("segment_id")
        yield dg.MaterializeResult(
            metadata={
                "dagster/row_count": len(assigned),
                "dagster/column_schema": _columns(assigned),
                "sizes": dg.MetadataValue.md(_markdown(sizes)),
            },
            check_results=[
                dg.AssetCheckResult(
                    check_name="every_entity_has_one_segment",
                    passed=assigned["entity_id"].n_unique() == len(frame) == len(assigned),
                    metadata={"entities": len(frame), "members": len(assigned)},
                )
            ],
        )

    @dg.asset(**declare("profile", [key("members"), features_key], {"parquet"}))
    def profile(warehouse: WarehouseResource) -> dg.MaterializeResult:
        from ml.segmentation import profile as profiling  # noqa: PLC0415
        from ml.segmentation.projection import principal_components  # noqa: PLC0415
        from ml.segmentation.train import profiled_columns  # noqa: PLC0415

        store, frame = _store(warehouse, spec), _features(warehouse, spec)
        trained = store.model()
        profiles = profiling.profile(
            frame.select(profiled_columns(frame, spec.entity)), trained.segment_ids(frame), trained.k
        )
        projection = principal_components(trained.preparation.transform(frame))
        store.write_table("segment_profiles", profiles)
        store.write_table("pca_loadings", projection.loadings(trained.preparation.columns))
        return dg.MaterializeResult(
            metadata={
                "dagster/row_count": len(profiles),
                "dagster/column_schema": _columns(profiles),
                "explained_variance": dg.MetadataValue.json(
                    [round(float(ratio), 4) for ratio in projection.explained_variance_ratio]
                ),
            }
        )

    @dg.asset(**declare("plots", [key("k_metrics"), key("members"), key("profile")], {"matplotlib"}))
    def plots(warehouse: WarehouseResource) -> dg.MaterializeResult:
        from orchestration.segment_plots import draw  # noqa: PLC0415 - matplotlib takes a second to import

        store, frame = _store(warehouse, spec), _features(warehouse, spec)
        unfinished, finished = store.home / ".plots", store.home / "plots"
        shutil.rmtree(unfinished, ignore_errors=True)
        metadata: dict[str, Any] = {}
        for drawn in draw(spec, store, frame):
            write_atomically(unfinished / f"{drawn.name}.png", drawn.png)
            metadata[drawn.name] = dg.MetadataValue.md(drawn.thumbnail_markdown())
        shutil.rmtree(finished, ignore_errors=True)
        unfinished.rename(finished)
        metadata["folder"] = dg.MetadataValue.path(str(finished))
        return dg.MaterializeResult(metadata=metadata)

    return dg.Definitions(assets=[k_metrics, model, members, profile, plots])


def _store(warehouse: WarehouseResource, spec: SegmentationSpec) -> ModelStore:
    return ModelStore(warehouse.layout.models / spec.name)


def _features(warehouse: WarehouseResource, spec: SegmentationSpec) -> pl.DataFrame:
    """Read the feature table, ordered by entity so that the same table always trains the same model."""
    written = warehouse.layout.database.stat().st_mtime_ns
    return _read_features(warehouse, spec.features.table, spec.entity, written)


@lru_cache(maxsize=1)
def _read_features(warehouse: WarehouseResource, table: str, entity: str, _written: int) -> pl.DataFrame:
    # The steps of all segmentations on one table ask one after the other; reading it anew takes half a second
    # at 270 K users.
    with warehouse.connect() as connection:
        return connection.sql(f"select * from {table} order by {entity}").pl()


def _columns(frame: pl.DataFrame) -> dg.TableSchema:
    return dg.TableSchema([dg.TableColumn(name, str(kind)) for name, kind in frame.schema.items()])


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
