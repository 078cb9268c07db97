"""The genre word cloud: words as large as their genres, none over another.

Belongs here: placing and drawing the words. Does not belong here: counting.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import plotly.graph_objects as go
import polars as pl

from dashboard.charts.base import DARK, LIGHT, Chart, Theme, finish, name
from ml.plots.words import percent

WIDTH, HEIGHT = 330, 320
"""Pixels that the words are placed for: the width of a phone. A wider page only moves them apart."""
_SMALLEST, _LARGEST = 11, 40
_LETTER, _LINE = 0.58, 1.15
"""Width and height of a letter in units of its size, a little too large."""


_COLORS = {
    LIGHT.ground: ("#1f5f99", "#bd1f01", "#832db6", "#5b6270", "#8a5240", "#a34a00"),
    DARK.ground: ("#7ab6ec", "#ffa90e", "#92dadd", "#b9ac70", "#f08a3c", "#a7afbd"),
}
"""Small type needs colours that stand out from the ground; they mean nothing, so they need not be the segments'."""


@dataclass(frozen=True)
class Word:
    """A word and its place: the middle, in pixels from the middle of the cloud."""

    text: str
    size: float
    x: float
    y: float

    @property
    def half_width(self) -> float:
        """Half of the width it takes."""
        return max(len(self.text), 2) * self.size * _LETTER / 2

    @property
    def half_height(self) -> float:
        """Half of the height it takes."""
        return self.size * _LINE / 2

    def meets(self, other: "Word") -> bool:
        """Whether two words touch."""
        return (
            abs(self.x - other.x) < self.half_width + other.half_width
            and abs(self.y - other.y) < self.half_height + other.half_height
        )


def place_words(weights: dict[str, float]) -> list[Word]:
    """Place words from the middle outwards on a spiral, the heaviest first; the area of a word grows with its weight.

    A word that finds no free place inside is made smaller until it does, or left out where even the smallest type
    does not fit.
    """
    most = max(weights.values(), default=0) or 1
    placed: list[Word] = []
    for text, weight in sorted(weights.items(), key=lambda item: (-item[1], item[0])):
        size = max(_LARGEST * math.sqrt(max(weight, 0) / most), _SMALLEST)
        size = min(size, WIDTH / (len(text) * _LETTER))
        while size >= _SMALLEST - 1:
            word = _free_place(text, size, placed)
            if word is not None:
                placed.append(word)
                break
            size *= 0.85
    return placed


def _free_place(text: str, size: float, placed: list[Word]) -> Word | None:
    for step in range(1600):
        angle, radius = 0.35 * step, 0.16 * step
        word = Word(text, size, radius * math.cos(angle), 0.75 * radius * math.sin(angle))
        inside = abs(word.x) + word.half_width <= WIDTH / 2 and abs(word.y) + word.half_height <= HEIGHT / 2
        if inside and not any(word.meets(other) for other in placed):
            return word
    return None


def genre_cloud(popularity: pl.DataFrame, *, counted: str = "ratings", theme: Theme = LIGHT) -> Chart:
    """Draw genres as large as they are popular: genre_label, mean_rating and what is counted, ratings or events.

    The area of a word grows with the ratings (or views) of titles of its genre.
    """
    given, acted = ("ratings", "rated") if counted == "ratings" else ("views", "watched")
    counts = {row["genre_label"]: row for row in popularity.iter_rows(named=True) if row[counted]}
    words = place_words({genre: row[counted] for genre, row in counts.items()})
    palette = _COLORS[theme.ground]
    figure = go.Figure().add_scatter(
        x=[word.x for word in words],
        y=[word.y for word in words],
        mode="text",
        text=[f"<b>{name(word.text)}</b>" for word in words],
        textfont={
            "size": [word.size for word in words],
            "color": [palette[place % len(palette)] for place in range(len(words))],
        },
        customdata=[
            [counts[word.text][counted], counts[word.text]["mean_rating"] or math.nan] for word in words
        ],
        hovertemplate=f"%{{text}}: %{{customdata[0]:,}} {given}"
        + (", mean %{customdata[1]:.2f}" if counted == "ratings" else "")
        + "<extra></extra>",
    )
    figure.update_xaxes(visible=False, range=[-WIDTH / 2, WIDTH / 2], fixedrange=True)
    figure.update_yaxes(visible=False, range=[-HEIGHT / 2, HEIGHT / 2], fixedrange=True)
    finish(figure, height=HEIGHT + 20)
    figure.update_layout(margin={"l": 0, "r": 0, "t": 10, "b": 10})
    return Chart(
        figure,
        _finding({genre: row[counted] for genre, row in counts.items()}, acted),
        f"The area of a word grows with the {given} of titles of its genre.",
    )


def _finding(counts: Mapping[str, int], acted: str) -> str:
    if not counts:
        return f"No genre was {acted}"
    listed = sorted(counts, key=lambda genre: (-counts[genre], genre))[:3]
    if len(listed) < 3:
        return f"{listed[0]} is {acted} most"
    share = sum(counts[genre] for genre in listed) / sum(counts.values())
    return f"{listed[0]}, {listed[1]} and {listed[2]} take {percent(share, 0)} of what is {acted} by genre"
