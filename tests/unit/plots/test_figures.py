"""What a reader may rely on in every figure."""

import re
from io import BytesIO

import matplotlib as mpl
import numpy as np
import polars as pl
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PathCollection, PolyCollection
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure
from PIL import Image
from scipy.cluster.hierarchy import linkage

from ml.plots.correlations import correlations
from ml.plots.dendrogram import dendrogram
from ml.plots.encode import to_png
from ml.plots.given import balanced_subsample
from ml.plots.heatmap import doublings, profile_heatmap
from ml.plots.k_selection import elbow, k_metrics_panel
from ml.plots.palette import colors_of, segment_colors
from ml.plots.pca_map import pca_map, place_labels
from ml.plots.scatter import scatter
from ml.plots.shrink import thumbnail
from ml.plots.sizes import distribution, segment_sizes
from ml.plots.summary import segment_summary
from tests.unit.plots.reading import title, written

HOSTILE = (
    "$x_1^2$ $",
    "<script>alert(1)</script>",
    "snake_" * 20,
    "a very long name " * 8,
    "\\frac{1}{2}",
    "日本 🎬",
)


BETWEEN = (4, 5, 7, 8, 9, 10, 11)


def draw_map(segmented, seed: int = 0, **changed) -> Figure:
    given = {
        "points": segmented.points,
        "segment_ids": segmented.ids,
        "names": segmented.names,
        "centres": segmented.centres,
        "explained_variance_ratio": np.array([0.382, 0.159]),
    } | changed
    return pca_map(**given, rng=np.random.default_rng(seed))


def colours_of_dots(figure: Figure) -> set[str]:
    dots = figure.axes[0].findobj(PathCollection)[0]
    return {to_hex(color) for color in dots.get_facecolors()}


def test_the_elbow_plot_names_the_elbow_and_what_it_means(k_metrics):
    assert title(elbow(k_metrics)).startswith(
        "Elbow at k = 4: each segment up to there cuts inertia by 14.4%"
    )


def test_the_elbow_plot_marks_the_published_k_where_it_is_another(k_metrics):
    assert "published: k = 5" in written(elbow(k_metrics))
    same = k_metrics.with_columns(is_published=pl.col("is_elbow"))
    assert "published: k" not in written(elbow(same))


def test_the_elbow_curve_joins_free_fits_and_the_anchored_one_stands_beside_it(k_metrics):
    axes = elbow(k_metrics, free_inertia=4_900_000.0).axes[0]
    curve = next(line for line in axes.lines if line.get_linestyle() == "-" and len(line.get_xdata()) == 7)
    expected = k_metrics["inertia"].to_list()
    expected[3] = 4_900_000.0
    assert curve.get_ydata().tolist() == expected
    ring = next(line for line in axes.lines if line.get_fillstyle() == "none")
    assert ring.get_xydata().tolist() == [[5, k_metrics["inertia"][3]]]


def test_a_measure_that_is_never_negative_is_not_drawn_below_zero(personas):
    spread = np.abs(personas.points[:, 0])
    assert distribution(spread, personas.ids, personas.names, "Distance").axes[0].get_xlim()[0] == 0
    below = distribution(personas.points[:, 0], personas.ids, personas.names, "Balance").axes[0]
    assert below.get_xlim()[0] < 0


def test_two_candidates_have_no_elbow(k_metrics):
    assert title(elbow(k_metrics.head(2))).startswith("No elbow to find")


def test_an_even_fall_is_not_called_an_elbow(k_metrics):
    even = k_metrics.with_columns(
        inertia=pl.Series(np.linspace(70.0, 10.0, len(k_metrics))), is_elbow=pl.col("k") == 2
    )
    assert title(elbow(even)).startswith("No clear elbow")


def test_the_index_panel_says_which_k_the_silhouette_prefers_and_which_is_published(k_metrics):
    assert title(k_metrics_panel(k_metrics)) == "Silhouette prefers k = 2 (0.50); k = 5 is published (0.16)"


def test_silhouettes_that_would_read_the_same_get_a_third_decimal(k_metrics):
    close = k_metrics.with_columns(silhouette=pl.Series([0.1374, 0.1, 0.1, 0.1362, 0.1, 0.1, 0.1]))
    assert title(k_metrics_panel(close)) == "Silhouette prefers k = 2 (0.137); k = 5 is published (0.136)"


def test_the_index_panel_says_which_direction_is_better(k_metrics):
    panel = written(k_metrics_panel(k_metrics))
    assert panel.count("higher is better") == 2
    assert panel.count("lower is better") == 1


@pytest.mark.parametrize("missing", [None, float("nan")])
def test_an_undefined_index_is_said_to_be_undefined(k_metrics, missing):
    nothing = k_metrics.with_columns(silhouette=pl.lit(missing, dtype=pl.Float64))
    figure = k_metrics_panel(nothing)
    assert title(figure) == "The silhouette is not defined for any k"
    assert "not defined here" in written(figure)
    to_png(figure)


def test_the_balanced_subsample_shows_every_segment(personas):
    chosen = balanced_subsample(personas.ids, 400, np.random.default_rng(0))
    assert np.bincount(personas.ids[chosen]).tolist() == [400, 400, 400, 400, 3]
    assert len(set(chosen)) == len(chosen)


def test_the_map_names_every_centre_and_the_variance_it_shows(personas):
    figure = draw_map(personas)
    assert all(name in written(figure) for name in personas.names)
    assert figure.axes[0].get_xlabel() == "Component 1 (38.2% of the variance)"
    assert figure.axes[0].get_ylabel() == "Component 2 (15.9% of the variance)"
    assert "54.1% of the variance" in title(figure)


def test_a_few_extreme_entities_do_not_squeeze_the_map(personas):
    points = personas.points.copy()
    points[np.flatnonzero(personas.ids == 1)[0]] = [1e6, -1e6]
    low, high = draw_map(personas, points=points).axes[0].get_xlim()
    assert high - low < 100


def test_names_of_centres_that_share_a_place_do_not_cover_each_other():
    at = np.full((6, 2), [3.0, 2.0])
    extents = np.tile([1.5, 0.2], (6, 1))
    places = place_labels(at, extents, np.array([7.0, 4.6]))
    sides = places[:, 0] > 3
    for side in (True, False):
        heights = np.sort(places[sides == side, 1])
        assert (np.diff(heights) >= 0.2 - 1e-9).all()


def test_one_feature_gives_a_map_without_a_second_component(personas):
    figure = draw_map(
        personas,
        points=personas.points[:, :1],
        centres=personas.centres[:, :1],
        explained_variance_ratio=np.array([1.0]),
    )
    assert figure.axes[0].get_ylabel() == "No second component"


def test_the_same_segment_has_the_same_colour_in_every_plot(personas):
    expected = segment_colors(5)
    bars = [to_hex(bar.get_facecolor()) for bar in segment_sizes(personas.sizes).axes[0].patches]
    spread = distribution(personas.titles_per_user, personas.ids, personas.names, "Titles per user")
    curves = [to_hex(curve.get_facecolor()[0]) for curve in spread.axes[0].findobj(PolyCollection)]
    assert bars == curves == expected
    assert colours_of_dots(draw_map(personas)) == set(expected)
    figures = figures_of(personas)
    assert colours_of_dots(figures["scatter"]) == set(expected)
    bands = figures["summary"].axes[0].findobj(PolyCollection)[-1]
    assert [to_hex(color) for color in bands.get_facecolors()] == expected


def test_a_segment_keeps_the_colour_of_its_id_where_another_id_is_gone(personas):
    """As after a refresh in which a segment died: ids 0, 1, 2, 4 and 7 are left."""
    palette = segment_colors(8)
    colors = colors_of([0, 1, 2, 4, 7])
    assert colors == [palette[i] for i in (0, 1, 2, 4, 7)]
    gone = personas.sizes.with_columns(pl.Series("segment_id", [0, 1, 2, 4, 7], dtype=pl.Int32))
    assert [to_hex(bar.get_facecolor()) for bar in segment_sizes(gone).axes[0].patches] == colors
    spread = distribution(personas.titles_per_user, personas.ids, personas.names, "Titles", colors=colors)
    assert [to_hex(curve.get_facecolor()[0]) for curve in spread.axes[0].findobj(PolyCollection)] == colors
    assert colours_of_dots(draw_map(personas, colors=colors)) == set(colors)


def test_the_size_plot_names_the_largest_and_the_smallest_segment(personas):
    assert title(segment_sizes(personas.sizes)) == (
        "Largest segment: Expanding Enthusiasts (37.5%); smallest: Premium Loyalists (0.1%)"
    )


def test_skewed_counts_get_a_logarithmic_axis_and_even_ones_do_not(personas):
    skewed = distribution(personas.titles_per_user, personas.ids, personas.names, "Titles per user")
    even = distribution(personas.points[:, 0], personas.ids, personas.names, "Mean rating")
    assert "Logarithmic axis" in written(skewed)
    assert "Logarithmic axis" not in written(even)


def test_the_distribution_labels_every_median(personas):
    figure = distribution(personas.titles_per_user, personas.ids, personas.names, "Titles per user")
    for segment in range(5):
        median = np.median(personas.titles_per_user[personas.ids == segment])
        assert re.search(rf"\b{median:g}\b", written(figure))


def test_the_heat_map_names_the_cell_furthest_from_everybody(profile):
    assert title(profile_heatmap(profile)) == (
        "Furthest from everybody: Quiet Viewers (Churn Risk) in Science Fiction (0.10 against 2)"
    )


def test_half_and_double_are_equally_far_from_everybody():
    means = np.array([[1.0, 4.0], [0.0, 2.0], [-1.0, -3.0], [0.0, 0.0]])
    base = np.array([2.0, 1.0, -2.0, 0.0])
    assert doublings(means, base).tolist() == [[-1, 1], [-4, 1], [1, -1], [0, 0]]


def test_a_heat_map_of_many_features_shows_those_that_differ_most(personas):
    rows = [
        {
            "segment_id": i,
            "segment_name": personas.names[i],
            "feature": f"avg_f{j}",
            "segment_mean": 1 + i * j / 100,
            "base_mean": 1.0,
            "index": None,
        }
        for i in range(3)
        for j in range(60)
    ]
    figure = profile_heatmap(pl.DataFrame(rows))
    assert "The 40 of 60 features that differ most." in written(figure)
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert set(labels) == {f"F{j}" for j in range(20, 60)}


def figures_of(segmented) -> dict[str, Figure]:
    """Draw every figure that shows segments."""
    profile = segmented.sizes.select("segment_id", "segment_name").join(
        pl.DataFrame(
            {"feature": ["avg_war", "$cnt_x$"], "segment_mean": [1.0, 0.0], "base_mean": [1.5, 0.0]}
        ),
        how="cross",
    )
    profile = profile.with_columns(index=pl.lit(None, dtype=pl.Float64))
    columns = np.column_stack([segmented.points, segmented.titles_per_user])
    figures = {
        "correlations": correlations(np.eye(3) / 2 + 0.5, ["avg_war", "$cnt_x$", segmented.names[0]]),
        "scatter": scatter(
            segmented.points[:, 0],
            segmented.titles_per_user,
            segmented.ids,
            segmented.names,
            x_label="$Component_1$",
            y_label="Titles",
            rng=np.random.default_rng(0),
        ),
        "summary": segment_summary(profile, segmented.sizes),
        "pca_map": draw_map(segmented),
        "sizes": segment_sizes(segmented.sizes),
        "heatmap": profile_heatmap(profile),
        "distribution": distribution(
            segmented.titles_per_user, segmented.ids, segmented.names, "$Titles_per$"
        ),
    }
    if len(segmented.ids) > 1:
        figures["dendrogram"] = dendrogram(
            linkage(columns, "ward"),
            published_k=len(segmented.names),
            suggested_k=2,
            segment_ids=segmented.ids,
            names=segmented.names,
        )
    return figures


@pytest.fixture
def few(make_segmented):
    return make_segmented(("Quiet", "New", "Loyal"), (40, 60, 3))


def every_figure(segmented, k_metrics: pl.DataFrame) -> dict[str, Figure]:
    return figures_of(segmented) | {"elbow": elbow(k_metrics), "k_metrics": k_metrics_panel(k_metrics)}


def test_drawing_changes_no_global_setting_and_the_same_input_and_seed_give_the_same_bytes(few, k_metrics):
    before = mpl.rcParams.copy()
    first, second = every_figure(few, k_metrics), every_figure(few, k_metrics)
    for name, figure in first.items():
        assert to_png(figure, dpi=40) == to_png(second[name], dpi=40), name
    assert mpl.rcParams == before


def test_a_png_tells_neither_the_time_nor_the_version_that_made_it(k_metrics):
    with Image.open(BytesIO(to_png(elbow(k_metrics)))) as picture:
        assert set(picture.info) <= {"dpi", "Title"}


def test_a_png_carries_its_heading_in_words(personas):
    with Image.open(BytesIO(to_png(segment_sizes(personas.sizes)))) as picture:
        assert picture.info["Title"].startswith("Largest segment: Expanding Enthusiasts (37.5%); smallest:")


def test_settings_of_the_machine_do_not_change_a_picture(k_metrics):
    expected = to_png(elbow(k_metrics))
    with mpl.rc_context({"axes.facecolor": "black", "font.size": 30, "lines.linewidth": 9}):
        assert to_png(elbow(k_metrics)) == expected


@pytest.mark.filterwarnings("ignore:Glyph .* missing from font")
@pytest.mark.parametrize("names", [HOSTILE, HOSTILE[::-1]])
def test_a_name_is_printed_as_it_is_never_parsed_and_never_clipped(names, make_segmented):
    segmented = make_segmented(names, (50, 40, 30, 20, 10, 1))
    for what, figure in figures_of(segmented).items():
        to_png(figure, dpi=40)
        renderer = FigureCanvasAgg(figure).get_renderer()
        drawn, (width, height) = figure.get_tightbbox(renderer), figure.get_size_inches()
        assert drawn.x0 >= 0, what
        assert drawn.y0 >= 0, what
        assert drawn.x1 <= width, what
        assert drawn.y1 <= height, what
    assert "$x_1^2$ $" in written(segment_sizes(segmented.sizes))


@pytest.mark.parametrize("k", [1, 2, 3, 6, 12, *(pytest.param(k, marks=pytest.mark.long) for k in BETWEEN)])
def test_every_number_of_segments_can_be_drawn(k, make_segmented):
    segmented = make_segmented(tuple(f"Segment {i + 1}" for i in range(k)), (1,) * k)
    for figure in figures_of(segmented).values():
        assert to_png(figure, dpi=40).startswith(b"\x89PNG")


@pytest.mark.parametrize("value", [0.0, 3.7, -2.0, 1e9])
def test_a_constant_measure_can_be_drawn(personas, value):
    same = np.full(len(personas.ids), value)
    figure = distribution(same, personas.ids, personas.names, "Constant")
    assert "in every segment" in title(figure)
    to_png(figure)


def test_a_measure_without_values_can_be_drawn(personas):
    nothing = np.full(len(personas.ids), np.nan)
    figure = distribution(nothing, personas.ids, personas.names, "Nothing")
    assert title(figure) == "Nothing: no values"
    assert "no members" in written(figure)
    to_png(figure)


def test_a_thumbnail_is_small_and_keeps_the_proportions(personas):
    png = to_png(draw_map(personas))
    small = thumbnail(png, width=420)
    with Image.open(BytesIO(png)) as full, Image.open(BytesIO(small)) as picture:
        assert picture.width == 420
        assert picture.height == pytest.approx(full.height * 420 / full.width, abs=1)
    assert len(small) < 40_000


def test_a_thumbnail_is_no_higher_than_asked_for_and_keeps_the_proportions(personas):
    png = to_png(draw_map(personas))
    with Image.open(BytesIO(png)) as full, Image.open(BytesIO(thumbnail(png, height=200))) as picture:
        assert picture.height == 200
        assert picture.width == pytest.approx(full.width * 200 / full.height, abs=1)


def test_a_thumbnail_is_never_larger_than_the_picture(k_metrics):
    png = to_png(elbow(k_metrics), dpi=40)
    with Image.open(BytesIO(thumbnail(png))) as picture:
        assert picture.width == 280


def test_a_thumbnail_keeps_the_colours_of_the_segments(personas):
    with Image.open(BytesIO(thumbnail(to_png(draw_map(personas))))) as picture:
        seen = np.asarray(picture.convert("RGB"), dtype=float).reshape(-1, 3)
    for color in segment_colors(5):
        nearest = np.abs(seen - np.array(to_rgb(color)) * 255).max(axis=1).min()
        assert nearest <= 12, color
