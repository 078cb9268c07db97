"""The pictures of audience and catalogue as an asset, drawn in the worker process.

Belongs here: when they are drawn and what Dagster is told. Does not belong here: which there are
(`orchestration.tasks.audience_plots`), which rows they show (`orchestration.tasks.audience_queries`).
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import dagster as dg

from orchestration.stores.plots import PlotStore
from orchestration.tasks import worker
from orchestration.tasks.audience_queries import AUDIENCE, marts_read, queries_of
from orchestration.tools.dbt import OWNER
from orchestration.tools.shown import pictures
from orchestration.tools.warehouse import POOL, WarehouseResource

AUDIENCE_PLOTS = dg.AssetKey([AUDIENCE, "plots"])
MARTS = frozenset(dg.AssetKey(["marts", mart]) for mart in marts_read())
_TASK = "draw_audience"


def build_audience_plots(marts: Sequence[dg.AssetKey]) -> dg.AssetsDefinition:
    """Return the asset that draws the given marts; what a source lacks is left out, and said."""

    @dg.asset(
        key=AUDIENCE_PLOTS,
        description=(
            "Pictures of audience and catalogue: viewing by hour, week and device, genres, scores, release years, "
            "similar titles and recommenders."
        ),
        deps=[key for key in marts if key in MARTS],
        group_name=AUDIENCE,
        owners=[OWNER],
        kinds={"matplotlib"},
        pool=POOL,
        # Asked for when everything else is done, so that nothing waits for the drawing.
        op_tags={"dagster/priority": "-1"},
    )
    def audience_plots(
        context: dg.AssetExecutionContext, warehouse: WarehouseResource
    ) -> dg.MaterializeResult:
        with warehouse.stage(context.run.run_id, "draw", AUDIENCE):
            thumbnails, left_out = worker.run(_TASK, *_task(context.run.run_id, warehouse))
        metadata: dict[str, Any] = {**pictures(thumbnails)} if thumbnails else {}
        if left_out:
            metadata["left_out"] = dg.MetadataValue.json(left_out)
        if not thumbnails:
            metadata["skipped"] = dg.MetadataValue.text("the source has no data for any of these pictures")
        return dg.MaterializeResult(metadata=metadata)

    return audience_plots


def begin_audience_plots(run_id: str, warehouse: WarehouseResource) -> None:
    """Begin to draw as soon as the marts are there, while Dagster still writes down what was built."""
    worker.begin(_TASK, *_task(run_id, warehouse))


def _task(run_id: str, warehouse: WarehouseResource) -> tuple[PlotStore, dict[str, Path]]:
    """Return where the pictures go, and files of the rows of every query whose marts are built."""
    queries = queries_of(_built_marts(warehouse))
    snapshots = warehouse.snapshots(run_id, *queries.values())
    return PlotStore(warehouse.layout, AUDIENCE), dict(zip(queries, snapshots, strict=True))


def _built_marts(warehouse: WarehouseResource) -> set[str]:
    named = "select table_name from information_schema.tables where table_schema = 'marts'"
    with warehouse.connect() as connection:
        return {name for (name,) in connection.execute(named).fetchall()}
