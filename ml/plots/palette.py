"""The colours that plots, report and dashboard agree on.

Belongs here: ink, the colours of segments and of other things (devices, catalogues), what can be read on them.
Does not belong here: any drawing library; the dashboard draws with another one and must not wait for matplotlib.
"""

from collections.abc import Iterable

import numpy as np

INK, MUTED, RULE = "#1f2430", "#5b6270", "#d9dce3"
ACCENT = "#bd1f01"
"""Marks the one thing a plot is about, such as the knee of a curve."""

# Petroff (2021, arXiv:2107.02270), which keeps ten colours apart under every common colour blindness;
# reordered so that the first ones, used most, are also the furthest apart.
_SEGMENT_COLORS = (
    "#3f90da",
    "#ffa90e",
    "#bd1f01",
    "#717581",
    "#832db6",
    "#92dadd",
    "#a96b59",
    "#b9ac70",
    "#e76300",
    "#94a4a2",
)

# For what is no segment and must not look like one: Okabe and Ito (2008), without yellow, which is lost on white.
_KIND_COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#1f2430")


def segment_colors(n: int) -> list[str]:
    """Return hex colours of the segment ids 0 to n - 1.

    A segment id has the same colour whatever n is. Ten are told apart by colour alone; from the
    eleventh on the same ten come back darker, then darker still.
    """
    colors = []
    for i in range(n):
        channels = _channels(_SEGMENT_COLORS[i % len(_SEGMENT_COLORS)]) * 0.62 ** (i // len(_SEGMENT_COLORS))
        colors.append("#" + "".join(f"{round(float(channel) * 255):02x}" for channel in channels))
    return colors


def colors_of(segment_ids: Iterable[int | None], *, absent: str = MUTED) -> list[str]:
    """Return the colour of each segment: an id has the same colour on every page, whichever other ids there are.

    `absent` is the colour of None, which is no segment.
    """
    ids = list(segment_ids)
    palette = segment_colors(max((i for i in ids if i is not None), default=-1) + 1)
    return [absent if i is None else palette[i] for i in ids]


def color_of(segment_id: int) -> str:
    """Return the colour of one segment."""
    return colors_of([segment_id])[0]


def kind_colors(kinds: Iterable[str]) -> dict[str, str]:
    """Return a hex colour for each kind; by name, so that their order changes none. From the eighth on they return."""
    return {kind: _KIND_COLORS[i % len(_KIND_COLORS)] for i, kind in enumerate(sorted(set(kinds)))}


def readable_on(color: str) -> str:
    """Return the text colour, dark or white, that stands out more on a background."""
    channels = _channels(color)
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    luminance = float(linear @ [0.2126, 0.7152, 0.0722])
    return "white" if 1.05 / (luminance + 0.05) > (luminance + 0.05) / 0.066 else INK


def _channels(color: str) -> np.ndarray:
    """Return red, green and blue from 0 to 1 of a colour like `#3f90da`."""
    return np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)]) / 255
