"""The report as an asset, made from what is published.

Belongs here: telling the report about the run. Does not belong here: writing it
(`orchestration.tasks.report`), its contents (`report`).
"""

from collections.abc import Mapping
from datetime import UTC, datetime

import dagster as dg

from orchestration import costs
from orchestration.assets.publish import REPORT
from orchestration.tasks.nothing_new import remember
from orchestration.tasks.report import write_report_page
from orchestration.tools.dbt import OWNER
from orchestration.tools.run_ends import PUBLISHED
from orchestration.tools.run_tags import SERVES_TAG, asks_for
from orchestration.tools.steps import asked_for
from orchestration.tools.warehouse import POOL, WarehouseResource


def build_report(segmentations: Mapping[str, str]) -> dg.AssetsDefinition:
    """Return the asset that writes `report/index.html`; segmentations come with their descriptions."""

    @dg.asset(
        key=REPORT,
        description="One self-contained page for people who never open Dagster: `report/index.html`.",
        deps=[
            PUBLISHED,
            *(dg.AssetKey([name, "plots"]) for name in segmentations),
        ],
        group_name="published",
        owners=[OWNER],
        kinds={"html"},
        pool=POOL,
    )
    def report(context: dg.AssetExecutionContext, warehouse: WarehouseResource) -> dg.MaterializeResult:
        with warehouse.stage(context.run.run_id, "report"):
            return make(context, warehouse)

    def make(context: dg.AssetExecutionContext, warehouse: WarehouseResource) -> dg.MaterializeResult:
        layout = warehouse.layout
        path = write_report_page(layout, context.run.run_id, datetime.now(UTC), segmentations)
        # The last of all steps: only now has the run made everything it was asked for.
        remember(layout, asked_for(context), serves=asks_for(context.run, SERVES_TAG))
        size = path.stat().st_size
        costs.wrote(size_bytes=size)
        return dg.MaterializeResult(metadata={"path": dg.MetadataValue.path(str(path)), "bytes": size})

    return report
