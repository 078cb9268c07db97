"""The account of an audience: its waterfall, who comes first, who is held out, who entered and left."""

from datetime import datetime, timedelta

import duckdb
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from ml.audiences.holdout import fingerprint, place, place_sql
from ml.audiences.members import by_priority, carry_on, jump, waterfall

NOW = datetime(2026, 11, 30, 3)
people = st.sets(st.sampled_from("abcdef"))


def rows(members: dict[str, set[str]]) -> pl.DataFrame:
    pairs = [(audience, entity) for audience, entities in members.items() for entity in sorted(entities)]
    return pl.DataFrame(pairs, schema={"audience": pl.String, "entity_id": pl.String}, orient="row")


def test_each_step_keeps_what_the_one_before_kept_less_what_it_drops():
    steps = waterfall([("include", "a"), ("exclude", "b")], [10, 7, 4])
    assert steps["condition"].to_list() == ["everybody", "a", "b"]
    assert steps["kept"].to_list() == [10, 7, 4]
    assert steps["dropped"].to_list() == [0, 3, 3]


@given(st.fixed_dictionaries({"first": people, "second": people, "free": people, "customers": people}))
def test_a_person_is_in_one_audience_of_those_that_have_a_priority(members):
    ranks = {"first": 7, "second": 8, "free": None, "customers": 9}
    entities = ["customer_id" if name == "customers" else "user_id" for name in ranks]
    audiences = pl.DataFrame({"audience": list(ranks), "entity": entities, "priority": list(ranks.values())})
    found = by_priority(rows(members), audiences)
    assert found.select("audience", "entity_id").equals(rows(members))
    stay = found.filter(pl.col("taken_by").is_null())
    kept = {name: set(stay.filter(audience=name)["entity_id"]) for name in members}
    assert kept == members | {"second": members["second"] - members["first"]}
    assert set(found["taken_by"].drop_nulls()) <= {"first"}


def test_sql_holds_out_whom_python_holds_out():
    ids = ["1", "15", "é'x", "a@b.example"]
    for salt, audience in (("salt", ""), ("it's", "lapsed")):
        asked = place_sql("unnest(?)", salt, f"'{audience}'")
        found = [at for (at,) in duckdb.execute(f"select {asked}", [ids]).fetchall()]
        assert found == [place(one, salt, audience) for one in ids]


def test_a_share_is_held_out_and_a_larger_share_keeps_them():
    places = pl.Series([place(str(number), "salt") for number in range(20_000)])
    assert 0.045 < (places < 0.05).mean() < 0.055
    own = pl.Series([place(str(number), "salt", "lapsed") for number in range(20_000)])
    assert 0.001 < ((places < 0.05) & (own < 0.05)).mean() < 0.004  # one tells nothing of the other


def test_salts_are_told_apart_and_not_told():
    assert fingerprint("one") != fingerprint("two")
    assert "one" not in fingerprint("one")


@given(st.lists(st.fixed_dictionaries({"x": people, "y": people}), min_size=1, max_size=5))
def test_the_history_says_of_every_day_who_was_in(days):
    history = None
    for day, members in enumerate(days):
        history = carry_on(history, rows(members), NOW + timedelta(days=day))
    for day, members in enumerate(days):
        moment = NOW + timedelta(days=day)
        there = history.filter(
            (pl.col("entered_at") <= moment) & (pl.col("left_at").is_null() | (pl.col("left_at") > moment))
        )
        assert there.select("audience", "entity_id").sort(pl.all()).equals(rows(members).sort(pl.all()))
    assert not history.filter(pl.col("left_at") <= pl.col("entered_at")).height


def test_a_clock_that_went_back_turns_no_stay_round():
    history = carry_on(None, rows({"x": {"a"}}), NOW)
    history = carry_on(history, rows({"x": set()}), NOW - timedelta(days=1))
    assert history["left_at"].to_list() == [NOW]


def test_a_sudden_change_of_size_is_told_of_and_a_small_one_is_not():
    assert jump(40, 100) == "40 members, before 100"
    assert not any([jump(1600, 1500), jump(20, 1), jump(1000, None), jump(0, 0)])
