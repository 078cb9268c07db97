"""What every chart shares: its finding in words, its look, and how names get into it.

Belongs here: anything two charts must agree on. Does not belong here: any one chart, Streamlit.

A chart's title is text beside the figure and not inside it: Plotly does not break lines, and a finding is a sentence.
"""

import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
import polars as pl

from ml.plots.words import clean, short_name

BLUE, RED, GREY = "#3f90da", "#bd1f01", "#94a4a2"
HEAD_ANGLES = [0, -60, -90]
"""How heads of columns may stand: upright where there is room, else aslant."""
EDGE = {"color": "#94a4a2", "width": 1}
"""Round a bar in the colour of a segment, which may be close to a dark ground."""
_TEXT_BESIDE = {"textposition": "auto", "constraintext": "none"}
"""Within a bar where there is room, else beside it, and never smaller."""
_FONT = "Source Sans, Source Sans Pro, sans-serif"


@dataclass(frozen=True)
class Theme:
    """The colours of a chart that depend on what it is drawn on."""

    ground: str
    ink: str
    muted: str
    middle: str
    """The colour of a heat map's neutral value."""


LIGHT = Theme(ground="#ffffff", ink="#1f2430", muted="#5b6270", middle="#f3f5f8")
DARK = Theme(ground="#14171d", ink="#e8ebf0", muted="#a7afbd", middle="#2a303b")


@dataclass(frozen=True)
class Chart:
    """A figure and what it says.

    Attributes
    ----------
    figure : without a title.
    finding : one sentence; the title.
    reading : how to read it; may be empty.
    """

    figure: go.Figure
    finding: str
    reading: str = ""


def finish(figure: go.Figure, *, height: int) -> go.Figure:
    """Give a figure the common look.

    Parameters
    ----------
    figure
        Changed in place and returned.
    height
        Pixels; the width follows the page.
    """
    figure.update_layout(
        height=height,
        margin={"l": 8, "r": 12, "t": 12, "b": 8},
        font={"family": _FONT, "size": 13},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        hoverlabel={"align": "left", "font": {"family": _FONT, "size": 13}},
        hovermode="closest",
        dragmode=False,  # a finger that scrolls the page must not zoom the chart
        # Above: below it would lie over the title of the axis as soon as it takes several lines.
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, "title": {"text": ""}},
    )
    figure.update_xaxes(automargin=True, zeroline=False)
    figure.update_yaxes(automargin=True, zeroline=False)
    if any(isinstance(trace, go.Heatmap) for trace in figure.data):  # lines would cross its empty cells
        figure.update_xaxes(showgrid=False)
        figure.update_yaxes(showgrid=False)
    return figure


def heatmap(
    values: np.ndarray, columns: Sequence[str], rows: Sequence[str], *, heads_above: bool = True, **look: Any
) -> go.Figure:
    """Return a heat map with its first row on top; `look` is what is more of it, as Plotly calls it."""
    figure = go.Figure(go.Heatmap(z=values, x=columns, y=rows, xgap=1, ygap=1, **look))
    figure.update_xaxes(type="category")
    if heads_above:
        figure.update_xaxes(side="top", autotickangles=HEAD_ANGLES)
    return figure.update_yaxes(type="category", autorange="reversed")


def bars(
    values: pl.Series, rows: Sequence[str | None], texts: Sequence[str], *, reach: float, **look: Any
) -> go.Figure:
    """Return level bars, the last row on top, each with its text; `reach` is where the axis ends.

    `look` is what is more of the bars, as Plotly calls it.
    """
    figure = go.Figure().add_bar(
        x=values, y=names(rows), text=texts, orientation="h", cliponaxis=False, **{**_TEXT_BESIDE, **look}
    )
    figure.update_xaxes(visible=False, range=[0, reach])
    return figure.update_yaxes(type="category")


def inked(figure: go.Figure, theme: Theme) -> go.Figure:
    """Give what is written on the ground of a figure colours that can be read on it; changed in place and returned."""
    for update in (figure.update_xaxes, figure.update_yaxes):
        update(tickfont={"color": theme.muted}, title={"font": {"color": theme.muted}})
    figure.update_layout(legend={"font": {"color": theme.ink}})
    figure.update_coloraxes(colorbar={"tickfont": {"color": theme.muted}})
    figure.update_traces(colorbar={"tickfont": {"color": theme.muted}}, selector={"type": "heatmap"})
    figure.update_traces(textfont={"color": theme.ink}, selector={"type": "sankey"})
    for mode in ("text", "markers+text"):
        figure.update_traces(textfont={"color": theme.ink}, selector={"mode": mode})
    figure.update_traces(outsidetextfont={"color": theme.ink}, selector={"type": "bar"})
    return figure


def name(text: str | None, width: int = 60) -> str:
    """Return text that is data as Plotly shows it: on one line, its tags harmless, cut where it is too long."""
    return html.escape(short_name(text or "", width), quote=False)


def names(texts: Sequence[str | None], width: int = 60) -> list[str]:
    """Return several texts as Plotly shows them."""
    return [name(text, width) for text in texts]


def broken_name(text: str, width: int = 18) -> str:
    """Return a name on as many lines as it needs, for heads of columns."""
    lines = [""]
    for word in clean(text).split():
        if lines[-1] and len(lines[-1]) + 1 + len(word) > width:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return "<br>".join(html.escape(line, quote=False) for line in lines)


def around(theme: Theme) -> list[tuple[float, str]]:
    """Return the colour scale of what lies below and above a neutral value."""
    return [(0.0, "#1f5f99"), (0.25, BLUE), (0.5, theme.middle), (0.75, "#e76300"), (1.0, "#a81c02")]


def rising(theme: Theme) -> list[tuple[float, str]]:
    """Return the colour scale of what begins at nothing."""
    if theme is DARK:
        return [(0.0, theme.middle), (0.35, "#24567f"), (0.7, BLUE), (1.0, "#c5e3fb")]
    return [(0.0, theme.middle), (0.35, "#a9d0f2"), (0.7, BLUE), (1.0, "#123f66")]


def largest(values: pl.Series) -> float:
    """Return the largest value; 0 of none."""
    return float(values.cast(pl.Float64).drop_nans().max() or 0.0)  # type: ignore[arg-type]


def total(values: pl.Series) -> float:
    """Return the sum; 0 of none."""
    return float(values.cast(pl.Float64).sum())
