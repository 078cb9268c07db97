"""A null keeps everything but the taste."""

import numpy as np
import pytest
import scipy.sparse as sp

from ml.segmentation.quality import nulls


@pytest.fixture
def interactions() -> sp.csr_array:
    rng = np.random.default_rng(0)
    counts = rng.integers(1, 30, 200)
    return sp.csr_array((rng.random((200, 80)).argsort(axis=1) < counts[:, None]).astype(np.float32))


def test_random_labels_are_of_the_same_sizes():
    labels = np.repeat([0, 1, 2], [5, 10, 85])
    dealt = nulls.random_labels(labels, np.random.default_rng(0))
    assert (np.bincount(dealt) == np.bincount(labels)).all()
    assert (dealt != labels).any()


def test_quantiles_of_volume_are_of_about_the_same_size_and_in_order_of_volume():
    counts = np.random.default_rng(0).permutation(1000)
    groups = nulls.volume_quantiles(counts, 4)
    assert np.bincount(groups).tolist() == [250] * 4
    assert (np.diff(groups[np.argsort(counts)]) >= 0).all()


def test_users_of_the_same_volume_are_in_the_same_quantile():
    counts = np.repeat([1, 5, 9], [60, 30, 10])
    assert all(len(np.unique(nulls.volume_quantiles(counts, 5)[counts == count])) == 1 for count in (1, 5, 9))


def test_shuffled_titles_keep_how_much_each_user_and_each_title_has(interactions):
    shuffled = nulls.shuffle_titles(interactions, np.random.default_rng(1))
    lost = np.diff(interactions.indptr) - np.diff(shuffled.indptr), (interactions - shuffled).sum(axis=0)
    for missing in lost:
        assert (missing >= 0).all()
        assert missing.sum() < 0.01 * interactions.nnz
    assert shuffled.data.max() == 1
    assert shuffled.multiply(interactions).nnz < 0.5 * interactions.nnz


def test_a_user_who_has_seen_everything_goes_without_what_cannot_be_dealt():
    full = sp.csr_array(np.ones((3, 4), dtype=np.float32))
    shuffled = nulls.shuffle_titles(full, np.random.default_rng(0))
    assert (np.diff(shuffled.indptr) <= 4).all()
    assert shuffled.data.max() == 1


def test_shuffled_genres_are_the_same_sets_on_other_titles():
    genres = sp.csr_array(np.random.default_rng(0).random((50, 6)) < 0.3)
    shuffled = nulls.shuffle_genres(genres, np.random.default_rng(1))
    assert sorted(map(tuple, shuffled.toarray())) == sorted(map(tuple, genres.toarray()))
    assert (shuffled != genres).nnz > 0
