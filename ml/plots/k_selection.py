"""Which number of segments: the inertia curve with its knee, and the indices side by side.

Belongs here: plots over candidate k. Does not belong here: computing an index or choosing k.

Both take the k-metrics frame, one row per candidate: k, inertia, silhouette, calinski_harabasz,
davies_bouldin, size_min, size_max, is_elbow, is_published.
"""

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from ml.plots.choice_words import HIGHER_IS_BETTER, INDICES
from ml.plots.palette import ACCENT, INK, MUTED, segment_colors
from ml.plots.spacing import note
from ml.plots.style import WIDTH, add_axes, label_ticks, plot_style, titled_figure
from ml.plots.words import log_ticks, number, numbers_apart, percent, tick_number

_LINE = segment_colors(1)[0]


def elbow(k_metrics: pl.DataFrame, *, free_inertia: float | None = None) -> Figure:
    """Draw inertia over k, the chord from first to last candidate and the knee.

    Parameters
    ----------
    k_metrics
        One row per candidate k.
    free_inertia
        What the best free fit of the published k reaches, where the published one is anchored: the curve joins free
        fits alone, and the anchored one stands beside it.

    Returns
    -------
    A figure whose title names the elbow and what it means.
    """
    frame = k_metrics.sort("k")
    k, inertia = frame["k"].to_numpy(), frame["inertia"].to_numpy()
    knee, published = _first(frame["is_elbow"]), _first(frame["is_published"])
    anchored = None
    if free_inertia is not None and published is not None:
        anchored = inertia[published]
        inertia = np.where(np.arange(len(k)) == published, free_inertia, inertia)
    chord = np.interp(k, [k[0], k[-1]], [inertia[0], inertia[-1]])
    with plot_style():
        subtitle = "The elbow is where the curve lies furthest below the dashed line from first to last."
        if published is not None:
            subtitle += f" Published: k = {k[published]}."
        if anchored is not None:
            subtitle += " Curve: free fits; ring: the published fit, which starts from declared groups."
        figure = titled_figure(_elbow_title(k, inertia, knee), subtitle, body=4.0)
        axes = add_axes(figure, 0.95, 0.6, WIDTH - 0.25, 4.0)
        axes.plot(k, chord, color=MUTED, linewidth=1, linestyle=(0, (4, 3)))
        axes.plot(k, inertia, color=_LINE, linewidth=2, marker="o", markersize=5)
        if knee is not None and len(k) > 2:
            axes.vlines(k[knee], inertia[knee], chord[knee], color=ACCENT, linewidth=1.5)
            axes.plot(k[knee], inertia[knee], "o", color=ACCENT, markersize=10)
            _note(axes, f"elbow: k = {k[knee]}", (k[knee], inertia[knee]), ACCENT, below=True)
        if published is not None and (published != knee or anchored is not None):
            at = inertia[published] if anchored is None else anchored
            axes.plot(k[published], at, "o", markersize=11, fillstyle="none", color=INK)
            # Below the curve there is room, but for the note of an elbow just before; an anchored fit lies above.
            below = published - 1 != knee and anchored is None
            _note(axes, f"published: k = {k[published]}", (k[published], at), INK, below=below)
        _k_axis(axes, k)
        axes.set_xlabel("Number of segments, k")
        axes.set_ylabel("Inertia (sum of squared distances)")
        axes.margins(y=0.12)
        label_ticks(axes.yaxis)
    return figure


def k_metrics_panel(k_metrics: pl.DataFrame) -> Figure:
    """Draw silhouette, Calinski–Harabasz, Davies–Bouldin and the size range over k, two by two.

    Parameters
    ----------
    k_metrics
        One row per candidate k; an index may be missing (null or NaN) anywhere.

    Returns
    -------
    A figure whose title says which k the silhouette prefers and which one is published.
    """
    frame = k_metrics.sort("k")
    k = frame["k"].to_numpy()
    published = _first(frame["is_published"])
    with plot_style():
        subtitle = "Red: the best k by that index. Dotted line: the published k."
        figure = titled_figure(_panel_title(frame, published), subtitle, body=5.0)
        boxes = [(left, low, left + 2.65, low + 1.75) for low in (2.95, 0.6) for left in (0.75, 4.15)]
        for (index, title), box in zip(INDICES.items(), boxes, strict=False):
            axes = add_axes(figure, *box)
            _draw_index(axes, k, _known(frame[index]), index)
            better = "higher" if index in HIGHER_IS_BETTER else "lower"
            _finish_panel(axes, f"{title}: {better} is better", k, published)
        axes = add_axes(figure, *boxes[-1])
        _draw_sizes(axes, k, frame["size_min"].to_numpy(), frame["size_max"].to_numpy())
        _finish_panel(axes, "Members: smallest and largest segment", k, published)
        for lower in figure.axes[2:]:
            lower.set_xlabel("Number of segments, k")
    return figure


def _draw_index(axes: Axes, k: np.ndarray, values: np.ndarray, index: str) -> None:
    known = np.isfinite(values)
    if not known.any():
        axes.text(0.5, 0.5, "not defined here", transform=axes.transAxes, ha="center", color=MUTED)
        axes.set_yticks([])
        return
    axes.plot(k[known], values[known], color=_LINE, linewidth=1.8, marker="o", markersize=4)
    values = np.where(known, values, np.nan)
    best = np.nanargmax(values) if index in HIGHER_IS_BETTER else np.nanargmin(values)
    axes.plot(k[best], values[best], "o", color=ACCENT, markersize=8)
    axes.margins(y=0.15)
    label_ticks(axes.yaxis)


def _draw_sizes(axes: Axes, k: np.ndarray, smallest: np.ndarray, largest: np.ndarray) -> None:
    axes.fill_between(k, smallest, largest, color=_LINE, alpha=0.18, linewidth=0)
    for edge in (smallest, largest):
        axes.plot(k, edge, color=_LINE, linewidth=1.8, marker="o", markersize=4)
    if smallest.min() > 0 and largest.max() > 20 * smallest.min():
        axes.set_yscale("log")
        axes.set_ylim(smallest.min() / 1.6, largest.max() * 1.6)
        axes.minorticks_off()
        ticks = log_ticks(*axes.get_ylim())
        axes.set_yticks(ticks, [tick_number(tick) for tick in ticks])
    else:
        axes.set_ylim(0, largest.max() * 1.15)
        label_ticks(axes.yaxis)


def _finish_panel(axes: Axes, title: str, k: np.ndarray, published: int | None) -> None:
    axes.set_title(title, loc="left", fontsize=9.5, color=INK, pad=7)
    _k_axis(axes, k)
    if published is not None:
        axes.axvline(k[published], color=INK, linewidth=1, linestyle=(0, (1, 2)))


def _k_axis(axes: Axes, k: np.ndarray) -> None:
    every = max(1, -(-len(k) // 15))
    axes.set_xticks(k[::every], [str(value) for value in k[::every]])
    axes.set_xlim(k[0] - 0.5, k[-1] + 0.5)
    axes.grid(visible=False, axis="x")


def _note(axes: Axes, text: str, point: tuple[float, float], color: str, *, below: bool) -> None:
    to_the_left = below or point[0] == axes.dataLim.x1
    note(
        axes,
        text,
        point,
        shift=(-9 if to_the_left else 9, -11 if below else 14),
        ha="right" if to_the_left else "left",
        color=color,
        weight="bold",
        path_effects=[withStroke(linewidth=3, foreground="white")],
    )


def _elbow_title(k: np.ndarray, inertia: np.ndarray, knee: int | None) -> str:
    if knee is None or len(k) < 3:
        listed = ", ".join(str(value) for value in k)
        return f"No elbow to find: it takes three candidates or more (k = {listed})"
    if knee in (0, len(k) - 1) or inertia[0] <= 0:
        return f"No clear elbow: inertia falls evenly from k = {k[0]} to {k[-1]}"
    before = (inertia[0] - inertia[knee]) / (k[knee] - k[0]) / inertia[0]
    after = (inertia[knee] - inertia[-1]) / (k[-1] - k[knee]) / inertia[0]
    return (
        f"Elbow at k = {k[knee]}: each segment up to there cuts inertia by {percent(before)}, "
        f"each one after by {percent(after)}"
    )


def _panel_title(frame: pl.DataFrame, published: int | None) -> str:
    values, k = _known(frame["silhouette"]), frame["k"].to_numpy()
    if not np.isfinite(values).any():
        return "The silhouette is not defined for any k"
    best = int(np.nanargmax(values))
    if published is None or published == best:
        title = f"Silhouette prefers k = {k[best]} ({number(values[best])})"
        return title if published is None else f"{title}, which is published"
    highest, own = numbers_apart(values[best], values[published])
    beside = f" ({own})" if np.isfinite(values[published]) else ""
    return f"Silhouette prefers k = {k[best]} ({highest}); k = {k[published]} is published{beside}"


def _known(values: pl.Series) -> np.ndarray:
    """Return floats with NaN for whatever is missing or infinite."""
    floats = values.cast(pl.Float64).fill_null(np.nan).to_numpy()
    return np.where(np.isfinite(floats), floats, np.nan)


def _first(flags: pl.Series) -> int | None:
    """Return the position of the first true flag."""
    found = flags.fill_null(value=False).arg_true()
    return int(found[0]) if len(found) else None
