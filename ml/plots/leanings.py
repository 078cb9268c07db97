"""Titles that a segment rates more often than everybody does.

Belongs here: drawing the strongest leanings of each segment. Does not belong here: computing an index.
"""

import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from ml.plots.given import drawable
from ml.plots.palette import INK, MUTED, colors_of
from ml.plots.spacing import note
from ml.plots.style import WIDTH, add_axes, label_ticks, plot_style, text_width, titled_figure, wrap_name
from ml.plots.words import number, percent, short_name

_ROW, _HEAD, _AXIS, _RIGHT = 0.25, 0.34, 0.55, 0.3
_LABEL_SIZE = 9.0


def segment_leanings(
    titles: pl.DataFrame, *, per_segment: int = 4, act: str = "rate", acted: str = "rated"
) -> Figure:
    """Draw for each segment the titles it rates most beyond how much it rates.

    Parameters
    ----------
    titles
        One row per segment and title of one segmentation: segment_id, segment_name, rank, title, raters, rater_share
        and base_share (0 to 1), index (100 = as often as how much it rates would have it).
    per_segment
        Titles drawn of each segment, the first by rank.
    act, acted
        What people do with titles and did: `rate`, `rated`.

    Returns
    -------
    A figure whose title names the strongest leaning.

    Raises
    ------
    NothingToDrawError
        When no segment has a title.
    """
    known = drawable(titles, "segment_id", "segment_name", "title", "index", "rater_share", "base_share")
    shown = known.filter(pl.col("rank") <= per_segment).sort("segment_id", "rank")
    shown = drawable(shown, "index")
    groups = [rows for _, rows in shown.group_by("segment_id", maintain_order=True)]
    notes = [_shares(row) for row in shown.iter_rows(named=True)]
    names = [short_name(title, 34) for title in shown["title"]]
    left = max(text_width(name, _LABEL_SIZE) for name in names) + 0.3
    room = max(text_width(text, 8.5) for text in notes) + 0.1
    height = _ROW * len(shown) + _HEAD * len(groups)
    with plot_style():
        figure = titled_figure(
            _title(shown, act),
            f"Bar: how many times as often as expected of how much they {act}. Beside it: share of the segment "
            f"who {acted} it, and of everybody. The surest first; a segment without a sure one is left out.",
            body=_AXIS + height,
        )
        axes = add_axes(figure, left, _AXIS, WIDTH - _RIGHT, _AXIS + height)
        axes.set_ylim(height, 0)
        span = WIDTH - _RIGHT - left
        # The longest bar leaves room for its note.
        axes.set_xlim(0, float(shown["index"].max()) / 100 * span / max(span - room, 0.5))  # type: ignore[arg-type]
        ticks = _draw_groups(axes, groups, left)
        axes.axvline(1, color=MUTED, linewidth=1, linestyle=(0, (4, 3)), zorder=0.5)
        axes.set_yticks(ticks, names, parse_math=False)
        axes.tick_params(axis="y", length=0, labelcolor=INK, labelsize=_LABEL_SIZE)
        axes.grid(visible=False, axis="y")
        label_ticks(axes.xaxis)
        axes.set_xlabel("Times as often as expected")
    return figure


def _draw_groups(axes: Axes, groups: list[pl.DataFrame], left: float) -> list[float]:
    """Draw the bars below the name of their segment; return where each bar lies."""
    top, ticks = 0.0, []
    colors = colors_of(rows["segment_id"][0] for rows in groups)
    for rows, color in zip(groups, colors, strict=True):
        name = wrap_name(rows["segment_name"][0], left + 2.5, _LABEL_SIZE, bold=True, lines=1)
        note(
            axes,
            name,
            (0, top + _HEAD * 0.62),
            shift=((0.2 - left) * 72, 0),
            weight="bold",
            size=_LABEL_SIZE,
            annotation_clip=False,
            parse_math=False,
            path_effects=[withStroke(linewidth=3, foreground="white")],
        )
        places = [top + _HEAD + _ROW * (i + 0.5) for i in range(len(rows))]
        axes.barh(places, (rows["index"] / 100).to_list(), height=_ROW * 0.72, color=color)
        for place, row in zip(places, rows.iter_rows(named=True), strict=True):
            note(axes, _shares(row), (row["index"] / 100, place), shift=(5, 0), size=8.5)
        ticks += places
        top += _HEAD + _ROW * len(rows)
    return ticks


def _shares(row: dict) -> str:
    return f"{number(row['index'] / 100)} ×  {percent(row['rater_share'], 0)} against {percent(row['base_share'], 0)}"


def _title(shown: pl.DataFrame, act: str) -> str:
    first = shown.sort("index", "segment_id", "rank", descending=[True, False, False]).row(0, named=True)
    return (
        f"Strongest leaning: {short_name(first['segment_name'])} {act} {short_name(first['title'], 40)} "
        f"{number(first['index'] / 100)} times as often as expected"
    )
