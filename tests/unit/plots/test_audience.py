"""What a reader may rely on in the pictures of audience and catalogue."""

from collections.abc import Callable
from datetime import date
from io import BytesIO
from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.cbook import boxplot_stats
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.text import Annotation, Text
from PIL import Image

from ml.plots.boxes import box_of_counts, quantiles_of_counts, rating_boxes
from ml.plots.cloud import genre_cloud
from ml.plots.compact import few_colors
from ml.plots.devices import segment_device_heatmap, user_device_heatmap
from ml.plots.encode import to_png
from ml.plots.given import NothingToDrawError, drawable
from ml.plots.kinds import kind_colors
from ml.plots.labels import spread
from ml.plots.leanings import segment_leanings
from ml.plots.popularity import genre_popularity
from ml.plots.recommenders import recommender_bars
from ml.plots.ribbons import lay_out, segment_genre_flow, user_genre_flow
from ml.plots.similarity import similarity_heatmap
from ml.plots.strips import genre_strip
from ml.plots.style import plot_style, segment_colors
from ml.plots.times import viewing_hours_heatmap, weekly_activity
from ml.plots.trends import catalogue_trends
from tests.unit.plots import audience

HOSTILE = "$x_1^2$ <script>alert(1)</script> \\frac 日本 🎬 " + "name " * 30


def strip(titles: pl.DataFrame, seed: int = 0, **changed) -> Figure:
    return genre_strip(
        titles, measure="audience score", unit="0 to 100", rng=np.random.default_rng(seed), **changed
    )


DRAWN: dict[str, tuple[Callable[[pl.DataFrame], Figure], Callable[[], pl.DataFrame]]] = {
    "strip": (strip, audience.titles),
    "boxes": (rating_boxes, audience.genre_rating_counts),
    "cloud": (genre_cloud, audience.genre_popularity),
    "user_devices": (lambda frame: user_device_heatmap(frame, chosen="some"), audience.user_devices),
    "segment_devices": (segment_device_heatmap, audience.segment_devices),
    "similarity": (lambda frame: similarity_heatmap(frame, chosen="Some titles"), audience.similar_titles),
    "user_flow": (lambda frame: user_genre_flow(frame, chosen="Some users"), audience.user_genres),
    "segment_flow": (segment_genre_flow, audience.segment_genres),
    "hours": (viewing_hours_heatmap, audience.viewing_hours),
    "weeks": (weekly_activity, audience.weekly_activity),
    "trends": (
        lambda frame: catalogue_trends(
            frame, measure="audience_score", label="mean audience score (0 to 100)"
        ),
        audience.catalogue_trends,
    ),
    "popularity": (genre_popularity, audience.genre_popularity),
    "recommenders": (lambda frame: recommender_bars(frame, measure="nDCG@10"), audience.recommender_metrics),
    "leanings": (segment_leanings, audience.segment_titles),
}


def draw(name: str, frame: pl.DataFrame | None = None) -> Figure:
    function, invent = DRAWN[name]
    return function(invent() if frame is None else frame)


def title(figure: Figure) -> str:
    return figure.texts[0].get_text().replace("\n", " ")


def subtitle(figure: Figure) -> str:
    return figure.texts[1].get_text().replace("\n", " ")


def rows(figure: Figure) -> list[str]:
    return [label.get_text().replace("\n", " ") for label in figure.axes[0].get_yticklabels()]


def columns(figure: Figure) -> list[str]:
    return [label.get_text().replace("\n", " ") for label in figure.axes[0].get_xticklabels()]


def written(figure: Figure) -> str:
    return " ".join(text.get_text().replace("\n", " ") for text in figure.findobj(Text))


# ------------------------------------------------------------------------------------------ every picture


ORDER_MATTERS = {"strip", "user_devices"}
"""A generator meets the titles one by one, and the caller says which user comes first."""


@pytest.mark.parametrize("name", DRAWN)
def test_the_same_rows_and_seed_give_the_same_bytes_in_whatever_order_they_come(name):
    frame = DRAWN[name][1]()
    again = frame if name in ORDER_MATTERS else frame.sample(fraction=1, shuffle=True, seed=1)
    assert to_png(draw(name, frame)) == to_png(draw(name, again))


@pytest.mark.parametrize("name", DRAWN)
def test_a_picture_says_its_finding_to_those_who_cannot_see_it(name):
    figure = draw(name)
    assert figure.get_label() == f"{title(figure)}. {subtitle(figure)}"


@pytest.mark.parametrize("name", DRAWN)
def test_a_table_without_rows_is_refused_by_name_of_what_is_missing(name):
    with pytest.raises(NothingToDrawError, match="no row has"):
        draw(name, DRAWN[name][1]().head(0))


@pytest.mark.parametrize("name", DRAWN)
def test_one_row_is_drawn_or_refused_in_words(name):
    one = DRAWN[name][1]().filter(pl.col("ratings") > 0 if name == "boxes" else True).slice(2, 1)
    if name == "weeks":
        with pytest.raises(NothingToDrawError, match="there is viewing in one week only"):
            draw(name, one)
    else:
        draw(name, one)


@pytest.mark.parametrize("name", sorted(set(DRAWN) - {"hours"}))
def test_any_name_can_be_drawn(name):
    frame = DRAWN[name][1]()
    texts = [column for column, kind in frame.schema.items() if kind == pl.String]
    to_png(draw(name, frame.with_columns(pl.col(texts) + pl.lit(HOSTILE))))


@pytest.mark.parametrize("name", DRAWN)
def test_text_stays_inside_the_picture(name):
    figure = draw(name)
    width, height = figure.get_size_inches()
    with plot_style():
        drawn = figure.get_tightbbox()
    assert min(drawn.x0, drawn.y0) >= 0
    assert drawn.x1 <= width
    assert drawn.y1 <= height


def test_a_missing_column_is_named():
    with pytest.raises(NothingToDrawError, match="no column score and no unit"):
        drawable(pl.DataFrame({"genre_label": ["Drama"]}), "genre_label", "score", "unit")


# ------------------------------------------------------------------------------------------ strip


def test_the_strip_has_the_genre_of_the_highest_median_on_top_and_counts_its_titles():
    titles = audience.titles()
    expected = (
        titles.group_by("genre_label").agg(pl.col("score").median(), pl.len()).sort("score", descending=True)
    )
    assert rows(strip(titles)) == [f"{genre} ({count})" for genre, _, count in expected.iter_rows()]


def test_each_title_is_one_dot_at_its_score_in_the_row_of_its_genre():
    titles = audience.titles()
    figure = strip(titles)
    across, up = figure.axes[0].lines[0].get_data()
    assert np.array_equal(across, titles["score"])
    order = [label.rpartition(" (")[0] for label in rows(figure)]
    assert [order[row] for row in np.rint(up).astype(int)] == titles["genre_label"].to_list()


def test_beyond_a_number_of_dots_some_are_drawn_and_it_is_said():
    figure = strip(audience.titles(900), most=500)
    assert len(figure.axes[0].lines[0].get_xdata()) == 500
    assert "500 of 900 dots are drawn, at random." in subtitle(figure)
    assert "drawn" not in subtitle(strip(audience.titles(500), most=500))


def test_the_heading_does_not_rest_on_a_genre_of_a_few_titles():
    few = pl.DataFrame({"genre_label": ["Foreign"] * 3, "score": [99.0] * 3})
    figure = strip(pl.concat([audience.titles(), few]))
    assert rows(figure)[0] == "Foreign (3)"
    assert title(figure).startswith("Highest median audience score: Drama")


# ------------------------------------------------------------------------------------------ boxes


@st.composite
def counted(draw_from) -> tuple[np.ndarray, np.ndarray]:
    values = draw_from(st.lists(st.integers(1, 10), min_size=1, max_size=10, unique=True))
    counts = draw_from(st.lists(st.integers(1, 30), min_size=len(values), max_size=len(values)))
    return np.sort(np.array(values)) / 2, np.array(counts)


@given(counted())
@settings(max_examples=200, deadline=None)
def test_quartiles_from_counts_are_those_of_the_ratings_written_out(given_counts):
    values, counts = given_counts
    written_out = np.repeat(values, counts)
    at = (0.0, 0.25, 0.5, 0.75, 0.9, 1.0)
    assert quantiles_of_counts(values, counts, at) == pytest.approx(np.quantile(written_out, at))
    box = box_of_counts(values, counts)
    (expected,) = boxplot_stats(written_out)
    for key in ("q1", "med", "q3", "whislo", "whishi", "mean"):
        assert box[key] == pytest.approx(expected[key]), key


def test_boxes_stand_by_median_and_then_by_mean():
    counts = audience.genre_rating_counts()
    written_out = counts.select("genre_label", pl.col("rating").repeat_by("ratings")).explode("rating")
    order = (
        written_out.group_by("genre_label")
        .agg(pl.col("rating").median().alias("median"), pl.col("rating").mean().alias("mean"))
        .sort("median", "mean", descending=True)
    )
    figure = rating_boxes(counts)
    assert rows(figure) == order["genre_label"].to_list()
    best, worst = order.sort("mean")["genre_label"][-1], order.sort("mean")["genre_label"][0]
    assert title(figure).startswith(f"Best rated genre: {best}")
    assert worst in title(figure)


def test_the_boxes_are_drawn_at_the_quartiles():
    counts = pl.DataFrame({"genre_label": "Drama", "rating": [1.0, 2.0, 4.0, 5.0], "ratings": [1, 2, 3, 4]})
    box = next(patch for patch in rating_boxes(counts).axes[0].patches if isinstance(patch, PathPatch))
    at = box.get_path().vertices[:, 0]
    assert [at.min(), at.max()] == np.quantile([1, 2, 2, 4, 4, 4, 5, 5, 5, 5], [0.25, 0.75]).tolist()


# ------------------------------------------------------------------------------------------ cloud


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


# ------------------------------------------------------------------------------------------ devices


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


# ------------------------------------------------------------------------------------------ similarity


def test_titles_that_are_alike_stand_together():
    groups = [label.split("group ")[1].split()[0] for label in rows(draw("similarity"))]
    assert sum(a != b for a, b in pairwise(groups)) == 2


def test_similarity_is_symmetric_and_an_absent_pair_is_unknown_not_zero():
    image = draw("similarity").axes[0].images[0].get_array()
    assert np.array_equal(image.mask, image.mask.T)
    assert image.mask.diagonal().all()
    assert np.allclose(image.filled(-1), image.filled(-1).T)
    assert image.count() == 2 * len(audience.similar_titles())


def test_the_title_names_the_pair_most_alike():
    best = audience.similar_titles().sort("similarity")[-1]
    figure = draw("similarity")
    assert best["title"].item() in title(figure)
    assert best["similar_title"].item() in title(figure)


def test_films_of_the_same_name_are_two_titles():
    pairs = pl.DataFrame(
        {
            "title_id": ["1", "3"],
            "title": ["King Kong", "Solaris"],
            "similar_title_id": ["2", "4"],
            "similar_title": ["King Kong", "Solaris"],
            "similarity": [0.5, 0.4],
        }
    )
    assert len(rows(draw("similarity", pairs))) == 4


# ------------------------------------------------------------------------------------------ ribbons


@given(
    st.integers(1, 6).flatmap(
        lambda wide: st.lists(
            st.lists(st.integers(0, 50), min_size=wide, max_size=wide), min_size=1, max_size=6
        )
    )
)
@settings(max_examples=100, deadline=None)
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


# ------------------------------------------------------------------------------------------ times


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
@settings(max_examples=200, deadline=None)
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


# ------------------------------------------------------------------------------------------ catalogue, genres


def test_the_mean_of_a_year_of_a_few_titles_is_not_drawn():
    frame = pl.DataFrame(
        {
            "catalogue": "movies",
            "release_year": [2000, 2001, 2002],
            "titles": [50, 40, 60],
            "scored_titles": [50, 3, 60],
            "audience_score": [70.0, 99.0, 60.0],
        }
    )
    upper, lower = draw("trends", frame).axes
    assert upper.lines[0].get_ydata().tolist() == [50, 40, 60]
    means = lower.lines[0].get_ydata()
    assert means[[0, 2]].tolist() == [70, 60]
    assert np.isnan(means[1])


def test_titles_of_long_ago_are_counted_where_they_are_not_drawn():
    frame = audience.catalogue_trends()
    earlier = frame.filter(pl.col("release_year") < 1918)["titles"].sum()
    assert f"{earlier:,} titles from before 1918 are not drawn." in subtitle(draw("trends"))


def test_a_kind_has_the_same_colour_whatever_stands_beside_it_first():
    assert kind_colors(["TV", "Mobile"]) == kind_colors(["Mobile", "TV", "TV"])


def test_the_popularity_plot_says_where_the_most_rated_genre_stands_by_mean():
    assert title(draw("popularity")) == (
        "Drama has most ratings (45,000) and is number 2 of 8 by mean; rated best: Western (3.90)"
    )


def test_no_name_of_a_genre_covers_another():
    crowded = pl.DataFrame(
        {
            "genre_label": [f"Genre number {i}" for i in range(18)],
            "ratings": [10_000 + 300 * i for i in range(18)],
            "mean_rating": [3.4 + 0.005 * i for i in range(18)],
        }
    )
    figure = genre_popularity(pl.concat([crowded, audience.genre_popularity()]))
    to_png(figure)
    boxes = [Text.get_window_extent(text) for text in figure.axes[0].findobj(Annotation)]
    assert len(boxes) == 26
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])


# ------------------------------------------------------------------------------------------ recommenders, leanings


def test_recommenders_stand_by_what_they_reach_and_baselines_are_grey():
    figure = draw("recommenders")
    assert rows(figure) == ["blend (in use)", "ease", "als", "popularity (baseline)", "random (baseline)"]
    bars = [to_hex(bar.get_facecolor()) for bar in figure.axes[0].patches]
    assert len(set(bars[:3])) == len(set(bars[3:])) == 1
    assert bars[0] != bars[3]
    assert title(figure) == (
        "Best by nDCG@10: blend (0.345), 1.61 times the best baseline, popularity (0.214)"
    )


def test_a_baseline_that_wins_is_said_to_win():
    frame = audience.recommender_metrics().with_columns(
        value=pl.when(model="popularity").then(0.9).otherwise("value")
    )
    assert title(draw("recommenders", frame)) == (
        "No recommender beats the baseline popularity (nDCG@10 0.900)"
    )


def test_each_segment_shows_its_first_titles_by_rank_in_its_colour():
    figure = draw("leanings")
    bars = [patch for patch in figure.axes[0].patches if isinstance(patch, Rectangle)]
    assert [to_hex(bar.get_facecolor()) for bar in bars] == [c for c in segment_colors(3) for _ in range(4)]
    expected = audience.segment_titles().filter(pl.col("rank") <= 4)["index"] / 100
    assert [bar.get_width() for bar in bars] == pytest.approx(expected.to_list())
    assert "part 1" in title(figure)
    assert title(figure).endswith("4.50 times as often as everybody")


# ------------------------------------------------------------------------------------------ encoding


def test_a_picture_of_few_colours_keeps_its_size_its_heading_and_its_look():
    png = to_png(draw("hours"))
    with Image.open(BytesIO(png)) as before, Image.open(BytesIO(few_colors(png))) as after:
        assert after.mode == "P"
        assert after.size == before.size
        assert after.info["Title"] == before.info["Title"] == draw("hours").get_label()
        difference = np.abs(np.asarray(before.convert("RGB"), int) - np.asarray(after.convert("RGB"), int))
    assert difference.mean() < 1
    assert len(few_colors(png)) < len(png) / 2
