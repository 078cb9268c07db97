import numpy as np
import polars as pl
import pytest

from ml.segmentation.map_points import map_points
from ml.segmentation.model import SegmentationModel
from ml.segmentation.projection import principal_components


def model(centroids: np.ndarray) -> SegmentationModel:
    # Placing points asks a model for its centroids and names only.
    return SegmentationModel(
        segmentation="s",
        entity="user_id",
        preparation=None,  # type: ignore[arg-type]
        centroids=centroids.astype(np.float32),
        segment_names=tuple(f"S{i}" for i in range(len(centroids))),
        trained_on=0,
        seed=0,
    )


@pytest.fixture
def X() -> np.ndarray:
    rng = np.random.default_rng(0)
    return np.vstack([rng.normal(0, 1, (900, 3)), rng.normal(9, 1, (20, 3))]).astype(np.float32)


@pytest.fixture
def models() -> dict[int, SegmentationModel]:
    two = np.array([[0, 0, 0], [9, 9, 9]])
    return {2: model(two), 3: model(np.vstack([two, [[1, 0, -1]]]))}


def test_every_explored_k_shows_the_same_members_and_its_own_centres(X, models):
    frame = map_points(principal_components(X), X, models, 2, rng=np.random.default_rng(1), most=100)
    members = frame.filter(~pl.col("is_centre"))
    two, three = (members.filter(k=k).select("pc1", "pc2") for k in (2, 3))
    assert two.equals(three)
    assert frame.filter("is_centre").group_by("k").len().sort("k").rows() == [(2, 2), (3, 3)]


def test_a_small_segment_is_kept_whole_and_a_large_one_thinned(X, models):
    frame = map_points(principal_components(X), X, models, 2, rng=np.random.default_rng(1), most=100)
    sizes = frame.filter(~pl.col("is_centre"), k=2)["segment_name"].value_counts().sort("segment_name")
    assert sizes.rows() == [("S0", 50), ("S1", 20)]


def test_a_point_lies_where_the_components_put_it(X, models):
    projection = principal_components(X)
    frame = map_points(projection, X, models, 2, rng=np.random.default_rng(1))
    centres = frame.filter("is_centre", k=2).select("pc1", "pc2").to_numpy()
    assert centres == pytest.approx(projection.transform(models[2].centroids))


def test_points_are_told_by_the_ids_that_segments_keep(X, models):
    kept = {**models, 2: models[2].identified([3, 1], ["S0", "S1"])}
    frame = map_points(principal_components(X), X, kept, 2, rng=np.random.default_rng(1))
    assert set(frame.filter(k=2).select("segment_id", "segment_name").iter_rows()) == {(3, "S0"), (1, "S1")}


def test_one_feature_lies_on_a_line():
    X = np.arange(10, dtype=np.float32)[:, None]
    frame = map_points(
        principal_components(X), X, {2: model(np.array([[2], [7]]))}, 2, rng=np.random.default_rng(1)
    )
    assert frame["pc2"].to_list() == [0.0] * 12


def test_the_same_generator_gives_the_same_points(X, models):
    one, other = (
        map_points(principal_components(X), X, models, 2, rng=np.random.default_rng(5), most=60)
        for _ in range(2)
    )
    assert one.equals(other)
