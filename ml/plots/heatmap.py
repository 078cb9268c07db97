"""What each segment is like, feature by feature, beside everybody.

Belongs here: the profile heat map. Does not belong here: computing a profile.
"""

from collections.abc import Mapping

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from ml.plots.cells import draw_cells, draw_key
from ml.plots.palette import INK
from ml.plots.style import WIDTH, add_axes, plot_style, text_width, titled_figure, wrap_name
from ml.plots.words import decimals, feature_labels, number, short_name

_MOST_FEATURES = 40
_ROW, _KEY, _RIGHT = 0.27, 0.45, 0.25
_LABEL_SIZE = 9.0
_STRONGEST, _WEAKEST = 2.0, 0.25
"""The colour is full at the largest distance drawn, kept between these doublings: so that neither one
extreme pales the rest nor noise looks like a finding."""


def profile_heatmap(profile: pl.DataFrame, *, labels: Mapping[str, str] | None = None) -> Figure:
    """Draw features by segments: the mean in each cell, its distance from everybody's mean as colour.

    Parameters
    ----------
    profile
        One row per segment and feature: segment_id, segment_name, feature, segment_mean, base_mean and
        index (100 = same as everybody; null where the base is 0). Beyond 40 features those that differ
        most between segments are drawn.
    labels
        The declared label of a feature, where it has one.

    Returns
    -------
    A figure whose title names the cell furthest from everybody's mean.
    """
    means, base, segments, features = _as_matrix(profile)
    distance = doublings(means, base)
    kept = np.sort(np.argsort(-np.abs(distance).max(axis=1), kind="stable")[:_MOST_FEATURES])
    kept = kept[np.argsort(-base[kept], kind="stable")]
    means, base, distance = means[kept], base[kept], distance[kept]
    rows = [short_name(label, 34) for label in feature_labels([features[i] for i in kept], labels)]
    left = max(text_width("\n".join(rows), _LABEL_SIZE) + 0.3, 1.0)
    width = max(left + 0.9 * (len(segments) + 1) + _RIGHT, WIDTH)
    column = (width - left - _RIGHT) / (len(segments) + 1)
    heads = ["Everybody", *(wrap_name(name, column - 0.1, _LABEL_SIZE, lines=4) for name in segments)]
    head = max(text.count("\n") + 1 for text in heads) * _LABEL_SIZE * 1.25 / 72 + 0.1
    with plot_style():
        figure = titled_figure(
            _title(means, base, distance, rows, segments),
            _subtitle(len(rows), len(features)),
            width=width,
            body=head + _ROW * len(rows) + _KEY,
        )
        axes = add_axes(figure, left, _KEY, width - _RIGHT, _KEY + _ROW * len(rows))
        limit = _draw_means(axes, means, base, distance)
        axes.set_yticks(np.arange(len(rows)), rows, parse_math=False, color=INK, size=_LABEL_SIZE)
        axes.set_xticks(np.arange(len(heads)), heads, parse_math=False, color=INK, size=_LABEL_SIZE)
        axes.tick_params(length=0, labeltop=True, labelbottom=False)
        draw_key(figure, (f"{2**-limit:.2g} ×", "same as everybody", f"{2**limit:.2g} ×"))
    return figure


def doublings(means: np.ndarray, base: np.ndarray) -> np.ndarray:
    """Return how far segments are from everybody: log2(mean / base), so that half and double weigh the same.

    Parameters
    ----------
    means : (d, k) float
        Segment means.
    base : (d,) float
        Means of everybody.

    Returns
    -------
    distance : (d, k) float
        A mean of 0 counts as the strongest difference drawn. For a feature with a negative mean, or a
        base of 0, the difference relative to the feature's largest one stands in, from -1 to 1.
    """
    difference = means - base[:, None]
    largest = np.abs(difference).max(axis=1, keepdims=True)
    relative = np.divide(difference, largest, out=np.zeros_like(difference), where=largest > 0)
    as_ratio = (base[:, None] > 0) & (means.min(axis=1, keepdims=True) >= 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.maximum(np.log2(means / base[:, None]), -_STRONGEST * 2)
    return np.where(as_ratio, logs, relative)


def _as_matrix(profile: pl.DataFrame) -> tuple[np.ndarray, np.ndarray, list[str], list[str]]:
    """Return means (d, k), base (d,), segment names (k) and features (d)."""
    ordered = profile.sort("segment_id", maintain_order=True)
    segments = ordered.unique("segment_id", keep="first", maintain_order=True)
    features = ordered.unique("feature", keep="first", maintain_order=True)
    wide = ordered.pivot("segment_id", index="feature", values="segment_mean", maintain_order=True)
    means = wide.drop("feature").cast(pl.Float64).fill_null(np.nan).to_numpy()
    base = features["base_mean"].cast(pl.Float64).fill_null(np.nan).to_numpy()
    return (
        np.nan_to_num(means),
        np.nan_to_num(base),
        segments["segment_name"].to_list(),
        features["feature"].to_list(),
    )


def _draw_means(axes: Axes, means: np.ndarray, base: np.ndarray, distance: np.ndarray) -> float:
    """Draw everybody's column and those of the segments; return the distance of the strongest colour."""
    limit = float(np.clip(np.abs(distance).max(initial=0), _WEAKEST, _STRONGEST))
    texts = [_cell_texts(row) for row in np.column_stack([base, means])]
    everybody = np.column_stack([np.zeros(len(base)), distance])
    draw_cells(axes, everybody, texts, Normalize(-limit, limit, clip=True))
    axes.axvline(0.5, color="white", linewidth=6)
    return limit


def _cell_texts(values: np.ndarray) -> list[str]:
    """Return the cells of one feature, with as many decimals in each."""
    largest = np.abs(values).max()
    if largest >= 100 or largest < 0.1 or (values == values.round()).all():
        return [number(value) for value in values]
    return [decimals(value, 1 if largest >= 10 else 2) for value in values]


def _title(
    means: np.ndarray, base: np.ndarray, distance: np.ndarray, labels: list[str], segments: list[str]
) -> str:
    if not distance.size or not np.abs(distance).max():
        return "No segment differs from everybody"
    # Among the strongest colours the larger difference is the greater finding, not the smaller base.
    strength = np.minimum(np.abs(distance), _STRONGEST)
    difference = np.where(strength == strength.max(), np.abs(means - base[:, None]), -1.0)
    row, column = divmod(int(np.argmax(difference)), len(segments))
    return (
        f"Furthest from everybody: {short_name(segments[column])} in {short_name(labels[row])} "
        f"({number(means[row, column])} against {number(base[row])})"
    )


def _subtitle(drawn: int, features: int) -> str:
    text = "In each cell the mean of the segment; blue is below, red above the mean of everybody."
    return text if drawn == features else f"{text} The {drawn} of {features} features that differ most."
