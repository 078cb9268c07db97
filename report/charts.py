"""Small charts as numbers: where each bar and word of an inline SVG stands.

Belongs here: geometry, and the finding in words. Does not belong here: the markup (`templates/charts.jinja`), colours
of segments, plots of many points (`ml.plots`).

A chart here has few numbers that a reader compares; drawn as SVG it stays sharp, weighs a kilobyte, follows the
page's type and dark mode, and is read out by a screen reader as its title and description.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ml.plots.segment_card import Leaning, leaning_finding
from ml.plots.words import clean, number, short_name

WIDTH = 340
"""Units of a chart's width, which are pixels on a phone: 13 units of type stay readable in a card."""
_ROW, _LABEL_END, _PLOT_END = 24, 156, 296
_LABEL_LETTERS = 24
_COLUMNS_HEIGHT, _COLUMNS_TOP, _COLUMNS_FOOT = 150, 20, 22
_WIDEST = math.log2(10)
"""Bars end at ten times everybody: what lies beyond is said by its number, and leaves the others visible."""
_NARROWEST = 0.6
"""Half of what a bar may show at least, log2: without it a difference of 5 % would fill the chart."""


@dataclass(frozen=True)
class Bar:
    """One row of an index chart: its words, its bar and its interval in units from the left."""

    label: str
    full_label: str
    text: str
    x: float
    width: float
    y: float
    is_over: bool
    interval: tuple[float, float] | None


@dataclass(frozen=True)
class IndexChart:
    """Indices beside 100, the mean of everybody; `base_x` is where 100 stands."""

    finding: str
    description: str
    height: int
    base_x: float
    bars: tuple[Bar, ...]


def index_chart(rows: Sequence[Leaning]) -> IndexChart:
    """Return the chart of indices and intervals, on a logarithmic scale: twice and half are equally far from 100.

    Parameters
    ----------
    rows
        In the order in which they are drawn; may be empty.
    """
    logs = [_doublings(row.index) for row in rows]
    ends = [_doublings(end) for row in rows for end in (row.low, row.high) if end is not None]
    over = max([_NARROWEST, *logs, *ends])
    under = max([0.0, *(-log for log in (*logs, *ends))])
    scale = (_PLOT_END - _LABEL_END) / (over + under)
    base = _LABEL_END + under * scale
    bars = tuple(
        Bar(
            label=short_name(row.label, _LABEL_LETTERS),
            full_label=clean(row.label),
            text=number(round(row.index)),
            x=round(base + min(log, 0) * scale, 1),
            width=round(max(abs(log) * scale, 1.0), 1),
            y=i * _ROW + 2,
            is_over=row.index >= 100,
            interval=_interval(row, base, scale),
        )
        for i, (row, log) in enumerate(zip(rows, logs, strict=True))
    )
    return IndexChart(
        finding=leaning_finding(rows),
        description="; ".join(_in_words(row) for row in rows),
        height=len(rows) * _ROW + 4,
        base_x=round(base, 1),
        bars=bars,
    )


def _doublings(index: float) -> float:
    return max(-_WIDEST, min(_WIDEST, math.log2(max(index, 1e-9) / 100)))


def _interval(row: Leaning, base: float, scale: float) -> tuple[float, float] | None:
    if row.low is None or row.high is None:
        return None
    return round(base + _doublings(row.low) * scale, 1), round(base + _doublings(row.high) * scale, 1)


def _in_words(row: Leaning) -> str:
    said = f"{clean(row.label)} {number(round(row.index))}"
    if row.low is None or row.high is None:
        return said
    return f"{said} ({number(round(row.low))} to {number(round(row.high))})"


@dataclass(frozen=True)
class Column:
    """One column of a column chart, in units from the upper left."""

    label: str
    text: str
    x: float
    width: float
    y: float
    height: float


@dataclass(frozen=True)
class ColumnChart:
    """Counts side by side in an order of their own, such as time."""

    finding: str
    description: str
    height: int
    columns: tuple[Column, ...]


def column_chart(rows: Sequence[tuple[str, int]], total: int | None = None) -> ColumnChart:
    """Return the chart of labels and counts, from left to right as given.

    `total` is what shares are of, where that is more than the columns shown.

    Raises
    ------
    ValueError
        When there are no rows.
    """
    most_label, most = max(rows, key=lambda row: row[1])
    step = WIDTH / len(rows)
    body = _COLUMNS_HEIGHT - _COLUMNS_TOP - _COLUMNS_FOOT
    columns = []
    for i, (label, count) in enumerate(rows):
        height = max(body * count / max(most, 1), 1.0)
        columns.append(
            Column(
                label=clean(label),
                text=_short(count),
                x=round(i * step + step * 0.12, 1),
                width=round(step * 0.76, 1),
                y=round(_COLUMNS_TOP + body - height, 1),
                height=round(height, 1),
            )
        )
    total = sum(count for _, count in rows) if total is None else total
    return ColumnChart(
        finding=f"{most / max(total, 1):.0%} of the titles of known year are of the {clean(most_label)}",
        description="; ".join(f"{clean(label)} {count:,} titles" for label, count in rows),
        height=_COLUMNS_HEIGHT,
        columns=tuple(columns),
    )


def _short(count: int) -> str:
    """Return a count in at most four letters: `930`, `4.2K`, `12K`."""
    if count < 1_000:
        return str(count)
    thousands = count / 1_000
    return f"{thousands:.1f}K" if thousands < 9.95 else f"{thousands:,.0f}K"
