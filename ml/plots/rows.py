"""One labelled row for each thing that is compared.

Belongs here: the frame that strips, boxes, bars and distributions share. Does not belong here: what a row holds.
"""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ml.plots.palette import INK
from ml.plots.style import WIDTH, add_axes, text_width, titled_figure, wrap_name

_AXIS, _RIGHT, _NARROWEST = 0.6, 0.3, 0.7
_NAME_SIZE = 9.5


def named_rows(
    title: str, subtitle: str, names: Sequence[str], *, row: float, widest: float = 2.1, lines: int = 2
) -> tuple[Figure, Axes]:
    """Return axes with one labelled row per name, the first on top.

    Parameters
    ----------
    title, subtitle
        The finding, and how to read the plot.
    names
        Of the rows; row i lies at i.
    row
        Inches of each row.
    widest
        Inches of the longest label, which is broken into at most `lines` lines.
    """
    wrapped = [wrap_name(name, widest, _NAME_SIZE, lines=lines) for name in names]
    left = max([_NARROWEST, *(text_width(name, _NAME_SIZE) for name in wrapped)]) + 0.3
    body = _AXIS + row * len(names)
    figure = titled_figure(title, subtitle, body=body)
    axes = add_axes(figure, left, _AXIS, WIDTH - _RIGHT, body)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_yticks(range(len(names)), wrapped, parse_math=False, color=INK, size=_NAME_SIZE)
    axes.grid(visible=False, axis="y")
    return figure, axes
