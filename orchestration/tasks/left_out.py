"""What a run was made of, and what it and its segmentations leave out, in sentences.

Belongs here: reading it off the landing and the model stores. Does not belong here: deciding it (`ingest`,
`ml.segmentation`), the page.
"""

from collections.abc import Iterable
from pathlib import Path

from ingest.store import source_of
from ml.plots.words import feature_labels
from orchestration.stores.layout import ModelNotFoundError, WarehouseLayout
from orchestration.stores.segmentations import ModelStore
from published.people import hide_folders


def landed_source(landing: Path) -> str | None:
    """Return what the source landed last is called, not where it lies; None where nothing has landed."""
    landed = source_of(landing, "candidate")
    return None if landed is None else hide_folders(landed["description"])


def left_out(layout: WarehouseLayout, segmentations: Iterable[str]) -> tuple[str, ...]:
    """Return which files were refused, which segmentations skipped and which features told nobody apart, and why."""
    said = refusals(layout)
    for name in segmentations:
        store = ModelStore(layout.models / name)
        try:
            skipped = store.skipped
            dropped = () if skipped else store.model().preparation.dropped
        except ModelNotFoundError:
            continue
        if skipped:
            said.append(f"{name} was skipped: {skipped}.")
        elif dropped:
            said.append(f"{name} leaves out {', '.join(feature_labels(dropped))}: the same for all.")
    return tuple(said)


def refusals(layout: WarehouseLayout) -> list[str]:
    """Return why datasets of the source landed last were refused, and what goes on without them."""
    tables: dict[str, list[str]] = {}
    for table, reason in ((source_of(layout.landing, "candidate") or {}).get("refused") or {}).items():
        tables.setdefault(reason, []).append(table)
    return [
        f"{reason} Until then the data stays as it was in {', '.join(names)}; the rest of the source goes on."
        for reason, names in tables.items()
    ]
