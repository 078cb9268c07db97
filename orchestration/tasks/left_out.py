"""What a run's segmentations leave out, in sentences.

Belongs here: reading it off the model stores. Does not belong here: deciding it (`ml.segmentation`), the page.
"""

from collections.abc import Iterable

from ml.plots.words import feature_labels
from orchestration.stores.layout import WarehouseLayout
from orchestration.stores.segmentations import ModelStore
from orchestration.stores.versions import ModelNotFoundError


def left_out(layout: WarehouseLayout, segmentations: Iterable[str]) -> tuple[str, ...]:
    """Return which segmentations the last run skipped and which features told nobody apart, with the reason."""
    said = []
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
