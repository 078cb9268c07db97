"""From a feature frame to a judged sweep, and from the sweep to a named model.

Belongs here: the two steps of training. Does not belong here: what each step is made of.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Self

import numpy as np
import polars as pl

from ml.progress import Tell, untold
from ml.segmentation.anchor import anchor_groups, require_kept
from ml.segmentation.errors import SegmentationError, UntrainableError
from ml.segmentation.identity import Matching
from ml.segmentation.kmeans import KMeansFit
from ml.segmentation.levels import Levels
from ml.segmentation.model import SegmentationModel
from ml.segmentation.naming import name_segments, rank_order
from ml.segmentation.playbook import conditioned_columns
from ml.segmentation.prepare import Preparation
from ml.segmentation.quality.choose import Candidate, trusted, worth_by_k
from ml.segmentation.spec import SegmentationSpec
from ml.segmentation.starts import free_segments, start_agreement
from ml.segmentation.sweep import Sweep, sweep
from ml.segmentation.ward import WardTree


@dataclass(frozen=True)
class Training:
    """Everything one training gives.

    Attributes
    ----------
    sweep : every candidate, judged.
    models : k to model, for the published and the explored k; ids in the order of the anchor or the rank, names
        as declared for the published one and `Group 1` ... for the others.
    start_agreement : the published segments beside what free starts came to, one row; see
        `starts.start_agreement`, with ward_k (the k that Ward's tree suggests) and ward_rows (rows it was grown
        on), null without one.
    free_segments : what the best free fit of the published k looks like; see `starts.free_segments`.
    places : (n,) int, the place among the published segments of each entity's.
    """

    sweep: Sweep
    models: dict[int, SegmentationModel]
    start_agreement: pl.DataFrame
    free_segments: pl.DataFrame
    places: np.ndarray

    @property
    def tree(self) -> WardTree | None:
        """Ward's tree, where the method grows one."""
        return self.sweep.tree

    @property
    def published(self) -> SegmentationModel:
        """The model whose segments are published."""
        return self.models[self.sweep.published.k]

    def identified(self, matching: Matching) -> Self:
        """Return the training with the ids and names that its published segments have by their past."""
        model = self.published.identified(matching.segment_ids, matching.segment_names)
        ids = pl.Series(matching.segment_ids, dtype=pl.Int32)
        places = ids.arg_sort().arg_sort().to_numpy()[self.places]
        nearest = ids.gather(self.free_segments["nearest_segment_id"]).alias("nearest_segment_id")
        free = (
            self.free_segments.with_columns(nearest)
            .sort("nearest_segment_id", "members", descending=[False, True], maintain_order=True)
            .with_columns(pl.int_range(pl.len(), dtype=pl.Int32).alias("group_id"))
        )
        models = {**self.models, model.k: model}
        return replace(self, models=models, free_segments=free, places=places)


def profiled_columns(frame: pl.DataFrame, entity: str) -> list[str]:
    """Return the numeric columns of a feature frame, the entity left out."""
    return [column for column in frame.columns if column != entity and frame.schema[column].is_numeric()]


def train(
    frame: pl.DataFrame,
    spec: SegmentationSpec,
    *,
    pairs: pl.DataFrame | None = None,
    workers: int = 2,
    tell: Tell = untold,
) -> Training:
    """Prepare, sweep and name.

    Parameters
    ----------
    frame
        One row per entity, with the entity column and the feature columns; row order does not matter
        to the meaning, but the same bytes come out only for the same order.
    spec
        The declaration; its seed decides every random choice.
    pairs
        Entity and title, each pair once, to say what each k is worth; needed where the `trusted` one is published.
    workers
        Fits that run side by side; does not change the result.
    tell
        See `kmeans.fit_many`.

    Raises
    ------
    SegmentationError
        When the frame cannot give the segmentation; the message names it and says what to change. It is an
        UntrainableError where there is too little to divide.
    """
    try:
        return _train(frame, spec, pairs, workers=workers, tell=tell)
    except SegmentationError as error:
        msg = f"{spec.name}: {error}"
        raise type(error)(msg) from error


def _train(
    frame: pl.DataFrame, spec: SegmentationSpec, pairs: pl.DataFrame | None, *, workers: int, tell: Tell
) -> Training:
    _check_frame(frame, spec)
    if spec.clustering.publish == "trusted" and pairs is None:
        msg = "clustering.publish: `trusted` needs to know who chose which title"
        raise SegmentationError(msg)
    anchor = spec.clustering.anchor
    groups = None if anchor is None else anchor_groups(frame, anchor, spec.naming.names)
    preparation = Preparation.fit(frame, spec.features)
    if spec.levels and spec.levels.by in preparation.columns:
        msg = f"levels.by: {spec.levels.by!r} is clustered on; levels say what segments do not"
        raise SegmentationError(msg)
    X = preparation.transform(frame)
    rng = np.random.default_rng(spec.clustering.seed)
    trust = None if pairs is None else partial(_trust, X, frame[spec.entity], pairs, spec, workers=workers)
    swept = sweep(X, spec.clustering, rng=rng, groups=groups, trust=trust, workers=workers, tell=tell)
    published = swept.published
    if groups is not None:
        require_kept(groups, published.labels, spec.naming.names)
    orders = {
        k: np.arange(k) if groups is not None and k == published.k else _order(frame, spec, swept.of(k))
        for k in sorted({published.k, *spec.clustering.explore}.intersection(swept.candidates))
    }
    ids = np.argsort(orders[published.k])[published.labels]
    profiled = frame.select(profiled_columns(frame, spec.entity))
    names = name_segments(spec.naming, profiled, ids, published.k, spec.plots.labels)
    levels = Levels.fit(frame[spec.levels.by], spec.levels) if spec.levels else None
    models = {
        k: SegmentationModel(
            segmentation=spec.name,
            entity=spec.entity,
            preparation=preparation,
            centroids=swept.of(k).centroids[order],
            segment_names=names if k == published.k else tuple(f"Group {i + 1}" for i in range(k)),
            trained_on=len(frame),
            seed=spec.clustering.seed,
            levels=levels if k == published.k else None,
        )
        for k, order in orders.items()
    }
    return Training(
        sweep=swept,
        models=models,
        start_agreement=_start_agreement(swept, spec, groups),
        free_segments=free_segments(ids, swept.free.of(published.k).labels, published.k),
        places=ids,
    )


def _trust(
    X: np.ndarray,
    entities: pl.Series,
    pairs: pl.DataFrame,
    spec: SegmentationSpec,
    fits: Sequence[KMeansFit],
    *,
    workers: int,
) -> tuple[int, list[Candidate]]:
    """Return the trusted k, and what is known of each."""
    rng = np.random.default_rng(spec.clustering.seed)
    labels = {fit.k: fit.labels for fit in fits}
    found = worth_by_k(X, labels, entities, pairs, spec.features.embedding, rng=rng, workers=workers)
    return trusted(found, least_ari=spec.least_agreement), found


def _order(frame: pl.DataFrame, spec: SegmentationSpec, fit: KMeansFit) -> np.ndarray:
    """Return the labels of a fit in the order of segment ids."""
    if spec.naming.rank_by is None:  # anchored, and another k than the anchor's: larger groups first
        return np.argsort(-np.bincount(fit.labels, minlength=fit.k), kind="stable")
    ranks = frame[spec.naming.rank_by].cast(pl.Float64).fill_null(0).to_numpy()
    return rank_order(ranks, fit.labels, fit.k)


def _start_agreement(swept: Sweep, spec: SegmentationSpec, groups: np.ndarray | None) -> pl.DataFrame:
    agreement = start_agreement(swept.published, swept.free, method=spec.clustering.method, groups=groups)
    tree = swept.tree
    return agreement.with_columns(
        pl.lit(tree and tree.suggest(swept.candidates), dtype=pl.Int32).alias("ward_k"),
        pl.lit(tree and len(tree.rows), dtype=pl.Int32).alias("ward_rows"),
    )


def _check_frame(frame: pl.DataFrame, spec: SegmentationSpec) -> None:
    named = [
        ("entity", spec.entity),
        ("naming.rank_by", spec.naming.rank_by),
        ("levels.by", spec.levels and spec.levels.by),
        *[("judge.features", column) for column in spec.judge.features],
        *[("judge.against", column) for column in spec.judge.against],
        ("judge.volume", spec.judge.volume),
        *[(f"playbook.{name}", column) for name, column in conditioned_columns(spec)],
        ("plots.distribution", spec.plots.distribution),
        *[("plots.scatter", column) for column in spec.plots.scattered],
        *[("plots.labels", column) for column in spec.plots.labels],
        *[("plots.units", column) for column in spec.plots.units],
    ]
    for role, column in named:
        if column is not None and column not in frame.columns:
            msg = f"{role}: no column {column!r} in {spec.features.table}; there are: {', '.join(frame.columns)}"
            raise SegmentationError(msg)
    if spec.levels and not frame.schema[spec.levels.by].is_numeric():
        msg = f"levels.by: {spec.levels.by!r} of {spec.features.table} is no number"
        raise SegmentationError(msg)
    if frame.is_empty():
        msg = f"{spec.features.table} has no rows: nobody is left to segment"
        raise UntrainableError(msg)
    if len(frame) == 1:
        msg = f"there is one {spec.entity.removesuffix('_id')} only, and nobody to tell apart"
        raise UntrainableError(msg)
    if frame[spec.entity].null_count() or frame[spec.entity].n_unique() != len(frame):
        msg = f"{spec.features.table} must have one row per {spec.entity}; it has missing or repeated ones"
        raise SegmentationError(msg)
