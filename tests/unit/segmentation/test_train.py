"""Training names segments by what they are; a stored model scores without refitting."""

import json

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.decomposition import PCA

from ml.segmentation.errors import SegmentationError
from ml.segmentation.identity import Matching
from ml.segmentation.model import SegmentationModel
from ml.segmentation.naming import name_segments, rank_order
from ml.segmentation.profile import profile
from ml.segmentation.projection import principal_components
from ml.segmentation.spec import Naming
from ml.segmentation.train import train
from tests.unit.segmentation.test_spec import declare


def viewers(per_kind: int = 60, seed: int = 0) -> pl.DataFrame:
    """Three kinds of viewer, planted apart, in shuffled order; total says which kind rates most."""
    rng = np.random.default_rng(seed)
    kinds = rng.permutation(np.repeat([0, 1, 2], per_kind))
    centres = np.array([[0.0, 4.0], [2.0, 0.0], [4.0, 4.0]])
    ratings = centres[kinds] + rng.normal(0, 0.2, (len(kinds), 2))
    return pl.DataFrame(
        {
            "user_id": np.arange(len(kinds)),
            "total": np.array([50, 5, 500])[kinds] + rng.integers(0, 5, len(kinds)),
            "avg_drama": ratings[:, 0],
            "avg_comedy": ratings[:, 1],
        }
    )


def test_names_follow_the_rank_whatever_labels_k_means_gave():
    for seed in range(5):
        frame = viewers()
        model = train(frame, declare(clustering__seed=seed, naming__names=["few", "some", "many"])).published
        members = model.members(frame).with_columns(frame["total"])
        means = members.group_by("segment_name").agg(pl.col("total").mean())
        order = means.sort("total")["segment_name"].to_list()
        assert order == ["few", "some", "many"]


def test_a_stored_model_gives_the_segments_of_training_without_refitting():
    frame = viewers()
    model = train(frame, declare()).published
    again = SegmentationModel.from_json(model.to_json())
    assert again.to_json() == model.to_json()
    assert again.members(frame).equals(model.members(frame))
    alone = again.members(frame.slice(7, 1))
    assert alone.row(0) == model.members(frame).row(7)


def test_the_same_frame_and_seed_give_the_same_model_text():
    assert train(viewers(), declare()).published.to_json() == train(viewers(), declare()).published.to_json()


def test_explored_candidates_have_models_with_neutral_names():
    training = train(viewers(), declare())
    assert set(training.models) == {2, 3}
    assert training.models[2].segment_names == ("Group 1", "Group 2")


def test_only_a_model_with_limits_is_written_in_the_format_that_has_them():
    winsorized = declare(features__prepare=[{"step": "winsorize", "share": 0.01}, "standardize"])
    texts = [train(viewers(), spec).published.to_json() for spec in (declare(), winsorized)]
    assert [json.loads(text)["format"] for text in texts] == [1, 2]
    assert [SegmentationModel.from_json(text).to_json() for text in texts] == texts


def test_ids_that_a_refit_kept_are_those_of_members_and_stand_in_a_format_of_their_own():
    model = train(viewers(), declare()).published
    kept = model.identified([4, 0, 2], ["x", "y", "z"])
    assert (kept.segment_ids, kept.segment_names) == ((0, 2, 4), ("y", "z", "x"))
    before, after = (m.members(viewers())["segment_id"] for m in (model, kept))
    assert after.to_list() == [[4, 0, 2][i] for i in before]
    assert kept.members(viewers()).select("segment_id", "segment_name").unique().sort(
        "segment_id"
    ).rows() == [
        (0, "y"),
        (2, "z"),
        (4, "x"),
    ]
    assert json.loads(kept.to_json())["format"] == 3
    again = SegmentationModel.from_json(kept.to_json())
    assert again.to_json() == kept.to_json()
    assert again.members(viewers()).equals(kept.members(viewers()))


def test_a_training_takes_over_ids_in_everything_that_names_segments():
    training = train(viewers(), declare())
    ids = (4, 0, 2)
    taken = training.identified(Matching(ids, ("x", "y", "z"), pl.DataFrame()))
    assert taken.published.segment_ids == (0, 2, 4)
    assert taken.models[2].segment_ids == (0, 1)
    nearest = training.free_segments["nearest_segment_id"]
    assert taken.free_segments["nearest_segment_id"].to_list() == sorted(ids[i] for i in nearest)
    assert taken.free_segments["group_id"].to_list() == [0, 1, 2]


def test_a_model_of_another_format_is_refused():
    with pytest.raises(ValueError, match="format 99"):
        SegmentationModel.from_json('{"format": 99}')


@pytest.mark.parametrize(
    ("frame", "says"),
    [
        (viewers().drop("user_id"), "viewers: entity: no column 'user_id'"),
        (viewers().drop("total"), "naming.rank_by: no column 'total'"),
        (viewers().drop("avg_drama", "avg_comedy"), "no column matches"),
        (pl.concat([viewers(), viewers()]), "one row per user_id"),
        (viewers().head(2), "only 2 different rows"),
        (viewers().head(0), "viewers: features.viewers has no rows"),
        (viewers().with_columns(pl.col("^avg_.*$") * 0), "no feature is left: each of avg_"),
    ],
)
def test_a_frame_that_cannot_be_segmented_is_refused_by_name_and_reason(frame, says):
    with pytest.raises(SegmentationError, match=says):
        train(frame, declare())


def test_a_judged_column_that_is_not_there_is_refused_before_anything_is_fitted():
    with pytest.raises(SegmentationError, match=r"judge\.against: no column 'country'"):
        train(viewers(), declare(judge={"features": ["total"], "against": ["country"]}))


def test_rules_name_segments_by_their_means_and_the_rest_are_numbered():
    means = pl.DataFrame({"drama": [0.1, 0.9, 0.5], "total": [1.0, 2.0, 3.0]})
    naming = Naming.model_validate(
        {
            "rank_by": "total",
            "rules": [
                {"name": "Drama lovers", "feature": "drama"},
                {"name": "Quiet", "feature": "total", "pick": "lowest", "at_most": 1.5},
            ],
        }
    )
    assert name_segments(naming, means, np.arange(3), 3) == ("Quiet", "Drama lovers", "Segment 3")


def test_a_rule_that_claims_no_segment_says_what_the_means_are():
    naming = Naming.model_validate(
        {"rank_by": "total", "rules": [{"name": "Huge", "feature": "total", "at_least": 99}]}
    )
    with pytest.raises(SegmentationError, match=r"'Huge' claims no segment: mean total is 1, 2"):
        name_segments(naming, pl.DataFrame({"total": [1.0, 2.0]}), np.arange(2), 2)


def test_an_optional_rule_gives_its_name_only_where_it_is_true():
    rule = {"name": "Huge", "feature": "total", "at_least": 99, "optional": True}
    naming = Naming.model_validate({"rank_by": "total", "rules": [rule]})
    small, large = pl.DataFrame({"total": [1.0, 2.0]}), pl.DataFrame({"total": [1.0, 200.0]})
    assert name_segments(naming, small, np.arange(2), 2) == ("Segment 1", "Segment 2")
    assert name_segments(naming, large, np.arange(2), 2) == ("Segment 1", "Huge")


def test_a_rule_names_nobody_where_all_segments_are_alike_in_its_feature():
    naming = Naming.model_validate(
        {
            "rank_by": "total",
            "rules": [{"name": "Loved", "feature": "score"}, {"name": "Old", "feature": "age"}],
        }
    )
    means = pl.DataFrame({"score": [0.3, 0.1 + 0.2], "age": [1.0, 2.0]})
    assert name_segments(naming, means, np.arange(2), 2) == ("Segment 1", "Old")


@given(st.permutations(range(4)))
def test_rank_order_does_not_depend_on_label_numbers(permutation):
    values = np.array([1.0, 1.0, 20.0, 30.0, 400.0])
    labels = np.array(permutation)[[0, 0, 1, 2, 3]]
    assert rank_order(values, labels, 4).tolist() == list(permutation)


@given(st.lists(st.tuples(st.integers(0, 2), st.floats(-100, 100)), min_size=3, max_size=40))
@settings(max_examples=60)
def test_segment_means_weighted_by_size_give_the_base(rows):
    ids = np.array([row[0] for row in rows])
    frame = pl.DataFrame({"x": [row[1] for row in rows]})
    table = profile(frame, ids, 3)
    sizes = np.bincount(ids, minlength=3)
    assert (table["segment_mean"].to_numpy() * sizes).sum() / len(ids) == pytest.approx(
        table["base_mean"][0], abs=1e-9
    )


def test_the_index_is_100_at_the_base_and_null_where_the_base_is_zero():
    table = profile(pl.DataFrame({"x": [1.0, 3.0], "none": [0.0, 0.0]}), np.array([0, 1]), 2)
    assert table.filter(feature="x")["index"].to_list() == [50.0, 150.0]
    assert table.filter(feature="none")["index"].to_list() == [None, None]


def test_principal_components_agree_with_scikit_learn_up_to_sign():
    X = np.random.default_rng(2).normal(size=(200, 6)) @ np.diag([5, 3, 2, 1, 1, 1])
    ours, theirs = principal_components(X), PCA(2).fit(X)
    np.testing.assert_allclose(ours.explained_variance_ratio, theirs.explained_variance_ratio_, rtol=1e-9)
    np.testing.assert_allclose(np.abs(ours.components), np.abs(theirs.components_), atol=1e-9)
    assert (ours.components[np.arange(2), np.abs(ours.components).argmax(axis=1)] > 0).all()


def test_a_single_feature_has_a_single_component():
    projection = principal_components(np.arange(5.0)[:, None])
    assert projection.transform(np.arange(5.0)[:, None]).shape == (5, 1)
