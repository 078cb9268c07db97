"""`matinee prune`: what is no longer used and older than the retention goes.

Belongs here: its options and what it says. Does not belong here: what that is (`tasks.pruning`, `tools.records`).
"""

from collections import Counter
from typing import TYPE_CHECKING, Annotated

import typer

from ingest.errors import IngestError, counted
from orchestration.commands.shared import WarehouseOption, answer, fail, failing, read_settings

if TYPE_CHECKING:
    from orchestration.tasks.pruning import Old


def prune(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would go, and remove nothing.")
    ] = False,
    keep_days: Annotated[
        int | None,
        typer.Option(
            "--keep-days", min=0, max=36_500, help="Days for which it is kept [env: MATINEE_KEEP_DAYS]."
        ),
    ] = None,
    warehouse: WarehouseOption = None,
) -> None:
    """Remove what is older than the retention and no longer used.

    Landed files and sets, raw files that came through the drop folder, published sets, versions of models, plots, files
    of dbt, and Dagster's records of runs.
    """
    from datetime import UTC, datetime, timedelta

    from orchestration.stores.layout import WarehouseLayout
    from orchestration.stores.lock import WarehouseError, lock_warehouse, switching

    settings = read_settings(warehouse=warehouse)
    layout = WarehouseLayout(settings.warehouse)
    if not layout.root.is_dir():
        fail(f"there is no warehouse at {layout.root}.")
    before = datetime.now(UTC) - timedelta(days=settings.keep_days if keep_days is None else keep_days)
    with failing(WarehouseError, IngestError), lock_warehouse(layout, "matinee prune"):
        from orchestration.tasks.pruning import Old, find_old, published_runs
        from orchestration.tools import records

        runs = records.old_runs(layout, before, published_runs(layout))
        found = find_old(layout, before)
        found += [Old("runs", f"run {run[:8]}", records.size_of_run(run), lambda: None) for run in runs]
        if not dry_run:
            with switching(layout):
                for old in found:
                    old.remove()
            records.delete_runs(runs)
    for old in found if dry_run else ():
        answer(f"{old.size_bytes:>14,} bytes  {old.name}")
    answer(_total(found, dry_run=dry_run))


def _total(found: "list[Old]", *, dry_run: bool) -> str:
    if not found:
        return "Nothing is older than the retention and no longer used."
    counts = Counter(old.kind for old in found)
    listed = ", ".join(f"{kind} {count:,}" for kind, count in counts.items())
    size = sum(old.size_bytes for old in found)
    return f"{'Would remove' if dry_run else 'Removed'} {counted(size, 'byte')}: {listed}."
