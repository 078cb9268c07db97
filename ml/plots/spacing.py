"""Labels beside the ends of lines and bars, moved apart where they would meet.

Belongs here: places along one axis, text beside a point. Does not belong here: labels around dots
(`pca_map.place_labels`).
"""

from typing import Any

import numpy as np
from matplotlib.axes import Axes


def spread(
    wanted: np.ndarray, heights: np.ndarray, *, low: float = -np.inf, high: float = np.inf
) -> np.ndarray:
    """Return places near the wanted ones, in their order, at which no label meets another.

    Parameters
    ----------
    wanted : (n,) float
        Where the middles of the labels would lie, were each alone.
    heights : (n,) float
        Of the labels, in the same units.
    low, high
        Between which they stay, where there is room for all.
    """
    order = np.argsort(wanted, kind="stable")
    ends, half = np.asarray(wanted, dtype=float)[order], np.asarray(heights, dtype=float)[order] / 2
    # Both keep neighbours apart, one by moving up and one by moving down; so does their mean.
    places = (_pushed_up(ends, half) + _pushed_down(ends, half)) / 2
    if len(places):
        places[0] = max(places[0], low + half[0])
        places = _pushed_up(places, half)
        places[-1] = min(places[-1], high - half[-1])
        places = _pushed_down(places, half)
    spread_out = np.empty(len(places))
    spread_out[order] = places
    return spread_out


def note(
    axes: Axes, text: str, at: tuple[float, float], *, shift: tuple[float, float] = (6, 0), **look: Any
) -> None:
    """Write text beside a point, shifted by some typographic points; `look` is as matplotlib's texts have it."""
    axes.annotate(text, at, xytext=shift, textcoords="offset points", **{"va": "center", **look})


def _pushed_up(places: np.ndarray, half: np.ndarray) -> np.ndarray:
    moved = places.copy()
    for i in range(1, len(moved)):
        moved[i] = max(moved[i], moved[i - 1] + half[i - 1] + half[i])
    return moved


def _pushed_down(places: np.ndarray, half: np.ndarray) -> np.ndarray:
    return -_pushed_up(-places[::-1], half[::-1])[::-1]
