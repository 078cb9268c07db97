"""How well the demo world's planted personas were found again.

Belongs here: comparing members with planted truth where there is one. Does not belong here: the truth.
"""

from pathlib import Path

import polars as pl

from orchestration.layout import WarehouseLayout, read_landed_source
from orchestration.model_store import ModelNotFoundError, ModelStore

TRUTH = {"user_ratings": ("personas.csv", "user_id", "persona")}
"""Segmentation to its file of planted truth, entity column and label column."""


def planted_recovery(layout: WarehouseLayout) -> dict[str, float]:
    """Return the adjusted Rand index (Hubert and Arabie, 1985) per segmentation with planted truth.

    Empty when the landed files are not a demo world, or the segmentation is not trained.
    """
    folder = _truth_folder(layout)
    if folder is None:
        return {}
    from sklearn.metrics import adjusted_rand_score  # noqa: PLC0415 - only where there is truth

    found = {}
    for segmentation, (file, entity, label) in TRUTH.items():
        truth = pl.read_csv(folder / file).select(pl.col(entity).cast(pl.String).alias("entity_id"), label)
        try:
            members = ModelStore(layout.models / segmentation).read_table("segment_members")
        except (ModelNotFoundError, FileNotFoundError):
            continue
        both = members.join(truth, on="entity_id")
        if len(both):
            found[segmentation] = float(adjusted_rand_score(both[label], both["segment_id"]))
    return found


def _truth_folder(layout: WarehouseLayout) -> Path | None:
    landed_from = read_landed_source(layout)
    folder = Path(landed_from["folder"]) / "truth" if landed_from else None
    return folder if folder and all((folder / file).is_file() for file, _, _ in TRUTH.values()) else None
