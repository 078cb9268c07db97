"""Two measures against each other, segment by segment.

Belongs here: the scatter plot in panels. Does not belong here: computing a measure, choosing a scale.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from ml.plots.given import balanced_subsample
from ml.plots.palette import INK, MUTED, RULE, segment_colors
from ml.plots.scales import STRIP, Scale, choose_scale
from ml.plots.spacing import note
from ml.plots.style import WIDTH, add_axes, plot_style, text_width, titled_figure, wrap_name
from ml.plots.words import clean, number, tick_number

_EXTREME = 10
"""How many times the 99th percentile a value must be to be labelled."""
_COLUMNS, _BACKDROP = 4, 300
_LEFT, _RIGHT, _AXIS, _GAP = 0.8, 0.25, 0.56, 0.12
_NAME_SIZE, _TICK_SIZE = 9.0, 8.5


def scatter(
    x: np.ndarray,
    y: np.ndarray,
    segment_ids: np.ndarray,
    names: Sequence[str],
    *,
    x_label: str,
    y_label: str,
    rng: np.random.Generator,
    per_segment: int = 300,
    colors: Sequence[str] | None = None,
) -> Figure:
    """Draw one measure against another, each segment in a panel of its own over a backdrop of everybody.

    Parameters
    ----------
    x, y : (n,) float
        The measures; an entity that lacks one is left out.
    segment_ids : (n,) int from 0 to k - 1
    names
        k segment names.
    x_label, y_label
        What is measured, with its unit.
    rng
        Draws the subsample and spreads the zeros over their strip.
    per_segment
        Entities drawn of each segment; those with the lowest and the highest values are always drawn.
    colors
        Of the k segments; those of the ids 0 to k - 1 when omitted.

    Returns
    -------
    A figure whose title says whether the two move together, by Spearman's rank correlation. A measure
    that spans more than two orders of magnitude gets a logarithmic scale, with a strip for its zeros;
    a value far beyond the others is ringed and labelled.
    """
    entities, unknown = _known(x, y, segment_ids)
    scales = choose_scale(entities.measures[:, 0]), choose_scale(entities.measures[:, 1])
    panels = _Panels.lay_out(names, colors or segment_colors(len(names)))
    with plot_style():
        figure = titled_figure(
            _title(entities.measures, x_label, y_label),
            _subtitle(scales, per_segment, unknown, _ringed(entities.measures, (x_label, y_label))),
            body=panels.height,
        )
        axes = add_axes(figure, 0, 0, WIDTH, panels.height)
        axes.set_axis_off()
        axes.set_xlim(0, WIDTH)
        axes.set_ylim(0, panels.height)
        _draw_frames(axes, panels, scales)
        _draw_labels(axes, panels, x_label, y_label)
        if len(entities.owners):
            at = _places(entities.measures, scales, rng)
            _draw_dots(axes, panels, entities, at, rng=rng, per_segment=per_segment)
            _draw_medians(axes, panels, entities, scales)
            _draw_extremes(axes, panels, entities, at)
    return figure


@dataclass(frozen=True)
class _Entities:
    measures: np.ndarray  # (n, 2): x and y
    owners: np.ndarray  # (n,): their segments


def _known(x: np.ndarray, y: np.ndarray, segment_ids: np.ndarray) -> tuple[_Entities, int]:
    """Return the entities that have both measures, and how many lack one."""
    measures = np.column_stack([np.asarray(x, dtype=float), np.asarray(y, dtype=float)])
    known = np.isfinite(measures).all(axis=1)
    return _Entities(measures[known], np.asarray(segment_ids)[known]), int((~known).sum())


def _places(measures: np.ndarray, scales: tuple[Scale, Scale], rng: np.random.Generator) -> np.ndarray:
    """Return where the entities lie, (n, 2) from 0 to 1, zeros spread over their strip."""
    at = np.column_stack([scale.place(values) for scale, values in zip(scales, measures.T, strict=True)])
    for column, scale in enumerate(scales):
        if scale.has_strip:
            zero = measures[:, column] == 0
            at[zero, column] += rng.uniform(-0.25, 0.25, int(zero.sum())) * STRIP
    return at


@dataclass(frozen=True)
class _Panels:
    """Where the panels lie, in inches from the lower left corner of the body."""

    heads: list[str]
    colors: Sequence[str]
    left: np.ndarray
    low: np.ndarray
    wide: float
    high: float
    height: float
    columns: int

    @classmethod
    def lay_out(cls, names: Sequence[str], colors: Sequence[str]) -> "_Panels":
        k = max(len(names), 1)
        rows = -(-k // _COLUMNS)
        columns = -(-k // rows)
        wide = (WIDTH - _LEFT - _RIGHT + _GAP) / columns - _GAP
        heads = [wrap_name(name, wide, _NAME_SIZE, bold=True, lines=3) for name in names]
        head = max((text.count("\n") + 1 for text in heads), default=1) * _NAME_SIZE * 1.25 / 72 + 0.16
        high = 3.4 if rows == 1 else 1.75
        at = np.arange(len(heads))
        return cls(
            heads,
            colors,
            left=_LEFT + at % columns * (wide + _GAP),
            low=_AXIS + (rows - 1 - at // columns) * (high + head),
            wide=wide,
            high=high,
            height=_AXIS + rows * (high + head),
            columns=columns,
        )

    def inches(self, panel: np.ndarray | int, at: np.ndarray) -> np.ndarray:
        """Return where (n, 2) places from 0 to 1 lie in their panels."""
        return np.column_stack(
            [self.left[panel] + at[:, 0] * self.wide, self.low[panel] + at[:, 1] * self.high]
        )

    def has_none_below(self, panel: int) -> bool:
        return panel + self.columns >= len(self.left)


def _draw_frames(axes: Axes, panels: _Panels, scales: tuple[Scale, Scale]) -> None:
    """Draw ground, grid, zero strips, ticks and names."""
    places = [scale.place(np.array(scale.ticks, dtype=float)) for scale in scales]
    grounds, strips, lines = [], [], []
    for panel, (left, low) in enumerate(zip(panels.left, panels.low, strict=True)):
        right, top = left + panels.wide, low + panels.high
        grounds.append([(left, low), (right, low), (right, top), (left, top)])
        across, up = left + places[0] * panels.wide, low + places[1] * panels.high
        lines += [[(at, low), (at, top)] for at in across] + [[(left, at), (right, at)] for at in up]
        if scales[0].has_strip:
            end = left + STRIP * panels.wide
            strips.append([(left, low), (end, low), (end, top), (left, top)])
        if scales[1].has_strip:
            end = low + STRIP * panels.high
            strips.append([(left, low), (right, low), (right, end), (left, end)])
        if panels.has_none_below(panel):
            _write_ticks(axes, scales[0], across, at=low - 0.05, zero=left, step=panels.wide, below=True)
        if panel % panels.columns == 0:
            _write_ticks(axes, scales[1], up, at=left - 0.06, zero=low, step=panels.high, below=False)
        axes.text(
            left,
            top + 0.05,
            panels.heads[panel],
            size=_NAME_SIZE,
            weight="bold",
            va="bottom",
            parse_math=False,
        )
    axes.add_collection(PolyCollection(grounds, facecolors="#f7f8fa", edgecolors=RULE, linewidths=0.8))
    axes.add_collection(PolyCollection(strips, facecolors="#e9ecf1", linewidths=0))
    axes.add_collection(LineCollection(lines, colors="#e3e6ec", linewidths=0.7))


def _write_ticks(
    axes: Axes, scale: Scale, along: np.ndarray, *, at: float, zero: float, step: float, below: bool
) -> None:
    """Write the ticks of one panel below it or to its left, so few that none meets another."""
    texts = [tick_number(tick) for tick in scale.ticks]
    halves = [text_width(text, _TICK_SIZE) / 2 + 0.03 if below else 0.07 for text in texts]
    marks = list(zip(along.tolist(), texts, halves, strict=True))
    strip = [(zero + STRIP / 2 * step, "0", 0.07)] if scale.has_strip else []
    kept = scale.ticks.index(0.0) if 0.0 in scale.ticks else 0
    spaced = (marks[kept % every :: every] for every in (1, 2, 3, 4))
    thinned = ([*strip, *(mark for mark in some if not _meet([*strip, mark]))] for some in spaced)
    for place, text, _ in next((few for few in thinned if not _meet(few)), strip):
        across, up = (place, at) if below else (at, place)
        ha, va = ("center", "top") if below else ("right", "center")
        axes.text(across, up, text, ha=ha, va=va, size=_TICK_SIZE, color=MUTED)


def _meet(marks: Sequence[tuple[float, str, float]]) -> bool:
    """Return whether two of some ticks, in order, each a place, a text and half its size, overlap."""
    return any(a[0] + a[2] > b[0] - b[2] for a, b in pairwise(marks))


def _draw_labels(axes: Axes, panels: _Panels, x_label: str, y_label: str) -> None:
    middle = (_LEFT + WIDTH - _RIGHT) / 2
    axes.text(middle, 0.12, clean(x_label), ha="center", va="bottom", color=MUTED, parse_math=False)
    middle = (_AXIS + panels.height) / 2
    axes.text(
        0.12, middle, clean(y_label), rotation=90, ha="left", va="center", color=MUTED, parse_math=False
    )


def _draw_dots(
    axes: Axes,
    panels: _Panels,
    entities: _Entities,
    at: np.ndarray,
    *,
    rng: np.random.Generator,
    per_segment: int,
) -> None:
    """Draw as many of each segment, and the outermost of all, over the same few of everybody in grey."""
    everybody = rng.choice(len(at), min(_BACKDROP, len(at)), replace=False)
    grey = np.vstack([panels.inches(panel, at[everybody]) for panel in range(len(panels.left))])
    axes.plot(*grey.T, "o", color="#c6cad3", markersize=1.6, markeredgewidth=0)
    outermost = np.concatenate([entities.measures.argmin(axis=0), entities.measures.argmax(axis=0)])
    chosen = np.union1d(balanced_subsample(entities.owners, per_segment, rng), outermost)
    owners = entities.owners[chosen]
    colors = np.array(panels.colors, dtype=object)[owners].tolist()
    across, up = panels.inches(owners, at[chosen]).T
    axes.scatter(across, up, s=7, c=colors, alpha=0.7, linewidths=0)


def _draw_medians(axes: Axes, panels: _Panels, entities: _Entities, scales: tuple[Scale, Scale]) -> None:
    """Draw the two medians of everybody as lines, those of each segment as a large dot."""

    def medians(measures: np.ndarray) -> np.ndarray:
        middle = np.median(measures, axis=0)
        return np.array(
            [[scale.place(value) for scale, value in zip(scales, middle, strict=True)]], dtype=float
        )

    everybody = medians(entities.measures)
    for panel, color in enumerate(panels.colors):
        across, up = panels.inches(panel, everybody)[0]
        left, low = panels.left[panel], panels.low[panel]
        axes.hlines(up, left, left + panels.wide, color=INK, linewidth=0.7, linestyle=(0, (3, 3)))
        axes.vlines(across, low, low + panels.high, color=INK, linewidth=0.7, linestyle=(0, (3, 3)))
        own = entities.measures[entities.owners == panel]
        if len(own):
            place = panels.inches(panel, medians(own))[0]
            for size, edge in ((11, "white"), (8.5, INK)):
                axes.plot(*place, "o", color=color, markersize=size, markeredgecolor=edge, zorder=4)
        else:
            axes.text(left + panels.wide / 2, low + panels.high / 2, "no members", ha="center", color=MUTED)


def _draw_extremes(axes: Axes, panels: _Panels, entities: _Entities, at: np.ndarray) -> None:
    """Ring and label the largest value of a measure where it is far beyond the others."""
    for values in entities.measures.T:
        if not _has_extreme(values):
            continue
        row = int(values.argmax())
        place = panels.inches(int(entities.owners[row]), at[[row]])[0]
        axes.plot(*place, "o", fillstyle="none", color=INK, markersize=8, markeredgewidth=1.1, zorder=5)
        to_the_left = at[row, 0] > 0.5
        note(
            axes,
            number(values[row]),
            place,
            shift=(-7 if to_the_left else 7, 0),
            ha="right" if to_the_left else "left",
            size=_NAME_SIZE,
            weight="bold",
            zorder=6,
            path_effects=[withStroke(linewidth=3, foreground="white")],
        )


def _has_extreme(values: np.ndarray) -> bool:
    return bool(len(values)) and bool(values.max() > _EXTREME * np.percentile(values, 99) > 0)


def _ringed(measures: np.ndarray, labels: tuple[str, str]) -> str:
    """Return what is ringed, in words."""
    return "".join(
        f" Ringed: {clean(label)} {number(values.max())}, with a median of {number(float(np.median(values)))}."
        for values, label in zip(measures.T, labels, strict=True)
        if _has_extreme(values)
    )


def _title(measures: np.ndarray, x_label: str, y_label: str) -> str:
    both = f"{clean(y_label)} and {clean(x_label)}"
    if len(measures) < 3 or not np.ptp(measures, axis=0).all():
        return f"{both}: no relation can be measured"
    ranks = [pl.Series(values).rank().to_numpy() for values in measures.T]
    correlation = float(np.corrcoef(ranks)[0, 1])
    size = abs(correlation)
    if size < 0.1:
        finding = "do not move together"
    elif size < 0.3:
        finding = "hardly move together"
    else:
        finding = "move together" if correlation > 0 else "move against each other"
    return f"{both} {finding} (rank correlation {number(correlation)})"


def _subtitle(scales: tuple[Scale, Scale], per_segment: int, unknown: int, ringed: str) -> str:
    text = (
        f"Up to {per_segment:,} members of each segment; grey: everybody. Large dot: the segment's medians; "
        "dashed: everybody's."
    )
    if any(scale.is_log for scale in scales):
        text += " Logarithmic axes." if all(scale.is_log for scale in scales) else " One axis is logarithmic."
    if any(scale.has_strip for scale in scales):
        text += " Zeros lie on the grey strip."
    return text + ringed + (f" {unknown:,} without a value are left out." if unknown else "")
