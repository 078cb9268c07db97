"""A misspelt name finds the one that was meant."""

import pytest

from ml.recommendation.nearest import nearest_names

NAMES = ["The Long Harbour", "Harbour Lights", "Nine Winters", "Nine Winters II", "Zero"]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("the long harbor", "The Long Harbour"),
        ("Long Harbour, The", "The Long Harbour"),
        ("nine wintres", "Nine Winters"),
        ("ZERO!", "Zero"),
    ],
)
def test_a_misspelt_name_finds_the_one_that_was_meant(typed, meant):
    assert nearest_names(typed, NAMES)[0] == meant


def test_a_whole_name_is_nearer_than_a_short_one_within_it():
    assert nearest_names("toy stroy", ["Troy", "Toy Story"]) == ["Toy Story", "Troy"]


def test_a_part_of_a_name_finds_it_where_no_whole_name_is_like_it():
    assert nearest_names("harbour", NAMES)[0] in ("The Long Harbour", "Harbour Lights")


def test_a_name_like_none_finds_none():
    assert nearest_names("qqqqqqqq", NAMES) == []


def test_of_equally_near_names_the_one_people_look_for_first_comes_first():
    assert nearest_names("same", ["Same", "SAME", "other"], most=1) == ["Same"]


def test_a_name_that_several_titles_share_is_suggested_once():
    assert nearest_names("zeroo", ["Zero", "Zero", "Zero"]) == ["Zero"]
