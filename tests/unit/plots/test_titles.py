"""What a reader may rely on in the pictures of titles: scores, ratings, years and what is alike."""

from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.cbook import boxplot_stats
from matplotlib.colors import to_hex
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.text import Annotation, Text

from ml.plots.boxes import box_of_counts, quantiles_of_counts, rating_boxes
from ml.plots.encode import to_png
from ml.plots.palette import kind_colors, segment_colors
from ml.plots.popularity import genre_popularity
from tests.conftest import examples
from tests.unit.plots import audience
from tests.unit.plots.pictures import draw, strip
from tests.unit.plots.reading import rows, subtitle, title


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


@st.composite
def counted(draw_from) -> tuple[np.ndarray, np.ndarray]:
    values = draw_from(st.lists(st.integers(1, 10), min_size=1, max_size=10, unique=True))
    counts = draw_from(st.lists(st.integers(1, 30), min_size=len(values), max_size=len(values)))
    return np.sort(np.array(values)) / 2, np.array(counts)


@given(counted())
@settings(max_examples=examples(200))
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


def test_of_many_genres_those_with_most_titles_have_a_row():
    titles = pl.DataFrame({"genre_label": [f"G{i}" for i in range(60) for _ in range(60 - i)]})
    figure = strip(titles.with_columns(score=pl.int_range(pl.len()) % 97))
    assert {name.partition(" ")[0] for name in rows(figure)} == {f"G{i}" for i in range(40)}
    assert "The 40 of 60 genres with most titles." in subtitle(figure)


@pytest.mark.parametrize("more", [18, 33])
def test_no_name_of_a_genre_covers_another(more):
    crowded = pl.DataFrame(
        {
            "genre_label": [f"Genre number {i}" for i in range(more)],
            "ratings": [10_000 + 300 * i for i in range(more)],
            "mean_rating": [3.4 + 0.005 * (i * 7 % more) for i in range(more)],
        }
    )
    figure = genre_popularity(pl.concat([crowded, audience.genre_popularity()]))
    to_png(figure)
    boxes = [Text.get_window_extent(text) for text in figure.axes[0].findobj(Annotation)]
    assert (len(boxes) == 26) if more == 18 else (18 <= len(boxes) <= 26)
    assert ("Named:" in subtitle(figure)) == (more > 18)
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])


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
    assert title(figure).endswith("4.50 times as often as expected")
