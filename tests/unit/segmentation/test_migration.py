"""Who went where between refreshes, and since when somebody is where they are."""

from datetime import datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml.segmentation.identity import Promoted, match, membership_history, migration
from ml.segmentation.model import SegmentationModel
from ml.segmentation.train import train
from tests.unit.segmentation.test_identity import members, moved
from tests.unit.segmentation.test_spec import declare

START = datetime(2026, 1, 1)
CENTRES = np.array([[0, 0], [6, 0], [0, 6], [6, 6], [3, 12]])


def watched(kinds: np.ndarray, rng: np.random.Generator) -> pl.DataFrame:
    """What viewers of five kinds rated in a month; the kinds change places in their totals from month to month."""
    ratings = CENTRES[kinds] + rng.normal(0, 0.7, (len(kinds), 2))
    total = rng.permutation(5)[kinds] * 100 + rng.integers(0, 50, len(kinds))
    return pl.DataFrame(
        {
            "user_id": np.arange(len(kinds)),
            "total": total,
            "avg_drama": ratings[:, 0],
            "avg_comedy": ratings[:, 1],
        }
    )


def test_twelve_refits_with_a_tenth_of_the_users_moving_keep_every_id_and_name_and_tell_who_moved():
    rng = np.random.default_rng(0)
    kinds = rng.choice(5, 1_500, p=[0.3, 0.25, 0.2, 0.15, 0.1])
    was: tuple[SegmentationModel, pl.DataFrame] | None = None
    labels_changed = 0
    for month in range(13):
        before, kinds = kinds, moved(kinds, 0.1, 5, rng) if was else kinds
        frame = watched(kinds, rng)
        spec = declare(
            clustering={"candidates": [4, 5], "publish": 5, "restarts": 2, "seed": month},
            naming={"rank_by": "total", "rules": [{"name": "Drama", "feature": "avg_drama"}]},
        )
        training = train(frame, spec, workers=1)
        if was:
            model, former = was
            names = dict(zip(model.segment_ids, model.segment_names, strict=True))
            found = training.published
            matching = match(Promoted(former, names), found.members(frame), found.segment_names)
            labels_changed += matching.segment_ids != (0, 1, 2, 3, 4)
            training = training.identified(matching)
            assert training.published.segment_ids == (0, 1, 2, 3, 4)
            assert training.published.segment_names == model.segment_names
            told = migration(former, training.published.members(frame))
            of_kind = dict(
                former.with_columns(kind=before)
                .group_by("segment_id")
                .agg(pl.col("kind").mode().first())
                .iter_rows()
            )
            for from_id, to_id, _, share in told.iter_rows():
                own = before == of_kind[from_id]
                assert share == pytest.approx((kinds[own] == of_kind[to_id]).mean(), abs=0.01)
        was = training.published, training.published.members(frame)
    assert labels_changed > 6  # or there was nothing to keep


def test_migration_counts_who_stayed_moved_came_and_went():
    before, after = members([0, 0, 0, 0, 1]), members([0, 3, 1, 1], first=1)
    assert migration(before, after).rows() == [
        (0, 0, 1, 0.25),
        (0, 1, 1, 0.25),
        (0, 3, 1, 0.25),
        (0, None, 1, 0.25),
        (1, 1, 1, 1.0),
    ]
    assert migration(after, members([7], first=9)).rows()[-1] == (None, 7, 1, 1.0)


def named(segments: dict[str, int]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "entity_id": list(segments),
            "segment_id": list(segments.values()),
            "segment_name": [f"S{segment}" for segment in segments.values()],
        },
        schema={"entity_id": pl.String, "segment_id": pl.Int32, "segment_name": pl.String},
    )


def test_memberships_end_where_somebody_moves_or_goes_and_begin_where_somebody_comes():
    first, second = START, START + timedelta(days=30)
    history = membership_history(None, named({"a": 0, "b": 0, "c": 1}), first)
    assert history["left_at"].null_count() == 3
    after = membership_history(history, named({"a": 0, "b": 1, "d": 1}), second)
    assert sorted(after.rows()) == [
        ("a", 0, "S0", first, None),
        ("b", 0, "S0", first, second),
        ("b", 1, "S1", second, None),
        ("c", 1, "S1", first, second),
        ("d", 1, "S1", second, None),
    ]


@given(
    st.lists(st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 2)), min_size=1, max_size=5), st.data()
)
@settings(max_examples=40, deadline=None)
def test_the_history_tells_for_every_time_who_was_where_whatever_was_said_again(refreshes, data):
    history = None
    for month, segments in enumerate(refreshes):
        for said in [*data.draw(st.lists(st.sampled_from(refreshes), max_size=2)), segments]:
            history = membership_history(history, named(said), START + timedelta(days=month))
    for month, segments in enumerate(refreshes):
        at = START + timedelta(days=month)
        open_then = pl.col("left_at").is_null() | (pl.col("left_at") > at)
        there = history.filter(pl.col("entered_at") <= at, open_then)
        assert dict(there.select("entity_id", "segment_id").iter_rows()) == segments
        assert len(there) == len(segments)
    stays = history.sort("entity_id", "entered_at").with_columns(
        again=(pl.col("entered_at") == pl.col("left_at").shift(1))
        & (pl.col("segment_id") == pl.col("segment_id").shift(1))
        & (pl.col("entity_id") == pl.col("entity_id").shift(1))
    )
    assert not stays["again"].any()


def test_a_time_before_the_last_and_two_segments_at_once_are_refused():
    history = membership_history(None, named({"a": 0}), START)
    with pytest.raises(ValueError, match="2025-12-31 00:00:00 is before 2026-01-01"):
        membership_history(history, named({"a": 1}), START - timedelta(days=1))
    with pytest.raises(ValueError, match="more than one row of an entity"):
        membership_history(history, pl.concat([named({"a": 1}), named({"a": 0})]), START)
