"""Ward's tree is SciPy's, its cut has exactly k groups, its suggestion is where merging becomes dear."""

import subprocess
import sys

import numpy as np
import pytest
from scipy.cluster.hierarchy import fcluster, linkage
from sklearn.cluster import AgglomerativeClustering
from sklearn.datasets import make_blobs
from sklearn.metrics import adjusted_rand_score

from ml.segmentation.ward import WARD_ROWS, WardTree, group_means, grow


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def blobs(n: int, centers: int) -> np.ndarray:
    X, _ = make_blobs(n, 4, centers=centers, cluster_std=0.4, random_state=3)
    return X.astype(np.float32)


@pytest.mark.parametrize("k", [1, 2, 5, 9, 120])
def test_the_cut_is_the_one_that_scikit_learn_makes(k):
    X = blobs(120, 6)
    ours = grow(X, rng=rng()).cut(k)
    assert adjusted_rand_score(ours, AgglomerativeClustering(k, linkage="ward").fit_predict(X)) == 1
    assert sorted(set(ours)) == list(range(k))


def test_rows_that_repeat_still_give_as_many_groups_as_asked_for():
    X = np.repeat(blobs(5, 5), 10, axis=0)
    tree = grow(X, rng=rng())
    assert len(set(fcluster(linkage(X, "ward"), 7, "maxclust"))) == 5
    assert len(set(tree.cut(7))) == 7


@pytest.mark.parametrize("planted", [2, 3, 5])
def test_the_suggestion_is_the_planted_number_of_groups(planted):
    assert grow(blobs(300, planted), rng=rng()).suggest(range(2, 11)) == planted


def test_the_suggestion_is_the_largest_second_difference_of_the_heights_among_the_candidates():
    heights = np.array([1, 2, 3, 10, 12, 30], dtype=float)  # merges of 7 rows, the last leaves one group
    merges = np.column_stack([np.zeros((6, 2)), heights, np.zeros(6)])
    tree = WardTree(merges, np.arange(7))
    assert tree.suggest(range(2, 8)) == 2  # 30 - 2 * 12 + 10
    assert tree.suggest(range(3, 8)) == 4  # 10 - 2 * 3 + 2
    assert tree.suggest([7]) == 7


def test_a_tree_on_more_rows_than_the_limit_is_grown_on_a_sample_that_the_seed_decides():
    X = np.random.default_rng(1).normal(size=(500, 3)).astype(np.float32)
    one, same, other = (
        grow(X, rng=np.random.default_rng(seed), rows=100).rows.tolist() for seed in (0, 0, 1)
    )
    assert len(one) == 100
    assert one == sorted(set(one)) == same
    assert one != other


def test_a_tree_on_few_rows_has_them_all_and_draws_nothing():
    source = rng()
    assert grow(blobs(50, 2), rng=source).rows.tolist() == list(range(50))
    assert source.random() == rng().random()
    assert WARD_ROWS**2 / 2 * 8 * 2 <= 0.6e9


def test_centroids_are_the_means_of_the_groups():
    X = blobs(60, 3)
    tree = grow(X, rng=rng())
    for group, centroid in enumerate(tree.centroids(X, 3)):
        np.testing.assert_allclose(centroid, X[tree.cut(3) == group].mean(axis=0), rtol=1e-5)


def test_group_means_are_summed_in_double_precision():
    X = np.full((300_000, 1), 0.1, dtype=np.float32)
    assert group_means(X, np.zeros(len(X), dtype=int), 1)[0, 0] == np.float32(0.1)


def test_training_imports_no_tree_code_until_a_tree_is_grown():
    code = "import sys, ml.segmentation.train; sys.exit('scipy.cluster.hierarchy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
