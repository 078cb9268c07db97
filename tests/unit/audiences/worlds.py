"""A small world as tables of DuckDB, random rules about it, and what a rule means said once more in plain Python."""

from datetime import datetime, timedelta
from functools import cache
from typing import Any

import duckdb
from hypothesis import strategies as st

from ingest.sql import text_literal
from ml.audiences.compile import Tables, compile_audience
from ml.audiences.spec import AudienceSpec, Condition, parse_audience

DDL = """
create schema marts; create schema features; create schema ml; create schema intermediate; create schema landing;
create schema staging;
create table marts.users (user_id bigint, subscription varchar, joined_on date, minutes double);
create table staging.stg_customers__customers (customer_id varchar, clv double);
create table features.user_viewing (user_id bigint, views bigint, "odd ""name" double);
create table ml.segment_members (segmentation varchar, entity_id varchar, segment_name varchar, level varchar);
create table ml.departure (user_id bigint, score double, decile integer);
create table intermediate.int_views__watched (user_id bigint, movie_id bigint, title_id bigint, watched_at timestamp);
create table features.user_title_ratings (user_id bigint, title_id bigint, rating double, rated_at timestamp);
create table features.title_descriptions (title_id bigint, title_key varchar, title varchar);
create table intermediate.int_titles__genres (title_id varchar, genre varchar, genre_label varchar);
create table landing.ids (number bigint, id varchar);
"""
TITLES = {1: ("One's", {"drama"}), 2: ("Two", {"drama", "war"}), 3: ("Three", set())}
START = datetime(2026, 1, 1, 12)
PLANS = ["Basic", "Prem'ium", None]
_numbers = st.one_of(st.none(), st.integers(0, 5))


def _acts(**more: Any) -> st.SearchStrategy[list[dict[str, Any]]]:
    act = {"user": st.integers(1, 6), "title": st.integers(1, 3), "day": st.integers(0, 9), **more}
    return st.lists(st.fixed_dictionaries(act), max_size=12)


worlds = st.fixed_dictionaries(
    {
        "users": st.dictionaries(
            st.integers(1, 6), st.tuples(st.sampled_from(PLANS), _numbers, _numbers), min_size=1
        ),
        "views": st.dictionaries(st.integers(1, 6), st.tuples(_numbers, _numbers)),
        "segments": st.dictionaries(
            st.integers(1, 6),
            st.tuples(st.sampled_from(["A", "B'"]), st.sampled_from(["light", "heavy", None])),
        ),
        "watched": _acts(),
        "rated": _acts(rating=st.integers(1, 5)),
    }
)

_comparisons = st.one_of(
    st.sampled_from(["at_least", "at_most", "above", "below"]).flatmap(
        lambda test: st.fixed_dictionaries({test: st.integers(0, 5)})
    ),
    st.fixed_dictionaries({"between": st.lists(st.integers(0, 5), min_size=2, max_size=2).map(sorted)}),
    st.fixed_dictionaries({"is": st.lists(st.integers(0, 5), min_size=1, max_size=2)}),
    st.fixed_dictionaries({"is_not": st.integers(0, 5)}),
    st.fixed_dictionaries({"is_missing": st.booleans()}),
)
_titles = st.fixed_dictionaries(
    {},
    optional={
        "title": st.lists(st.sampled_from(["One's", "Two", "3"]), min_size=1, max_size=2),
        "genre": st.sampled_from(["drama", "War", ["drama", "war"]]),
        "at_least": st.integers(1, 2),
        "within_days": st.integers(1, 5),
    },
)
_single = st.one_of(
    st.fixed_dictionaries(
        {"of": st.just("taste")},
        optional={"is": st.sampled_from(["A", ["A", "B'"]]), "level": st.sampled_from(["light", "heavy"])},
    ).map(lambda given: {"segment": given}),
    st.tuples(_comparisons, st.sampled_from(["views", 'odd "name'])).map(
        lambda given: {"feature": {"table": "features.user_viewing", "column": given[1], **given[0]}}
    ),
    _comparisons.map(lambda given: {"attribute": {"column": "minutes", **given}}),
    st.sampled_from([{"is": "Prem'ium"}, {"is_not": ["Basic"]}, {"is_missing": True}]).map(
        lambda given: {"attribute": {"column": "subscription", **given}}
    ),
    _comparisons.map(lambda given: {"attribute": {"column": "joined_on", **_in_days(given)}}),
    _titles.map(lambda given: {"watched": given}),
    st.tuples(_titles, _comparisons.filter(lambda given: "is_missing" not in given)).map(
        lambda given: {"rated": {**given[0], "rating": given[1]}}
    ),
    st.tuples(st.sampled_from(["views", "ratings", "either"]), _comparisons).map(
        lambda given: {"recency": {"of": given[0], **given[1]}}
    ),
    st.just({"audience": "other"}),
)
conditions = st.recursive(
    _single,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: {"all": parts}),
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: {"any": parts}),
        inner.map(lambda part: {"not": part}),
    ),
    max_leaves=5,
)


def _day(day: int) -> str:
    return str((START + timedelta(days=day)).date())


def _in_days(given: dict[str, Any]) -> dict[str, Any]:
    """The same comparison of days."""
    return {
        test: asked
        if isinstance(asked, bool)
        else _day(asked)
        if isinstance(asked, int)
        else [*map(_day, asked)]
        for test, asked in given.items()
    }


@cache
def _database() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(config={"threads": 1})
    connection.execute(DDL)
    return connection


def built(world: dict[str, Any]) -> duckdb.DuckDBPyConnection:
    """The world as tables of the one database of these tests."""
    connection = _database()

    def insert(table: str, rows: list[tuple[Any, ...]]) -> None:
        listed = ", ".join(f"({', '.join(map(_literal, row))})" for row in rows)
        connection.execute(
            f"delete from {table}; " + (f"insert into {table} values {listed}" if rows else "")
        )

    users = world["users"].items()
    insert(
        "marts.users",
        [(user, plan, day if day is None else _day(day), number) for user, (plan, day, number) in users],
    )
    insert("features.user_viewing", [(user, *numbers) for user, numbers in world["views"].items()])
    insert("ml.segment_members", [("taste", str(user), *of) for user, of in world["segments"].items()])
    insert("landing.ids", [(user, f"id-{user}") for user, _ in users if user % 2])
    moment = START.replace(hour=0)
    insert(
        "intermediate.int_views__watched",
        [
            (act["user"], -act["title"], act["title"], moment + timedelta(days=act["day"]))
            for act in world["watched"]
        ],
    )
    insert(
        "features.user_title_ratings",
        [
            (act["user"], act["title"], act["rating"], moment + timedelta(days=act["day"]))
            for act in world["rated"]
        ],
    )
    insert("features.title_descriptions", [(key, str(key), title) for key, (title, _) in TITLES.items()])
    insert(
        "intermediate.int_titles__genres",
        [(str(key), genre, genre.title()) for key, (_, genres) in TITLES.items() for genre in sorted(genres)],
    )
    return connection


def _literal(value: object) -> str:
    return (
        "null"
        if value is None
        else str(value)
        if isinstance(value, (int, float))
        else text_literal(str(value))
    )


def tables_of(connection: duckdb.DuckDBPyConnection) -> Tables:
    """What rules can be about there."""
    columns: dict[str, dict[str, str]] = {}
    for table, column, kind in connection.execute(
        "select schema_name || '.' || table_name, column_name, data_type from duckdb_columns() where not internal"
    ).fetchall():
        columns.setdefault(table, {})[column] = kind

    def values(table: str, column: str, of: str | None = None) -> set[str]:
        where = f" where segmentation = '{of}'" if of else ""
        return {text for (text,) in connection.execute(f"select {column} from {table}{where}").fetchall()}

    return Tables(
        columns,
        lambda *asked: {text for text in values(*asked) if text is not None},
        lambda table: bool(connection.execute(f"from {table} limit 1").fetchall()),
    )


def rule(**declared: Any) -> AudienceSpec:
    """An audience of these conditions."""
    return parse_audience({"name": "tested", "description": "Tested"} | declared)


def members(connection: duckdb.DuckDBPyConnection, spec: AudienceSpec, **others: AudienceSpec) -> set[str]:
    """Who is in it by its SQL."""
    compiled = compile_audience(spec, tables_of(connection), others)
    found = [entity for (entity,) in connection.execute(compiled.sql).fetchall()]
    assert len(found) == len(set(found))
    return set(found)


def holds(one: Condition, user: int, world: dict[str, Any], other: AudienceSpec) -> bool:
    """Whether a condition holds of a user, in plain Python."""
    if one.kind == "all":
        return all(holds(part, user, world, other) for part in one.parts)
    if one.kind == "any":
        return any(holds(part, user, world, other) for part in one.parts)
    if one.not_:
        return not holds(one.not_, user, world, other)
    if one.kind == "audience":
        return is_member(other, user, world, other)
    asked = one.inner
    if one.kind == "segment":
        name, level = world["segments"].get(user, (None, None))
        named = name in asked.is_ if asked.is_ else name is not None
        return named and (level in asked.level if asked.level else True)
    if one.kind == "feature":
        row = world["views"].get(user, (None, None))
        return compares(asked.tests, row[asked.column != "views"])
    if one.kind == "attribute":
        plan, day, number = world["users"][user]
        value = {"subscription": plan, "joined_on": day if day is None else _day(day), "minutes": number}
        return compares(asked.tests, value[asked.column])
    acts = [{**act, "of": kind} for kind in ("watched", "rated") for act in world[kind]]
    if one.kind == "recency":
        kinds = {"views": ["watched"], "ratings": ["rated"], "either": ["watched", "rated"]}[asked.of]
        days = [act["day"] for act in acts if act["of"] in kinds]
        own = [act["day"] for act in acts if act["of"] in kinds and act["user"] == user]
        return compares(asked.tests, max(days) - max(own) if own else None)
    acts = [act for act in acts if act["of"] == one.kind]
    latest = max((act["day"] for act in acts), default=0)
    titles = {
        act["title"]
        for act in acts
        if act["user"] == user
        and (not asked.title or {TITLES[act["title"]][0], str(act["title"])} & set(asked.title))
        and (not asked.genre or TITLES[act["title"]][1] & {genre.lower() for genre in asked.genre})
        and (not asked.within_days or latest - act["day"] <= asked.within_days)
        and (one.kind == "watched" or not asked.rating or compares(asked.rating.tests, act["rating"]))
    }
    return len(titles) >= asked.at_least


def compares(tests: dict[str, Any], value: Any) -> bool:
    """Whether a value passes tests, in plain Python."""
    if "is_missing" in tests:
        return (value is None) == tests["is_missing"]
    if value is None:
        return False
    passed = {
        "at_least": lambda asked: value >= asked,
        "at_most": lambda asked: value <= asked,
        "above": lambda asked: value > asked,
        "below": lambda asked: value < asked,
        "between": lambda asked: asked[0] <= value <= asked[1],
        "is": lambda asked: value in asked,
        "is_not": lambda asked: value not in asked,
    }
    return all(passed[test](asked) for test, asked in tests.items())


def is_member(spec: AudienceSpec, user: int, world: dict[str, Any], other: AudienceSpec) -> bool:
    """Whether a user is in an audience, in plain Python."""
    return all(holds(condition, user, world, other) == (side == "include") for side, condition in spec.steps)
