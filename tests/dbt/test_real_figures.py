"""The dbt project on the real files reproduces the published counts."""

import pytest

from .conftest import Warehouse

pytestmark = [pytest.mark.real_data, pytest.mark.long]

WITHOUT_UNIT_TESTS = ("--exclude-resource-type", "unit_test")

GENRE_ROWS = {
    "Drama": 20_265,
    "Comedy": 13_182,
    "Thriller": 7_624,
    "Romance": 6_735,
    "Action": 6_596,
    "Horror": 4_673,
    "Crime": 4_307,
    "Documentary": 3_932,
    "Adventure": 3_496,
    "Science Fiction": 3_049,
    "Family": 2_770,
    "Mystery": 2_467,
    "Fantasy": 2_313,
    "Animation": 1_935,
    "Foreign": 1_622,
    "Music": 1_598,
    "History": 1_398,
    "War": 1_323,
    "Western": 1_042,
    "TV Movie": 767,
}

CUSTOMERS_BY_RULE = {
    "Instagram Explorers": (289, 1299.33, 115.18, 1.19),
    "LinkedIn Networkers": (391, 1801.27, 91.12, 2.00),
    "Friends' Influence": (424, 2018.97, 109.12, 1.42),
    "Google-YouTube Mix": (939, 2326.89, 103.94, 2.00),
    "Anglo-Saxon Multi-Channel": (1055, 1539.15, 136.33, 0.00),
    "European Multi-Channel": (372, 1874.75, 157.92, 1.00),
    "Twitter Devotees": (58, 985.33, 93.15, 1.60),
    "Facebook Followers": (306, 2767.64, 108.26, 1.32),
}


@pytest.fixture(scope="module")
def through_links(real_warehouse: Warehouse) -> Warehouse:
    outcome = real_warehouse.dbt("build", "--selector", "sql_layer", *WITHOUT_UNIT_TESTS)
    assert outcome.success, outcome.with_status("fail", "error")
    return real_warehouse


def test_the_funnel_of_the_real_files_has_the_published_counts(through_links: Warehouse) -> None:
    steps = through_links.query("select step, row_count from marts.data_funnel order by step_order")
    assert dict(steps) == {
        "catalogue rows read": 45_466,
        "catalogue rows landed": 45_463,
        "catalogue rows with a valid genre": 43_021,
        "distinct titles": 42_991,
        "ratings read": 100_004,
        "ratings landed": 100_004,
        "ratings joined to a title": 99_722,
        "distinct pairs of user and title": 99_722,
        "users with features": 671,
    }


def test_the_genres_of_the_real_catalogue_are_as_published(through_links: Warehouse) -> None:
    counted = through_links.query("select genre_label, catalogue_row_count from marts.genre_counts")
    assert dict(counted) == GENRE_ROWS


def test_the_direct_join_of_the_real_files_reproduces_the_published_fault(through_links: Warehouse) -> None:
    direct = ("--vars", "rating_join: direct", *WITHOUT_UNIT_TESTS)
    refused = through_links.dbt("build", "--select", "int_movies__titles", *direct)
    assert refused.with_status("fail") == {"a_movie_and_its_title_have_the_same_imdb_number"}
    assert through_links.dbt("build", "--selector", "sql_layer_of_a_replication", *direct).success
    assert through_links.query(
        "select sum(total_ratings), count(*), sum(total_ratings - total_titles) from features.user_genre_stats"
    ) == [(44_792, 671, 5)]


@pytest.fixture(scope="module")
def customers(real_customers_warehouse: Warehouse) -> Warehouse:
    outcome = real_customers_warehouse.dbt("build", "--select", "+customer_channels", *WITHOUT_UNIT_TESTS)
    assert outcome.success, outcome.with_status("fail", "error")
    return real_customers_warehouse


def test_the_features_of_the_real_customers_have_the_published_means(customers: Warehouse) -> None:
    found = customers.query(
        "select round(avg(minutes_watched), 2), round(avg(clv), 2), round(corr(minutes_watched, clv), 3), "
        "round(corr(clv, region), 3) from features.customer_features"
    )
    assert found == [(1916.03, 118.38, 0.114, -0.273)]


def test_the_rules_give_the_published_segments_of_the_real_customers(customers: Warehouse) -> None:
    found = customers.query(
        "select segment_rule, count(*), round(avg(minutes_watched), 2), round(avg(clv), 2), round(avg(region), 2) "
        "from features.customer_features group by segment_rule"
    )
    assert {name: tuple(figures) for name, *figures in found} == CUSTOMERS_BY_RULE


def test_the_most_engaged_channel_owes_its_mean_to_one_customer(customers: Warehouse) -> None:
    first, *_ = customers.query(
        "select channel, round(mean_minutes_watched, 2), round(mean_minutes_without_largest, 2) "
        "from marts.customer_channels order by mean_minutes_watched desc"
    )
    assert first == ("facebook", 2767.64, 1830.79)


@pytest.fixture(scope="module")
def streaming(real_catalogue_warehouse: Warehouse) -> Warehouse:
    outcome = real_catalogue_warehouse.dbt("build", "--select", "+int_catalogue__titles", *WITHOUT_UNIT_TESTS)
    assert outcome.success, outcome.message
    return real_catalogue_warehouse


def test_lines_of_the_real_streaming_catalogue_that_state_one_record_are_one_title(
    streaming: Warehouse,
) -> None:
    assert streaming.query("select count(*), sum(row_count) from intermediate.int_catalogue__titles") == [
        (15_327, 15_480)
    ]


def test_faults_of_the_real_streaming_catalogue_are_flagged(streaming: Warehouse) -> None:
    found = streaming.query(
        "select sum(is_title_repaired::int), sum(is_release_date_impossible::int), "
        "count(*) filter (title = 'Ola de crímenes'), count(*) filter (contains(title, 'Ã')) "
        "from staging.stg_catalogue__titles"
    )
    assert found == [(45, 272, 1, 0)]


def test_every_runtime_of_the_real_streaming_catalogue_is_one_of_the_buckets(streaming: Warehouse) -> None:
    assert streaming.query("select count(*) from staging.stg_catalogue__titles where runtime is null") == [
        (1,)
    ]
