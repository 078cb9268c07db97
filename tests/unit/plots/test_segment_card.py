"""A card says what a segment's figures bear out, once for report and dashboard."""

from typing import Any

import polars as pl
import pytest

from ml.plots.segment_card import card, leaning_finding
from ml.segmentation.quality.table import Figure, quality_table

SEGMENT = {
    **{"segment_id": 0, "segment_name": "Quiet", "members": 600, "share": 0.6, "name_doubt": None},
    **{"audience": "Viewers", "content_strategy": None, "marketing_strategy": None},
}


def figure(feature: str, mean: float, base: float, *, width: float | None = 5.0, **more: Any) -> dict:
    """A row of `segment_profiles`, its index 5 points sure to either side."""
    index = 100 * mean / base
    low, high = (None, None) if width is None else (index - width, index + width)
    return {
        **{
            "segment_id": 0,
            "feature": feature,
            "feature_label": feature.title(),
            "kind": "number",
            "unit": None,
        },
        **{"segment_mean": mean, "base_mean": base, "index": index, "index_low": low, "index_high": high},
        **{"is_apart": low is not None and not low <= 100 <= high, "is_volume": False},
        **more,
    }


def shown(*figures: dict, **rows: pl.DataFrame):
    # A second segment, so that the features tell segments apart.
    others = [{**row, "segment_id": 1, "segment_mean": -1.0} for row in figures]
    profiles = pl.DataFrame([*figures, *others], infer_schema_length=None)
    return card(SEGMENT, {"segment_profiles": profiles, **rows})


def test_a_card_leans_only_where_the_interval_leaves_everybody_out_and_the_difference_matters():
    leanings = shown(
        figure("drama", 2.0, 1.0),
        figure("war", 0.5, 1.0),
        figure("crime", 1.3, 1.0, width=40.0),
        figure("music", 1.02, 1.0, width=1.0),
        figure("horror", 3.0, 1.0, width=None),
    ).leanings
    assert [(row.label, row.index, row.low, row.high) for row in leanings] == [
        ("Drama", 200.0, 195.0, 205.0),
        ("War", 50.0, 45.0, 55.0),
    ]


def test_what_a_segment_lacks_most_leaves_room_for_what_it_has_most():
    over = [figure(f"over{i}", 1.2 + i / 10, 1.0) for i in range(2)]
    under = [figure(f"under{i:02}", 0.1 + i / 100, 1.0) for i in range(12)]
    leanings = shown(*over, *under).leanings
    assert [row.label for row in leanings[:2]] == ["Over1", "Over0"]
    assert [row.label for row in leanings[2:]] == ["Under04", "Under03", "Under02", "Under01", "Under00"]
    assert leaning_finding(leanings) == "Over1 30% above everybody; Under00 90% below"


def test_what_defines_a_segment_is_said_once_and_not_compared_with_itself():
    twitter = figure("channel_twitter", 1.0, 0.02, kind="flag")
    found = shown(
        twitter, figure("channel_google", 0.0, 0.4, kind="flag"), figure("region_asia", 0.9, 0.3, kind="flag")
    )
    assert found.always == ("Channel_Twitter",)
    assert [row.label for row in found.leanings] == ["Region_Asia"]


def test_the_mean_of_a_code_is_shown_nowhere():
    found = shown(figure("region", 1.19, 0.9, kind="code"), figure("clv", 80.0, 60.0))
    assert [measure.label for measure in found.measures] == ["Clv"]
    assert [row.label for row in found.leanings] == ["Clv"]


def test_means_are_written_as_their_kind_is():
    found = shown(
        figure("total titles", 34.1, 149.0, unit="titles", is_volume=True),
        figure("weekend share", 0.3, 0.2, kind="share"),
        figure("length", 95.2, 80.0, unit="minutes"),
        figure("film noir", 0.00003, 0.00001, kind="flag"),
    )
    assert [(measure.label, measure.own, measure.everybody) for measure in found.measures] == [
        ("Total Titles", "34.1", "149"),
        ("Weekend Share", "30.0%", "20.0%"),
        ("Length", "95.2 minutes", "80"),
        ("Film Noir", "<0.1%", "<0.1%"),
    ]


def test_two_columns_of_the_same_figures_are_told_once():
    found = shown(figure("total ratings", 34.1, 149.0), figure("total titles", 34.05, 148.9, is_volume=True))
    assert [measure.label for measure in found.measures] == ["Total Titles"]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (
            (figure("titles", 110.0, 100.0, width=20.0, is_volume=True),),
            "Not how much they do: Titles 110, everybody 100, which may be chance",
        ),
        ((figure("drama", 1.01, 1.0, width=3.0),), "As everybody, to within 10%: Drama"),
        ((figure("drama", 1.6, 1.0, width=70.0),), "Not shown to differ from everybody: Drama"),
    ],
)
def test_what_may_be_chance_is_what_a_segment_does_not_mean(rows, said):
    assert shown(*rows).does_not_mean == (said,)


def test_nothing_is_said_of_what_differs_or_has_no_interval():
    assert shown(figure("drama", 2.0, 1.0), figure("war", 2.0, 1.0, width=None)).does_not_mean == ()


def test_a_segment_that_foretells_no_choices_is_no_guide_to_them():
    quality = quality_table([Figure("lift", 1.02, 0.95, 1.1, 0)])
    assert shown(figure("drama", 2.0, 1.0), segment_quality=quality).does_not_mean == (
        "Not a guide to what its members choose next: held-out lift 1.02 (0.95–1.10)",
    )


def test_a_judged_feature_of_which_nothing_may_be_said_is_no_leaning():
    claims = pl.DataFrame({"segment_id": [0], "feature": ["clv"], "is_supported": [False]})
    found = shown(figure("clv", 80.0, 60.0), segment_claims=claims)
    assert (found.leanings, found.does_not_mean) == ((), ("Not shown to differ from everybody: Clv",))


def test_a_genre_that_a_handful_rated_is_nobodys_favourite():
    genres = pl.DataFrame(
        {
            "segment_id": 0,
            "genre": ["foreign", "drama"],
            "genre_label": ["Foreign", "Drama"],
            "raters": [9, 500],
            "is_few": [True, False],
            "rater_share": [0.5, 0.8],
            "rater_mean_rating": [4.9, 3.5],
        }
    )
    assert shown(figure("drama", 2.0, 1.0), segment_genre_ratings=genres).favourites == (("Drama", 3.5),)


def test_how_many_are_heavy_is_said_beside_everybody():
    levels = pl.DataFrame(
        {
            "segment_id": [0, 0, 1, 1],
            "level": ["light", "heavy"] * 2,
            "feature": "titles",
            "above": [None, 65.0] * 2,
            "up_to": [65.0, None] * 2,
            "members": [92, 8, 8, 92],
            "share": [0.92, 0.08, 0.08, 0.92],
        }
    )
    said = shown(figure("titles", 20, 60, feature_label="Titles"), segment_levels=levels).levels
    assert said == "Titles: 8% heavy (above 65; everybody 50%), 92% light (at most 65; everybody 50%)"


def test_titles_are_examples_and_users_are_exemplars():
    rows = pl.DataFrame(
        {
            "segment_id": [0, 0, 0, 1],
            "rank": [2, 1, 3, 1],
            "entity_id": ["7", "8", "9", "10"],
            "title": ["Aurora", None, None, None],
            "history": [None, "Bramble (4.5)", None, "Cinder"],
            "titles": [0, 3, 0, 1],
        }
    )
    found = shown(figure("drama", 2.0, 1.0), segment_exemplars=rows)
    assert found.examples == ("Aurora",)
    assert [(user["entity_id"], user["titles"], user["history"]) for user in found.exemplars] == [
        ("8", 3, "Bramble (4.5)")
    ]


def test_shares_stand_beside_those_of_everybody_the_largest_first():
    counts = pl.DataFrame(
        {
            "segment_id": [0, 0, 1, 1],
            "subscription": ["Basic", "Premium", "Basic", "Premium"],
            "users": [10, 30, 50, 10],
        }
    )
    told = shown(figure("drama", 2.0, 1.0), segment_subscriptions=counts).subscriptions
    assert [(part.name, part.share, part.everybody) for part in told] == [
        ("Premium", 0.75, 0.4),
        ("Basic", 0.25, 0.6),
    ]


def test_where_all_have_the_same_subscription_nothing_is_said_of_it():
    counts = pl.DataFrame({"segment_id": [0, 1], "subscription": ["Basic", "Basic"], "users": [10, 50]})
    assert shown(figure("drama", 2.0, 1.0), segment_subscriptions=counts).subscriptions == ()


def test_hours_and_how_much_is_watched_are_told_where_they_are_shares():
    told = shown(
        figure("daypart_night", 0.2, 0.1, kind="share", feature_label="At night"),
        figure("daypart_evening", 0.5, 0.6, kind="share", feature_label="In the evening"),
        figure("daypart_morning", 0.1, 0.1, kind="share", feature_label="In the morning"),
        figure("mean_completion", 0.7, 0.6, kind="share", feature_label="Share of a title watched"),
    )
    assert [(part.name, part.share) for part in told.hours] == [("In the evening", 0.5), ("At night", 0.2)]
    assert (told.watched.share, told.watched.everybody) == (0.7, 0.6)
    assert shown(figure("drama", 2.0, 1.0)).watched is None
