"""The page says of departure what the figures bear out, and of a segment what the scores of its members come to."""

import polars as pl
import pytest

from report.sections.departure import departure

SCORED = {"users": 1_200, "mean_score": 0.125, "horizon_days": 30}
NONE_SCORED = {"users": 0, "mean_score": None, "horizon_days": None}


def quality(auc: float = 0.8, beside: float = 0.7, low: float = 0.05) -> pl.DataFrame:
    of = {"beside": None, "low": None, "high": None, "threshold": None, "passed": None}
    figures = {
        "auc": {"value": auc, "beside": beside, "threshold": 0.6, "passed": auc >= 0.6},
        "auc_gain": {"value": auc - beside, "low": low, "high": low + 0.1, "passed": low > 0},
        "average_precision": {"value": 0.4, "beside": 0.3},
        "top_decile_lift": {"value": 3.5, "beside": 2.5},
        "calibration_error": {"value": 0.01, "beside": 0.02},
        "departed_share": {"value": 0.1},
        "judged_users": {"value": 900.0},
    }
    rows = [{"measure": name} | of | figure for name, figure in figures.items()]
    return pl.DataFrame(rows, infer_schema_length=None)


GROUPS = pl.DataFrame(
    {
        "segmentation": ["user_ratings", "user_ratings", "rfm"],
        "group_name": ["Quiet Viewers (Churn Risk)", "Gone", "Champions"],
        "members": [50, 9, 80],
        "scored": [40, 0, 80],
        "mean_score": [0.2, None, 0.05],
        "base_score": [0.125, 0.125, 0.125],
    }
)


def test_a_segment_is_told_by_the_scores_of_its_members_beside_everybody():
    view = departure(quality(), GROUPS, SCORED)
    assert view.of_segment("user_ratings", "Quiet Viewers (Churn Risk)") == (
        "Of its 40 members who were active of late, 20.0% are expected to show no view or rating in the next 30 days; "
        "of all who were, 12.5%."
    )
    assert view.of_segment("user_ratings", "Gone") == ""
    assert [row["group_name"] for row in view.cells] == ["Champions"]
    assert view.finding.startswith("12.5% of 1,200 users active of late are expected to show nothing")
    assert "900 users" in view.judged


@pytest.mark.parametrize(("mean", "lower"), [(0.1, True), (0.2, False)])
def test_a_cell_that_warns_is_told_beside_everybody_only_where_fewer_of_it_are_expected_to_leave(mean, lower):
    cells = GROUPS.with_columns(group_name=pl.lit("At Risk"), mean_score=mean).filter(segmentation="rfm")
    told = departure(quality(), cells, SCORED).cells_beside_scores
    assert told.startswith(
        "Cells describe the past, each user beside the others; scores foretell the next 30 days."
    )
    assert (
        told.endswith("So a cell such as At Risk can have a lower expected share than all: 10.0%, all 12.5%.")
        == lower
    )


@pytest.mark.parametrize(
    ("figures", "why"),
    [
        (
            {"auc": 0.71, "low": -0.02},
            "do not tell more than recency alone: AUC 0.71 beside 0.70, a gain of −0.02 to",
        ),
        ({"auc": 0.55, "beside": 0.4}, "tell too little: AUC 0.55, 0.60 asked for"),
    ],
)
def test_scores_that_are_not_published_are_told_with_the_figure_that_kept_them(figures, why):
    view = departure(quality(**figures), GROUPS.clear(), NONE_SCORED)
    assert why in view.finding
    assert view.measures
    assert not view.cells
    assert not view.said


def test_a_source_without_activity_has_no_such_section():
    assert departure(quality().clear(), GROUPS.clear(), NONE_SCORED).finding == ""
    assert departure(None, None, None).finding == ""
