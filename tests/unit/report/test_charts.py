"""What a reader may rely on in the small charts of the report."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.plots.segment_card import Leaning
from report.charts import WIDTH, column_chart, index_chart

values = st.floats(min_value=0, max_value=1e6, allow_nan=False)
ends = st.none() | values
indices = st.lists(st.builds(Leaning, st.text(max_size=40), values, ends, ends), max_size=12)


@given(indices)
def test_every_bar_lies_within_the_chart_and_touches_the_line_of_everybody(rows):
    chart = index_chart(rows)
    assert len(chart.bars) == len(rows)
    for bar in chart.bars:
        assert bar.x >= 0
        assert bar.x + bar.width <= WIDTH
        start = bar.x if bar.is_over else bar.x + bar.width
        assert math.isclose(start, chart.base_x, abs_tol=1.1)
        assert all(0 <= end <= WIDTH for end in bar.interval or ())


def test_an_interval_lies_about_the_end_of_its_bar_and_is_read_out():
    chart = index_chart([Leaning("Crime", 200.0, 150.0, 250.0), Leaning("War", 50.0)])
    crime, war = chart.bars
    assert crime.interval[0] < crime.x + crime.width < crime.interval[1]
    assert war.interval is None
    assert chart.description == "Crime 200 (150 to 250); War 50"


def test_twice_and_half_are_equally_far_from_everybody():
    twice, half = index_chart([Leaning("Crime", 200.0), Leaning("War", 50.0)]).bars
    assert twice.width == pytest.approx(half.width, abs=0.1)


def test_an_index_beyond_ten_times_keeps_the_others_visible():
    huge, small = index_chart([Leaning("Twitter", 6_610.0), Leaning("World", 200.0)]).bars
    assert huge.text == "6,610"
    assert small.width > 30


@pytest.mark.parametrize(
    ("rows", "finding"),
    [
        ([Leaning("Crime", 145.0), Leaning("War", 70.0)], "Crime 45% above everybody; War 30% below"),
        ([Leaning("Crime", 240.0)], "Crime 2.4 times everybody"),
        ([Leaning("War", 70.0)], "Nothing above everybody; War 30% below"),
        ([], "Nothing surely differs from everybody by 5% or more"),
    ],
)
def test_the_title_of_an_index_chart_is_its_finding(rows, finding):
    assert index_chart(rows).finding == finding


def test_the_description_reads_out_every_value_with_its_whole_label():
    label = "A label that is far too long to stand beside a bar"
    chart = index_chart([Leaning(label, 120.0), Leaning("War", 80.0)])
    assert chart.description == f"{label} 120; War 80"
    assert len(chart.bars[0].label) < len(label)


@given(st.lists(st.integers(min_value=0, max_value=10**7), min_size=1, max_size=11))
def test_columns_stand_side_by_side_on_one_line(counts):
    chart = column_chart([(f"{1900 + 10 * i}s", count) for i, count in enumerate(counts)])
    feet = {round(column.y + column.height) for column in chart.columns}
    assert max(feet) - min(feet) <= 1
    for left, right in zip(chart.columns, chart.columns[1:], strict=False):
        assert left.x + left.width <= right.x
    assert chart.columns[-1].x + chart.columns[-1].width <= WIDTH


def test_the_title_of_a_column_chart_says_which_column_is_highest():
    finding = column_chart([("1990s", 25), ("2000s", 75)]).finding
    assert finding == "75% of the titles of known year are of the 2000s"
