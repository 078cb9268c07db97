"""Segments that are there come back on other rows of the same kind; drawn ones do not."""

import numpy as np
import pytest
from sklearn.datasets import make_blobs
from sklearn.metrics import adjusted_rand_score, jaccard_score

from ml.segmentation.assignment import assign
from ml.segmentation.quality.stability import agreement, aligned, bootstrap, refit, sample, stability
from ml.segmentation.quality.structure import structure

K = 4


def planted(rows: int = 600, seed: int = 2) -> np.ndarray:
    X, _ = make_blobs(rows, 5, centers=K, cluster_std=1.0, random_state=seed)
    return X.astype(np.float32)


def noise(rows: int = 600, columns: int = 5) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(rows, columns)).astype(np.float32)


def labelled(X: np.ndarray, k: int = K) -> np.ndarray:
    return assign(X, refit(X, k, np.random.default_rng(3)))[0]


def figures(X: np.ndarray, k: int = K, seed: int = 1, workers: int = 1) -> dict:
    found = stability(X, labelled(X, k), k, rng=np.random.default_rng(seed), workers=workers)
    return {(figure.measure, figure.segment_id): figure for figure in found}


@pytest.fixture(scope="module")
def of_planted():
    return figures(planted())


@pytest.fixture(scope="module")
def of_noise():
    return figures(noise())


MEASURES = ["bootstrap_ari", "smallest_jaccard", "restart_ari", "prediction_strength", "generalizability"]


@pytest.mark.parametrize("measure", MEASURES)
def test_planted_segments_come_back(of_planted, measure):
    assert of_planted[measure, None].value > 0.95


@pytest.mark.parametrize("measure", [measure for measure in MEASURES if measure != "restart_ari"])
def test_segments_drawn_through_noise_do_not(of_noise, measure):
    assert of_noise[measure, None].value < 0.6


def test_an_interval_surrounds_what_it_belongs_to(of_noise):
    assert all(figure.low <= figure.value <= figure.high for figure in of_noise.values())
    assert of_noise["bootstrap_ari", None].high > of_noise["bootstrap_ari", None].low


def test_the_smallest_jaccard_is_that_of_the_least_stable_segment(of_noise):
    of_segments = [of_noise["jaccard", segment].value for segment in range(K)]
    assert of_noise["smallest_jaccard", None].value == min(of_segments)


def test_the_segment_that_is_cut_in_two_at_random_is_the_one_that_does_not_come_back():
    X = planted()
    labels = labelled(X)
    halved = np.where((labels == 0) & (np.arange(len(X)) % 2 == 0), K, labels)
    found = bootstrap(X, halved, K + 1, rng=np.random.default_rng(1))
    jaccard = [figure.value for figure in found if figure.measure == "jaccard"]
    assert max(jaccard[0], jaccard[K]) < 0.75 < 0.9 < min(jaccard[1:K])


def test_jaccard_is_the_overlap_with_the_most_similar_segment_of_a_refit():
    X = noise(60, 2)
    labels, rng = labelled(X, 2), np.random.default_rng(4)
    again = np.random.default_rng(4).spawn(1)[0]
    drawn = np.sort(again.integers(len(X), size=len(X)))
    refitted = assign(X, refit(X[drawn], 2, again))[0]
    found = bootstrap(X, labels, 2, rng=rng, resamples=1)
    expected = [
        max(jaccard_score(labels == segment, refitted == other) for other in (0, 1)) for segment in (0, 1)
    ]
    assert [figure.value for figure in found if figure.measure == "jaccard"] == pytest.approx(expected)


def test_the_same_seed_gives_the_same_figures_however_many_work():
    X = noise(200)
    assert figures(X) == figures(X, workers=2)


def test_other_numbers_for_the_same_segments_change_no_figure_but_their_own():
    X = planted()
    labels = labelled(X)
    renamed = (labels + 1) % K
    one, other = (bootstrap(X, names, K, rng=np.random.default_rng(1)) for names in (labels, renamed))
    assert one[0] == other[0]
    assert one[2].value == other[2 + 1].value


def test_rows_in_another_order_say_the_same_within_the_interval(of_planted):
    order = np.random.default_rng(9).permutation(600)
    found = figures(planted()[order])
    for measure in MEASURES:
        assert found[measure, None].value == pytest.approx(of_planted[measure, None].value, abs=0.05)


@pytest.mark.parametrize("rows", [4, 5, 7, 9])
def test_a_handful_of_rows_has_figures_or_none_and_no_error(rows):
    found = figures(planted(rows))
    assert (found["prediction_strength", None].value is None) == (rows // 2 < K)
    structure(planted(rows), K, rng=np.random.default_rng(0))


def test_rows_that_are_all_the_same_have_figures():
    X = np.zeros((50, 3), dtype=np.float32)
    assert figures(X, 2)["bootstrap_ari", None].value == 1.0


def test_a_sample_keeps_rows_of_all_arrays_together_and_in_order():
    X, labels = np.arange(100.0)[:, None], np.arange(100)
    some, theirs = sample(X, labels, rng=np.random.default_rng(0), rows=30)
    assert len(some) == 30
    assert (some[:, 0] == theirs).all()
    assert (np.diff(theirs) > 0).all()


def test_aligned_labels_are_called_as_those_they_share_most_rows_with():
    reference = np.array([0, 0, 0, 1, 1, 2])
    assert aligned(np.array([2, 2, 2, 0, 0, 1]), reference, 3).tolist() == reference.tolist()


def test_agreement_is_the_adjusted_rand_index():
    one, other = np.random.default_rng(0).integers(0, 4, (2, 200))
    assert agreement(one, other) == pytest.approx(adjusted_rand_score(one, other))


@pytest.mark.parametrize("columns", [2, 8])
def test_a_single_gaussian_is_explained_as_well_by_one_segment(columns):
    found = structure(noise(250, columns), K, rng=np.random.default_rng(0))
    assert found.high < 0


def test_planted_segments_explain_the_rows_better_than_one_does():
    right, twice = (structure(planted(250), k, rng=np.random.default_rng(0)) for k in (K, 2 * K))
    assert right.low > 0
    assert right.value > twice.value
