"""From a feature frame to a judged sweep, and from the sweep to a named model.

Belongs here: the two steps of training. Does not belong here: what each step is made of.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl

from ml.errors import SegmentationError
from ml.segmentation.model import SegmentationModel
from ml.segmentation.naming import name_segments, rank_order
from ml.segmentation.prepare import Preparation
from ml.segmentation.profile import segment_means
from ml.segmentation.spec import SegmentationSpec
from ml.segmentation.sweep import Sweep, require_rows, sweep


@dataclass(frozen=True)
class Training:
    """Everything one training gives.

    Attributes
    ----------
    sweep : every candidate, judged.
    models : k to model, for the published and the explored k; ids in rank order, names as declared for
        the published one and `Group 1` ... for the others.
    """

    sweep: Sweep
    models: dict[int, SegmentationModel]

    @property
    def published(self) -> SegmentationModel:
        """The model whose segments are published."""
        return self.models[self.sweep.published.k]


def profiled_columns(frame: pl.DataFrame, entity: str) -> list[str]:
    """Return the numeric columns of a feature frame, the entity left out."""
    return [column for column in frame.columns if column != entity and frame.schema[column].is_numeric()]


def train(frame: pl.DataFrame, spec: SegmentationSpec, *, workers: int = 2) -> Training:
    """Prepare, sweep and name.

    Parameters
    ----------
    frame
        One row per entity, with the entity column and the feature columns; row order does not matter
        to the meaning, but the same bytes come out only for the same order.
    spec
        The declaration; its seed decides every random choice.
    workers
        Fits that run side by side; does not change the result.

    Raises
    ------
    SegmentationError
        When the frame cannot give the segmentation; the message names it and says what to change.
    """
    try:
        return _train(frame, spec, workers=workers)
    except SegmentationError as error:
        msg = f"{spec.name}: {error}"
        raise SegmentationError(msg) from error


def _train(frame: pl.DataFrame, spec: SegmentationSpec, *, workers: int) -> Training:
    _check_frame(frame, spec)
    preparation = Preparation.fit(frame, spec.features)
    X = preparation.transform(frame)
    swept = sweep(X, spec.clustering, rng=np.random.default_rng(spec.clustering.seed), workers=workers)
    ranks = frame[spec.naming.rank_by].cast(pl.Float64).fill_null(0).to_numpy()
    profiled = frame.select(profiled_columns(frame, spec.entity))
    models = {}
    for k in sorted({swept.published.k, *spec.clustering.explore}):
        fit = swept.of(k)
        order = rank_order(ranks, fit.labels, k)
        if k == swept.published.k:
            means = segment_means(profiled, np.argsort(order)[fit.labels], k)
            names = name_segments(spec.naming, means)
        else:
            names = tuple(f"Group {i + 1}" for i in range(k))
        models[k] = SegmentationModel(
            segmentation=spec.name,
            entity=spec.entity,
            preparation=preparation,
            centroids=fit.centroids[order],
            segment_names=names,
            trained_on=len(frame),
            seed=spec.clustering.seed,
        )
    return Training(swept, models)


def _check_frame(frame: pl.DataFrame, spec: SegmentationSpec) -> None:
    for role, column in (("entity", spec.entity), ("naming.rank_by", spec.naming.rank_by)):
        if column not in frame.columns:
            msg = f"{role}: no column {column!r} in {spec.features.table}; there are: {', '.join(frame.columns)}"
            raise SegmentationError(msg)
    if frame.is_empty():
        msg = f"{spec.features.table} has no rows: nobody is left to segment"
        raise SegmentationError(msg)
    require_rows(len(frame), max(spec.clustering.candidates))
    if frame[spec.entity].null_count() or frame[spec.entity].n_unique() != len(frame):
        msg = f"{spec.features.table} must have one row per {spec.entity}; it has missing or repeated ones"
        raise SegmentationError(msg)
