"""The segments in figures: the table a reader looks things up in.

Belongs here: the summary table as a picture. Does not belong here: computing a mean or a share.
"""

from collections.abc import Collection, Mapping

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure

from ml.plots.palette import INK, MUTED, RULE, colors_of
from ml.plots.style import WIDTH, add_axes, plot_style, text_width, titled_figure, wrap_name
from ml.plots.words import decimals, feature_labels, percent, short_name

_MOST_FEATURES = 60
_ROW, _BOTTOM, _RIGHT, _COLUMN = 0.26, 0.2, 0.25, 0.95
_LABEL_SIZE, _CELL_SIZE = 9.0, 9.0
_BAND = 0.06
"""Inches of the colour above a segment's column."""


def segment_summary(
    profile: pl.DataFrame,
    sizes: pl.DataFrame,
    *,
    dummies: Collection[str] = (),
    labels: Mapping[str, str] | None = None,
) -> Figure:
    """Draw the summary table: a row per feature, a column per segment, and the number and share of members.

    Parameters
    ----------
    profile
        One row per segment and feature: segment_id, feature, segment_mean, base_mean. The features are
        drawn in the order of their first rows, 60 at most.
    sizes
        One row per segment: segment_id, segment_name, members, share (0 to 1).
    dummies
        Features of zeros and ones: their mean is the share of members that have one, drawn as a bar.
    labels
        The declared label of a feature, where it has one.

    Returns
    -------
    A figure whose title says how many segments there are and how far their sizes reach.
    """
    ordered = sizes.sort("segment_id")
    features = profile["feature"].unique(maintain_order=True).to_list()
    drawn = features[:_MOST_FEATURES]
    are_dummies = [feature in dummies for feature in drawn]
    rows = [short_name(label, 34) for label in feature_labels(drawn, labels)]
    left = max(text_width("\n".join([*rows, "Prop Obs"]), _LABEL_SIZE) + 0.3, 1.0)
    width = max(left + _COLUMN * (len(ordered) + 1) + _RIGHT, WIDTH)
    column = (width - left - _RIGHT) / (len(ordered) + 1)
    names = ordered["segment_name"].to_list()
    heads = ["Everybody", *(wrap_name(name, column - 0.1, _LABEL_SIZE, lines=4) for name in names)]
    head = max(text.count("\n") + 1 for text in heads) * _LABEL_SIZE * 1.25 / 72 + 0.2
    count = len(rows) + 2
    with plot_style():
        figure = titled_figure(
            _title(ordered),
            _subtitle(len(drawn), len(features), has_dummies=any(are_dummies)),
            width=width,
            body=_BOTTOM + _ROW * count + head,
        )
        axes = add_axes(figure, left, _BOTTOM, width - _RIGHT, _BOTTOM + _ROW * count)
        axes.set_xlim(-0.5, len(heads) - 0.5)
        axes.set_ylim(count - 0.5, -0.5)
        _draw_features(
            axes, _as_matrix(profile, ordered, drawn), are_dummies, ordered["segment_id"].to_list()
        )
        _draw_sizes(axes, ordered, len(rows))
        _draw_bands(axes, ordered["segment_id"].to_list())
        axes.set_yticks(range(count), [*rows, "N Obs", "Prop Obs"], parse_math=False)
        axes.set_xticks(range(len(heads)), heads, parse_math=False)
        axes.tick_params(length=0, labeltop=True, labelbottom=False, labelcolor=INK, labelsize=_LABEL_SIZE)
        axes.tick_params(axis="x", pad=8)
        axes.grid(visible=False)
        axes.spines[:].set_visible(False)
    return figure


def _as_matrix(profile: pl.DataFrame, sizes: pl.DataFrame, features: list[str]) -> np.ndarray:
    """Return the mean of everybody and then of each segment (d, k + 1); NaN where there is none."""
    cells = {
        (feature, segment): mean
        for feature, segment, mean in profile.select("feature", "segment_id", "segment_mean").iter_rows()
    }
    base = dict(profile.select("feature", "base_mean").iter_rows())
    segments = sizes["segment_id"].to_list()
    table = [
        [base[feature], *(cells.get((feature, segment)) for segment in segments)] for feature in features
    ]
    return np.array(table, dtype=float).reshape(len(features), len(segments) + 1)


def _draw_features(axes: Axes, values: np.ndarray, are_dummies: list[bool], segments: list[int]) -> None:
    """Write the means, with a bar behind those that are shares."""
    palette = [MUTED, *colors_of(segments)]
    bars, colors = [], []
    for row, (means, are_shares) in enumerate(zip(values, are_dummies, strict=True)):
        for column, value in enumerate(means):
            if are_shares and value > 0:
                bars.append(_rectangle(column - 0.42, row - 0.4, 0.84 * value, 0.8))
                colors.append(palette[column])
            text = decimals(value) if value or not are_shares else "0"
            color = INK if value else MUTED
            axes.text(column + 0.4, row, text, ha="right", va="center", size=_CELL_SIZE, color=color)
    axes.add_collection(PolyCollection(bars, facecolors=colors, alpha=0.35, linewidths=0))


def _draw_sizes(axes: Axes, sizes: pl.DataFrame, above: int) -> None:
    members, shares = sizes["members"].to_list(), sizes["share"].cast(pl.Float64).to_list()
    axes.axhline(above - 0.5, color=RULE, linewidth=1)
    for row, texts in (
        (above, [f"{count:,}" for count in (sum(members), *members)]),
        (above + 1, [decimals(share) for share in (sum(shares), *shares)]),
    ):
        for column, text in enumerate(texts):
            axes.text(column + 0.4, row, text, ha="right", va="center", size=_CELL_SIZE, weight="bold")


def _draw_bands(axes: Axes, segments: list[int]) -> None:
    """Draw the colour of each segment at the head of its column."""
    height = _BAND / _ROW
    bands = [_rectangle(column - 0.46, -0.5 - height, 0.92, height) for column in range(1, len(segments) + 1)]
    axes.add_collection(PolyCollection(bands, facecolors=colors_of(segments), linewidths=0, clip_on=False))


def _rectangle(left: float, low: float, wide: float, high: float) -> list[tuple[float, float]]:
    return [(left, low), (left + wide, low), (left + wide, low + high), (left, low + high)]


def _title(sizes: pl.DataFrame) -> str:
    if not len(sizes):
        return "No segment"
    if len(sizes) == 1:
        return f"One segment of {sizes['members'][0]:,} members"
    smallest, largest = (
        sizes.sort("members", descending=order, maintain_order=True).row(0, named=True)
        for order in (False, True)
    )
    return (
        f"{len(sizes)} segments, from {smallest['members']:,} members ({percent(smallest['share'])}) "
        f"to {largest['members']:,} ({percent(largest['share'])})"
    )


def _subtitle(drawn: int, features: int, *, has_dummies: bool) -> str:
    text = "Means of the members; a bar: the share of members." if has_dummies else "Means of the members."
    return text if drawn == features else f"{text} The first {drawn} of {features} features."
