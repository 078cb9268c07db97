"""How well the demo world's planted segments were found again.

Belongs here: comparing members with planted truth where there is one. Does not belong here: the truth.
"""

from pathlib import Path

import polars as pl

from ingest.store import source_of
from ml.segmentation.agreement import adjusted_rand_index
from orchestration.stores.layout import ModelNotFoundError, WarehouseLayout
from orchestration.stores.segmentations import ModelStore

TRUTH = {
    "customer_acquisition": ("customer_segments.csv", "customer_id", "segment"),
    "user_ratings": ("personas.csv", "user_id", "persona"),
    "user_taste": ("tastes.csv", "user_id", "taste"),
    "user_viewing": ("viewing_groups.csv", "account", "group"),
}
"""Segmentation to its file of planted truth, entity column and label column."""


def measure_recovery(layout: WarehouseLayout, segmentation: str) -> float | None:
    """Return the adjusted Rand index of members and planted truth, and keep it with the model.

    None when the landed files are not a demo world, or nothing was trained.
    """
    store = ModelStore(layout.models / segmentation)
    if store.skipped:
        return None
    file, entity, label = TRUTH[segmentation]
    path = _truth_folder(layout) / file
    index = None
    if path.is_file():
        truth = pl.read_csv(path, schema_overrides={entity: pl.String}).rename({entity: "entity_id"})
        both = _as_written(layout, store.read_table("segment_members")).join(truth, on="entity_id")
        index = adjusted_rand_index(both[label], both["segment_id"]) if len(both) else None
    store.write_recovery(index)
    return index


def _as_written(layout: WarehouseLayout, members: pl.DataFrame) -> pl.DataFrame:
    """Return members by their ids as the source writes them; a model knows users by numbers."""
    files = sorted((layout.landing / "candidate" / "ids").glob("*.parquet"))
    if not files:
        return members
    ids = pl.read_parquet(files).select(pl.col("number").cast(pl.String).alias("entity_id"), "id")
    written = members.join(ids, on="entity_id", how="left")
    return written.with_columns(pl.coalesce("id", "entity_id").alias("entity_id"))


def planted_recovery(layout: WarehouseLayout) -> dict[str, float]:
    """Return what `measure_recovery` found last, for the segmentations in force; empty where there is no truth."""
    found = {}
    for segmentation in TRUTH:
        store = ModelStore(layout.models / segmentation, "current")
        try:
            index = None if store.skipped else store.recovery()
        except ModelNotFoundError:
            continue
        if index is not None:
            found[segmentation] = index
    return found


def _truth_folder(layout: WarehouseLayout) -> Path:
    landed_from = source_of(layout.landing, "candidate")
    return Path(landed_from["folder"] if landed_from else "") / "truth"
