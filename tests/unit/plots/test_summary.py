"""What a reader may rely on in the summary table."""

import numpy as np
import polars as pl
import pytest
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure

from ml.plots.encode import to_png
from ml.plots.summary import segment_summary


@pytest.fixture
def sizes() -> pl.DataFrame:
    return pl.DataFrame(
        {
            "segment_id": [1, 0],
            "segment_name": ["Large", "Small"],
            "members": [1055, 58],
            "share": [0.9479, 0.0521],
        }
    )


@pytest.fixture
def measured() -> pl.DataFrame:
    rows = [
        (1, "minutes_watched", 1539.153, 1916.03),
        (0, "minutes_watched", 985.328, 1916.03),
        (1, "from_x", 0.0, 0.0521),
        (0, "from_x", 1.0, 0.0521),
    ]
    schema = ["segment_id", "feature", "segment_mean", "base_mean"]
    return pl.DataFrame(rows, schema=schema, orient="row")


def cells(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.axes[0].texts]


def heads(figure: Figure) -> list[str]:
    return [label.get_text() for label in figure.axes[0].get_xticklabels()]


def test_the_table_has_means_shares_and_numbers_as_published(measured, sizes):
    figure = segment_summary(measured, sizes, dummies=["from_x"], labels={"from_x": "From X"})
    assert heads(figure) == ["Everybody", "Small", "Large"]
    rows = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert rows == ["Minutes watched", "From X", "N Obs", "Prop Obs"]
    assert np.reshape(cells(figure), (4, 3)).tolist() == [
        ["1,916.03", "985.33", "1,539.15"],
        ["0.05", "1.00", "0"],
        ["1,113", "58", "1,055"],
        ["1.00", "0.05", "0.95"],
    ]


def test_a_share_has_a_bar_as_long_as_it_is_and_a_mean_has_none(measured, sizes):
    bars = segment_summary(measured, sizes, dummies=["from_x"]).axes[0].findobj(PolyCollection)[0]
    widths = [np.ptp(path.vertices[:, 0]) for path in bars.get_paths()]
    assert np.array(widths) / max(widths) == pytest.approx([0.0521, 1.0])


def test_the_title_says_how_far_the_sizes_reach_and_claims_nothing_else(measured, sizes):
    figure = segment_summary(measured, sizes)
    assert figure.texts[0].get_text() == "2 segments, from 58 members (5.2%) to 1,055 (94.8%)"
    assert segment_summary(measured, sizes.head(1)).texts[0].get_text() == "One segment of 1,055 members"


def test_a_mean_that_is_not_known_is_a_dash(measured, sizes):
    assert "–" in cells(segment_summary(measured.head(3), sizes))


def test_of_very_many_features_the_first_ones_are_drawn(sizes):
    profile = pl.DataFrame({"feature": [f"f{i}" for i in range(70)]}).with_columns(
        segment_id=0, segment_mean=1.5, base_mean=2.5
    )
    figure = segment_summary(profile, sizes)
    assert "The first 60 of 70 features." in figure.texts[1].get_text().replace("\n", " ")
    to_png(figure)
