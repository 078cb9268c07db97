"""A wrong declaration is refused with the field and what is accepted."""

from typing import Any

import pytest
from pydantic import ValidationError

from ml.segmentation.errors import SegmentationError
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
        ({"naming__rules": [{"name": "x", "feature": "total"}]}, "give one of"),
        ({"clustering__publish": "elbow"}, "as a number"),
        ({"colour": "red"}, "Extra inputs are not permitted"),
        ({"name": "Two Words"}, "pattern"),
    ],
)
def test_a_wrong_field_is_refused_with_what_is_accepted(change, says):
    with pytest.raises(ValidationError, match=says):
        declare(**change)


def anchored(**changes: Any) -> SegmentationSpec:
    return declare(
        **{
            "clustering__method": "ward_then_kmeans",
            "clustering__anchor": "rule",
            "naming": {"names": ["a", "b", "c"]},
            **changes,
        }
    )


def test_with_an_anchor_names_need_no_rank():
    assert anchored().naming.rank_by is None
    assert anchored(clustering__method="kmeans").clustering.anchor == "rule"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"clustering__anchor": None}, "naming.rank_by is missing: without clustering.anchor"),
        ({"naming": {"rank_by": "total"}}, "clustering.anchor needs naming.names"),
        (
            {"naming": {"rules": [{"name": "x", "feature": "total"}]}},
            "clustering.anchor needs naming.names",
        ),
        ({"clustering__publish": 4}, "3 names for clustering.publish = 4"),
        ({"clustering__publish": "ward"}, "with `ward` the count is not known before"),
    ],
)
def test_an_anchor_is_refused_unless_the_names_are_its_values(change, says):
    with pytest.raises(ValidationError, match=says):
        anchored(**change)


def test_publishing_what_ward_suggests_needs_ward():
    changes = {"clustering__publish": "ward", "naming": {"rank_by": "total"}}
    assert declare(**changes, clustering__method="ward_then_kmeans").clustering.publish == "ward"
    with pytest.raises(ValidationError, match="`ward` needs method: ward_then_kmeans"):
        declare(**changes)


@pytest.mark.parametrize(
    ("step", "says"),
    [
        ({"step": "winsorize"}, "winsorize needs `share`"),
        ({"step": "winsorize", "share": 0.5}, "less than 0.5"),
        ({"step": "log1p", "share": 0.1}, "`share` belongs to winsorize, not to log1p"),
        ("weigh_as_one", "weigh_as_one needs `columns`"),
    ],
)
def test_a_step_of_preparation_is_refused_without_what_it_needs(step, says):
    with pytest.raises(ValidationError, match=says):
        declare(features__prepare=[step])


def test_a_comparison_needs_something_to_explain():
    with pytest.raises(ValidationError, match=r"judge\.against needs judge\.features"):
        declare(judge={"against": ["country"]})


def test_the_distribution_is_of_the_declared_column_or_else_of_the_rank():
    assert declare().distribution == "total"
    assert declare(plots={"distribution": "avg_drama"}).distribution == "avg_drama"
    assert anchored().distribution is None


def test_columns_come_in_table_order_whatever_the_order_of_patterns():
    assert select_columns(["b_*", "a"], ["a", "b_1", "c", "b_2"]) == ["a", "b_1", "b_2"]


def test_a_pattern_that_matches_nothing_names_what_there_is():
    with pytest.raises(SegmentationError, match=r"no column matches 'x_\*'; there are: a, b"):
        select_columns(["x_*"], ["a", "b"])
