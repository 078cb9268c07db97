"""Of which columns a column is made, as its SQL says."""

import dagster as dg
import pytest

from orchestration.tools.column_lineage import column_lineage, in_words

COLUMNS = {
    ("landing", "ratings"): {"user_id": "BIGINT", "title_id": "BIGINT", "rating": "DOUBLE"},
    ("landing", "titles"): {"id": "BIGINT", "title": "VARCHAR", "rating": "DOUBLE"},
}


def made_of(sql: str) -> dict[str, list[str]]:
    found = column_lineage({("marts", "one"): sql}, COLUMNS)["marts", "one"]
    return {
        column: ["/".join([*dep.asset_key.path, dep.column_name]) for dep in deps]
        for column, deps in found.deps_by_column.items()
    }


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("ratings.rating as stars", ["landing/ratings/rating"]),
        (
            "avg(ratings.rating) over (partition by user_id)",
            ["landing/ratings/rating", "landing/ratings/user_id"],
        ),
        ("titles.title || ratings.rating", ["landing/ratings/rating", "landing/titles/title"]),
        ("1", []),
    ],
)
def test_an_expression_is_made_of_the_columns_in_it(expression, expected):
    sql = (
        f"select {expression} from landing.ratings inner join landing.titles on titles.id = ratings.title_id"
    )
    assert list(made_of(sql).values()) == [expected]


def test_a_star_is_every_column_of_its_own_table():
    sql = 'with kept as (select * from "warehouse"."landing"."ratings") select kept.* exclude (user_id) from kept'
    assert made_of(sql) == {"title_id": ["landing/ratings/title_id"], "rating": ["landing/ratings/rating"]}


def test_a_union_is_made_of_both_of_its_sides():
    sql = "select rating from landing.ratings union all by name select rating from landing.titles"
    assert made_of(sql) == {"rating": ["landing/ratings/rating", "landing/titles/rating"]}


def test_a_count_of_rows_is_made_of_no_column():
    assert made_of("select count(*) as ratings from landing.ratings") == {"ratings": []}


def test_sql_that_is_not_understood_is_left_out_and_stops_nothing():
    queries = {("marts", "odd"): "select from where (", ("marts", "fine"): "select id from landing.titles"}
    assert list(column_lineage(queries, COLUMNS)) == [("marts", "fine")]


def test_many_columns_of_one_table_are_counted_in_words():
    deps = [dg.TableColumnDep(dg.AssetKey(["features", "all"]), name) for name in "abcdef"]
    deps += [dg.TableColumnDep(dg.AssetKey(["landing", "ids"]), "id")]
    assert in_words(deps) == (
        "From [features/all](/assets/features/all) a, b, c, d and 2 more; [landing/ids](/assets/landing/ids) id."
    )


def test_nothing_is_said_of_a_column_made_of_none():
    assert not in_words([])
