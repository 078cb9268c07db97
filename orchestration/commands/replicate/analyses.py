"""What `matinee replicate` does: each published analysis that the source has the files of.

Belongs here: which analyses run, progress, the count of verdicts and the exit code.
Does not belong here: an analysis (`viewers`, `customers`).
"""

import sys
from collections.abc import Mapping, Sequence

from rich.console import Console

from ingest.errors import IngestError, WrongDeclarationError
from ingest.sources import resolve_source
from orchestration.commands.replicate.compare import Comparison
from orchestration.commands.replicate.customers import replicate_customers
from orchestration.commands.replicate.show import COLOURS
from orchestration.commands.replicate.viewers import replicate_viewers
from orchestration.commands.replicate.warehouse import ReplicationError
from orchestration.commands.shared import DONE, FAILED, USAGE, say
from orchestration.settings import Settings
from orchestration.stores.layout import WarehouseLayout
from orchestration.stores.lock import WarehouseError, lock_warehouse
from orchestration.tools import dbt

_ANALYSES = {"ratings": ("viewers", replicate_viewers), "customers": ("customers", replicate_customers)}
"""A raw table to the analysis that its presence calls for."""


def replicate_source(settings: Settings) -> int:
    """Repeat every analysis a source has files for, print the figures and return the exit code.

    1 when a figure is off or an analysis fails, 2 for the demo world.
    """
    console = Console(width=None if sys.stdout.isatty() else 120)
    if settings.source == "demo":
        console.print(
            "The demo world is invented: replicate needs the real files (--source kaggle or a folder)."
        )
        return USAGE
    base = WarehouseLayout(WarehouseLayout(settings.warehouse).replica)
    rows: list[Comparison] = []
    try:
        with lock_warehouse(base, "matinee replicate"):
            tables = resolve_source(settings.source, download_dir=base.downloads).files
            for table, (name, replicate) in _ANALYSES.items():
                if table in tables:
                    say(f"Repeating the published analysis of {name} ...")
                    rows += replicate(console, settings, base)
    except (IngestError, WarehouseError, ReplicationError, dbt.DbtError) as error:
        console.print(f"error: {error}", style="red", markup=False)
        return USAGE if isinstance(error, WrongDeclarationError) else FAILED
    counts = _counts(rows)
    console.print(", ".join(f"{count} {verdict}" for verdict, count in counts.items() if count))
    return FAILED if counts["differs"] else DONE


def _counts(rows: Sequence[Comparison]) -> Mapping[str, int]:
    return {verdict: sum(row.verdict == verdict for row in rows) for verdict in COLOURS}
