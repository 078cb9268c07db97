"""Breathing never makes a solution worse, and lifts it out of optima that restarts fall into."""

import numpy as np
import pytest
from sklearn.datasets import make_blobs

from ml.segmentation.breathing import breathe, neighbours
from ml.segmentation.lloyd import Rows, converge


@pytest.fixture(scope="module")
def blobs() -> Rows:
    X, _ = make_blobs(800, 3, centers=9, cluster_std=0.3, random_state=4)
    return Rows(X.astype(np.float32))


@pytest.mark.parametrize("seed", range(4))
def test_breathing_finds_planted_blobs_from_a_start_in_one_corner(blobs, seed):
    start = blobs.X[np.argsort(blobs.X[:, 0])[:9]]
    inertia, centroids = converge(blobs, start)
    better, moved = breathe(blobs, inertia, centroids, np.random.default_rng(seed))
    planted = 3 * 0.3**2 * len(blobs)
    assert better <= inertia
    assert better < 1.5 * planted
    assert moved.shape == centroids.shape


def test_one_centroid_can_breathe(blobs):
    inertia, centroids = converge(blobs, blobs.X[:1])
    assert breathe(blobs, inertia, centroids, np.random.default_rng(0))[0] <= inertia


def test_the_solutions_beside_k_give_starts_for_k(blobs):
    _, three = converge(blobs, blobs.X[:3])
    _, five = converge(blobs, blobs.X[:5])
    assert [start.shape for start in neighbours(blobs, three, five)] == [(4, 3), (4, 3)]
    assert neighbours(blobs, None, None) == []
