"""The report of what is published, written to its place.

Belongs here: what only the warehouse knows of a run. Does not belong here: the content (`report`), telling Dagster
(`orchestration.assets.report`).
"""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from orchestration.stores.layout import WarehouseLayout
from orchestration.tasks.audience_queries import AUDIENCE, PICTURES
from orchestration.tasks.left_out import landed_source, left_out
from orchestration.tasks.recovery import planted_recovery
from published.finding import set_before
from published.people import hide_emails, hide_folders
from published.sets import open_set


def write_report_page(
    layout: WarehouseLayout, run_id: str, finished_at: datetime, segmentations: Mapping[str, str]
) -> Path:
    """Write `report/index.html` and return its path.

    Parameters
    ----------
    layout
        The warehouse.
    run_id, finished_at
        The run that published, and when (UTC).
    segmentations
        Every declared segmentation with its description.
    """
    from report.build import build_report_context, write_report  # noqa: PLC0415 - a second, for those who write one
    from report.context import RunFacts  # noqa: PLC0415
    from report.render import render_report  # noqa: PLC0415

    published = open_set(layout.published.resolve())
    before = set_before(published.folder)
    run = RunFacts(
        run_id=run_id,
        source=landed_source(layout.landing) or "unknown",
        finished_at=finished_at,
        recovery=planted_recovery(layout),
        descriptions=segmentations,
        left_out=tuple(hide_folders(hide_emails(said)) for said in left_out(layout, segmentations)),
    )
    context = build_report_context(
        published,
        layout.plots,
        run=run,
        audience_plots=[layout.plots / AUDIENCE / f"{picture}.png" for picture in PICTURES],
        previous=open_set(before) if before else None,
    )
    return write_report(render_report(context), layout.report)
