"""One sweep: every k once, as good as ten full restarts, the same bytes whatever the machine does."""

import numpy as np
import polars as pl
import pytest
from sklearn.cluster import KMeans
from sklearn.datasets import make_blobs

from ml.segmentation import assignment, kmeans
from ml.segmentation.errors import UntrainableError
from ml.segmentation.spec import Clustering
from ml.segmentation.sweep import sweep


def blobs(n: int, seed: int = 0) -> np.ndarray:
    X, _ = make_blobs(n, 8, centers=7, cluster_std=2.5, random_state=seed)
    return ((X - X.mean(axis=0)) / X.std(axis=0)).astype(np.float32)


def run(X: np.ndarray, *, workers: int = 2, **clustering):
    declared = Clustering.model_validate({"candidates": [2, 3, 4, 5, 6, 7, 8], **clustering})
    return sweep(X, declared, rng=np.random.default_rng(declared.seed), workers=workers)


def test_the_table_has_one_row_per_candidate_with_every_index():
    swept = run(blobs(400), publish=3)
    assert swept.metrics["k"].to_list() == [2, 3, 4, 5, 6, 7, 8]
    assert swept.metrics.drop("lift", "bootstrap_ari").null_count().sum_horizontal().item() == 0
    assert swept.metrics.filter("is_published")["k"].to_list() == [3]
    assert swept.metrics["is_elbow"].sum() == 1
    assert swept.published.k == 3


def test_publish_elbow_publishes_the_knee():
    metrics = run(blobs(400), publish="elbow").metrics
    assert metrics["is_elbow"].to_list() == metrics["is_published"].to_list()


def test_planted_blobs_make_the_elbow():
    X, _ = make_blobs(900, 4, centers=4, cluster_std=0.4, random_state=3)
    assert run(X.astype(np.float32)).metrics.filter("is_elbow")["k"].item() == 4


@pytest.mark.parametrize("rows", [600, pytest.param(30_000, marks=pytest.mark.long)])
def test_inertia_is_no_worse_than_ten_full_restarts(rows):
    X = blobs(rows)
    for fit in run(X, candidates=[3, 6, 8]).fits:
        full = KMeans(fit.k, n_init=10, random_state=0).fit(X.astype(np.float64))
        assert fit.inertia <= full.inertia_ * 1.001


def test_the_number_of_workers_does_not_change_a_byte(monkeypatch):
    monkeypatch.setattr(kmeans, "SAMPLE_ROWS", 1_000)
    monkeypatch.setattr(kmeans, "MIDDLE_ROWS", 2_000)
    X = blobs(3_000)
    one, three = run(X, workers=1), run(X, workers=3)
    for a, b in zip(one.fits, three.fits, strict=True):
        assert a.centroids.tobytes() == b.centroids.tobytes()
        assert a.labels.tobytes() == b.labels.tobytes()
    assert one.metrics.equals(three.metrics)


def test_another_seed_draws_other_starts_and_the_same_seed_the_same():
    X = blobs(300)
    assert run(X, seed=1).metrics.equals(run(X, seed=1).metrics)
    assert run(X, seed=1).fits[-1].centroids.tobytes() != run(X, seed=2).fits[-1].centroids.tobytes()


def test_labels_are_the_nearest_centroid_and_distances_are_theirs():
    X = blobs(300)
    fit = run(X).of(5)
    distances = ((X[:, None] - fit.centroids[None]) ** 2).sum(axis=2)
    np.testing.assert_array_equal(fit.labels, distances.argmin(axis=1))
    np.testing.assert_allclose(fit.squared_distances, distances.min(axis=1), rtol=1e-4)


def test_assignment_in_chunks_is_assignment_at_once(monkeypatch):
    X = blobs(1000)
    whole = assignment.assign(X, X[:6].copy())
    monkeypatch.setattr(assignment, "_CHUNK_ROWS", 7)
    np.testing.assert_array_equal(assignment.assign(X, X[:6].copy())[0], whole[0])


def test_candidates_are_fitted_as_far_as_there_are_different_rows():
    X = np.repeat(blobs(300)[:6], 100, axis=0)
    swept = run(X, publish=5)
    assert swept.candidates == (2, 3, 4, 5, 6)
    assert swept.published.k == 5
    assert swept.published.inertia > 0
    assert (swept.metrics["size_min"] > 0).all()
    assert run(blobs(300)[:3]).candidates == (2, 3)


@pytest.mark.parametrize(
    ("rows", "publish", "says"),
    [(1, "elbow", "only 1 different rows.*2 segments"), (4, 5, "only 4 different rows.*5 segments")],
)
def test_without_rows_for_the_published_k_nothing_can_be_trained(rows, publish, says):
    with pytest.raises(UntrainableError, match=says):
        run(np.repeat(blobs(300)[:rows], 100, axis=0), publish=publish)


def test_metrics_are_a_frame_of_the_published_types():
    schema = run(blobs(200)).metrics.schema
    assert schema["k"] == pl.Int32
    assert schema["inertia"] == pl.Float64
    assert schema["is_elbow"] == pl.Boolean


def test_every_fit_is_told_of_in_its_turn():
    told: list[tuple[int, int]] = []
    declared = Clustering.model_validate({"candidates": [2, 3, 4], "publish": 3})
    sweep(blobs(400), declared, rng=np.random.default_rng(0), tell=lambda done, of: told.append((done, of)))
    assert told == [(done, 9) for done in range(1, 10)]
