"""The dbt project on the real files reproduces the published counts."""

import pytest

from .conftest import Warehouse

pytestmark = pytest.mark.real_data

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
