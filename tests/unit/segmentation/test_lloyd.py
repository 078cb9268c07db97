"""Our loop around scikit-learn's step gives what its estimator gives."""

import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.datasets import make_blobs

from ml.segmentation.lloyd import Rows, converge, plus_plus


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
