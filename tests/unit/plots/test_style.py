from itertools import combinations

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.colors import to_hex, to_rgb

from ml.plots.cells import BLUE_TO_RED
from ml.plots.palette import readable_on, segment_colors
from ml.plots.style import plot_style, text_width, wrap, wrap_name
from ml.plots.words import (
    decimals,
    feature_label,
    feature_labels,
    log_ticks,
    number,
    numbers_apart,
    percent,
    short_name,
    tick_number,
)

# Machado, Oliveira and Fernandes (2009), full severity, on linear RGB.
SIGHT = {
    "normal": np.eye(3),
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}


def luminance(color: str) -> float:
    channels = np.array(to_rgb(color))
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def test_digits_can_be_read_on_every_colour_of_a_heat_map():
    for position in np.linspace(0, 1, 101):
        ground = to_hex(BLUE_TO_RED(position))
        dark, light = sorted((luminance(ground), luminance(readable_on(ground))))
        assert (light + 0.05) / (dark + 0.05) >= 4.5, ground


def as_lab(color: str, sight: str) -> np.ndarray:
    channels = np.array(to_rgb(color))
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    seen = np.clip(np.array(SIGHT[sight]) @ linear, 0, 1)
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    xyz = to_xyz @ seen / [0.9505, 1, 1.089]
    x, y, z = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("sight", SIGHT)
def test_ten_segments_are_told_apart_by_colour_whatever_the_sight(sight):
    seen = [as_lab(color, sight) for color in segment_colors(10)]
    assert min(np.linalg.norm(a - b) for a, b in combinations(seen, 2)) > 15


def test_a_segment_id_keeps_its_colour_whatever_the_number_of_segments():
    assert segment_colors(2) == segment_colors(5)[:2] == segment_colors(30)[:2]


def test_more_than_ten_segments_still_differ():
    assert len(set(segment_colors(30))) == 30


def test_drawing_leaves_the_settings_of_the_machine_alone():
    before = mpl.rcParams.copy()
    with plot_style():
        assert not mpl.rcParams["text.parse_math"]
    assert mpl.rcParams == before


@pytest.mark.parametrize(
    ("feature", "label"),
    [
        ("avg_science_fiction", "Science Fiction"),
        ("cnt_tv_movie", "TV Movie"),
        ("total_titles", "Total titles"),
        ("runtime_minutes", "Runtime (minutes)"),
        ("CLV", "CLV"),
        ("_", "_"),
    ],
)
def test_a_column_name_reads_as_words(feature, label):
    assert feature_label(feature) == label


def test_labels_that_would_read_the_same_say_what_they_are():
    assert feature_labels(["cnt_drama", "avg_drama", "avg_war"]) == ["Drama, count", "Drama, mean", "War"]


def test_a_declared_label_is_taken_as_it_is():
    assert feature_labels(["channel_x", "clv"], {"channel_x": "The X channel"}) == ["The X channel", "CLV"]


def test_two_numbers_that_would_read_the_same_get_a_third_decimal():
    assert numbers_apart(0.1374, 0.1362) == ("0.137", "0.136")
    assert numbers_apart(0.14, 0.21) == ("0.14", "0.21")
    assert numbers_apart(0.14, 0.14) == ("0.14", "0.14")


def test_a_table_never_shows_a_negative_zero():
    assert decimals(-0.001) == "0.00"
    assert decimals(-1299.333) == "−1,299.33"
    assert decimals(float("nan")) == "–"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.97, "0.97"),
        (9.996, "10.0"),
        (1916.03, "1,916"),
        (7_649_659, "7.65M"),
        (-0.1, "−0.10"),
        (float("nan"), "–"),
    ],
)
def test_numbers_have_three_digits_or_so(value, text):
    assert number(value) == text


def test_ticks_are_exact_but_for_float_noise():
    assert [tick_number(value) for value in (0.175, 0.1 + 0.2, 10_500, 7.5e6, -0.5, -0.0)] == [
        "0.175",
        "0.3",
        "10,500",
        "7.5M",
        "−0.5",
        "0",
    ]


def test_a_logarithmic_axis_has_at_least_three_ticks():
    assert log_ticks(20, 2700) == [30, 100, 300, 1000]
    assert len(log_ticks(40, 90)) >= 3


def test_shares_are_percentages():
    assert percent(0.4628) == "46.3%"
    assert percent(float("nan")) == "–"


def test_a_long_name_is_broken_evenly_between_words():
    assert wrap_name("Quiet Viewers (Churn Risk)", 1.5, 9.5) == "Quiet Viewers\n(Churn Risk)"


def test_no_line_is_wider_than_it_may_be():
    text = "an_unbroken_word_that_does_not_fit_any_line and a few short ones, $x^2$ <script>"
    broken = wrap(text, 0.9, 9)
    assert text_width(broken, 9) <= 0.9
    assert "".join(broken.split()) == "".join(text.split())


def test_a_name_that_does_not_fit_ends_with_an_ellipsis():
    broken = wrap_name("one two three four five six seven eight nine ten", 0.8, 9)
    assert broken.count("\n") == 1
    assert broken.endswith("…")
    assert text_width(broken, 9) <= 0.8


def test_names_are_printed_on_one_line_and_never_empty():
    assert short_name("a\tb\nc\x07") == "a b c"
    assert short_name(" ") == wrap_name("", 1, 9) == "(no name)"
