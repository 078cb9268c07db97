"""The map of entities on their first two principal components.

Belongs here: the map and the placing of its labels. Does not belong here: the projection, who is on the map.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from ml.plots.given import balanced_subsample
from ml.plots.palette import INK, segment_colors
from ml.plots.style import WIDTH, add_axes, label_ticks, plot_style, text_width, titled_figure, wrap_name
from ml.plots.words import map_finding, percent

_LABEL_SIZE = 9.0
_GAP, _DOT = 0.16, 0.12
"""Inches from a centre to its label, and half the side of the square a centre takes."""
_EDGES = (0.75, 0.6, WIDTH - 0.25, 4.9)
"""Left, bottom, right and top of the axes in inches."""
_INNER = (0.5, 99.5)
"""Percentiles of the drawn points that fit the frame: a few extreme entities must not squeeze all others."""


def pca_map(
    points: np.ndarray,
    segment_ids: np.ndarray,
    names: Sequence[str],
    centres: np.ndarray,
    explained_variance_ratio: np.ndarray,
    *,
    rng: np.random.Generator,
    per_segment: int = 400,
    colors: Sequence[str] | None = None,
) -> Figure:
    """Draw as many entities of each segment, so that small segments are seen, and the centres by name.

    Parameters
    ----------
    points : (n, 2) float
        Coordinates of the entities; (n, 1) when there is one feature only.
    segment_ids : (n,) int from 0 to k - 1
    names
        k segment names.
    centres : (k, 2) float
        Coordinates of the segment centres.
    explained_variance_ratio : (2,) float from 0 to 1
    rng
        Draws the subsample.
    per_segment
        Entities drawn of each segment.
    colors
        Of the k segments; those of the ids 0 to k - 1 when omitted.
    """
    points, centres = _two_columns(points), _two_columns(centres)
    ratio = np.append(np.asarray(explained_variance_ratio, dtype=float), [0.0, 0.0])[:2]
    chosen = balanced_subsample(segment_ids, per_segment, rng)
    drawn, owners = points[chosen], np.asarray(segment_ids)[chosen]
    low, high = _frame(drawn, centres)
    inside = ((drawn >= low) & (drawn <= high)).all(axis=1)
    palette = np.array(colors or segment_colors(len(names)), dtype=object)
    with plot_style():
        title = map_finding(names, centres, ratio.sum())
        figure = titled_figure(title, _subtitle(inside, len(names), per_segment), body=_EDGES[3])
        axes = add_axes(figure, *_EDGES)
        dots = palette[owners[inside]].tolist()
        axes.scatter(drawn[inside, 0], drawn[inside, 1], s=9, c=dots, alpha=0.6, linewidths=0)
        _draw_centres(axes, centres, palette.tolist())
        axes.set_xlim(low[0], high[0])
        axes.set_ylim(low[1], high[1])
        _label_centres(axes, centres, names)
        _label_axes(axes, ratio)
    return figure


def _draw_centres(axes: Axes, centres: np.ndarray, colors: list[str]) -> None:
    for ring, edge in ((2.6, "white"), (1.0, INK)):
        axes.scatter(
            centres[:, 0], centres[:, 1], s=120, c=colors, edgecolors=edge, linewidths=ring, zorder=3
        )


def _label_axes(axes: Axes, ratio: np.ndarray) -> None:
    label_ticks(axes.xaxis)
    label_ticks(axes.yaxis)
    axes.set_xlabel(f"Component 1 ({percent(ratio[0])} of the variance)")
    if ratio[1] > 0:
        axes.set_ylabel(f"Component 2 ({percent(ratio[1])} of the variance)")
    else:
        axes.set_yticks([])
        axes.set_ylabel("No second component")


def _label_centres(axes: Axes, centres: np.ndarray, names: Sequence[str]) -> None:
    """Write each name beside its centre, moved up or down where two names would meet."""
    size = np.array([_EDGES[2] - _EDGES[0], _EDGES[3] - _EDGES[1]])
    low, high = np.transpose([axes.get_xlim(), axes.get_ylim()])
    at = (centres - low) / (high - low) * size
    labels = [wrap_name(name, 1.9, _LABEL_SIZE, bold=True) for name in names]
    heights = [(text.count("\n") + 1) * _LABEL_SIZE * 1.3 / 72 for text in labels]
    extents = np.column_stack([[text_width(text, _LABEL_SIZE, bold=True) for text in labels], heights])
    line = {"arrowstyle": "-", "color": INK, "linewidth": 0.8, "shrinkB": 6}
    effects = [withStroke(linewidth=3, foreground="white")]
    write_beside(axes, labels, at, extents, size, line=line, weight="bold", zorder=6, path_effects=effects)


def write_beside(
    axes: Axes,
    labels: Sequence[str],
    at: np.ndarray,
    extents: np.ndarray,
    size: np.ndarray,
    *,
    line: dict[str, Any],
    **look: Any,
) -> None:
    """Write labels beside their dots, placed by `place_labels`; one that had to move gets a line to its dot."""
    for label, start, place in zip(labels, at, place_labels(at, extents, size), strict=True):
        axes.annotate(
            label,
            tuple(start / size),
            xycoords="axes fraction",
            xytext=tuple(place / size),
            textcoords="axes fraction",
            ha="left" if place[0] >= start[0] else "right",
            va="center",
            size=_LABEL_SIZE,
            parse_math=False,
            arrowprops=line if abs(place[1] - start[1]) > _DOT else None,
            **look,
        )


def place_labels(at: np.ndarray, extents: np.ndarray, size: np.ndarray) -> np.ndarray:
    """Place labels beside their centres so that none covers another one or a centre.

    Parameters
    ----------
    at : (k, 2) float
        Centres, in inches from the lower left corner of the axes.
    extents : (k, 2) float
        Width and height of the labels, inches.
    size : (2,) float
        Width and height of the axes, inches.

    Returns
    -------
    places : (k, 2) float
        The end of each label that faces its centre, at the label's middle height, inches. When no free
        place is left a label takes the nearest one.
    """
    taken = [_Box(x - _DOT, y - _DOT, x + _DOT, y + _DOT) for x, y in at]
    places = np.zeros_like(at, dtype=float)
    for i in np.argsort(-at[:, 1], kind="stable"):
        options = _label_options(at[i], extents[i], size)
        boxes = [_label_box(place, at[i, 0], extents[i]) for place in options]
        free = (j for j, box in enumerate(boxes) if not any(box.meets(other) for other in taken))
        best = next(free, 0)
        places[i] = options[best]
        taken.append(boxes[best])
    return places


def _label_options(centre: np.ndarray, extent: np.ndarray, size: np.ndarray) -> list[tuple[float, float]]:
    """Return the places inside the axes that a label may take, nearest first."""
    x, y = centre
    sides = [x + _GAP] if x + _GAP + extent[0] <= size[0] else []
    sides += [x - _GAP] if x - _GAP - extent[0] >= 0 else []
    heights = [y + shift for shift in sorted(np.arange(-60, 61) * 0.08, key=abs)]
    inside = [height for height in heights if extent[1] / 2 <= height <= size[1] - extent[1] / 2]
    return [(side, height) for height in inside for side in sides] or [(x + _GAP, y)]


@dataclass(frozen=True)
class _Box:
    left: float
    low: float
    right: float
    high: float

    def meets(self, other: "_Box") -> bool:
        across = self.left < other.right and other.left < self.right
        return across and self.low < other.high and other.low < self.high


def _label_box(place: tuple[float, float], centre_x: float, extent: np.ndarray) -> _Box:
    left = place[0] if place[0] >= centre_x else place[0] - extent[0]
    return _Box(left, place[1] - extent[1] / 2, left + extent[0], place[1] + extent[1] / 2)


def _two_columns(values: np.ndarray) -> np.ndarray:
    values = np.asarray(values, dtype=float)
    return np.column_stack([values[:, :2], np.zeros((len(values), max(2 - values.shape[1], 0)))])


def _frame(drawn: np.ndarray, centres: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the lower left and the upper right corner of what is shown."""
    reach = np.vstack([np.percentile(drawn, _INNER, axis=0), centres]) if len(drawn) else centres
    low, high = reach.min(axis=0), reach.max(axis=0)
    padding = np.where(high > low, 0.05 * (high - low), 1.0)
    return low - padding, high + padding


def _subtitle(inside: np.ndarray, k: int, per_segment: int) -> str:
    text = f"Large dots: centres of the {k} segments. Small dots: up to {per_segment:,} members of each"
    outside = int((~inside).sum())
    return text + (f"; {outside:,} of {len(inside):,} lie outside the frame." if outside else ".")
