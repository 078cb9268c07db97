"""Our loop around scikit-learn's step gives what its estimator gives."""

import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.datasets import make_blobs

from ml.segmentation.lloyd import Rows, converge, converge_each, plus_plus


@pytest.fixture(scope="module")
def rows() -> Rows:
    X, _ = make_blobs(3_000, 6, centers=8, cluster_std=2.0, random_state=1)
    return Rows((X - X.mean(axis=0)).astype(np.float32))


@pytest.mark.parametrize("k", [2, 5, 11])
def test_it_converges_where_the_estimator_converges(rows, k):
    start = plus_plus(rows, k, np.random.default_rng(k), 1)[0]
    inertia, centroids = converge(rows, start)
    estimator = KMeans(k, init=start, n_init=1, algorithm="lloyd").fit(rows.X)
    assert inertia == pytest.approx(estimator.inertia_, rel=1e-5)
    np.testing.assert_allclose(centroids, estimator.cluster_centers_, atol=1e-3)


@pytest.mark.parametrize("rounds", [1, 2, 3])
def test_a_start_that_is_cut_off_has_the_inertia_of_its_last_round(rows, rounds):
    start = rows.X[:4]
    ((together, centroids),) = converge_each(rows, [start], iterations=rounds)
    alone = converge(rows, start, iterations=rounds)
    assert alone[0] == pytest.approx(together, rel=1e-4)
    np.testing.assert_allclose(alone[1], centroids, atol=1e-3)


def test_a_row_as_near_to_two_centroids_counts_with_one():
    X = np.repeat(np.array([[1, 0], [0, 1], [0, 0]], dtype=np.float32), [10, 10, 20], axis=0)
    start = X[[0, 10]]
    ((inertia, _),) = converge_each(Rows(X), [start])
    assert inertia == pytest.approx(converge(Rows(X), start)[0])


def test_a_start_is_left_as_it_was(rows):
    start = rows.X[:4].copy()
    converge(rows, start)
    np.testing.assert_array_equal(start, rows.X[:4])


def test_starts_are_rows_of_which_none_is_drawn_twice(rows):
    start = plus_plus(rows, 20, np.random.default_rng(0), 1)[0]
    assert len(np.unique(start, axis=0)) == 20
    assert all((centroid == rows.X).all(axis=1).any() for centroid in start)


def test_a_centroid_without_rows_is_given_some(rows):
    far = np.full((1, 6), 1e3, dtype=np.float32)
    inertia, centroids = converge(rows, np.vstack([rows.X[:3], far]))
    assert np.abs(centroids).max() < 100
    assert inertia < converge(rows, rows.X[:3])[0]


def test_starts_side_by_side_end_where_each_ends_alone(rows):
    starts = plus_plus(rows, 5, np.random.default_rng(1), 6)
    for start, (inertia, centroids) in zip(starts, converge_each(rows, starts), strict=True):
        alone = converge(rows, start)
        assert inertia == pytest.approx(alone[0], rel=1e-5)
        np.testing.assert_allclose(centroids, alone[1], atol=1e-2)


def test_of_starts_side_by_side_one_without_rows_for_a_centroid_is_given_some(rows):
    far = np.vstack([rows.X[:3], np.full((1, 6), 1e3)])
    (_, fine), (_, mended) = converge_each(rows, [rows.X[:4], far.astype(np.float32)])
    np.testing.assert_allclose(fine, converge(rows, rows.X[:4])[1], atol=1e-2)
    assert np.abs(mended).max() < 100


def test_a_start_that_is_only_begun_is_no_better_than_one_that_ends():
    noise = Rows(np.random.default_rng(0).normal(size=(2_000, 4)).astype(np.float32))
    starts = plus_plus(noise, 8, np.random.default_rng(2), 4)
    begun, ended = converge_each(noise, starts, iterations=3), converge_each(noise, starts)
    assert all(early > late for (early, _), (late, _) in zip(begun, ended, strict=True))


@pytest.mark.parametrize("seed", range(4))
def test_rows_that_lie_on_their_centroids_have_no_inertia_and_never_less(seed):
    points = np.random.default_rng(seed).normal(size=(3, 4)).astype(np.float32)
    ((inertia, _),) = converge_each(Rows(np.repeat(points, 50, axis=0)), [points])
    assert 0 <= inertia == pytest.approx(0, abs=1e-4)
