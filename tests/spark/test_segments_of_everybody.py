"""Segments learned from a sample are told of everybody; learned from everybody, they are those of DuckDB's engine."""

import shutil

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal
from sklearn.metrics import adjusted_rand_score

from ml.segmentation.assignment import assign
from ml.segmentation.spec import SegmentationSpec
from orchestration.components.segmentation import build_segmentation_defs
from orchestration.stores.segmentations import ModelStore

USERS = 6_000
STEPS = ("k_metrics", "quality", "model", "members", "profile")
BLOBS = SegmentationSpec.model_validate(
    {
        "name": "user_blobs",
        "description": "Viewers by four made-up habits",
        "entity": "user_id",
        "features": {"table": "features.user_blobs", "columns": ["f_*"], "prepare": ["standardize"]},
        "clustering": {"candidates": [2, 3, 4, 5], "explore": [2], "publish": 4, "restarts": 5},
        "naming": {"rank_by": "titles", "names": ["Few", "Some", "More", "Most"]},
        "levels": {"by": "titles", "names": ["light", "heavy"]},
    }
)

TASTES = SegmentationSpec.model_validate(
    {
        "name": "made_up_taste",
        "description": "Viewers by three made-up tastes",
        "entity": "user_id",
        "features": {
            "table": "features.made_up_taste",
            "interactions": "features.made_up_choices",
            "embedding": {"method": "nmf", "dimensions": 4, "titles": 90, "least": 5},
            "columns": ["taste_*"],
            "prepare": [],
        },
        "clustering": {"candidates": [2, 3, 4], "explore": [2], "publish": 3, "restarts": 5},
        "naming": {"rank_by": "titles", "names": ["Few", "Some", "Most"]},
        "levels": {"by": "titles", "names": ["light", "heavy"]},
    }
)


def choices() -> pl.DataFrame:
    """Who chose which of 90 titles: of one third of them mostly, the third by the taste; one in ten chose too few."""
    rng = np.random.default_rng(1)
    user, title = np.meshgrid(np.arange(1_500), np.arange(90), indexing="ij")
    chance = np.where(title // 30 == user % 3, 0.3 + 0.1 * (user % 3), 0.02) * np.where(user % 10, 1, 0.1)
    chosen = rng.random(user.shape) < chance
    return pl.DataFrame({"user_id": user[chosen] + 1, "title_id": title[chosen] + 1_000})


def blobs(seed: int = 0) -> pl.DataFrame:
    """Four kinds of viewer, well apart, in no order."""
    rng = np.random.default_rng(seed)
    kind = rng.choice(4, USERS, p=[0.4, 0.3, 0.2, 0.1])
    centres = rng.normal(0, 6, (4, 5))
    X = centres[kind] + rng.normal(0, 1, (USERS, 5))
    columns = {f"f_{place}": X[:, place] for place in range(5)}
    titles = 10 * (kind + 1) + rng.integers(0, 9, USERS)
    users = rng.permutation(USERS) + 1
    return pl.DataFrame({"user_id": users, "titles": titles, **columns})


@pytest.fixture(scope="module")
def segmented(on_spark):
    """The tables of a segmentation made from scratch, by name."""
    chosen = choices()
    titles = chosen.group_by("user_id").agg(titles=pl.len().cast(pl.Int64)).sort("user_id")
    on_spark.table("features.made_up_choices", chosen.sample(fraction=1, shuffle=True, seed=0))
    on_spark.table("features.made_up_taste", titles)
    on_spark.query("create schema if not exists intermediate")
    on_spark.query("create table intermediate.int_features__labels (feature varchar, feature_label varchar)")
    on_spark.query(
        "create table intermediate.int_titles__genres as "
        "select 1000 + title as title_id, 'Genre ' || title // 15 as genre from range(90) as titles(title)"
    )
    ids = pl.DataFrame({"title_id": chosen["title_id"].unique().sort()})
    described = ids.with_columns(title_key="title_id", **dict.fromkeys(("title", "genres"), pl.lit("")))
    on_spark.table("features.title_descriptions", described)
    on_spark.table("features.user_blobs", blobs())

    def made(spec: SegmentationSpec = BLOBS, **settings) -> tuple[ModelStore, dict[str, pl.DataFrame]]:
        store = ModelStore(on_spark.layout.models / spec.name)
        shutil.rmtree(store.folder, ignore_errors=True)
        assets = list(build_segmentation_defs(spec).assets)
        on_spark.make(assets, *(f"{spec.name}/{step}" for step in STEPS), **settings)
        return store, {file.stem: pl.read_parquet(file) for file in sorted(store.home.glob("*.parquet"))}

    return made


@pytest.fixture(scope="module")
def by_duckdb(segmented):
    store, tables = segmented(engine="duckdb")
    return store.home.name, store.model(), tables


def test_with_no_more_than_a_machine_holds_all_tables_are_those_of_duckdb(segmented, by_duckdb):
    version, _, expected = by_duckdb
    store, found = segmented(learned_from=USERS)
    assert store.home.name == version
    assert_same(found, expected)


def assert_same(found: dict[str, pl.DataFrame], expected: dict[str, pl.DataFrame]) -> None:
    assert found.keys() == expected.keys()
    moments = pl.selectors.datetime()
    for table, frame in expected.items():
        assert_frame_equal(found[table].drop(moments), frame.drop(moments), check_exact=True)


def test_everybody_has_one_segment_by_the_model_of_a_third(segmented, by_duckdb):
    _, full, of_all = by_duckdb
    expected = of_all["segment_members"]
    store, found = segmented(learned_from=USERS // 3)
    model, members = store.model(), found["segment_members"]
    assert model.trained_on == USERS // 3
    # In the same order and of the same form, so that nothing after knows who placed them.
    assert members.schema == expected.schema
    assert members["entity_id"].equals(expected["entity_id"])
    assert adjusted_rand_score(members["segment_id"], expected["segment_id"]) >= 0.98
    frame = blobs().sort("user_id")
    assert_frame_equal(members.drop("segmentation"), model.members(frame))
    assert inertia(model, full, frame) == pytest.approx(inertia(full, full, frame), rel=0.01)
    levels = found["segment_levels"]
    assert levels["members"].sum() == USERS
    assert found["membership_history"].height == USERS


def inertia(model, scale, frame: pl.DataFrame) -> float:
    """Squared distances of all rows to a model's nearest centroids, both in the scale of another."""
    ours, theirs = model.preparation, scale.preparation
    raw = model.centroids * ours.scale + ours.shift
    return assign(theirs.transform(frame), ((raw - theirs.shift) / theirs.scale).astype(np.float32))[1].sum()


def test_everybody_is_placed_by_the_dimensions_of_taste_of_a_third(segmented):
    _, expected = segmented(TASTES, engine="duckdb")
    _, of_all = segmented(TASTES, learned_from=1_500)
    assert_same(of_all, expected)
    store, found = segmented(TASTES, learned_from=500)
    members, placed = found["segment_members"], expected["segment_members"]
    # Who chose too few titles is placed by neither.
    assert store.model().trained_on < 500 < members.height < 1_500
    assert members["entity_id"].equals(placed["entity_id"])
    assert adjusted_rand_score(members["segment_id"], placed["segment_id"]) >= 0.98
    assert members["level"].unique().sort().to_list() == ["heavy", "light"]


def test_the_same_rows_in_another_order_are_the_same_sample(segmented, on_spark):
    first, before = segmented(learned_from=USERS // 3)
    version = first.home.name
    on_spark.table("features.user_blobs", blobs().reverse())
    second, after = segmented(learned_from=USERS // 3)
    assert second.home.name == version
    assert_frame_equal(before["segment_members"], after["segment_members"])
