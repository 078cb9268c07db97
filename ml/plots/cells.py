"""Numbers in a grid on colours, and the key to them.

Belongs here: what the heat maps share. Does not belong here: which numbers, titles.
"""

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, LinearSegmentedColormap, Normalize, to_hex
from matplotlib.figure import Figure

from ml.plots.palette import MUTED, readable_on
from ml.plots.style import add_axes

BLUE_TO_RED = LinearSegmentedColormap.from_list(
    "pale_RdBu_r", colormaps["RdBu_r"](np.linspace(0.23, 0.77, 65))
)
"""The paler part of ColorBrewer's scale: dark digits have a contrast of 4.9 or more on all of it, where
on the reds and blues left out neither dark nor white ones reach the 4.5 that small type needs (WCAG 2.1,
1.4.3)."""

WHITE_TO_BLUE = LinearSegmentedColormap.from_list(
    "pale_Blues", colormaps["Blues"](np.linspace(0.02, 0.62, 65))
)
"""For what only grows from nothing; dark digits stand out on all of it."""


def draw_cells(
    axes: Axes, values: np.ndarray, texts: list[list[str]], norm: Normalize, cmap: Colormap = BLUE_TO_RED
) -> None:
    """Draw a grid of coloured cells, each with its text.

    Parameters
    ----------
    axes
        Gets one column and one row per cell, centred on whole numbers, and no grid of its own.
    values : (r, c) float
        What the colours say; NaN leaves a cell uncoloured.
    texts
        r rows of c texts.
    norm
        From values to colours.
    cmap
        The colours: blue over white to red, or white to blue.
    """
    shown = np.ma.masked_invalid(values)
    axes.imshow(shown, cmap=cmap, norm=norm, aspect="auto", interpolation="nearest")
    colors = cmap(norm(shown))
    for (row, column), value in np.ndenumerate(values):
        if texts[row][column]:
            color = readable_on(to_hex(colors[row, column])) if np.isfinite(value) else MUTED
            axes.text(column, row, texts[row][column], ha="center", va="center", size=8.5, color=color)
    rows, columns = values.shape
    axes.vlines(np.arange(columns - 1) + 0.5, -0.5, rows - 0.5, color="white", linewidth=1.2)
    axes.hlines(np.arange(rows - 1) + 0.5, -0.5, columns - 0.5, color="white", linewidth=1.2)
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)


def draw_key(
    figure: Figure,
    ends: tuple[str, str, str],
    cmap: Colormap = BLUE_TO_RED,
    *,
    low: float = 0.24,
    right: float = 0.25,
) -> None:
    """Draw the scale of colours with a word for its lower end, its middle and its upper end.

    `low` and `right` are inches from the lower right corner of the figure.
    """
    end = figure.get_size_inches()[0] - right
    axes = add_axes(figure, end - 2.2, low, end, low + 0.09)
    axes.imshow(np.linspace(0, 1, 65)[None], cmap=cmap, aspect="auto", extent=(-1, 1, 0, 1))
    axes.set_yticks([])
    axes.set_xticks([-1, 0, 1], ends, size=8, color=MUTED)
    axes.tick_params(length=0, pad=2)
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
