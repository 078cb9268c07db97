"""What free starts came to stands beside the published segments."""

import numpy as np
import polars as pl
import pytest
from sklearn.datasets import make_blobs

from ml.segmentation import kmeans
from ml.segmentation.agreement import adjusted_rand_index
from ml.segmentation.starts import free_segments
from ml.segmentation.train import Training, train
from tests.unit.segmentation.test_spec import declare
from tests.unit.segmentation.test_train import viewers


def noise(n: int) -> pl.DataFrame:
    X, _ = make_blobs(n, 6, centers=9, cluster_std=6, random_state=0)
    frame = pl.DataFrame(X, schema=[f"avg_{i}" for i in range(6)])
    return frame.with_columns(user_id=pl.int_range(pl.len()), total=pl.col("avg_0"))


def trained(frame: pl.DataFrame, method: str = "kmeans", **clustering) -> Training:
    changes = {f"clustering__{field}": value for field, value in clustering.items()}
    return train(frame, declare(clustering__method=method, **changes))


def test_starts_that_all_find_the_planted_kinds_agree():
    row = trained(viewers()).start_agreement.row(0, named=True)
    assert row["starts"] == 10 * kmeans.SMALL_DATA_FACTOR
    assert row["best_start_share"] == row["start_agreement"] == row["free_agreement"] == 1
    assert row["inertia"] == row["free_inertia"]
    assert (row["is_anchored"], row["left_rule"], row["ward_k"], row["ward_rows"]) == (
        False,
        None,
        None,
        None,
    )


def test_starts_that_end_in_different_optima_show_it():
    row = trained(noise(600)).start_agreement.row(0, named=True)
    assert 0 < row["best_start_share"] < 1
    assert -1 <= row["start_agreement"] < 1


def test_one_start_agrees_with_nothing(monkeypatch):
    monkeypatch.setattr(kmeans, "SMALL_DATA_FACTOR", 1)
    assert trained(viewers(), restarts=1).start_agreement["start_agreement"].item() is None


def test_wards_centroids_are_one_more_start_but_no_random_one_and_never_make_a_fit_worse():
    free, ward = trained(noise(600)), trained(noise(600), "ward_then_kmeans")
    compared = ["starts", "best_start_share", "start_agreement"]
    assert ward.start_agreement[compared].equals(free.start_agreement[compared])
    assert ward.start_agreement["free_inertia"].item() <= free.start_agreement["free_inertia"].item()
    assert ward.start_agreement["ward_rows"].item() == 600
    assert ward.start_agreement["ward_k"].item() in (2, 3, 4)
    assert ward.tree is not None
    assert free.tree is None


def test_publish_ward_publishes_what_the_tree_suggests():
    changes = {"method": "ward_then_kmeans", "publish": "ward", "candidates": [2, 3, 4, 5]}
    declared = {f"clustering__{field}": value for field, value in changes.items()}
    training = train(viewers(), declare(**declared, naming={"rank_by": "total"}))
    assert training.published.k == training.start_agreement["ward_k"].item() == 3


def test_large_data_compares_starts_on_the_sample_they_were_tried_on(monkeypatch):
    monkeypatch.setattr(kmeans, "SAMPLE_ROWS", 300)
    training = trained(noise(2_000))
    assert len(training.sweep.free.rows) == 300
    assert training.start_agreement["starts"].item() == 10
    assert training.free_segments["members"].sum() == 2_000


def test_a_free_group_is_described_by_the_segment_that_most_of_it_is_in():
    published, free = np.array([0, 0, 0, 1, 1, 2]), np.array([2, 2, 1, 0, 0, 0])
    table = free_segments(published, free, 3)
    assert table.rows() == [(0, 2, 0, 2), (1, 1, 0, 1), (2, 3, 1, 2)]
    assert table.columns == ["group_id", "members", "nearest_segment_id", "shared_members"]


def test_without_an_anchor_the_free_groups_are_the_published_segments():
    training = trained(viewers())
    table = training.free_segments
    assert table["group_id"].to_list() == table["nearest_segment_id"].to_list() == [0, 1, 2]
    assert table["members"].to_list() == table["shared_members"].to_list()


@pytest.mark.parametrize("method", ["kmeans", "ward_then_kmeans"])
def test_the_same_seed_gives_the_same_frames(method):
    one, two = trained(noise(400), method), trained(noise(400), method)
    assert one.start_agreement.equals(two.start_agreement)
    assert one.free_segments.equals(two.free_segments)
    labels = [pl.Series(training.sweep.published.labels) for training in (one, two)]
    assert adjusted_rand_index(*labels) == 1
