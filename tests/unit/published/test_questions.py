from datetime import datetime

import polars as pl

from published.finding import current_set
from published.questions import audience, quality, segments, users


def test_every_table_of_the_contract_is_asked_for_by_names_it_has(world):
    for question in (
        lambda: segments.segments(world, "user_ratings"),
        lambda: segments.titles(world, "user_ratings"),
        lambda: segments.claims(world, "user_ratings"),
        lambda: segments.k_metrics(world, "user_ratings"),
        lambda: segments.devices(world),
        lambda: segments.genre_ratings(world, "user_ratings"),
        lambda: segments.loadings(world, "user_ratings"),
        lambda: users.user(world, "7"),
        lambda: users.recommendations(world, "7"),
        lambda: audience.genre_popularity(world),
        lambda: audience.subscription_regions(world),
        lambda: audience.strategic_recommendations(world),
        lambda: quality.files(world),
        lambda: quality.funnel(world),
        lambda: quality.rejects(world, 5),
    ):
        assert len(question())


def test_segmentations_come_in_the_order_of_their_place(world):
    assert segments.segmentations(world) == ["user_ratings", "user_activity_and_ratings", "title_reception"]


def test_a_set_that_is_older_than_places_still_names_its_segmentations(data):
    assert segments.segmentations(data) == ["user_ratings"]


def test_the_quoted_value_is_left_out_of_a_reason_so_that_equal_reasons_count_together(world):
    assert quality.reject_reasons(world).select("reason", "lines").rows() == [
        ("rating: expected 0.5 to 5, got …", 3)
    ]


def test_figures_of_every_k_are_of_the_run_that_trained_what_is_in_force(publish, data):
    decided = pl.DataFrame(
        [
            ("a", "promoted", 1),
            ("b", "refused", 2),
            ("c", "refused", 3),
            ("b", "promoted_by_hand", 4),
            ("d", "refused", 5),
        ],
        schema=["version", "status", "day"],
        orient="row",
    ).select(
        pl.lit("taste").alias("segmentation"), "version", "status", decided_at=pl.datetime(2026, 1, "day")
    )
    assert segments.trained_at(data, "taste") is None
    world = current_set(publish("20260103T030405-0123abcd", segment_promotions=decided))
    assert segments.trained_at(world, "taste") == datetime(2026, 1, 2)
    assert segments.trained_at(world, "age") is None
