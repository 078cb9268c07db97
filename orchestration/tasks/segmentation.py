"""The work behind the assets of a segmentation, on the model store and a snapshot of the features.

Belongs here: which computation of `ml` makes which file of the store. Does not belong here: Dagster, DuckDB, the
computation itself. The functions run in the worker process (`orchestration.tasks.worker`), one module for all of them,
whose import takes the seconds that a run would wait for.
"""

import shutil
import threading
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from functools import lru_cache
from pathlib import Path

import numpy as np
import polars as pl
import polars.selectors as cs

from ml.changed_rows import CHANGED_SHARE, changed_share, sample
from ml.drift import MOVED, drift, histograms
from ml.plots.segment_words import badge
from ml.segmentation.embedding import Embedding
from ml.segmentation.errors import SegmentationError
from ml.segmentation.levels import SCHEMA
from ml.segmentation.map_points import map_points
from ml.segmentation.playbook import said_of_segments
from ml.segmentation.profile import over_index
from ml.segmentation.projection import principal_components
from ml.segmentation.quality.held_out import Judged
from ml.segmentation.quality.judge import judge, what_users_did
from ml.segmentation.quality.lift import USERS
from ml.segmentation.separation import claims, separation
from ml.segmentation.shown import describe, shown_columns
from ml.segmentation.spec import SegmentationSpec, select_columns
from ml.segmentation.surrogate import surrogate
from ml.segmentation.train import profiled_columns, train
from orchestration.progress import counting
from orchestration.stores.layout import WarehouseLayout, write_atomically
from orchestration.stores.lock import switching
from orchestration.stores.segmentations import ModelDamagedError, ModelStore
from orchestration.stores.versions import made_as, parquet_bytes
from orchestration.tasks.identity import carry_on, identified
from orchestration.tasks.nothing_new import code_in_use
from orchestration.tasks.segment_plots import draw

Features = tuple[Path, ...]
"""The table of features and, where training asks for them (`SegmentationSpec.trained_on`), users and their titles."""

_TRAINED_ON = "trained_on.parquet"
_EXEMPLARS = 3
"""Members of each segment that are shown as examples of it."""

one_at_a_time = threading.Lock()
"""Who draws holds it: matplotlib's settings are global."""


def train_candidate(spec: SegmentationSpec, store: ModelStore, features: Features, workers: int) -> str:
    """Train, store the candidate and return its version."""
    frame, embedding, placed = pl.read_parquet(features[0]), None, None
    pairs = _pairs(features[1]) if len(features) > 1 else None
    if spec.features.embedding and pairs is not None:
        rng = np.random.default_rng(spec.clustering.seed)
        embedding, placed = Embedding.fit_placed(pairs, spec.features.embedding, rng=rng)
        frame = _beside(frame, placed)
    with counting("fitting", "fits") as tell:
        training = train(frame, spec, pairs=pairs, workers=workers, tell=tell)
    by_place = bool(spec.naming.names)
    before = None if by_place else _members_in_force(store, features)
    training, events = identified(training, frame, store, before, by_place=by_place)
    version = store.save_candidate(training, embedding)
    if placed is not None:
        write_atomically(_placed_file(store.home, features), parquet_bytes(placed))
    store.write_reference(histograms(frame, training.published.preparation.columns))
    store.write_table("trained_on", _trained_on(spec, frame, training.published.members(frame)))
    store.write_table("events", events)
    found = training.published
    named = {"segment_id": found.segment_ids, "segment_name": found.segment_names}
    segments = pl.DataFrame(named, schema={"segment_id": pl.Int32, "segment_name": pl.String})
    stands_for = {"entity": pl.lit(spec.entity), "features": pl.lit(spec.features.table)}
    store.write_table("segments", segments.with_columns(**stands_for))
    return version


def has_little_changed(spec: SegmentationSpec, store: ModelStore, features: Features) -> bool:
    """Return whether segments that were trained as they would be today are of much the same members, features and all.

    Those in force; or those that were refused last, which would be refused again. Members are the same but for one in
    twenty that is new, gone, or elsewhere than when the segments were trained, and no feature has moved since.
    """
    earlier = [before for before in (store.in_force, store.refused) if before and before.has(_TRAINED_ON)]
    with suppress(
        ModelDamagedError, SegmentationError
    ):  # then it is trained anew, and what is damaged told of
        return any(_is_little_changed(spec, before, features) for before in earlier)
    return False


def _is_little_changed(spec: SegmentationSpec, before: ModelStore, features: Features) -> bool:
    then = before.read_table("trained_on").drop("segmentation")
    frame, reference = _read(before.home, features), before.reference()
    if changed_share(then.filter(of="made_by"), _made_by(spec, frame)):
        return False
    if reference is None or (drift(reference, frame)["stability_index"] >= MOVED).any():
        return False
    return changed_share(then, _trained_on(spec, frame, before.model().members(frame))) <= CHANGED_SHARE


def _trained_on(spec: SegmentationSpec, frame: pl.DataFrame, members: pl.DataFrame) -> pl.DataFrame:
    return pl.concat([sample({"members": members.select("entity_id", "segment_id")}), _made_by(spec, frame)])


def _made_by(spec: SegmentationSpec, frame: pl.DataFrame) -> pl.DataFrame:
    # A model knows nothing of a column that a declared pattern has found only since.
    columns = " ".join(sorted(select_columns(spec.features.columns, frame.columns)))
    made_by = {"code": [code_in_use()], "declared": [spec.model_dump_json()], "columns": [columns]}
    return sample({"made_by": pl.DataFrame(made_by)})


def _members_in_force(store: ModelStore, features: Features) -> pl.DataFrame | None:
    """Return where the model in force places today's entities; where it cannot, where it placed those of its time."""
    before = store.in_force
    if before is None:
        return None
    try:
        return before.model().members(_read(before.home, features))
    except (SegmentationError, ModelDamagedError):  # made of columns that are no more
        return before.read_table("segment_members").drop("segmentation")


def judge_candidate(
    spec: SegmentationSpec, store: ModelStore, features: Features, acts: Features, workers: int
) -> pl.DataFrame:
    """Store `segment_quality` of the candidate and return it; `acts` are who chose which title, and titles' genres."""
    frame, model, X = _read(store.home, features), store.model(), _prepared(store.home, features)
    places = model.nearest(X)
    rng = np.random.default_rng(spec.clustering.seed)
    columns = (*model.preparation.columns, *model.preparation.dropped)
    judged = _judged(spec, frame[model.entity], places, columns, acts=acts, rng=rng) if acts else None
    found = judge(X, places, model.k, spec.quality.bounds, judged=judged, rng=rng, workers=workers)
    quality = model.with_ids(found)
    store.write_table("segment_quality", quality)
    return quality


def _judged(
    spec: SegmentationSpec,
    entities: pl.Series,
    places: np.ndarray,
    columns: Sequence[str],
    *,
    acts: Features,
    rng: np.random.Generator,
) -> Judged | None:
    """Return what a sample of the users did; None where nothing is known of them."""
    chosen = np.sort(rng.choice(len(entities), min(len(entities), USERS), replace=False))
    sampled = entities.gather(chosen)
    pairs = (
        pl.scan_parquet(acts[0])
        .join(pl.LazyFrame({spec.entity: sampled}), on=spec.entity, how="semi")
        .collect()
    )
    if pairs.is_empty():
        return None
    return what_users_did(
        sampled,
        places[chosen],
        int(places.max()) + 1,
        pairs.select(spec.entity, "title_id", cs.by_name("rating", require_all=False)),
        features=spec.features,
        columns=columns,
        genres=pl.read_parquet(acts[1]),
        seed=spec.clustering.seed,
    )


def assign_members(
    store: ModelStore, features: Features, at: datetime, everybody: Path | None = None
) -> tuple[int, pl.DataFrame, pl.DataFrame | None]:
    """Store `segment_members`; return how many different entities there are, sizes, and drift (`ml.drift.drift`).

    Where the features are those of a sample, `everybody` are the members, placed already, and drift is the sample's. Of
    each segment the size that it had while the version in force was, too, NULL where it was not. The drift is that
    of the features since the version in force was trained; None where there is none, or nobody knows.
    """
    # Plain values: one of a class of this module would make the run import the module to unpickle it.
    frame, model = _read(store.home, features), store.model()
    if everybody is None:
        members, entities = model.members_at(frame, _prepared(store.home, features)), frame[model.entity]
    else:
        members = pl.read_parquet(everybody)
        entities = members["entity_id"]
    before = store.in_force
    reference = before.reference() if before else None
    moved = None if reference is None else drift(reference, frame)
    sizes_before = _sizes_before(before)  # the version in force may be this one
    carry_on(store, members, at)
    store.write_table("segment_members", members)
    sizes = store.sizes().join(
        sizes_before, on="segment_id", how="full", coalesce=True, maintain_order="left"
    )
    levels = model.levels.table(members) if model.levels else pl.DataFrame(schema=SCHEMA)
    store.write_table("segment_levels", levels)
    return entities.n_unique(), sizes, moved


def _sizes_before(before: ModelStore | None) -> pl.DataFrame:
    """Return `segment_id` and `members_before` of the segments in force; no row where there are none."""
    if before is None or not before.has("segment_members.parquet"):
        return pl.DataFrame(schema={"segment_id": pl.Int32, "members_before": pl.UInt32})
    return before.sizes().select("segment_id", pl.col("members").alias("members_before"))


def profile_segments(spec: SegmentationSpec, store: ModelStore, features: Features) -> pl.DataFrame:
    """Store profiles, rules, principal components and what the segments say of the judged features.

    Returns the profiles.
    """
    frame, model, X = _read(store.home, features), store.model(), _prepared(store.home, features)
    places = model.nearest(X)
    columns = profiled_columns(frame, model.entity)
    if spec.features.embedding:  # nobody can read a dimension of taste
        columns = [column for column in columns if column not in model.preparation.columns]
    judged = spec.judge.features
    rng = np.random.default_rng(spec.clustering.seed)
    profiled = frame.select(columns)
    profiles = model.with_ids(over_index(profiled, places, model.k, rng=rng)).join(
        describe(profiled, spec), on="feature", how="left", maintain_order="left"
    )
    store.write_table("segment_rules", model.with_ids(_rules(spec, frame, places, model.k, rng)))
    store.write_table("segment_separation", separation(frame, places, judged, spec.judge.against))
    said = claims(frame, places, model.segment_names, judged, rng=rng, labels=spec.plots.labels)
    store.write_table("segment_claims", model.with_ids(said))
    projection = principal_components(X)
    store.write_table("segment_profiles", profiles)
    store.write_table("segment_words", _said(spec, store, profiles))
    nearest = model.with_ids(model.exemplars(frame[model.entity], X, _EXEMPLARS))
    store.write_table("segment_exemplars", nearest)
    store.write_table("pca_loadings", projection.loadings(model.preparation.columns))
    store.write_projection(projection)
    store.write_table("segment_map", map_points(projection, X, store.explored(), model.k, rng=rng))
    return profiles


def _said(spec: SegmentationSpec, store: ModelStore, profiles: pl.DataFrame) -> pl.DataFrame:
    """Return what may be said of each segment: its playbook as its figures bear it out, its quality in words."""
    model, quality = store.model(), store.read_table("segment_quality")
    names = dict(zip(model.segment_ids, model.segment_names, strict=True))
    members = dict(store.sizes().select("segment_id", "members").iter_rows())
    sizes = {segment_id: members.get(segment_id, 0) for segment_id in names}
    said = said_of_segments(spec, names, sizes, profiles)
    badges = [badge(quality, segment_id) for segment_id in said["segment_id"]]
    return said.with_columns(
        pl.Series("badge", [found.words for found in badges], dtype=pl.String),
        pl.Series("badge_level", [found.level for found in badges], dtype=pl.String),
    )


def _rules(
    spec: SegmentationSpec, frame: pl.DataFrame, places: np.ndarray, k: int, rng: np.random.Generator
) -> pl.DataFrame:
    """Return the rule of each segment in words, with how far all of them can be told apart by such rules."""
    told = surrogate(frame, places, k, shown_columns(frame, spec), rng=rng)
    figures = {"macro_f1": told.macro_f1, "low": told.low, "high": told.high}
    return told.rules.with_columns(pl.lit(value, dtype=pl.Float64).alias(n) for n, value in figures.items())


def draw_plots(spec: SegmentationSpec, store: ModelStore, features: Features) -> dict[str, str]:
    """Draw every plot into the store and return their thumbnails as Markdown, by name."""
    unfinished, finished = store.home / ".plots", store.home / "plots"
    thumbnails = {}
    with one_at_a_time:
        shutil.rmtree(unfinished, ignore_errors=True)
        for drawn in draw(spec, store, _read(store.home, features), _prepared(store.home, features)):
            write_atomically(unfinished / f"{drawn.name}.png", drawn.png)
            thumbnails[drawn.name] = drawn.thumbnail_markdown()
        # Where the same data train the same version again, these pictures are in force.
        with switching(WarehouseLayout(store.folder.parents[1])):
            shutil.rmtree(finished, ignore_errors=True)
            unfinished.rename(finished)
    return thumbnails


def _pairs(file: Path) -> pl.DataFrame:
    return pl.read_parquet(file).select(pl.exclude("rating"))


@lru_cache(maxsize=2)
def _read(version: Path, features: Features) -> pl.DataFrame:
    """Return the features with the dimensions of taste beside them, where there are any."""
    frame, embedding = pl.read_parquet(features[0]), ModelStore.read_embedding(version)
    if embedding is None or len(features) == 1:  # what was embedded once may be so no longer
        return frame
    file = _placed_file(version, features)
    if not file.exists():
        write_atomically(file, parquet_bytes(embedding.placed(_pairs(features[1]))))
    return _beside(frame, pl.read_parquet(file))


def _placed_file(version: Path, features: Features) -> Path:
    """Return where it is kept during a run who lies where in the dimensions of a version."""
    # One that serves on has the dimensions of the version that it serves for.
    return features[1].with_name(f"{features[1].stem}-{version.parent.name}-{made_as(version.name)}.parquet")


def _beside(frame: pl.DataFrame, placed: pl.DataFrame) -> pl.DataFrame:
    return frame.join(placed, on=placed.columns[0], how="inner", maintain_order="left")


@lru_cache(maxsize=2)
def _prepared(version: Path, features: Features) -> np.ndarray:
    # Members, profile and plots ask for the same rows; a version never changes.
    return ModelStore.read_model(version).preparation.transform(_read(version, features))
