"""The gate: whether a candidate takes the place of the segments in force.

Belongs here: the decision, a person's own, and what is written of both. Does not belong here: the figures it rests on
(`ml.segmentation.quality`), who the segments are (`orchestration.tasks.identity`), Dagster.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

import polars as pl

from ml.segmentation.spec import SegmentationSpec
from orchestration.stores.segmentations import ModelStore
from orchestration.stores.versions import made_as
from orchestration.tasks.identity import hand_over

Status = Literal["promoted", "exempt", "provisional", "refused", "promoted_by_hand", "serves"]
_DECISIONS = "segment_promotions"


class PromotionError(ValueError):
    """What is to be promoted is not there; the message says what is."""


@dataclass(frozen=True)
class Decision:
    """What was decided of a candidate.

    Attributes
    ----------
    version : the candidate.
    status : `promoted`: every threshold holds; `exempt`: some do not, and the declaration says why it is published;
        `provisional`: some do not, and there is nothing in force that could serve instead; `refused`: some do not, and
        what is in force goes on serving; `promoted_by_hand`: some do not, and a person put it in force.
    reason : what fell short and by how much; None where nothing did.
    """

    version: str
    status: Status
    reason: str | None

    @property
    def is_refused(self) -> bool:
        """Whether the version in force goes on serving."""
        return self.status == "refused"


def decide(
    spec: SegmentationSpec, store: ModelStore, features: Sequence[Path], run: str, at: datetime
) -> Decision:
    """Let the candidate of a run take over, or what is in force serve on; write down which and why.

    What was decided of the same candidate before, for the same reason, is no new decision.
    """
    version = store.home.name
    before = store.in_force
    is_in_force = before is not None and before.trained_as == version
    decided = _decisions(before)
    short = shortfalls(store.read_table("segment_quality"))
    if not short:
        decision = Decision(version, "promoted", None)
    elif spec.quality.exempt:
        decision = Decision(version, "exempt", f"{short}. {spec.quality.exempt}")
    elif is_in_force and decided["status"].tail(1).to_list() == ["promoted_by_hand"]:
        store.write_table(_DECISIONS, decided)  # the person's reason stands there
        return Decision(version, "promoted_by_hand", short)
    elif before is None or is_in_force or not before.is_whole:
        decision = Decision(version, "provisional", short)
    elif gone := _features_gone(before, features):
        lacks = f"those in force cannot serve on, for there is no {', '.join(gone)} any more"
        decision = Decision(version, "provisional", f"{short}; {lacks}")
    else:
        decision = Decision(version, "refused", short)
        store.point("refused", version)
        store.serve(_serving(before, run))
    if not decision.is_refused and not is_in_force:
        store.drop_refused()
    _write(store, decided, decision, at)
    return decision


def serve_on(store: ModelStore, features: Sequence[Path], run: str) -> bool:
    """Let what is in force place today's entities, without a candidate; return False where nothing in force can."""
    before = store.in_force
    if before is None or not before.is_whole or _features_gone(before, features):
        return False
    store.serve(_serving(before, run))
    store.write_table(_DECISIONS, _decisions(before))
    return True


def kept_decision(store: ModelStore) -> Decision:
    """Return what stands of the version that serves on: its figures were judged when it was trained.

    A refusal stands, too, until a candidate is judged again, and so does what excuses figures that fall short.
    """
    for version, status, reason in _decisions(store).tail(1)["version", "status", "reason"].rows():
        if status in ("refused", "exempt", "provisional"):
            return Decision(version, status, reason)
    return Decision(store.home.name, "serves", shortfalls(store.read_table("segment_quality")) or None)


def _serving(before: ModelStore, run: str) -> str:
    """Return the name of a version that serves on in a run."""
    return f"{before.trained_as}-{run[:8]}"


def is_serving(version: str) -> bool:
    """Return whether a version is one that was trained under another name and serves on."""
    return made_as(version) != version


def _features_gone(before: ModelStore, features: Sequence[Path]) -> list[str]:
    """Return the features of the model in force that today's table lacks, whichever of them are declared."""
    model, embedding = before.model(), ModelStore.read_embedding(before.home)
    offered = {
        *pl.read_parquet_schema(features[0]),
        *(embedding.columns if embedding and features[1:] else ()),
    }
    return [name for name in (model.entity, *model.preparation.columns) if name not in offered]


def promote(store: ModelStore, version: str | None, reason: str, at: datetime) -> str:
    """Put a version in force because a person says so, and return it; its tables come with the next run.

    Parameters
    ----------
    store
        Of the segmentation.
    version
        The version; None for the one that was refused last.
    reason
        Why; kept with the decision.
    at
        Now.

    Raises
    ------
    PromotionError
        When there is no such version, it is in force already, or no reason is given.
    ModelDamagedError
        When its model cannot be read.
    """
    known = store.versions
    there_are = ", ".join(f"{name} ({what})" if what else name for name, what in known.items())
    version = version or next((name for name, what in known.items() if what == "refused last"), None)
    before = store.in_force
    if version is None:
        msg = f"{store.name}: no version was refused, so say which with --version; there are: {there_are or 'none'}"
    elif version not in known:
        msg = f"{store.name} has no version {version!r}; there are: {there_are or 'none: run `matinee run` first'}"
    elif before is not None and before.home.name == version:
        msg = f"{store.name}: version {version} is in force already; there are: {there_are}"
    elif not reason.strip():
        msg = "--reason is empty: say why, in words that those who read the report understand"
    else:
        ModelStore.read_model(store.folder / version)
        decided = _decisions(before)
        store.point("candidate", version)
        if before is not None:
            hand_over(before, store, at)
        _write(store, decided, Decision(version, "promoted_by_hand", reason.strip()), at)
        store.drop_refused()
        return store.promote_candidate()
    raise PromotionError(msg)


def _decisions(before: ModelStore | None) -> pl.DataFrame:
    """Return what was decided up to the version in force."""
    if before is not None and before.has(f"{_DECISIONS}.parquet"):
        return before.read_table(_DECISIONS).drop("segmentation")
    text, moment = pl.String(), pl.Datetime("us")
    return pl.DataFrame(schema={"version": text, "status": text, "reason": text, "decided_at": moment})


def _write(store: ModelStore, decided: pl.DataFrame, decision: Decision, at: datetime) -> None:
    """Write what was decided, the last time now, unless that was the last decision already."""
    new = (decision.version, decision.status, decision.reason)
    if decided.select("version", "status", "reason").tail(1).rows() != [new]:
        row = pl.DataFrame([(*new, at)], schema=decided.schema, orient="row")
        decided = pl.concat([decided, row])
    store.write_table(_DECISIONS, decided)


def shortfalls(quality: pl.DataFrame) -> str:
    """Say which figures miss their thresholds, and by how much; empty where none does."""
    return "; ".join(
        f"{measure} {'not measured' if value is None else f'{value:.2f}'}, {threshold:.2f} asked for"
        for measure, value, threshold in quality.filter(~pl.col("passed"))
        .select("measure", "value", "threshold")
        .iter_rows()
    )
