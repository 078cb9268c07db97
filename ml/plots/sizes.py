"""Segments beside each other: how many members, and how one measure is distributed.

Belongs here: sizes and distributions. Does not belong here: computing either measure.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from ml.plots.palette import INK, MUTED, colors_of, segment_colors
from ml.plots.rows import named_rows
from ml.plots.spacing import note
from ml.plots.style import label_ticks, plot_style
from ml.plots.words import clean, log_ticks, number, percent, short_name, tick_number

_BINS = 160
_SKEWED = 1.5
"""Skewness from which a logarithmic axis is worth its trouble (an exponential distribution has 2)."""
_INNER = (0.1, 99.9)
"""Percentiles the axis reaches to."""


def segment_sizes(sizes: pl.DataFrame) -> Figure:
    """Draw members per segment as bars.

    Parameters
    ----------
    sizes
        One row per segment: segment_id, segment_name, members, share (0 to 1).

    Returns
    -------
    A figure whose title names the largest and the smallest segment.
    """
    frame = sizes.sort("segment_id")
    ids, members, shares = (frame[column].to_list() for column in ("segment_id", "members", "share"))
    with plot_style():
        subtitle = f"{sum(members):,} members in all."
        figure, axes = named_rows(_sizes_title(frame), subtitle, frame["segment_name"].to_list(), row=0.48)
        axes.barh(range(len(ids)), members, height=0.68, color=colors_of(ids))
        for row, (count, share) in enumerate(zip(members, shares, strict=True)):
            note(axes, f"{count:,}  ·  {percent(share)}", (count, row), size=9)
        axes.set_xlim(0, max(*members, 1) * 1.3)
        label_ticks(axes.xaxis)
        axes.set_xlabel("Members")
    return figure


def distribution(
    values: np.ndarray,
    segment_ids: np.ndarray,
    names: Sequence[str],
    label: str,
    *,
    colors: Sequence[str] | None = None,
) -> Figure:
    """Draw the distribution of one measure per segment, with its median and middle half.

    Parameters
    ----------
    values : (n,) float
        The measure; NaN is left out.
    segment_ids : (n,) int from 0 to k - 1
    names
        k segment names.
    label
        What is measured, with its unit; the label of the axis.
    colors
        Of the k segments; those of the ids 0 to k - 1 when omitted.

    Returns
    -------
    A figure on a logarithmic axis when the values are skewed and not negative; the title names the
    segments with the highest and the lowest median.
    """
    values = np.asarray(values, dtype=float)
    known = np.isfinite(values)
    values, owners = values[known], np.asarray(segment_ids)[known]
    groups = [values[owners == i] for i in range(len(names))]
    scale = _choose_scale(values)
    with plot_style():
        subtitle = "Curve: how the members are spread. Bar: the middle half. Dot: the median."
        if scale.is_log:
            subtitle += " Logarithmic axis."
        title = _distribution_title(groups, names, label)
        figure, axes = named_rows(title, subtitle, names, row=0.56)
        low, high = _reach(scale.forward(values))
        edges = np.linspace(low, high, _BINS + 1)
        for row, (group, color) in enumerate(zip(groups, colors or segment_colors(len(names)), strict=True)):
            if len(group):
                _draw_curve(axes, row, scale.forward(group), edges, color)
                _draw_middle(axes, row, group, scale, color)
            else:
                axes.text(low, row, " no members", color=MUTED, va="center")
        axes.set_xlim(low, high)
        _set_ticks(axes, scale, values)
        axes.set_xlabel(clean(label), parse_math=False)
    return figure


@dataclass(frozen=True)
class _Scale:
    forward: Callable[[np.ndarray], np.ndarray]
    is_log: bool


def _choose_scale(values: np.ndarray) -> _Scale:
    """Take logarithms where they make a skewed measure more even; `scales` asks how far values reach instead."""
    linear = _Scale(np.asarray, is_log=False)
    if not len(values) or values.min() < 0:
        return linear
    forward = np.log10 if values.min() > 0 else (lambda given: np.log1p(given) / np.log(10))
    skewness = _skewness(values)
    if skewness > _SKEWED and abs(_skewness(forward(values))) < skewness:
        return _Scale(forward, is_log=True)
    return linear


def _skewness(values: np.ndarray) -> float:
    centred = values - values.mean()
    spread = centred.std()
    # Rounding leaves a spread of about 1e-16 of the mean in a constant.
    return float(np.mean(centred**3) / spread**3) if spread > 1e-12 * abs(values.mean()) else 0.0


def _reach(positions: np.ndarray) -> tuple[float, float]:
    """Return the ends of the axis: all but the outermost values, with some air."""
    if not len(positions):
        return 0.0, 1.0
    low, high = np.percentile(positions, _INNER)
    air = 0.06 * (high - low) if high > low else max(abs(high) * 0.1, 0.5)
    # A measure that is never negative has no curve below 0 (on either scale 0 lies at 0).
    floor = 0.0 if positions.min() >= 0 else -np.inf
    return float(max(low - air, floor)), float(high + air)


def _draw_curve(axes: Axes, row: int, positions: np.ndarray, edges: np.ndarray, color: str) -> None:
    """Draw a smoothed histogram; what lies beyond the axis is counted at its end."""
    counts, _ = np.histogram(np.clip(positions, edges[0], edges[-1]), edges)
    kernel = np.exp(-0.5 * (np.arange(-9, 10) / 3) ** 2)
    curve = np.convolve(counts, kernel, mode="same")
    base = row + 0.3
    middles = (edges[:-1] + edges[1:]) / 2
    axes.fill_between(middles, base, base - 0.66 * curve / curve.max(), color=color, alpha=0.45, linewidth=0)


def _draw_middle(axes: Axes, row: int, group: np.ndarray, scale: _Scale, color: str) -> None:
    quartiles = np.percentile(group, [25, 50, 75])
    low, median, high = scale.forward(quartiles)
    base = row + 0.3
    axes.hlines(base, low, high, color=color, linewidth=5)
    axes.plot(median, base, "o", color="white", markeredgecolor=INK, markersize=6.5, zorder=4)
    note(
        axes,
        number(float(quartiles[1])),
        (median, base),
        shift=(0, 6),
        ha="center",
        va="baseline",
        weight="bold",
        size=9,
        path_effects=[withStroke(linewidth=2.5, foreground="white")],
        annotation_clip=False,
    )


def _set_ticks(axes: Axes, scale: _Scale, values: np.ndarray) -> None:
    if not scale.is_log:
        label_ticks(axes.xaxis)
        return
    low, high = np.percentile(values, _INNER)
    ticks = [0.0] if values.min() == 0 else []
    ticks += log_ticks(max(low, values[values > 0].min()), high)
    axes.set_xticks(scale.forward(np.array(ticks)), [tick_number(tick) for tick in ticks])


def _sizes_title(frame: pl.DataFrame) -> str:
    if len(frame) < 2:
        return f"One segment: {short_name(frame['segment_name'][0])}" if len(frame) else "No segment"
    ranked = frame.sort("members", descending=True, maintain_order=True)
    names, shares = ranked["segment_name"].to_list(), ranked["share"].to_list()
    return (
        f"Largest segment: {short_name(names[0])} ({percent(shares[0])}); "
        f"smallest: {short_name(names[-1])} ({percent(shares[-1])})"
    )


def _distribution_title(groups: list[np.ndarray], names: Sequence[str], label: str) -> str:
    medians = {name: float(np.median(group)) for name, group in zip(names, groups, strict=True) if len(group)}
    if not medians:
        return f"{clean(label)}: no values"
    high, low = max(medians, key=lambda name: medians[name]), min(medians, key=lambda name: medians[name])
    if medians[high] == medians[low]:
        return f"{clean(label)}: the median is {number(medians[high])} in every segment"
    return (
        f"{clean(label)}: median {number(medians[high])} for {short_name(high)}, "
        f"{number(medians[low])} for {short_name(low)}"
    )
