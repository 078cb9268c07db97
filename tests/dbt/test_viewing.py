"""Users and what they watch on made-up rows: beside movies, alone, and where the files do not agree."""

from collections.abc import Callable

import pytest

from .conftest import VIEWING, Outcome, Warehouse

BUILD = ("build", "--selector", "sql_layer", "--exclude-resource-type", "unit_test")
NOT_LISTED = "assert_every_watch_event_is_of_a_listed_user"
NOT_LINKED = "assert_every_watched_movie_is_in_links"


@pytest.fixture(scope="module")
def both(make_warehouse: Callable[..., Warehouse]) -> tuple[Warehouse, Outcome]:
    warehouse = make_warehouse(**VIEWING)
    return warehouse, warehouse.dbt(*BUILD)


def test_events_that_find_no_user_or_no_movie_are_warned_of_and_stop_nothing(
    both: tuple[Warehouse, Outcome],
) -> None:
    _, outcome = both
    assert outcome.success, outcome.message
    assert outcome.with_status("warn") == {NOT_LISTED, NOT_LINKED}


def test_the_funnel_counts_the_events_that_are_left(both: tuple[Warehouse, Outcome]) -> None:
    warehouse, _ = both
    steps = warehouse.query(
        "select step, row_count from marts.data_funnel where entity in ('listed users', 'watch events') "
        "order by step_order"
    )
    assert steps == [
        ("lines of users read", 3),
        ("lines of users landed", 3),
        ("users listed", 3),
        ("watch events read", 5),
        ("watch events landed", 5),
        ("watch events that count as viewing", 4),
        ("watch events of listed users", 3),
        ("watch events of movies in links", 3),
        ("watch events joined to a title", 3),
    ]


def test_no_event_but_a_preview_is_lost_on_the_way_to_users_and_devices(
    both: tuple[Warehouse, Outcome],
) -> None:
    warehouse, _ = both
    for query in (
        "select sum(events), sum(minutes) from marts.users",
        "select sum(events), sum(minutes) from marts.user_devices",
        "select sum(events), sum(minutes) from marts.devices",
        "select sum(events), sum(minutes) from marts.weekly_activity",
    ):
        assert warehouse.query(query) == [(4, 192.5)]
    assert warehouse.query("select sum(events), count(*) from marts.viewing_hours") == [(4, 168)]
    assert warehouse.query("select user_id from marts.users order by 1") == [(1,), (2,), (3,), (9,)]


def test_a_watched_movie_counts_with_the_genres_of_the_title_that_links_names(
    both: tuple[Warehouse, Outcome],
) -> None:
    warehouse, _ = both
    watched = "select genre, events, minutes, viewers from marts.genre_popularity where events > 0 order by 1"
    assert warehouse.query(watched) == [
        ("comedy", 3, 132.5, 2),
    ]


def test_viewing_without_movies_has_devices_and_hours_and_no_genres(viewing_warehouse: Warehouse) -> None:
    outcome = viewing_warehouse.dbt(*BUILD)
    assert outcome.success, outcome.message
    assert outcome.with_status("warn") == {NOT_LISTED}
    assert viewing_warehouse.query("select sum(events) from marts.user_devices") == [(4,)]
    assert viewing_warehouse.query("select count(*) from marts.genre_popularity") == [(0,)]
    assert viewing_warehouse.query("select device, completion from marts.devices order by 1") == [
        ("Mobile", None),
        ("TV", None),
    ]
    assert viewing_warehouse.query("select users, mean_minutes from marts.subscription_regions") == [
        (2, 90.0)
    ]


@pytest.mark.parametrize(
    ("cuts", "why"),
    [
        ("{frequency: [1, 2, 3]}", "must be four numbers, each above the one before"),
        ("{value: [4, 3, 2, 1]}", "must be four numbers, each above the one before"),
        ("{recency: [1, 2, 3, 4]}", "it may name recency_days, frequency, value"),
    ],
)
def test_wrong_cut_points_are_refused_naming_what_is_accepted(
    both: tuple[Warehouse, Outcome], cuts: str, why: str
) -> None:
    warehouse, _ = both
    outcome = warehouse.dbt("compile", "--select", "user_rfm", "--vars", f"{{rfm_cuts: {cuts}}}")
    assert not outcome.success
    assert why in outcome.message
