"""Of the playbook is said what a segment's figures bear out, and a name that they do not is marked."""

import numpy as np
import polars as pl
import pytest
from pydantic import ValidationError

from ml.segmentation.errors import SegmentationError
from ml.segmentation.playbook import said_of_segments
from ml.segmentation.profile import over_index
from ml.segmentation.shown import describe
from ml.segmentation.spec import SegmentationSpec
from ml.segmentation.train import train

NAMES = ("Quiet", "Usual", "Loud")
MEMBERS = {0: 40, 1: 40, 2: 40}


def spec(playbook: dict, **naming) -> SegmentationSpec:
    return SegmentationSpec.model_validate(
        {
            "name": "viewers",
            "description": "Viewers",
            "entity": "user_id",
            "features": {"table": "features.viewers", "columns": ["titles", "mean_rating"]},
            "clustering": {"candidates": [2, 3, 4], "publish": 3},
            "naming": {"rank_by": "titles", "names": NAMES, **naming},
            "playbook": playbook,
        }
    )


@pytest.fixture(scope="module")
def frame() -> pl.DataFrame:
    """Three groups: few titles and liked, some titles and disliked, many titles and as everybody."""
    around = np.tile(np.linspace(-1, 1, 40), 3)
    titles, rating = np.repeat([10, 100, 250], 40) + 8 * around, np.repeat([4, 2, 3], 40) + around
    return pl.DataFrame({"user_id": range(120), "titles": titles, "mean_rating": rating})


def said(frame: pl.DataFrame, declared: SegmentationSpec) -> pl.DataFrame:
    columns = frame.drop("user_id")
    places = np.repeat([0, 1, 2], 40)
    profiles = over_index(columns, places, 3, rng=np.random.default_rng(0)).join(
        describe(columns, declared), on="feature", how="left"
    )
    return said_of_segments(declared, dict(enumerate(NAMES)), MEMBERS, profiles)


@pytest.mark.parametrize(
    ("when", "told"),
    [
        ({}, NAMES),
        ({"titles": "below"}, ("Quiet", "Usual")),
        ({"titles": "above"}, ("Loud",)),
        ({"titles": "lowest"}, ("Quiet",)),
        ({"titles": "highest"}, ("Loud",)),
        ({"mean_rating": "not_apart"}, ("Loud",)),
        ({"mean_rating": "above", "titles": "below"}, ("Quiet",)),
        ({"titles": {"at_most": 30}}, ("Quiet",)),
        ({"titles": {"at_least": 90, "at_most": 110}}, ("Usual",)),
        ({"titles": {"at_most": 100}}, ("Quiet",)),
        ({"members": {"at_most": 40}}, NAMES),
        ({"share": {"at_most": 0.3}}, ()),
    ],
)
def test_a_sentence_is_said_of_those_alone_whose_whole_interval_bears_it_out(frame, when, told):
    found = said(frame, spec({name: {"audience": {"say": "So it is", "when": when}} for name in NAMES}))
    assert tuple(NAMES[i] for i, text in found.select("segment_id", "audience").iter_rows() if text) == told


def test_sentences_that_hold_stand_together_and_a_text_alone_always_holds(frame):
    play = {"audience": ["Viewers.", {"say": "Many titles", "when": {"titles": "above"}}, "All of them"]}
    found = said(frame, spec({"Quiet": play, "Loud": play}))
    assert found["audience"].to_list() == ["Viewers. All of them", None, "Viewers. Many titles. All of them"]


@pytest.mark.parametrize(
    ("name", "when", "doubt"),
    [
        ("Quiet", {"titles": "lowest", "mean_rating": "above"}, None),
        ("Quiet", {"mean_rating": "below"}, "mean rating 4.00, above everybody's 3.00"),
        ("Usual", {"titles": "lowest"}, "not the lowest of the 3 segments"),
        ("Loud", {"mean_rating": "below"}, "not surely below everybody's 3.00"),
        ("Loud", {"titles": {"at_most": 30}}, "titles 250, more than 30"),
        ("Usual", {"titles": {"at_most": 100}}, "titles 100, not surely at most 100"),
        ("Loud", {"titles": "below", "mean_rating": "above"}, "above everybody's 120; mean rating"),
    ],
)
def test_a_name_that_promises_what_the_figures_do_not_bear_out_is_marked_with_the_figure(
    frame, name, when, doubt
):
    found = said(frame, spec({name: {"name_when": when}}, origin="the published analysis"))
    marked = found["name_doubt"][NAMES.index(name)]
    assert (marked is None) == (doubt is None)
    if doubt:
        assert marked.startswith("name of the published analysis, not borne out here: ")
        assert doubt in marked
    others = found.filter(pl.col("segment_id") != NAMES.index(name))["name_doubt"]
    assert others.null_count() == 2


@pytest.mark.parametrize(
    ("playbook", "says"),
    [
        ({"Nobody": {"audience": "x"}}, "no segment is called 'Nobody'; there are: Quiet, Usual, Loud"),
        ({"Quiet": {"audience": {"say": "x", "when": {"titles": "beyond"}}}}, "'above', 'below', 'highest'"),
        ({"Quiet": {"audience": {"say": "x", "when": {"titles": {}}}}}, "give at_least, at_most or both"),
        ({"Quiet": {"who": "x"}}, "Extra inputs are not permitted"),
    ],
)
def test_a_wrong_playbook_is_refused_with_what_is_accepted(playbook, says):
    with pytest.raises(ValidationError, match=says):
        spec(playbook)


def test_a_condition_on_a_feature_that_does_not_exist_is_refused_with_those_that_do(frame):
    declared = spec({"Quiet": {"audience": {"say": "x", "when": {"satisfaction": "below"}}}})
    with pytest.raises(SegmentationError, match=r"playbook.Quiet: no column 'satisfaction' .* mean_rating"):
        train(frame, declared)
