"""A published figure is held to what the input at hand can give, within its tolerance."""

import pytest

from orchestration.commands.replicate.compare import (
    FULL_RATINGS,
    SMALL_RATINGS,
    TOLERANCES,
    PublishedFigure,
    compare,
    load_customer_figures,
    load_viewer_figures,
)

SILHOUETTE = PublishedFigure("activity.k2.silhouette", "Silhouette", 0.497, 0.574, 0.573, "index")


def verdict(figure: PublishedFigure, value: float | None, ratings: int, *, right_join: bool = False) -> str:
    ours = {} if value is None else {figure.key: value}
    return compare([figure], ours, ratings_read=ratings, right_join=right_join)[0].verdict


@pytest.mark.parametrize(
    ("value", "ratings", "right_join", "expected"),
    [
        (0.574, SMALL_RATINGS, False, "ok"),
        (0.580, SMALL_RATINGS, False, "differs"),
        (0.497, FULL_RATINGS, False, "ok"),
        (0.574, FULL_RATINGS, False, "differs"),
        (0.573, SMALL_RATINGS, True, "ok"),
        (0.497, 5_000, False, "needs the full file"),
        (0.497, FULL_RATINGS, True, "nothing to compare with"),
        (None, SMALL_RATINGS, False, "differs"),
    ],
)
def test_a_figure_is_compared_with_what_its_input_gives(value, ratings, right_join, expected):
    assert verdict(SILHOUETTE, value, ratings, right_join=right_join) == expected


def test_a_size_read_off_a_chart_is_approximate_and_a_counted_one_exact():
    size = PublishedFigure("activity.k2.size_min", "Smallest", 21_000, 33, 34, "about")
    assert verdict(size, 21_300, FULL_RATINGS) == "ok"
    assert verdict(size, 34, SMALL_RATINGS) == "differs"


def test_a_mirrored_component_does_not_pass_as_the_published_one():
    assert not TOLERANCES["loading"](-0.334, 0.334)


def test_every_figure_has_a_known_tolerance_and_a_key_of_its_own():
    for figures in (load_viewer_figures(), load_customer_figures()):
        assert len({figure.key for figure in figures}) == len(figures) > 80
        assert {figure.tolerance for figure in figures} <= TOLERANCES.keys()
