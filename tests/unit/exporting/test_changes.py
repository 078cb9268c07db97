"""A delivery tells what differs from the last one, and not more than is allowed."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration.tasks.exporting.changes import FORGOTTEN, WHO, apply, compare, counted, why_refused

KEYS = list(WHO)
SCHEMA = {"audience": pl.String, "entity_id": pl.String, "region": pl.String, "score": pl.Float64}
MEMBERS = st.dictionaries(
    st.tuples(st.sampled_from(["a", "b"]), st.sampled_from([*"123456789", "ann@x.org", "=1+1"])),
    st.tuples(st.none() | st.sampled_from(["North", "South"]), st.none() | st.floats(allow_nan=False)),
)


def frame(members: dict) -> pl.DataFrame:
    return pl.DataFrame([(*who, *what) for who, what in members.items()], schema=SCHEMA, orient="row")


def same(one: pl.DataFrame, other: pl.DataFrame) -> bool:
    return one.select(other.columns).sort(KEYS).equals(other.sort(KEYS))


def sent(members: dict, forgotten: set = frozenset()) -> pl.DataFrame:
    rows = frame(members)
    return rows.with_columns(pl.col("entity_id").is_in(list(forgotten)).alias(FORGOTTEN))


@given(st.lists(MEMBERS, min_size=1, max_size=5))
def test_deliveries_in_turn_give_exactly_the_audience(audiences):
    there = None
    for members in audiences:
        changes = compare(there, frame(members), KEYS)
        there = apply(there, changes, KEYS)
        assert same(there, frame(members))
        assert same(apply(there, changes, KEYS), frame(members)), "a delivery twice changes nothing"
        assert compare(there, frame(members), KEYS).is_empty()


@given(MEMBERS, MEMBERS)
def test_nobody_is_told_of_who_did_not_change(before, now):
    changes = compare(sent(before), frame(now), KEYS)
    told = {(row["audience"], row["entity_id"]): row["change"] for row in changes.iter_rows(named=True)}
    assert len(told) == len(changes)
    by_hand = dict.fromkeys(now.keys() - before.keys(), "added")
    by_hand |= dict.fromkeys(before.keys() - now.keys(), "removed")
    by_hand |= {who: "updated" for who in now.keys() & before.keys() if before[who] != now[who]}
    assert told == by_hand


def test_of_who_is_removed_nothing_but_who_it_is_goes_out():
    changes = compare(sent({("a", "1"): ("North", 1.0)}), frame({}), KEYS)
    assert changes.rows() == [("removed", "a", "1", None, None, False)]


def test_of_lists_of_hashes_a_new_address_is_one_added_and_one_removed():
    def hashes(**rows):
        return pl.DataFrame({"audience": ["a"] * len(rows), "entity_id": list(rows), "email": rows.values()})

    before = apply(None, compare(None, hashes(ann="h1", bob="h2"), ["email"]), ["email"])
    changes = compare(before, hashes(ann="h3", carl="h2"), ["email"])
    assert changes.select("change", "email").rows() == [("removed", "h1"), ("added", "h3")]


@pytest.mark.parametrize(
    ("now", "forgotten", "says"),
    [
        (range(10), (), None),
        (range(6), (), "4 of 10 would be removed (40%); at most 30% may be at once"),
        (range(6), "6789", None),
        (range(4), "6789", "4 of the audience a would be left there; at least 5 must be"),
        (range(2, 14), (), None),
    ],
)
def test_too_few_left_and_too_many_removed_are_refused_and_forgotten_people_do_not_count(
    now, forgotten, says
):
    before = sent({("a", str(number)): (None, None) for number in range(10)}, set(forgotten))
    there = frame({("a", str(number)): (None, None) for number in now})
    changes = compare(before, there, KEYS)
    assert why_refused(before, there, changes, least={"a": 5}, most_removed=0.3) == says


def test_a_manifest_counts_rows_and_tells_one_delivery_from_another():
    one = counted(compare(None, frame({("a", "1"): (None, 1.0)}), KEYS))
    other = counted(compare(None, frame({("a", "1"): (None, 2.0)}), KEYS))
    assert (one["added"], one["updated"], one["removed"]) == (1, 0, 0)
    assert one["sha256"] != other["sha256"]
