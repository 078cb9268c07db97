"""The report as an asset, made from what is published.

Belongs here: telling the report about the run. Does not belong here: its contents (`report`).
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import dagster as dg

from orchestration.assets.publish import PUBLISHED
from orchestration.stores.layout import WarehouseLayout
from orchestration.tasks.audience_queries import AUDIENCE, PICTURES
from orchestration.tasks.left_out import landed_source, left_out
from orchestration.tasks.nothing_new import remember
from orchestration.tasks.recovery import planted_recovery
from orchestration.tools.dbt import OWNER
from orchestration.tools.run_tags import SERVES_TAG, asks_for
from orchestration.tools.steps import asked_for
from orchestration.tools.warehouse import POOL, WarehouseResource
from published.finding import set_before
from published.people import hide_emails, hide_folders
from published.sets import open_set

if TYPE_CHECKING:
    from report.context import RunFacts


def build_report(segmentations: Mapping[str, str]) -> dg.AssetsDefinition:
    """Return the asset that writes `report/index.html`; segmentations come with their descriptions."""

    @dg.asset(
        key=["published", "report"],
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
        from report.build import build_report_context, write_report  # noqa: PLC0415
        from report.render import render_report  # noqa: PLC0415

        layout = warehouse.layout
        published = open_set(layout.published.resolve())
        before = set_before(published.folder)
        page = render_report(
            build_report_context(
                published,
                layout.plots,
                run=_facts(context.run.run_id, layout, segmentations),
                audience_plots=[layout.plots / AUDIENCE / f"{picture}.png" for picture in PICTURES],
                previous=open_set(before) if before else None,
            )
        )
        path = write_report(page, layout.report)
        # The last of all steps: only now has the run made everything it was asked for.
        remember(layout, asked_for(context), serves=asks_for(context.run, SERVES_TAG))
        return dg.MaterializeResult(
            metadata={"path": dg.MetadataValue.path(str(path)), "bytes": len(page.encode())}
        )

    return report


def _facts(run_id: str, layout: WarehouseLayout, segmentations: Mapping[str, str]) -> "RunFacts":
    from report.context import RunFacts  # noqa: PLC0415

    return RunFacts(
        run_id=run_id,
        source=landed_source(layout.landing) or "unknown",
        finished_at=datetime.now(UTC),
        recovery=planted_recovery(layout),
        descriptions=segmentations,
        left_out=tuple(hide_folders(hide_emails(said)) for said in left_out(layout, segmentations)),
    )
