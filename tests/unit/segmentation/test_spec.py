"""A wrong declaration is refused with the field and what is accepted."""

from typing import Any

import pytest
from pydantic import ValidationError

from ml.errors import SegmentationError
from ml.segmentation.spec import SegmentationSpec, select_columns


def declare(**changes: Any) -> SegmentationSpec:
    declaration: dict[str, Any] = {
        "name": "viewers",
        "description": "Viewers",
        "entity": "user_id",
        "features": {"table": "features.viewers", "columns": ["avg_*"], "prepare": ["standardize"]},
        "clustering": {"candidates": [2, 3, 4], "explore": [2], "publish": 3},
        "naming": {"rank_by": "total", "names": ["a", "b", "c"]},
    }
    for path, value in changes.items():
        *parents, field = path.split("__")
        place = declaration
        for parent in parents:
            place = place[parent]
        place[field] = value
    return SegmentationSpec.model_validate(declaration)


def test_a_complete_declaration_is_accepted():
    assert declare().clustering.publish == 3


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"clustering__method": "dbscan"}, "kmeans"),
        ({"clustering__candidates": [3, 2]}, "increasing"),
        ({"clustering__candidates": [1, 2, 3]}, "greater than or equal to 2"),
        ({"clustering__publish": 9}, "not among the candidates"),
        ({"clustering__explore": [7]}, "not among the candidates"),
        ({"clustering__restarts": 0}, "greater than or equal to 1"),
        ({"features__prepare": ["whiten"]}, "standardize"),
        ({"features__missing": "guess"}, "zero"),
        ({"features__table": "no_schema"}, "pattern"),
        ({"features__columns": []}, "at least 1"),
        ({"naming__names": ["a", "b"]}, "2 names for clustering.publish = 3"),
        ({"naming__names": ["a", "b", "b"]}, "differ"),
        ({"naming__rules": [{"name": "x", "feature": "total"}]}, "not both"),
        ({"clustering__publish": "elbow"}, "as a number"),
        ({"colour": "red"}, "Extra inputs are not permitted"),
        ({"name": "Two Words"}, "pattern"),
    ],
)
def test_a_wrong_field_is_refused_with_what_is_accepted(change, says):
    with pytest.raises(ValidationError, match=says):
        declare(**change)


def test_columns_come_in_table_order_whatever_the_order_of_patterns():
    assert select_columns(["b_*", "a"], ["a", "b_1", "c", "b_2"]) == ["a", "b_1", "b_2"]


def test_a_pattern_that_matches_nothing_names_what_there_is():
    with pytest.raises(SegmentationError, match=r"no column matches 'x_\*'; there are: a, b"):
        select_columns(["x_*"], ["a", "b"])
