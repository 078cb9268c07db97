"""Who was in which segment when, and which runs a set may be compared with."""

from datetime import datetime

import polars as pl
import pytest

from published.finding import current_set, set_of_run
from published.questions import changes
from tests.unit.published.conftest import SEGMENTS

FIRST, SECOND = datetime(2026, 1, 1, 4), datetime(2026, 1, 2, 4)
HISTORY = pl.DataFrame(
    [
        ("user_ratings", "stays", 0, "A", FIRST, None),
        ("user_ratings", "moves", 0, "A", FIRST, SECOND),
        ("user_ratings", "moves", 1, "B", SECOND, None),
        ("user_ratings", "leaves", 1, "B", FIRST, SECOND),
        ("user_ratings", "comes", 1, "B", SECOND, None),
        ("user_taste", "stays", 0, "Crime", FIRST, None),
    ],
    schema={
        "segmentation": pl.String,
        "entity_id": pl.String,
        "segment_id": pl.Int32,
        "segment_name": pl.String,
        "entered_at": pl.Datetime("us"),
        "left_at": pl.Datetime("us"),
    },
    orient="row",
)
RUNS = pl.DataFrame(
    [
        ("b2222222-x", "published", "here", datetime(2026, 1, 2, 5)),
        ("c3333333-x", "failure", "here", datetime(2026, 1, 1, 9)),
        ("d4444444-x", "published", "elsewhere", datetime(2026, 1, 1, 8)),
        ("a1111111-x", "published", "here", datetime(2026, 1, 1, 5)),
    ],
    schema=["run_id", "status", "source", "ended_at"],
    orient="row",
)


@pytest.fixture
def warehouse(publish):
    publish("20260101T050000-a1111111", segments=SEGMENTS)
    return publish("20260102T050000-b2222222", segments=SEGMENTS, membership_history=HISTORY, runs=RUNS)


def test_members_are_counted_as_they_were_at_a_moment(warehouse):
    then = changes.segments_at(current_set(warehouse), RUNS["ended_at"][3])
    assert then.rows() == [
        ("user_ratings", 0, "A", 2, pytest.approx(2 / 3)),
        ("user_ratings", 1, "B", 1, pytest.approx(1 / 3)),
        ("user_taste", 0, "Crime", 1, 1.0),
    ]


def test_whoever_stayed_moved_came_or_left_since_a_moment_is_counted_once(warehouse):
    moves = changes.moves_since(current_set(warehouse), "user_ratings", RUNS["ended_at"][3])
    told = moves.select("from_segment_name", "to_segment_name", "entities", "share_of_from").rows()
    assert told == [("A", "A", 1, 0.5), ("A", "B", 1, 0.5), ("B", None, 1, 1.0), (None, "B", 1, None)]


def test_only_runs_that_published_from_the_same_source_are_compared(warehouse):
    data = current_set(warehouse)
    assert changes.runs_of_source(data)["run_id"].to_list() == ["b2222222-x", "a1111111-x"]
    sizes = changes.sizes_over_runs(data, "user_ratings")
    assert sizes["members"].to_list() == [2, 1, 1, 2]


def test_the_set_of_a_run_is_found_while_it_is_kept(warehouse):
    data = current_set(warehouse)
    assert set_of_run(data, "a1111111-x").folder.name == "20260101T050000-a1111111"
    assert set_of_run(data, "d4444444-x") is None
