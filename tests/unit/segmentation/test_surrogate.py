"""A segment is explained in words only where the words find its members."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml.segmentation.errors import SegmentationError
from ml.segmentation.surrogate import Shown, Surrogate, surrogate

SHOWN = {
    "drama": Shown("share of Drama", "share"),
    "comedy": Shown("share of Comedy", "share"),
    "year": Shown("release year", "year"),
    "length": Shown("usual length", "minutes"),
    "ratings": Shown("ratings", "count"),
    "popularity": Shown("popularity of titles"),
}


def watchers(n: int = 3_000, seed: int = 0) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    shares = rng.dirichlet([1, 1, 1], n)
    return pl.DataFrame(
        {
            "drama": shares[:, 0],
            "comedy": shares[:, 1],
            "year": rng.integers(1960, 2020, n),
            "length": rng.normal(100, 15, n),
            "ratings": rng.lognormal(4, 1, n).astype(np.int64),
            "popularity": rng.random(n),
        }
    )


def explain(frame: pl.DataFrame, segment_ids: np.ndarray, **more) -> Surrogate:
    return surrogate(
        frame, segment_ids, int(segment_ids.max()) + 1, SHOWN, rng=np.random.default_rng(1), **more
    )


def planted(frame: pl.DataFrame, *rules: pl.Expr) -> np.ndarray:
    """The number of the first rule that holds; one more where none does."""
    held = [frame.select(rule).to_series().to_numpy() for rule in rules]
    return np.select(held, range(len(held)), len(held))


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (
            (pl.col("drama") > 0.31) & (pl.col("year") < 1994),
            "share of Drama above 31 %, release year before 1994",
        ),
        (
            (pl.col("year") >= 1980) & (pl.col("year") < 2000),
            "release year from 1980 to before 2000",
        ),
        (pl.col("ratings") <= 40, "ratings at most 40"),
        (pl.col("length") > 105, "usual length above 105 minutes"),
        (pl.col("popularity") > 0.75, "popularity of titles above 0.75"),
    ],
    ids=["two columns", "between", "count", "minutes", "number"],
)
def test_a_planted_rule_is_found_in_words(rule, words):
    frame = watchers(8_000)
    found = explain(frame, planted(frame, rule))
    assert found.rules["rule"][0] == words
    assert found.rules.select("precision", "coverage").row(0) > (0.97, 0.97)
    assert 0.97 < found.low <= found.macro_f1 <= found.high <= 1
    assert found.is_faithful


def test_a_segment_of_two_kinds_is_told_as_one_or_the_other():
    frame = watchers(8_000)
    found = explain(frame, planted(frame, (pl.col("drama") > 0.6) | (pl.col("comedy") > 0.6)))
    assert set(found.rules["rule"][0].split("; or ")) == {
        "share of Drama above 60 %",
        "share of Comedy above 60 %",
    }


def test_segments_of_a_little_more_of_many_things_are_told_by_what_weighs_most():
    rng = np.random.default_rng(3)
    shares = rng.dirichlet(np.ones(12), 4_000)
    weights = np.array([3, 2.5, 2, 1.5, -3, -2.5, -2, 0, 0, 0, 0, 0])
    frame = pl.DataFrame(shares, schema=[f"genre_{i}" for i in range(12)])
    shown = {column: Shown(column, "share") for column in frame.columns}
    ids = (shares @ weights > 0).astype(np.int64)
    found = surrogate(frame, ids, 2, shown, rng=np.random.default_rng(1))
    assert found.macro_f1 > 0.9
    assert found.rules["rule"][1].startswith(
        "likelier the higher genre_0, genre_1, genre_2 and the lower genre_4, "
    )
    assert found.rules["rule"][0].startswith(
        "likelier the higher genre_4, genre_5, genre_6 and the lower genre_0, "
    )
    assert found.rules["precision"].min() > 0.9


@pytest.mark.parametrize("seed", range(3))
def test_nothing_is_told_of_segments_that_the_columns_do_not_know(seed):
    frame = watchers(2_000, seed)
    found = explain(frame, np.random.default_rng(seed).integers(4, size=len(frame)))
    assert not found.is_faithful
    assert found.rules["rule"].null_count() == 4
    assert found.macro_f1 < 0.3
    assert f"macro-F1 of {found.macro_f1:.2f} only (0.70 is asked)" in found.rules["reason"][0]


def test_one_segment_that_cannot_be_told_is_passed_over_and_the_others_are_told():
    frame = watchers(6_000)
    rng = np.random.default_rng(2)
    ids = planted(frame, pl.col("drama") > 0.5, pl.col("year") < 1990)
    ids[rng.choice(np.flatnonzero(ids == 2), 200, replace=False)] = 3
    found = explain(frame, ids, least=0.6)
    assert found.rules["rule"].is_null().to_list() == [False, False, False, True]
    assert found.rules["reason"][3] == "no rule was found that picks mostly its members"


@given(st.integers(0, 10_000))
@settings(max_examples=6, deadline=None)
def test_precision_and_coverage_hold_for_people_never_seen(seed):
    def blurred(frame: pl.DataFrame, seed: int) -> np.ndarray:
        ids = planted(frame, pl.col("drama") > 0.4)
        return np.where(np.random.default_rng(seed).random(len(frame)) < 0.1, 1 - ids, ids)

    frame, others = watchers(8_000, seed), watchers(8_000, seed + 1)
    row = explain(frame, blurred(frame, seed)).rules.row(0, named=True)
    assert row["rule"] == f"share of Drama above {row['rule'].split()[-2]} %"
    finds = others["drama"].to_numpy() > float(row["rule"].split()[-2]) / 100
    own = blurred(others, seed + 1) == 0
    assert row["precision"] == pytest.approx((finds & own).sum() / finds.sum(), abs=0.04)
    assert row["coverage"] == pytest.approx((finds & own).sum() / own.sum(), abs=0.04)


def test_the_same_rows_and_generator_give_the_same_words():
    frame = watchers()
    ids = planted(frame, pl.col("drama") > 0.4, pl.col("comedy") > 0.4)
    assert explain(frame, ids).rules.equals(explain(frame, ids).rules)


def test_a_segment_of_a_few_silences_itself_alone():
    frame = watchers(6_000)
    ids = planted(frame, pl.col("drama") > 0.5)
    ids[:7] = 2
    found = explain(frame, ids)
    assert found.rules["rule"].is_null().to_list() == [False, False, True]
    assert "fewer than 10 members" in found.rules["reason"][2]


def test_too_few_members_and_no_columns_are_said():
    frame = watchers(40)
    few = explain(frame, np.array([0] * 31 + [1] * 9))
    assert (few.macro_f1, few.is_faithful) == (None, False)
    assert "no other segment" in few.rules["reason"][0]
    assert "fewer than 10 members" in few.rules["reason"][1]
    none = surrogate(frame, np.arange(40) % 2, 2, {}, rng=np.random.default_rng(0))
    assert none.rules["reason"].to_list() == ["no columns to explain by"] * 2


def test_a_missing_value_is_no_reason_to_belong():
    frame = watchers(4_000).with_columns(drama=pl.when(pl.int_range(pl.len()) % 10 > 0).then("drama"))
    found = explain(frame, planted(frame, (pl.col("drama") > 0.5).fill_null(value=False)))
    assert found.rules["rule"][0] == "share of Drama above 50 %"


@pytest.mark.parametrize(
    ("frame", "says"),
    [
        (watchers(20).drop("drama"), "surrogate: no column 'drama'"),
        (watchers(20).with_columns(drama=pl.lit("much")), "not a number: drama"),
    ],
)
def test_a_column_that_cannot_explain_is_refused_by_name(frame, says):
    with pytest.raises(SegmentationError, match=says):
        explain(frame, np.arange(20) % 2)


def test_a_column_of_yes_and_no_is_spoken_of_as_such():
    frame = watchers().with_columns(joined=(pl.col("drama") > 0.4).cast(pl.Int8))
    segment_ids = frame["joined"].to_numpy().astype(np.int64)
    told = surrogate(
        frame, segment_ids, 2, {"joined": Shown("a member", "flag")}, rng=np.random.default_rng(1)
    )
    assert told.rules["rule"].to_list() == ["not a member", "a member"]
