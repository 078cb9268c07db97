"""Ids that are no numbers, from the landing to the marts."""

from collections.abc import Callable

from .conftest import Warehouse

FIRST = 1 << 40
WITHOUT_TESTS = ("--exclude-resource-type", "unit_test", "--exclude-resource-type", "test")


def test_titles_and_members_are_in_the_marts_by_their_ids_as_the_source_writes_them(
    make_warehouse: Callable[..., Warehouse],
) -> None:
    warehouse = make_warehouse(
        ids=[f"({FIRST}, '007')", f"({FIRST + 1}, 'm-8')", f"({FIRST + 2}, 'ada@example.org')"],
        titles=[f"({FIRST}, 'tt1', 'Aurora', ['Drama'], 9)", f"({FIRST + 1}, 'tt2', null, ['War'], 4)"],
        links=[],
        ratings=[
            f"({FIRST + 2}, {FIRST}, 4.0, timestamp '2016-01-01 10:00:00')",
            f"(5, {FIRST + 1}, 4.0, timestamp '2016-01-01 10:00:00')",
        ],
    )
    features = ("+title_descriptions", "+user_interactions", "+titles", "+catalogue_descriptions")
    built = warehouse.dbt("build", "--select", *features, *WITHOUT_TESTS)
    assert built.success, built.message
    warehouse.execute(
        "insert into ml.segments values ('user_ratings', 0, 'Quiet', 'user_id', 'features.user_genre_stats')",
        "insert into ml.segment_members values "
        f"('user_ratings', '{FIRST + 2}', 0, 'Quiet', null), ('user_ratings', '5', 0, 'Quiet', null)",
        "insert into ml.recommendations values "
        f"({FIRST + 2}, 1, '{FIRST + 1}', 1.0, '{FIRST}', null), (5, 1, '{FIRST}', 1.0, null, null)",
    )
    marts = ("title_audience", "recommendations", "segment_members")
    nobody = "assert_nobody_is_recommended_a_title_they_rated"
    built = warehouse.dbt("build", "--select", *marts, nobody, "--exclude-resource-type", "unit_test")
    assert built.success, built.message
    assert built.status[nobody] == "pass"
    assert warehouse.query("select title_id, genres, rating_count from marts.titles order by all") == [
        ("007", "Drama", 1),
        ("m-8", "War", 1),
    ]
    assert warehouse.query("select title_id, title, raters from marts.title_audience order by all") == [
        ("007", "Aurora", 1),
        ("m-8", "m-8", 1),
    ]
    assert warehouse.query("select title_id, title, reason from marts.recommendations order by all") == [
        ("007", "Aurora", "popular with other viewers"),
        ("m-8", "m-8", "because you rated Aurora"),
    ]
    assert warehouse.query("select entity_id from marts.segment_members order by all") == [
        ("5",),
        ("ada@example.org",),
    ]
