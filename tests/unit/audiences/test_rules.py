"""A rule means in SQL what it says, and one that can mean nothing is refused with the nearest names."""

import re

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from ml.audiences.compile import compile_audience
from ml.audiences.spec import AudienceError, check_together, nearest, parse_audience
from tests.unit.audiences.worlds import (
    built,
    conditions,
    is_member,
    members,
    rule,
    tables_of,
    worlds,
)

lists = st.lists(conditions, max_size=3)


@settings(max_examples=100, deadline=None)
@given(
    world=worlds,
    include=lists,
    exclude=lists,
    other=conditions.filter(lambda one: "audience" not in str(one)),
)
def test_sql_has_the_members_that_plain_python_finds(world, include, exclude, other):
    tested, named = rule(include=include, exclude=exclude), rule(include=other)
    expected = {
        f"id-{user}" if user % 2 else str(user)
        for user in world["users"]
        if is_member(tested, user, world, named)
    }
    assert members(built(world), tested, other=named) == expected


@settings(max_examples=50, deadline=None)
@given(world=worlds, one=conditions.filter(lambda one: "audience" not in str(one)))
def test_who_is_not_among_those_of_a_condition_is_among_those_of_its_opposite(world, one):
    connection = built(world)
    are, are_not = members(connection, rule(include=one)), members(connection, rule(include={"not": one}))
    assert not are & are_not
    assert are | are_not == members(connection, rule())


WORLD = {
    "users": {1: ("Basic", 1, 2), 2: ("Prem'ium", None, 3)},
    "views": {1: (3, 4)},
    "segments": {1: ("A", "light")},
    "watched": [],
    "rated": [],
}


@pytest.fixture
def tables():
    return tables_of(built(WORLD))


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        (
            {"feature": {"table": "features.user_viewing", "column": "veiws", "above": 1}},
            "has no column 'veiws'; nearest: views",
        ),
        (
            {"feature": {"table": "features.user_veiwing", "column": "views", "above": 1}},
            "no table features.user_veiwing; nearest: features.user_viewing",
        ),
        ({"attribute": {"column": "minuts", "above": 1}}, "has no column 'minuts'; nearest: minutes"),
        (
            {"attribute": {"column": "minutes", "is": "many"}},
            "marts.users.minutes is compared with 'many', and a number is",
        ),
        ({"attribute": {"column": "subscription", "is": 1}}, "compared with 1, and a text is expected"),
        (
            {"attribute": {"column": "joined_on", "above": "yesterday"}},
            "a day such as 2026-11-30 is expected",
        ),
        ({"recency": {"above": "a week"}}, "the number of days is compared with 'a week'"),
        ({"score": {"of": "departures", "above": 0.5}}, "there is no score 'departures'; nearest: departure"),
        (
            {"feature": {"table": "features.title_descriptions", "column": "title", "is": "Two"}},
            "features.title_descriptions has no column user_id",
        ),
    ],
)
def test_a_rule_on_what_is_not_there_is_refused_with_the_nearest_names(tables, condition, said):
    with pytest.raises(AudienceError, match=re.escape(said)):
        compile_audience(rule(include=condition), tables, {})


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ({"segment": {"of": "tast", "is": "A"}}, "there is no segmentation 'tast'; nearest: taste"),
        ({"segment": {"of": "moods"}}, "there is no segmentation 'moods'; there are: taste"),
        ({"segment": {"of": "taste", "is": "C"}}, "nobody has the segment of taste 'C'; there are: A"),
        (
            {"attribute": {"column": "subscription", "is": "Premium"}},
            "nobody has the subscription 'Premium'; nearest: Prem'ium",
        ),
        ({"rated": {"title": "Thre"}}, "nobody has the title 'Thre'; nearest: Three"),
        ({"watched": {"genre": "wars"}}, "nobody has the genre 'wars'"),
    ],
)
def test_what_is_named_and_nobody_has_is_told_of_and_stops_nothing(tables, condition, said):
    doubts = compile_audience(rule(include=condition), tables, {}).doubts
    assert any(said in doubt for doubt in doubts), doubts


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        ("{include: {watched: {title: []}}}", "include.0.watched.title: Tuple should have at least 1 item"),
        ("{include: {segment: {of: taste, is: []}}}", "include.0.segment.is: Tuple should have at least 1"),
        ("{include: {segmnt: {of: taste}}}", "include.0.segmnt: there is no such field; nearest: segment"),
        (
            "{include: {segment: {of: taste}, audience: x}}",
            "include.0: a condition has exactly one key, of all, any",
        ),
        (
            "{include: {not: {foo: 1}}}",
            "not.foo: there is no such field; there are: all, any, not, segment, feature, attribute, watched, rated, "
            "recency, score, audience",
        ),
        ("{include: {all: []}}", "exactly one key"),
        ("{include: {recency: {between: [30, 5]}}}", "between: nothing lies from 30 to 5"),
        ("{include: {recency: {above: 5, at_most: 5}}}", "above and at_most: nothing lies from 5 to 5"),
        (
            "{include: {recency: {at_least: 9, between: [1, 5]}}}",
            "at_least and between: nothing lies from 9 to 5",
        ),
        (
            "{include: {attribute: {column: a, between: [2026-11-30, 2026-01-01]}}}",
            "nothing lies from 2026-11-30",
        ),
        ("{include: {score: {at_least: 20}}}", "at_least: a score is from 0 to 1, and 20 is not"),
        ("{include: {score: {by: decile, is: [1, 11]}}}", "is: a decile is from 1 to 10, and 11 is not"),
        ("{include: {attribute: {column: minutes}}}", "give at least one of at_least, at_most"),
        ("{include: {attribute: {column: minutes, is: []}}}", "give at least one of"),
        ("{include: {attribute: {column: a, is_missing: true, is: b}}}", "is_missing stands alone"),
        ("{include: {watched: {at_least: 0}}}", "include.0.watched.at_least: "),
        ("{include: {attribute: {column: minutes, above: .nan}}}", "above"),
        ("{holdout: 1.5}", "holdout: Input should be less than 1"),
        ("{priority: 0}", "priority: "),
        ("{entity: title_id}", "entity: Input should be 'user_id' or 'customer_id'"),
    ],
)
def test_a_wrong_declaration_is_refused_by_its_field(declared, said):
    with pytest.raises(AudienceError, match=re.escape(said)):
        parse_audience({"name": "a", "description": "A", **yaml.safe_load(declared)})


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        ({"a": {"include": {"audience": "aa"}}, "ab": {}}, "a: there is no audience 'aa'; nearest: ab"),
        (
            {
                "a": {"include": {"not": {"any": [{"audience": "b"}]}}},
                "b": {"exclude": {"audience": "c"}},
                "c": {"include": {"audience": "a"}},
            },
            "audiences go in a circle: a → b → c → a",
        ),
        ({"a": {"include": {"audience": "a"}}}, "circle: a → a"),
        (
            {"a": {"include": {"audience": "b"}}, "b": {"entity": "customer_id"}},
            "a: it is of user_id, and the audience 'b' of customer_id",
        ),
        ({"a": {"priority": 1}, "b": {"priority": 1}}, "b: priority 1 is that of 'a'"),
    ],
)
def test_audiences_that_do_not_go_together_are_refused(declared, said):
    specs = {name: rule(**{"name": name, **more}) for name, more in declared.items()}
    with pytest.raises(AudienceError, match=re.escape(said)):
        check_together(specs)


@pytest.mark.parametrize(
    "test", [{"is": "2026-01-02"}, {"at_most": "2026-01-02"}, {"between": ["2026-01-02"] * 2}]
)
def test_a_moment_is_compared_by_its_day(test):
    connection = built(WORLD | {"rated": [{"user": 1, "title": 1, "day": 1, "rating": 3}]})
    connection.execute("update features.user_title_ratings set rated_at = rated_at + interval 20 hour")
    feature = {"table": "features.user_title_ratings", "column": "rated_at", **test}
    assert members(connection, rule(include={"feature": feature})) == {"id-1"}
    after = {"table": "features.user_title_ratings", "column": "rated_at", "above": "2026-01-02"}
    assert members(connection, rule(include={"feature": after})) == set()


def test_audiences_made_of_many_others_are_checked_once_each():
    pairs = [
        rule(name=f"{side}{layer}", include=[{"audience": f"{of}{layer - 1}"} for of in "ab" if layer])
        for layer in range(40)
        for side in "ab"
    ]
    check_together({spec.name: spec for spec in pairs})


def test_names_with_commas_stand_in_quotes():
    assert nearest("x", ["1980s, mainstream", "Comedy"]) == "; there are: '1980s, mainstream', 'Comedy'"


def test_tables_without_rows_are_named(tables):
    compiled = compile_audience(rule(include={"recency": {"of": "views", "above": 3}}), tables, {})
    assert compiled.lacking == ["intermediate.int_views__watched"]
    assert not compiled.doubts


def test_customers_watch_nothing(tables):
    with pytest.raises(AudienceError, match="customers have no views"):
        compile_audience(rule(entity="customer_id", include={"watched": {}}), tables, {})


def test_conditions_are_said_in_words(tables):
    compiled = compile_audience(
        rule(
            include=[
                {"all": [{"segment": {"of": "taste", "is": ["A", "B'"], "level": "light"}}, {"rated": {}}]},
                {
                    "not": {
                        "any": [
                            {"recency": {"at_least": 30}},
                            {"attribute": {"column": "minutes", "below": 3}},
                        ]
                    }
                },
            ],
            exclude={
                "any": [
                    {"watched": {"title": "Two", "genre": "war", "at_least": 2, "within_days": 9}},
                    {"score": {"by": "decile", "between": [9, 10]}},
                ]
            },
        ),
        tables,
        {},
    )
    assert compiled.steps == [
        ("include", "segment of taste is A or B' and level is light"),
        ("include", "rated at least 1 title"),
        ("include", "not (days since the last view or rating is at least 30 or minutes is below 3)"),
        ("exclude", "watched at least 2 titles among Two of war in the last 9 days"),
        ("exclude", "decile of departure is between 9 and 10"),
    ]
