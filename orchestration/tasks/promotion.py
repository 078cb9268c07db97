"""The gate: whether a candidate takes the place of the segments in force.

Belongs here: the decision and what is written of it. Does not belong here: the figures it rests on
(`ml.segmentation.quality`), who the segments are (`orchestration.tasks.identity`), Dagster.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import polars as pl

from ml.segmentation.spec import SegmentationSpec
from orchestration.stores.segmentations import ModelStore

Status = Literal["promoted", "exempt", "provisional", "refused", "promoted_by_hand"]
_DECISIONS = "segment_promotions"


@dataclass(frozen=True)
class Decision:
    """What was decided of a candidate.

    Attributes
    ----------
    version : the candidate.
    status : `promoted`: every threshold holds; `exempt`: some do not, and the declaration says why it is published;
        `provisional`: some do not, and there is nothing in force that could serve instead; `refused`: some do not, and
        what is in force goes on serving.
    reason : what fell short and by how much; None where nothing did.
    """

    version: str
    status: Status
    reason: str | None

    @property
    def is_refused(self) -> bool:
        """Whether the version in force goes on serving."""
        return self.status == "refused"


def decide(spec: SegmentationSpec, store: ModelStore, run: str, at: datetime) -> Decision:
    """Let the candidate of a run take over, or what is in force serve on; write down which and why.

    A version in force that the run found again is no new decision.
    """
    version = store.home.name
    before = store.in_force
    short = shortfalls(store.read_table("segment_quality"))
    if not short:
        decision = Decision(version, "promoted", None)
    elif spec.quality.exempt:
        decision = Decision(version, "exempt", f"{short}. {spec.quality.exempt}")
    elif before is None or before.home.name == version:
        decision = Decision(version, "provisional", short)
    else:
        decision = Decision(version, "refused", short)
        store.point("refused", version)
        store.serve(f"{before.home.name.split('-')[0]}-{run[:8]}")
    if before is not None and before.home == store.home and store.has(f"{_DECISIONS}.parquet"):
        return decision
    decided = pl.DataFrame(
        {"version": version, "status": decision.status, "reason": decision.reason, "decided_at": at},
        schema_overrides={"reason": pl.String, "decided_at": pl.Datetime("us")},
    )
    if before is not None and before.has(f"{_DECISIONS}.parquet"):
        decided = pl.concat([before.read_table(_DECISIONS).drop("segmentation"), decided])
    store.write_table(_DECISIONS, decided)
    return decision


def shortfalls(quality: pl.DataFrame) -> str:
    """Say which figures miss their thresholds, and by how much; empty where none does."""
    return "; ".join(
        f"{measure} {'not measured' if value is None else f'{value:.2f}'}, {threshold:.2f} asked for"
        for measure, value, threshold in quality.filter(~pl.col("passed"))
        .select("measure", "value", "threshold")
        .iter_rows()
    )
