"""What a reader may rely on in the pictures of the audience: genres, devices, hours and what flows where."""

from datetime import date
from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch, Rectangle

from ml.plots.cloud import genre_cloud
from ml.plots.palette import segment_colors
from ml.plots.ribbons import lay_out
from ml.plots.spacing import spread
from tests.conftest import examples
from tests.unit.plots import audience
from tests.unit.plots.pictures import draw
from tests.unit.plots.reading import columns, rows, title, written


def test_the_cloud_names_the_largest_and_the_best_rated_genre():
    assert title(draw("cloud")) == (
        "Drama has most ratings (27% of all genres together); best rated: Western (3.90)"
    )


def test_the_cloud_can_be_sized_by_viewings():
    genres = audience.genre_popularity().with_columns(events=pl.int_range(1, 9))
    assert title(genre_cloud(genres, counted="events")).startswith("Western has most events")


def test_a_genre_that_nobody_rated_is_no_word():
    genres = audience.genre_popularity().with_columns(
        ratings=pl.when(genre_label="Drama").then(0).otherwise("ratings")
    )
    assert title(genre_cloud(genres)).startswith("Comedy has most ratings")


def test_users_of_a_segment_stand_together_and_those_without_one_last():
    figure = draw("user_devices")
    frame = audience.user_devices().sort("segment_id", nulls_last=True, maintain_order=True)
    assert rows(figure) == [str(user) for user in frame["user_id"].unique(maintain_order=True)]
    bands = [patch for patch in figure.axes[1].patches if isinstance(patch, Rectangle)]
    assert [to_hex(band.get_facecolor()) for band in bands] == [*segment_colors(3), "#c6cad3"]


def test_the_cells_of_a_user_hold_the_shares_of_the_devices():
    frame = pl.DataFrame(
        {
            "user_id": [7, 7, 8],
            "segment_id": [0, 0, 0],
            "segment_name": ["All"] * 3,
            "device": ["TV", "Mobile", "TV"],
            "share": [0.75, 0.25, 1.0],
        }
    )
    figure = draw("user_devices", frame)
    assert columns(figure) == ["TV", "Mobile"]
    assert [text.get_text() for text in figure.axes[0].texts] == ["75%", "25%", "100%"]
    assert title(figure) == "TV is the first device of 2 of 2 users; 1 use a single device"


def test_the_segment_map_names_the_cell_furthest_from_everybody():
    assert title(draw("segment_devices")) == (
        "Furthest from everybody: Quiet Viewers (Churn Risk) on TV (20.0% of viewing against 40.0%)"
    )


def test_segments_that_all_watch_alike_are_said_to():
    alike = audience.segment_devices().with_columns(pl.lit(0.25).alias("share"), pl.lit(100.0).alias("index"))
    assert title(draw("segment_devices", alike)) == "All segments watch on the same devices"


@given(
    st.integers(1, 6).flatmap(
        lambda wide: st.lists(
            st.lists(st.integers(0, 50), min_size=wide, max_size=wide), min_size=1, max_size=6
        )
    )
)
@settings(max_examples=examples(100))
def test_ribbons_fill_their_bars_exactly(values):
    values = np.array(values, dtype=float)
    flow = lay_out(values)
    for bars, totals, side in (
        (flow.sources, values.sum(axis=1), "source"),
        (flow.targets, values.sum(axis=0), "target"),
    ):
        assert [high - low for low, high in bars] == pytest.approx(totals.tolist())
        for i, (low, high) in enumerate(bars):
            ends = [r.left if side == "source" else r.right for r in flow.ribbons if getattr(r, side) == i]
            edges = [low, *(edge for end in ends for edge in end), high]
            # Each begins where the one before it ended.
            assert edges[0::2] == pytest.approx(edges[1::2])
        assert all(a[1] <= b[0] + 1e-9 for a, b in pairwise(bars))
        assert bars[-1][1] <= flow.height + 1e-9
    widths = {(r.source, r.target): r.left[1] - r.left[0] for r in flow.ribbons}
    assert widths == pytest.approx({at: value for at, value in np.ndenumerate(values) if value})
    assert all(r.left[1] - r.left[0] == pytest.approx(r.right[1] - r.right[0]) for r in flow.ribbons)


def ribbons(figure: Figure) -> list[PathPatch]:
    return [patch for patch in figure.axes[0].patches if isinstance(patch, PathPatch)]


def test_no_rating_is_lost_when_small_genres_are_drawn_together():
    frame = audience.segment_genres(16)
    figure = draw("segment_flow", frame)
    assert "5 other genres" in written(figure)
    total = sum(np.ptp(patch.get_path().vertices[[0, 7], 1]) for patch in ribbons(figure))
    assert total == pytest.approx(frame["ratings"].sum())
    assert len(ribbons(figure)) == 3 * 12


def test_the_ribbons_of_a_segment_have_its_colour():
    drawn = {to_hex(patch.get_facecolor()) for patch in ribbons(draw("segment_flow"))}
    assert drawn == set(segment_colors(3))


def test_the_user_flow_says_which_genre_is_the_largest_of_most_users():
    frame = audience.user_genres()
    first = frame.sort("ratings", descending=True).unique("user_id", keep="first")["genre_label"]
    assert title(draw("user_flow")) == (
        f"Drama is the largest genre of {(first == 'Drama').sum()} of 7 users"
    )


def test_the_busiest_hour_is_named_and_framed():
    figure = draw("hours")
    total = audience.viewing_hours()["events"].sum()
    assert title(figure) == (
        f"Busiest hour: Saturday, 21:00 ({300 / total:.2%} of all viewings); "
        f"quietest: Tuesday, 4:00 ({7 / total:.2%})"
    )
    (frame,) = (patch for patch in figure.axes[0].patches if isinstance(patch, Rectangle))
    assert frame.get_xy() == (20.5, 4.5)


def test_every_hour_of_the_week_has_a_cell_even_where_nobody_watched():
    one = pl.DataFrame({"weekday": [3], "hour": [20], "events": [5]})
    image = draw("hours", one).axes[0].images[0].get_array()
    assert image.shape == (7, 24)
    assert image.count() == 7 * 24
    assert image[2, 20] == 1


def test_growth_is_measured_on_whole_weeks():
    # The last week is cut short: with it, viewing would seem to fall.
    figure = draw("weeks")
    growth = 1.02**14 - 1
    assert title(figure).startswith(f"Viewing grew by {growth:.0%} from the first to the last 4 whole weeks")


def test_a_week_without_viewing_on_a_device_counts_as_none():
    frame = pl.DataFrame(
        {
            "week": [date(2025, 3, day) for day in (3, 10, 17, 24, 3)],
            "device": ["TV"] * 4 + ["Tablet"],
            "minutes": [60.0, 120.0, 60.0, 120.0, 60.0],
        }
    )
    lines = draw("weeks", frame).axes[0].lines
    assert [line.get_ydata().tolist() for line in lines if len(line.get_ydata()) == 2][3:] == [
        [0.0, 0.0],
        [1.0, 0.0],
        [0.0, 0.0],
    ]


@given(st.lists(st.tuples(st.floats(0, 10), st.floats(0.1, 2)), min_size=1, max_size=8), st.floats(16, 30))
@settings(max_examples=examples(200))
def test_labels_beside_ends_never_meet_keep_their_order_and_stay_inside(labels, room):
    wanted, heights = np.array(labels).T
    places = spread(wanted, heights, low=0, high=room)
    order = np.argsort(wanted, kind="stable")
    assert (np.diff(places[order]) >= (heights[order][1:] + heights[order][:-1]) / 2 - 1e-9).all()
    assert (places - heights / 2 >= -1e-9).all()
    assert (places + heights / 2 <= room + 1e-9).all()


def test_a_label_with_room_stays_where_it_is_wanted():
    assert spread(np.array([0.9, 0.1]), np.array([0.1, 0.1])).tolist() == [0.9, 0.1]
    assert spread(np.array([0.5, 0.5]), np.array([0.2, 0.2])).tolist() == pytest.approx([0.4, 0.6])
