"""What a reader may rely on where two measures are drawn against each other."""

import numpy as np
import pytest
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure

from ml.plots.encode import to_png
from ml.plots.scales import STRIP, choose_scale
from ml.plots.scatter import scatter

NAMES = ("First", "Second")


@pytest.fixture
def skewed() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Two unrelated measures of 4,000 entities in two segments, the second one skewed and often 0."""
    rng = np.random.default_rng(5)
    y = np.round(np.exp(6 + 1.5 * rng.normal(size=4000)))
    y[:100] = 0
    return rng.uniform(1, 50, 4000), y, np.arange(4000) % 2


def draw(x, y, ids, names=NAMES, **changed) -> Figure:
    given = {"x_label": "Value", "y_label": "Minutes", "rng": np.random.default_rng(0)} | changed
    return scatter(x, y, ids, names, **given)


def heading(figure: Figure) -> tuple[str, str]:
    title, subtitle = (text.get_text().replace("\n", " ") for text in figure.texts)
    return title, subtitle


def dots(figure: Figure) -> np.ndarray:
    return figure.axes[0].findobj(PathCollection)[0].get_offsets()


def written(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.axes[0].texts]


def test_the_title_says_whether_the_two_move_together(skewed):
    x, y, ids = skewed
    assert heading(draw(x, y, ids))[0].startswith("Minutes and Value do not move together (rank correlation")
    assert heading(draw(y, y**2, ids))[0] == "Minutes and Value move together (rank correlation 1)"
    assert heading(draw(y, -y, ids))[0] == "Minutes and Value move against each other (rank correlation −1)"


def test_one_extreme_value_is_labelled_and_does_not_squash_the_rest(skewed):
    x, y, ids = skewed
    y[2000] = 288_508.0
    figure = draw(x, y, ids)
    assert "288,508" in written(figure)
    assert "Ringed: Minutes 288,508, with a median of" in heading(figure)[1]
    heights = np.sort(choose_scale(y).place(y))
    assert heights[-1] <= 1
    assert np.percentile(heights, 75) - np.percentile(heights, 25) > 0.1


def test_extreme_values_are_drawn_whatever_the_subsample(skewed):
    x, y, ids = skewed
    y[2000] = 288_508.0
    for seed in range(5):
        figure = draw(x, y, ids, rng=np.random.default_rng(seed), per_segment=10)
        assert len(dots(figure)) <= 24
        top = dots(figure)[:, 1].max()
        assert (dots(draw(x, y, ids, per_segment=4000))[:, 1].max()) == pytest.approx(top)


def test_some_thousands_of_dots_are_drawn_at_most():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 200_000))
    figure = draw(x, y, rng.integers(0, 12, 200_000), [f"Segment {i}" for i in range(12)])
    assert len(dots(figure)) <= 12 * 300 + 4


def test_an_entity_without_a_value_is_left_out_and_counted(skewed):
    x, y, ids = skewed
    y[:7] = np.nan
    assert "7 without a value are left out." in heading(draw(x, y, ids))[1]


def test_zeros_lie_on_a_strip_of_their_own_below_the_smallest_value():
    values = np.array([0.0, 0.0, 2.0, 50.0, 9000.0])
    scale = choose_scale(values)
    assert scale.is_log
    assert scale.has_strip
    zero, smallest = scale.place(np.array([0.0, 2.0]))
    assert zero < STRIP < smallest


@pytest.mark.parametrize(
    ("values", "is_log"),
    [
        ([1, 50, 100], False),
        ([1, 50, 101], True),
        ([0, 1, 2], False),
        ([0, 0, 0], False),
        ([], False),
        ([-3, 0.001, 3], False),
        ([-1] * 50 + [1] * 50 + [0.001, 5000], True),
    ],
)
def test_a_measure_over_more_than_two_orders_of_magnitude_gets_a_logarithmic_scale(values, is_log):
    assert choose_scale(np.array(values, dtype=float)).is_log == is_log


@pytest.mark.parametrize(
    "values",
    [
        [5.0],
        [0.0, 0.0],
        [1e-300, 1.0, 10.0],
        [0.0, 1e9, 1.0],
        [-5.0, 5000.0, 1.0, 0.5, *[0.3] * 40],
        [-1e-9, 1e-9],
        [1e12, 1e12 + 1],
    ],
)
def test_every_value_lies_on_its_axis_in_order_and_some_ticks_with_it(values):
    values = np.sort(values)
    scale = choose_scale(values)
    places = scale.place(values)
    assert (places >= 0).all()
    assert (places <= 1).all()
    assert (np.diff(places) >= 0).all()
    ticks = scale.place(np.array(scale.ticks))
    assert len(ticks) >= 1
    assert ((ticks >= 0) & (ticks <= 1)).all()


def test_a_segment_without_members_has_an_empty_panel(skewed):
    x, y, ids = skewed
    figure = draw(x, y, np.zeros_like(ids))
    assert "no members" in written(figure)


@pytest.mark.parametrize("n", [0, 1, 2])
def test_few_entities_can_be_drawn(n):
    figure = draw(np.ones(n), np.ones(n), np.zeros(n, dtype=int))
    assert heading(figure)[0] == "Minutes and Value: no relation can be measured"
    to_png(figure)
