"""What the page says about whether segments can be trusted, and of each segment no more than is sure."""

from datetime import datetime

import polars as pl
import pytest

from ml.segmentation.quality.table import Figure, quality_table
from tests.unit.report.test_report import Page

OF = pl.lit("user_ratings").alias("segmentation")


@pytest.fixture
def judged(warehouse):
    """The warehouse with figures, a decision, rules and intervals, for the first segmentation."""
    figures = [
        Figure("lift", 1.41, 1.35, 1.48, None, {"random": 1.0, "volume": 1.02}),
        Figure("lift", 0.99, 0.9, 1.08, 0),
        Figure("jaccard", 0.97, 0.94, 0.99, 0),
    ]
    warehouse.marts |= {
        "segment_quality": quality_table(figures, {"bootstrap_ari": 0.8}).select(OF, pl.all()),
        "segment_promotions": pl.DataFrame(
            {
                "segmentation": "user_ratings",
                "version": "abc",
                "status": "refused",
                "reason": "bootstrap_ari 0.52, 0.80 asked for",
                "decided_at": datetime(2026, 1, 1),
            }
        ),
        "segment_rules": pl.DataFrame(
            {
                "segmentation": "user_ratings",
                "segment_id": [0, 1],
                "rule": ["Drama at most 20 %", None],
                "precision": [0.9, None],
                "coverage": [0.8, None],
                "reason": [None, "too few members"],
            }
        ),
    }
    means = warehouse.marts["segment_profiles"].filter(segmentation="user_ratings", segment_id=0)
    drama, others = means.filter(feature="avg_drama"), {"total_titles": "avg_war", "avg_drama": "avg_crime"}
    intervals = [
        drama.with_columns(index_low=pl.lit(30.0), index_high=pl.lit(42.0), is_apart=True),
        means.with_columns(
            pl.col("feature").replace(others),
            index=pl.lit(130.0),
            index_low=pl.Series([80.0, 95.0]),
            index_high=pl.Series([180.0, 105.0]),
            is_apart=False,
        ),
    ]
    warehouse.marts["segment_profiles"] = pl.concat(intervals)
    del warehouse.marts["pca_loadings"]
    return warehouse


def test_a_segmentation_says_what_it_is_worth_beside_volume_and_which_threshold_falls_short(judged):
    text = Page(judged.page()).text
    assert "Can it be trusted?" in text
    assert (
        "Ranks held-out titles 1.41 times as well as overall popularity (1.35–1.48); segments of volume alone: 1.02."
    ) in text
    assert (
        "New segments were refused and those in force serve on: agreement on resamples 0.52, 0.80 asked"
        in text
    )
    assert "Agreement when fitted anew on resamples not measured – – – – at least 0.80 no" in text


def test_a_card_tells_the_rule_and_how_far_it_holds_or_why_there_is_none(judged):
    quiet, explorers, _ = judged.context().segmentations[0].cards
    assert quiet.rule == "Drama at most 20 %"
    assert quiet.rule_holds == "90 of 100 whom it finds are members, and it finds 80 of 100 members"
    assert (explorers.rule, explorers.rule_holds) == ("", "too few members")
    assert "No rule in words Too few members" in Page(judged.page()).text


def test_a_card_shows_only_what_is_surely_apart_and_says_what_is_as_everybody(judged):
    quiet = judged.context().segmentations[0].cards[0]
    assert [leaning.label for leaning in quiet.leanings] == ["Drama"]
    assert quiet.badge.words == "Comes back; not shown to foretell choices"
    assert quiet.does_not_mean[0] == "As everybody, to within 10%: Crime"
    assert quiet.does_not_mean[-1].startswith("Not a guide to what its members choose next: held-out lift")


def test_a_refresh_is_spoken_of_only_where_there_was_one_before(judged):
    assert judged.context().segmentations[0].trust.refreshed == ()
    assert "What the last refresh changed" not in Page(judged.page()).text
    judged.marts["segment_migration"] = pl.DataFrame(
        {
            "segmentation": "user_ratings",
            "from_segment_id": [0, 0],
            "to_segment_id": [0, 1],
            "entities": [90, 10],
            "share_of_from": [0.9, 0.1],
            "from_segment_name": "Quiet",
            "to_segment_name": ["Quiet", "Loud"],
        }
    )
    assert "What the last refresh changed Of 100 users that were there" in Page(judged.page()).text


def test_a_set_that_knows_no_figures_says_nothing_of_trust(warehouse):
    assert "Can it be trusted?" not in Page(warehouse.page()).text
