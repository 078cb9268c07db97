import re
from datetime import datetime

import numpy as np
import plotly.graph_objects as go
import polars as pl
import pytest

from dashboard.charts import (
    audiences,
    choose_k,
    cloud,
    customers,
    health,
    leaving,
    recommend,
    segments,
    titles,
    viewing,
)
from dashboard.charts.base import BLUE, DARK, GREY, LIGHT, RED, inked, name
from ml.plots.palette import color_of, segment_colors
from ml.plots.segment_card import Card, card
from report.sections.recommender import MODELS as REPORTED_MODELS
from tests.unit.dashboard.conftest import SEGMENTS


def test_a_segment_has_the_colour_of_the_plots_and_the_report():
    figure = segments.sizes(SEGMENTS, "users").figure
    drawn = dict(zip(figure.data[0].y, figure.data[0].marker.color, strict=True))
    assert drawn["New Explorers"] == segment_colors(2)[1] == color_of(1)


def test_the_title_of_a_chart_is_its_finding():
    chart = segments.sizes(SEGMENTS, "users")
    assert (
        chart.finding == "The largest segment is Quiet <b>Viewers</b> with 60.0%, the smallest Tiny with 4.9%"
    )
    assert chart.figure.layout.title.text is None


def test_tags_in_a_name_are_text_in_a_chart():
    assert "Quiet &lt;b&gt;Viewers&lt;/b&gt;" in segments.sizes(SEGMENTS, "users").figure.data[0].y
    assert name("<script>alert(1)</script>\n & co") == "&lt;script&gt;alert(1)&lt;/script&gt; &amp; co"


def profiles() -> pl.DataFrame:
    return pl.DataFrame(
        {
            "segment_id": [0, 1, 0, 1],
            "segment_name": ["Quiet", "New", "Quiet", "New"],
            "members": [600, 350, 600, 350],
            "feature": ["cnt_war", "cnt_war", "total_titles", "total_titles"],
            "segment_mean": [1.0, 4.0, 10.0, 20.0],
            "base_mean": [2.0, 2.0, 14.0, 14.0],
            "index": [50.0, 200.0, 71.0, 143.0],
            "index_low": [40.0, 150.0, 40.0, 140.0],
            "index_high": [60.0, 250.0, 110.0, 146.0],
            "is_apart": [True, True, False, True],
        }
    )


def drawn_card(profiles: pl.DataFrame) -> Card:
    segment = {
        **{"segment_id": 0, "segment_name": "Quiet", "members": 600, "share": 0.6},
        **dict.fromkeys(("audience", "content_strategy", "marketing_strategy")),
    }
    return card(segment, {"segment_profiles": profiles})


def test_what_may_differ_by_chance_is_not_drawn_and_what_is_drawn_has_its_interval():
    chart = segments.leanings(drawn_card(profiles()), "all users")
    bar, _ = chart.figure.data
    assert list(bar.y) == ["War"]
    low, high = bar.x[0] - bar.error_x.arrayminus[0], bar.x[0] + bar.error_x.array[0]
    assert (2**low, 2**high) == pytest.approx((0.4, 0.6))
    assert chart.finding == "Quiet: Nothing above everybody; War 50% below"


def test_every_move_between_segments_is_a_ribbon():
    migration = pl.DataFrame(
        {
            "from_segment_id": [0, 0, 1, None],
            "from_segment_name": ["Quiet", "Quiet", "New", None],
            "to_segment_id": [0, 1, None, 1],
            "to_segment_name": ["Quiet", "New", None, "New"],
            "entities": [90, 10, 5, 7],
            "share_of_from": [0.9, 0.1, 1.0, None],
        }
    )
    chart = segments.moves(migration, "users")
    (drawn,) = chart.figure.data
    label = drawn.node.label
    ribbons = {
        (label[s], label[t], v)
        for s, t, v in zip(drawn.link.source, drawn.link.target, drawn.link.value, strict=True)
    }
    assert ribbons == {("Quiet", "Quiet", 90), ("Quiet", "New", 10), ("New", "Gone", 5), ("New", "New", 7)}
    assert "90 (90.0%) stayed" in chart.finding


def test_comparing_names_the_cell_furthest_above_everybody():
    chart = segments.compare(profiles(), everybody="all users")
    assert chart.finding == "New: War is 2 times that of all users"
    assert len(chart.figure.data) == 2


def test_a_feature_whose_base_is_zero_is_not_compared():
    nothing = profiles().with_columns(pl.lit(None, pl.Float64).alias("index"))
    assert "Nothing surely differs" in segments.leanings(drawn_card(nothing), "all users").finding
    assert "can be compared" in segments.compare(nothing, everybody="all users").finding


def genre_ratings() -> pl.DataFrame:
    return pl.DataFrame(
        {
            "segment_id": [0, 1, 0, 1],
            "segment_name": ["Quiet", "New"] * 2,
            "genre_label": ["Drama", "Drama", "War", "War"],
            "raters": [90, 80, 5, 30],
            "is_few": [False, False, True, False],
            "rater_share": [0.9, 0.8, 0.05, 0.3],
            "rater_mean_rating": [3.0, 3.5, 5.0, None],
            "published_mean_rating": [2.7, 2.8, 0.2, 0.9],
        }
    )


def test_a_handful_of_raters_does_not_make_a_finding():
    chart = segments.genre_heatmap(genre_ratings(), "rater_mean_rating")
    assert chart.finding == "New rate Drama highest of all: 3.50"
    assert np.isnan(chart.figure.data[0].z[1][0])
    assert [note.text for note in chart.figure.layout.annotations] == ["5.00 by 5"]


def test_a_genre_nobody_rated_is_an_empty_cell():
    z = segments.genre_heatmap(genre_ratings(), "rater_mean_rating").figure.data[0].z
    assert np.isnan(z[1][1])


def points(k: int) -> pl.DataFrame:
    rng = np.random.default_rng(0)
    ids = np.arange(300) % k
    members = pl.DataFrame(
        {
            "segment_id": ids,
            "segment_name": [f"S{i}" for i in ids],
            "is_centre": False,
            "pc1": ids + rng.normal(0, 0.1, 300),
            "pc2": rng.normal(0, 0.1, 300),
        }
    )
    centres = pl.DataFrame(
        {
            "segment_id": range(k),
            "segment_name": [f"S{i}" for i in range(k)],
            "is_centre": True,
            "pc1": [float(i) for i in range(k)],
            "pc2": 0.0,
        }
    )
    return pl.concat([members, centres])


def test_the_map_names_the_two_segments_furthest_apart():
    chart = segments.segment_map(points(3), (0.4, 0.1))
    assert chart.finding == "S0 and S2 lie furthest apart; two components hold 50.0% of the variance"


def test_a_far_out_member_does_not_squeeze_the_map_and_is_counted():
    far = points(3).head(1).with_columns(pl.lit(1000.0).alias("pc1"))
    chart = segments.segment_map(pl.concat([points(3), far]), (0.4, 0.1))
    assert chart.figure.layout.xaxis.range[1] < 10
    outside = re.search(r"(\d+) members lie outside", chart.reading)
    assert outside
    assert 1 <= int(outside[1]) <= 6


METRICS = pl.DataFrame(
    {
        "k": [2, 3, 4],
        "inertia": [100.0, 50.0, 45.0],
        "silhouette": [0.5, 0.4, None],
        "calinski_harabasz": [10.0, 30.0, 20.0],
        "davies_bouldin": [2.0, 1.0, 1.5],
        "size_min": [40, 30, 20],
        "size_max": [60, 40, 30],
        "is_elbow": [False, True, False],
        "is_published": [False, True, False],
    }
)


def test_each_index_names_the_k_it_prefers_beside_the_published_one():
    assert (
        choose_k.index_over_k(METRICS, "silhouette").finding == "Silhouette prefers k = 2 (0.50 against 0.40)"
    )
    assert choose_k.index_over_k(METRICS, "davies_bouldin").finding == "Davies–Bouldin prefers k = 3 (1)"
    assert choose_k.index_over_k(METRICS, "inertia").finding == "The elbow is at k = 3"


def test_an_index_that_is_nowhere_defined_is_said_to_be_so():
    nowhere = METRICS.with_columns(pl.lit(None, pl.Float64).alias("silhouette"))
    assert "not defined" in choose_k.index_over_k(nowhere, "silhouette").finding


def test_a_channel_with_few_customers_does_not_make_a_finding():
    discovery = pl.DataFrame(
        {
            "region_label": ["Here", "There", "Here", "There"],
            "channel_label": ["Search", "Search", "Friend", "Friend"],
            "customers": [100, 50, 2, 60],
            "region_share": [0.9, 0.4, 0.1, 0.6],
            "base_share": [0.7, 0.7, 0.3, 0.3],
            "index": [128.0, 57.0, 900.0, 200.0],
        }
    )
    assert customers.channels_by_region(discovery, "index").finding == (
        "Friend brings 2 times its usual share of customers in There"
    )


def test_one_customer_who_moves_a_mean_is_named_in_the_finding():
    channels = pl.DataFrame(
        {
            "channel_label": ["Search", "Friend"],
            "mean_minutes_watched": [900.0, 3000.0],
            "mean_minutes_without_largest": [890.0, 1500.0],
            "median_minutes_watched": [300.0, 200.0],
        }
    )
    finding = customers.minutes_by_channel(channels).finding
    assert finding == (
        "The typical customer of Search watches most, 300 minutes; one customer raises the mean of Friend by 100%"
    )


def test_no_word_of_the_cloud_lies_over_another_or_outside():
    words = cloud.place_words(
        {f"Genre number {i}"[: 4 + i % 14]: 100 / (i + 1) for i in range(20)} | {"Drama": 300}
    )
    assert len(words) >= 15
    assert not [(a, b) for i, a in enumerate(words) for b in words[:i] if a.meets(b)]
    assert all(abs(word.x) + word.half_width <= cloud.WIDTH / 2 for word in words)


def test_the_heaviest_word_is_the_largest_and_in_the_middle():
    first = cloud.place_words({"War": 10, "Drama": 90})[0]
    assert (first.text, first.x, first.y) == ("Drama", 0, 0)


def luminance(color: str) -> float:
    channels = np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_the_words_of_the_cloud_stand_out_from_the_ground(theme):
    for color in cloud._COLORS[theme.ground]:
        high, low = sorted((luminance(color), luminance(theme.ground)), reverse=True)
        assert (high + 0.05) / (low + 0.05) >= 4.5, color


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_whatever_is_written_on_the_ground_of_a_chart_stands_out_from_it(theme):
    for color in (theme.ink, theme.muted):
        high, low = sorted((luminance(color), luminance(theme.ground)), reverse=True)
        assert (high + 0.05) / (low + 0.05) >= 4.5, color
    drawn = inked(segments.segment_map(points(3), (0.3, 0.2), theme=theme).figure, theme)
    for axis in (drawn.layout.xaxis, drawn.layout.yaxis):
        assert axis.tickfont.color == axis.title.font.color == theme.muted
        assert axis.title.text.startswith("Component")


def test_a_legend_lies_above_the_chart_where_no_axis_has_its_title():
    legend = segments.segment_map(points(3), (0.3, 0.2)).figure.layout.legend
    assert legend.y > 1
    assert legend.yanchor == "bottom"


def test_what_is_divided_is_called_by_its_name():
    assert re.search(
        r"Small dots: \d+ titles", segments.segment_map(points(3), (0.3, 0.2), unit="titles").reading
    )


def test_a_sankey_gives_out_of_a_genre_what_came_into_it():
    genres = pl.DataFrame({"genre_label": ["Drama", "War"], "ratings": [6, 2]})
    advised = pl.DataFrame({"rank": [1, 2], "title": ["A", "B"], "genres": ["Drama, War", "Drama"]})
    chart = recommend.user_genre_sankey("User 1", genres, advised)
    link = chart.figure.data[0].link
    flows = {
        (source, target): value
        for source, target, value in zip(link.source, link.target, link.value, strict=True)
    }
    assert flows == {(0, 1): 6, (0, 2): 2, (1, 3): 3, (2, 3): 2, (1, 4): 3}
    assert chart.finding == "Drama is what User 1 rated most: 75% of all by genre"
    watched = recommend.user_genre_sankey("User 1", genres, advised, "watched")
    assert watched.finding == "Drama is what User 1 watched most: 75% of all by genre"


def test_the_quality_of_lists_is_told_beside_the_most_popular_titles():
    metrics = pl.DataFrame(
        {
            "model": ["blend", "popular"],
            "is_default": [True, False],
            "is_baseline": [False, True],
            "ndcg": [0.3, 0.2],
            "genre_match": [0.8, 0.5],
        }
    )
    assert recommend.model_quality(metrics, "ndcg").finding == (
        "nDCG@10 is 0.30, 1.50 times that of the most popular titles"
    )
    assert "80% of a list fits" in recommend.model_quality(metrics, "genre_match").finding


def test_a_model_has_one_name_in_dashboard_and_report():
    assert recommend.MODEL_NAMES.keys() == REPORTED_MODELS.keys()
    for model, called in recommend.MODEL_NAMES.items():
        assert REPORTED_MODELS[model].startswith(called)


def test_titles_of_one_name_stay_apart_in_the_similarity_heat_map():
    pairs = pl.DataFrame(
        {
            "title_id": ["1", "1"],
            "similar_title_id": ["2", "3"],
            "similarity": [0.4, 0.7],
            "basis": ["ratings"] * 2,
        }
    )
    chart = titles.similarity_heatmap([("1", "Heat"), ("2", "Heat"), ("3", "Ronin")], pairs)
    heat = chart.figure.data[0]
    assert list(heat.y) == ["Heat", "Heat (2)", "Ronin"]
    assert heat.z[0][2] == heat.z[2][0] == 0.7
    assert np.isnan(heat.z[1][2])
    assert chart.finding == "Heat is most like Ronin (0.70)"


def test_weeks_cut_off_by_the_file_are_not_the_busiest():
    activity = pl.DataFrame(
        {
            "week": pl.date_range(pl.date(2025, 1, 6), pl.date(2025, 2, 3), "7d", eager=True),
            "device": "TV",
            "minutes": [900.0, 100.0, 200.0, 150.0, 950.0],
        }
    )
    assert viewing.weeks(activity, ["TV"]).finding.startswith(
        "The week of 20 January 2025 was the busiest: 200"
    )


def test_hours_lie_where_weekday_and_hour_meet():
    chart = viewing.hours(pl.DataFrame({"weekday": [5], "hour": [21], "events": [10]}))
    assert chart.figure.data[0].z[4][21] == 10
    assert chart.finding.startswith("Friday at 21:00")


def test_no_chart_zooms_under_a_scrolling_finger():
    figure = segments.sizes(SEGMENTS, "users").figure
    assert isinstance(figure, go.Figure)
    assert figure.layout.dragmode is False


def night(run: int, seconds: dict[str, float], outcome: str = "finished") -> pl.DataFrame:
    return pl.DataFrame(
        [
            {
                "run": f"run {run}",
                "run_started_at": datetime(2026, 1, run),
                "stage": stage,
                "part": {"report": "publish", "dbt after ML": "sql"}.get(stage, stage.split()[0]),
                "outcome": outcome,
                "seconds": took,
            }
            for stage, took in seconds.items()
        ]
    )


USUAL = {"landing": 10.0, "dbt after ML": 20.0, "train user_taste": 5.0}


def test_a_slow_night_is_told_beside_those_before_it_with_the_part_that_is_slower():
    slow = USUAL | {"dbt after ML": 60.0, "landing": 8.0}
    assert health.nights(pl.concat([night(1, USUAL), night(2, USUAL), night(3, slow)])).finding == (
        "Up to publishing the newest run took 73 s, 38 s more than the 35 s that the 2 like it before took on average; "
        "SQL took 40 s more"
    )


def test_a_faster_night_is_told_with_the_part_that_is_faster():
    nights = pl.concat([night(1, USUAL), night(2, USUAL | {"landing": 1.0})])
    assert health.nights(nights).finding == (
        "Up to publishing the newest run took 26 s, 9 s less than the 35 s of the one before; Landing took 9 s less"
    )


def test_a_night_is_compared_up_to_publishing_which_nobody_knows_of_the_newest_yet():
    nights = pl.concat([night(1, USUAL | {"report": 90.0}), night(2, USUAL | {"landing": 12.0})])
    assert health.nights(nights).finding == (
        "Up to publishing the newest run took 37 s, about as long as the 35 s of the one before"
    )


def test_nothing_is_said_of_a_night_that_is_alone_or_beside_one_of_other_stages():
    other = {"landing": 10.0, "dbt after ML": 20.0}
    assert health.nights(night(1, USUAL)) is None
    assert health.nights(pl.concat([night(1, other), night(2, USUAL)])) is None


def test_a_run_that_failed_is_drawn_and_not_compared():
    nights = pl.concat([night(1, USUAL), night(2, USUAL | {"landing": 99.0}, "failed"), night(3, USUAL)])
    chart = health.nights(nights)
    assert "took 35 s, about as long as the 35 s of the one before" in chart.finding
    (landing,) = (trace for trace in chart.figure.data if trace.name == "Landing")
    assert list(landing.y) == [10.0, 99.0, 10.0]


def test_a_waterfall_says_how_many_are_left_and_what_leaves_out_most():
    steps = pl.DataFrame(
        {
            "side": ["include", "include", "exclude"],
            "condition": ["everybody", "segment is <b>Quiet", "minutes is below 3"],
            "kept": [1000, 400, 390],
            "dropped": [0, 600, 10],
        }
    )
    chart = audiences.waterfall(steps)
    assert chart.finding == "390 of 1,000 are left; most are left out by “segment is <b>Quiet”"
    (bars,) = chart.figure.data
    assert bars.y[::-1] == ("1. everybody", "2. segment is &lt;b&gt;Quiet", "3. not: minutes is below 3")
    assert bars.text[::-1] == ("1,000", "400 (−600)", "390 (−10)")


def test_an_overlap_says_who_loses_most_to_whom():
    pairs = pl.DataFrame(
        {
            "audience": ["first", "first", "second_one", "second_one", "third", "third"],
            "other": ["second_one", "third", "first", "third", "first", "second_one"],
            "shared": [9, 1, 9, 0, 1, 0],
            "lost_to_other": [0, 0, 9, 0, 1, 0],
        }
    )
    chart = audiences.overlap(pairs)
    assert chart.finding == "10 go to an audience of higher priority; most of all 9 of second one to first"
    assert list(chart.figure.data[0].text[1]) == ["9", "", "0"]
    none = audiences.overlap(pairs.with_columns(lost_to_other=0)).finding
    assert none == "No audience loses anybody to another"


def test_audiences_over_time_say_how_many_runs_changed_them():
    moments = [datetime(2026, 1, 1), datetime(2026, 1, 2)]
    sizes = pl.DataFrame({"audience": ["a", "a", "b", "b"], "moment": moments * 2, "members": [1, 2, 3, 0]})
    chart = audiences.sizes(sizes)
    assert chart.finding == "2 audiences over 2 runs that changed them"
    assert [list(line.y) for line in chart.figure.data] == [[1, 2], [3, 0]]


def test_segments_of_few_scores_are_grey_and_make_no_finding():
    groups = pl.DataFrame(
        {
            "group_name": ["Quiet", "Loyal", "Tiny", "Gone"],
            "scored": [40, 80, 9, 0],
            "mean_score": [0.2, 0.05, 0.9, None],
            "base_score": [0.125] * 4,
        }
    )
    drawn = leaving.scores(groups, least=10)
    assert drawn.finding == "Highest in Quiet: 20.0% are expected to leave, of everybody 12.5%"
    assert drawn.figure.data[0].y == ("Loyal", "Everybody", "Quiet", "Tiny")
    assert drawn.figure.data[0].marker.color == (BLUE, RED, BLUE, GREY)
    assert "fewer than 10" in drawn.reading
    assert leaving.scores(groups, least=100).finding == "No segment has 100 users with a score"
