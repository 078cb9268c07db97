"""Published figures, and the verdict on ours.

Belongs here: reading the published figures, tolerances, verdicts. Does not belong here: computing ours.
"""

import math
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

FULL_RATINGS, SMALL_RATINGS = 26_024_289, 100_004
"""Rows of the two public rating files; they decide which figures a run can be held to."""

Verdict = Literal["ok", "differs", "needs the full file", "nothing to compare with"]

TOLERANCES: dict[str, Callable[[float, float], bool]] = {
    "exact": lambda ours, theirs: ours == theirs,
    "index": lambda ours, theirs: abs(ours - theirs) <= 0.005 + 1e-9,
    "half_percent": lambda ours, theirs: math.isclose(ours, theirs, rel_tol=0.005),
    "point": lambda ours, theirs: abs(ours - theirs) <= 0.1 + 1e-9,
    "mean": lambda ours, theirs: abs(ours - theirs) <= 0.01 + 1e-9,
    # The same to the last printed digit.
    "printed": lambda ours, theirs: abs(ours - theirs) <= 0.005 + 1e-9,
    "printed1": lambda ours, theirs: abs(ours - theirs) <= 0.05 + 1e-9,
    "rounded": lambda ours, theirs: abs(ours - theirs) <= 0.5 + 1e-9,
    "correlation": lambda ours, theirs: abs(ours - theirs) <= 0.0005 + 1e-9,
    "loading": lambda ours, theirs: abs(ours - theirs) <= 0.002 + 1e-9,
    # Read off a published chart or given in round words.
    "about": lambda ours, theirs: math.isclose(ours, theirs, rel_tol=0.03),
    "below": lambda ours, theirs: ours < theirs,
    "above": lambda ours, theirs: ours > theirs,
}


@dataclass(frozen=True)
class PublishedFigure:
    """One published figure and what the same method gives on other inputs."""

    key: str
    label: str
    published: float | None
    """Viewers: on the full ratings file, direct join."""
    small: float | None
    """Viewers: on ratings_small.csv, direct join."""
    small_right_join: float | None
    """Viewers: on ratings_small.csv, through links."""
    tolerance: str


@dataclass(frozen=True)
class Comparison:
    """One published figure beside ours."""

    figure: PublishedFigure
    expected: float | None
    ours: float | None
    verdict: Verdict


def load_viewer_figures() -> list[PublishedFigure]:
    """Return the published figures of the viewer analysis."""
    return [
        PublishedFigure(
            key=key,
            label=label,
            published=_known(published),
            small=_known(small),
            small_right_join=_known(right_join),
            tolerance=tolerance,
        )
        for key, label, published, small, right_join, tolerance in _rows("viewers.toml")
    ]


def load_customer_figures() -> list[PublishedFigure]:
    """Return the published figures of the customer analysis."""
    return [
        PublishedFigure(
            key=key, label=label, published=published, small=None, small_right_join=None, tolerance=tolerance
        )
        for key, label, published, tolerance in _rows("customers.toml")
    ]


def _rows(file: str) -> list[list[Any]]:
    return tomllib.loads(Path(__file__).with_name(file).read_text(encoding="utf-8"))["figures"]


def _known(value: float | str) -> float | None:
    return None if isinstance(value, str) else value


def compare_customers(ours: Mapping[str, float]) -> list[Comparison]:
    """Set our figures of the customer analysis beside the published ones: there is one public file."""
    return [
        Comparison(
            figure,
            figure.published,
            ours.get(figure.key),
            _verdict(figure, figure.published, ours.get(figure.key), right_join=False),
        )
        for figure in load_customer_figures()
    ]


def compare(
    figures: list[PublishedFigure], ours: Mapping[str, float], *, ratings_read: int, right_join: bool
) -> list[Comparison]:
    """Set our figures beside those that the input at hand can be held to.

    Parameters
    ----------
    figures
        What is published or checked.
    ours
        Key to value.
    ratings_read
        Rows of the ratings file; tells the full file from the small one.
    right_join
        Whether ours came through links; only the small file has figures for that.
    """
    comparisons = []
    for figure in figures:
        expected = _expected(figure, ratings_read, right_join=right_join)
        value = ours.get(figure.key)
        comparisons.append(
            Comparison(figure, expected, value, _verdict(figure, expected, value, right_join=right_join))
        )
    return comparisons


def _expected(figure: PublishedFigure, ratings_read: int, *, right_join: bool) -> float | None:
    if right_join:
        return figure.small_right_join if ratings_read == SMALL_RATINGS else None
    if figure.key.startswith(("catalogue.", "links.", "tags.")) or ratings_read == FULL_RATINGS:
        return figure.published
    return figure.small if ratings_read == SMALL_RATINGS else None


def _verdict(
    figure: PublishedFigure, expected: float | None, ours: float | None, *, right_join: bool
) -> Verdict:
    if expected is None:
        return "nothing to compare with" if right_join else "needs the full file"
    # On the small file sizes were counted, not read off a chart.
    exact_size = figure.tolerance == "about" and expected == figure.small
    fits = TOLERANCES["exact" if exact_size else figure.tolerance]
    return "ok" if ours is not None and fits(ours, expected) else "differs"
