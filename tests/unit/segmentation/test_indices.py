"""The indices agree with scikit-learn, whose definitions are the field's."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics
from sklearn.datasets import make_blobs

from ml.segmentation.assignment import assign
from ml.segmentation.quality import indices


@pytest.fixture(scope="module")
def blobs():
    X, _ = make_blobs(700, 5, centers=6, cluster_std=3.0, random_state=1)
    return X.astype(np.float32)


def labelling(X: np.ndarray, k: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels around k rows of X, and the exact means of their members as centroids."""
    start = X[np.random.default_rng(seed).choice(len(X), k, replace=False)]
    labels, _ = assign(X, start)
    centroids = np.stack([X[labels == i].mean(axis=0) for i in range(k)])
    return labels, centroids, ((X - centroids[labels]) ** 2).sum(axis=1)


@pytest.mark.parametrize("k", [2, 3, 9])
def test_silhouette_agrees_with_scikit_learn(blobs, k):
    labels, _, _ = labelling(blobs, k)
    (ours,) = indices.silhouettes(blobs, [labels], rng=np.random.default_rng(0))
    assert ours == pytest.approx(metrics.silhouette_score(blobs, labels), abs=1e-5)


def test_silhouettes_of_several_labellings_are_those_of_each_alone(blobs):
    labellings = [labelling(blobs, k)[0] for k in (2, 4, 7)]
    together = indices.silhouettes(blobs, labellings, rng=np.random.default_rng(0))
    alone = [indices.silhouettes(blobs, [labels], rng=np.random.default_rng(0))[0] for labels in labellings]
    assert together == pytest.approx(alone, abs=1e-6)


def test_silhouette_is_sampled_when_rows_exceed_the_sample(blobs):
    labels, _, _ = labelling(blobs, 3)
    chosen = np.sort(np.random.default_rng(5).choice(len(blobs), 300, replace=False))
    (ours,) = indices.silhouettes(blobs, [labels], rng=np.random.default_rng(5), rows=300)
    assert ours == pytest.approx(metrics.silhouette_score(blobs[chosen], labels[chosen]), abs=1e-5)


def test_a_member_alone_in_its_segment_has_silhouette_zero():
    X = np.array([[0.0], [0.1], [9.0]])
    labels = np.array([0, 0, 1])
    (ours,) = indices.silhouettes(X, [labels], rng=np.random.default_rng(0))
    assert ours == pytest.approx(metrics.silhouette_score(X, labels))


def test_silhouette_of_one_segment_is_not_a_number():
    (value,) = indices.silhouettes(np.eye(3), [np.zeros(3, dtype=int)], rng=np.random.default_rng(0))
    assert np.isnan(value)


@pytest.mark.parametrize("k", [2, 5])
def test_calinski_harabasz_and_davies_bouldin_agree_with_scikit_learn(blobs, k):
    labels, centroids, squared = labelling(blobs, k)
    total = indices.total_inertia(blobs)
    assert indices.calinski_harabasz(squared.sum(), total, len(blobs), k) == pytest.approx(
        metrics.calinski_harabasz_score(blobs, labels), rel=1e-4
    )
    assert indices.davies_bouldin(centroids, labels, squared) == pytest.approx(
        metrics.davies_bouldin_score(blobs, labels), rel=1e-4
    )


def test_the_elbow_is_the_candidate_furthest_below_the_chord():
    assert indices.elbow([2, 3, 4, 5, 6], [100.0, 60.0, 30.0, 25.0, 20.0]) == 4


@given(st.lists(st.floats(1, 1e6), min_size=3, max_size=9), st.floats(0.1, 1e3))
@settings(max_examples=50)
def test_the_elbow_does_not_depend_on_the_scale_of_the_features(inertias, scale):
    inertias = sorted(inertias, reverse=True)
    candidates = range(2, 2 + len(inertias))
    chord = np.interp(candidates, [2, candidates[-1]], [inertias[0], inertias[-1]])
    gaps = np.sort(chord - inertias)
    if gaps[-1] - gaps[-2] > 1e-6 * inertias[0]:
        assert indices.elbow(candidates, inertias) == indices.elbow(candidates, [i * scale for i in inertias])


def test_two_candidates_have_no_knee_and_the_first_is_taken():
    assert indices.elbow([2, 3], [5.0, 1.0]) == 2
