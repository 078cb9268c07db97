"""The work behind the assets of a segmentation, on the model store and a snapshot of the features.

Belongs here: which computation of `ml` makes which file of the store. Does not belong here: Dagster, DuckDB, the
computation itself. The functions run in the worker process (`orchestration.tasks.worker`), one module for all of them,
whose import takes the seconds that a run would wait for.
"""

import shutil
import threading
from functools import lru_cache
from pathlib import Path

import numpy as np
import polars as pl

from ml.segmentation import profile as profiling
from ml.segmentation.map_points import map_points
from ml.segmentation.projection import principal_components
from ml.segmentation.separation import claims, separation
from ml.segmentation.spec import SegmentationSpec
from ml.segmentation.train import profiled_columns, train
from orchestration.stores.layout import write_atomically
from orchestration.stores.segmentations import ModelStore
from orchestration.tasks.segment_plots import draw

one_at_a_time = threading.Lock()
"""Who draws holds it: matplotlib's settings are global."""


def train_candidate(spec: SegmentationSpec, store: ModelStore, features: Path, workers: int) -> str:
    """Train, store the candidate and return its version."""
    return store.save_candidate(train(_read(features), spec, workers=workers))


def assign_members(store: ModelStore, features: Path) -> tuple[int, pl.DataFrame]:
    """Store `segment_members`; return how many different entities there are, and the size of each segment."""
    # Plain values: one of a class of this module would make the run import the module to unpickle it.
    entities = _read(features)[store.model().entity]
    members = store.model().members_at(entities, _prepared(store.home, features))
    store.write_table("segment_members", members)
    sizes = members.group_by("segment_id", "segment_name").len("members").sort("segment_id")
    return entities.n_unique(), sizes


def profile_segments(spec: SegmentationSpec, store: ModelStore, features: Path) -> pl.DataFrame:
    """Store profiles, principal components and what the segments say of the judged features; return the profiles."""
    frame, model, X = _read(features), store.model(), _prepared(store.home, features)
    columns, ids = profiled_columns(frame, model.entity), model.nearest(X)
    profiles = profiling.profile(frame.select(columns), ids, model.k)
    judged = spec.judge.features
    rng = np.random.default_rng(spec.clustering.seed)
    store.write_table("segment_separation", separation(frame, ids, judged, spec.judge.against))
    store.write_table(
        "segment_claims",
        claims(frame, ids, model.segment_names, judged, rng=rng, labels=spec.plots.labels),
    )
    projection = principal_components(X)
    called = pl.col("feature").replace_strict(spec.plots.labels, default=None, return_dtype=pl.String)
    store.write_table("segment_profiles", profiles.with_columns(feature_label=called))
    store.write_table("pca_loadings", projection.loadings(model.preparation.columns))
    store.write_projection(projection)
    store.write_table("segment_map", map_points(projection, X, store.explored(), model.k, rng=rng))
    return profiles


def draw_plots(spec: SegmentationSpec, store: ModelStore, features: Path) -> dict[str, str]:
    """Draw every plot into the store and return their thumbnails as Markdown, by name."""
    unfinished, finished = store.home / ".plots", store.home / "plots"
    thumbnails = {}
    with one_at_a_time:
        shutil.rmtree(unfinished, ignore_errors=True)
        for drawn in draw(spec, store, _read(features), _prepared(store.home, features)):
            write_atomically(unfinished / f"{drawn.name}.png", drawn.png)
            thumbnails[drawn.name] = drawn.thumbnail_markdown()
        shutil.rmtree(finished, ignore_errors=True)
        unfinished.rename(finished)
    return thumbnails


@lru_cache(maxsize=2)
def _read(features: Path) -> pl.DataFrame:
    return pl.read_parquet(features)


@lru_cache(maxsize=2)
def _prepared(version: Path, features: Path) -> np.ndarray:
    # Members, profile and plots ask for the same rows; a version never changes.
    return ModelStore.read_model(version).preparation.transform(_read(features))
