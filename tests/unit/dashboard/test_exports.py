import csv
import io
import re

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.exports import suppress_small, to_parquet
from published.spreadsheets import to_csv
from tests.hostile import HOSTILE


def cells(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


@pytest.mark.parametrize(
    "start",
    ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "＝1", "\n=1", "\0=1", "\u200b=1", "\ufeff=1"],
)
def test_a_cell_that_a_spreadsheet_would_run_is_neutralised(start):
    frame = pl.DataFrame({"title": [start]})
    (cell,) = cells(to_csv(frame))[1]
    # Of the signs that divide cells somewhere, the formula behind one is held too.
    assert cell == f"'{start}".replace("=", "'=" if start[0] in "\t\r\n" else "=")


@pytest.mark.parametrize("text", ["Alien", "3 = 2 + 1", "a@b", "'quoted'", "", "“=”", "8 ½"])
def test_any_other_text_is_as_published(text):
    frame = pl.DataFrame({"title": [text], "other": ["x"]})
    assert cells(to_csv(frame))[1] == [text, "x"]


@given(st.lists(st.text('=+-@ \t\r\na",1') | st.text(), min_size=1, max_size=20))
def test_no_text_at_all_comes_out_as_a_formula(texts):
    with_row = pl.DataFrame({"text": texts, "row": range(len(texts))})
    read = cells(to_csv(with_row))[1:]
    assert len(read) == len(texts)
    assert not [cell for cell, _ in read if re.match(r"[ \t\r\n]*[=+\-@]", cell)]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_nothing_runs_whatever_sign_a_spreadsheet_takes_for_the_end_of_a_cell(delimiter):
    frame = pl.DataFrame({"row": range(len(HOSTILE)), "text": HOSTILE, "after": "x"})
    text = to_csv(frame).decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
    read = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    assert not [cell for row in read for cell in row if re.match(r'[\s"\u200b\ufeff]*[=+\-@＝]', cell)]


def test_a_negative_number_stays_a_number():
    assert cells(to_csv(pl.DataFrame({"loading": [-0.5, 2.0]})))[1:] == [["-0.5"], ["2.0"]]


def test_the_name_of_a_column_cannot_be_a_formula_either():
    assert cells(to_csv(pl.DataFrame({"=cmd()": [1]})))[0] == ["'=cmd()"]


def test_a_csv_tells_spreadsheets_that_it_is_utf_8():
    assert to_csv(pl.DataFrame({"title": ["Amélie"]})).startswith(b"\xef\xbb\xbf")


def test_parquet_keeps_texts_and_types():
    frame = pl.DataFrame({"title": ["=1"], "k": pl.Series([3], dtype=pl.Int32)})
    assert pl.read_parquet(io.BytesIO(to_parquet(frame))).equals(frame)


GROUPS = pl.DataFrame(
    {
        "segment_id": [0, 0, 1, 1],
        "segment_name": ["Large", "Large", "Small", "Small"],
        "members": [50, 50, 49, 49],
        "genre": ["drama", "war", "drama", "war"],
        "mean": [1.0, 2.0, 3.0, 4.0],
    }
)
KEYS = ("segment_id", "segment_name")


def test_a_group_under_the_minimum_is_named_and_nothing_more_is_said_of_it():
    frame = suppress_small(GROUPS, pl.col("members"), keys=KEYS, minimum=50)
    assert frame.filter("suppressed").rows() == [(1, "Small", None, None, None, True)]


def test_a_group_of_the_minimum_is_told_of_in_full():
    frame = suppress_small(GROUPS, pl.col("members"), keys=KEYS, minimum=50)
    assert frame.filter(~pl.col("suppressed")).drop("suppressed").equals(GROUPS.head(2))


def test_the_minimum_can_be_set():
    assert not suppress_small(GROUPS, pl.col("members"), keys=KEYS, minimum=10)["suppressed"].any()


def test_a_group_of_nobody_hides_nobody():
    nobody = GROUPS.head(1).with_columns(pl.lit(0, pl.Int64).alias("members"))
    assert suppress_small(nobody, pl.col("members"), keys=KEYS, minimum=50)["suppressed"].to_list() == [False]
