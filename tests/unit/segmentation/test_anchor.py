"""An anchored segmentation keeps the declared names where they were declared, whatever the seed."""

from typing import Any

import numpy as np
import polars as pl
import pytest

from ml.segmentation.anchor import anchor_groups
from ml.segmentation.errors import SegmentationError
from ml.segmentation.train import train
from tests.unit.segmentation.test_spec import anchored
from tests.unit.segmentation.test_train import viewers


def declared(**changes: Any):
    return anchored(naming={"names": ["many", "few", "some"]}, **changes)


def ruled(per_kind: int = 60) -> pl.DataFrame:
    """The three kinds of viewer, with the rule that tells them apart."""
    total = pl.col("total")
    kind = pl.when(total < 20).then(pl.lit("few")).when(total < 100).then(pl.lit("some"))
    return viewers(per_kind).with_columns(rule=kind.otherwise(pl.lit("many")))


@pytest.mark.parametrize("method", ["kmeans", "ward_then_kmeans"])
@pytest.mark.parametrize("seed", [0, 7])
def test_ids_and_names_follow_the_declared_order_whatever_the_seed_and_method(seed, method):
    training = train(ruled(), declared(clustering__seed=seed, clustering__method=method))
    members = training.published.members(ruled())
    assert training.published.segment_names == ("many", "few", "some")
    assert members["segment_name"].to_list() == ruled()["rule"].to_list()
    assert members["segment_id"].n_unique() == 3
    assert training.start_agreement["left_rule"].item() == 0


def test_rows_that_left_their_rule_are_counted_and_belong_to_the_nearest_segment():
    strayed = ruled().with_columns(
        rule=pl.when(pl.int_range(pl.len()) < 5).then(pl.lit("many")).otherwise("rule")
    )
    training = train(strayed, declared())
    expected = (strayed["rule"] != ruled()["rule"]).sum()
    assert expected > 0
    assert training.start_agreement["left_rule"].item() == expected
    assert training.published.members(strayed)["segment_name"].to_list() == ruled()["rule"].to_list()


def test_a_poor_rule_is_published_as_declared_with_the_better_free_optimum_beside_it():
    rng = np.random.default_rng(0)
    # Two pairs of corners; the rule divides one pair, and splitting the other one serves as well.
    corner = rng.integers(0, 4, 400)
    x, y = (corner % 2) * 10.0 + rng.normal(0, 0.3, 400), (corner // 2) * 1.0 + rng.normal(0, 0.3, 400)
    rule = pl.Series(np.where(x > 5, "many", np.where(y > 0.5, "few", "some")))
    frame = pl.DataFrame({"user_id": range(400), "avg_x": x, "avg_y": y, "rule": rule})
    training = train(frame, declared(features__prepare=[]))
    row = training.start_agreement.row(0, named=True)
    assert row["is_anchored"]
    assert row["free_inertia"] <= row["inertia"]
    assert training.sweep.metrics.filter("is_published")["inertia"].item() == row["inertia"]
    assert training.free_segments["members"].sum() == 400


def test_the_other_candidates_are_fitted_as_without_an_anchor():
    with_anchor = train(
        ruled(), anchored(clustering__method="kmeans", naming={"names": ["many", "few", "some"]})
    )
    free = train(
        ruled(), anchored(clustering__method="kmeans", clustering__anchor=None, naming={"rank_by": "total"})
    )
    for k in (2, 4):
        assert with_anchor.sweep.of(k).centroids.tobytes() == free.sweep.of(k).centroids.tobytes()
    assert with_anchor.models[2].segment_names == ("Group 1", "Group 2")


def test_explored_candidates_of_an_anchored_segmentation_put_larger_groups_first():
    training = train(ruled(), declared())
    sizes = training.models[2].members(ruled()).group_by("segment_id").len().sort("segment_id")["len"]
    assert sizes[0] >= sizes[1]


def test_a_group_with_one_row_keeps_it():
    frame = ruled().with_columns(
        avg_drama=pl.when(pl.col("user_id") == 3).then(400.0).otherwise("avg_drama"),
        rule=pl.when(pl.col("user_id") == 3).then(pl.lit("alone")).otherwise("rule"),
    )
    spec = anchored(
        naming={"names": ["many", "few", "some", "alone"]}, clustering__publish=4, features__prepare=[]
    )
    members = train(frame, spec).published.members(frame)
    assert members.filter(segment_name="alone")["entity_id"].to_list() == ["3"]


@pytest.mark.parametrize(
    ("frame", "says"),
    [
        (ruled().drop("rule"), "viewers: clustering.anchor: no column 'rule'"),
        (ruled().with_columns(rule=pl.lit(1)), "rule must be text, the name of a group; it is Int32"),
        (ruled().with_columns(rule=pl.lit(None, dtype=pl.String)), "rule is empty in 180 rows"),
        (ruled().with_columns(rule=pl.lit("else")), "rule has 'else', which naming.names does not list"),
        (ruled().with_columns(rule=pl.lit("many")), "no row of rule is 'few', 'some'; a segment starts from"),
        (ruled().filter(pl.col("rule") != "few"), "no row of rule is 'few'"),
        (ruled().head(3), "no row of"),
        (
            viewers().with_columns(
                rule=pl.Series(["many", "few", "some"] * 60),
                avg_drama=pl.Series([0.0, 0.0, 1.0] * 60),
                avg_comedy=pl.Series([float(i % 90 // 3) for i in range(180)]),
            ),
            "'few' ends with more rows of 'some' than of its own",
        ),
    ],
)
def test_an_anchor_that_names_cannot_hold_on_to_is_refused_with_the_reason(frame, says):
    with pytest.raises(SegmentationError, match=says):
        train(frame, declared())


def test_groups_are_numbered_as_the_names_are_listed():
    frame = pl.DataFrame({"rule": ["b", "a", "b"]}, schema={"rule": pl.Categorical})
    assert anchor_groups(frame, "rule", ["a", "b"]).tolist() == [1, 0, 1]
