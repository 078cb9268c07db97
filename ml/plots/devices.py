"""Which devices people watch on: single users, and whole segments.

Belongs here: the two heat maps over devices. Does not belong here: counting events, choosing users.
"""

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from ml.plots.cells import WHITE_TO_BLUE, draw_cells, draw_key
from ml.plots.given import as_matrix, drawable
from ml.plots.palette import INK, colors_of
from ml.plots.style import WIDTH, add_axes, plot_style, text_width, titled_figure, wrap_name
from ml.plots.words import clean, percent, short_name

_KEY, _RIGHT, _HEAD, _SIDE = 0.5, 0.25, 0.3, 0.2
_USER_ROW, _SEGMENT_ROW = 0.2, 0.46
_LABEL_SIZE = 9.0
_STRONGEST, _WEAKEST = 2.0, 0.25
"""As in the profile heat map: the colour is full at the largest distance, kept between these doublings."""
_NO_SEGMENT = "No segment"


def user_device_heatmap(users: pl.DataFrame, *, chosen: str) -> Figure:
    """Draw some users by devices: the share of their viewing in each cell, grouped by segment.

    Parameters
    ----------
    users
        One row per user and device used: user_id, device, share (0 to 1); segment_id and segment_name, missing where
        a user has none. The users of a segment stand together, in the order of their first rows.
    chosen
        Which users these are, in words.

    Returns
    -------
    A figure whose title says which device is the first of most of these users.

    Raises
    ------
    NothingToDrawError
        When no user has a device.
    """
    known = drawable(users, "user_id", "device", "share")
    known = known.sort("segment_id", maintain_order=True, nulls_last=True)
    devices = _by_share(known)
    who = known.unique("user_id", keep="first", maintain_order=True)
    shares = as_matrix(known.select("user_id", "device", "share"), who["user_id"].to_list(), devices)
    names = [name or _NO_SEGMENT for name in who["segment_name"]]
    ids = who["segment_id"].to_list()
    bands = _bands(names)
    users_shown = [short_name(str(user), 14) for user in who["user_id"]]
    room = max(0.75, max(text_width(user, 8) for user in users_shown) + 0.2)
    left = (
        _SIDE
        + max(text_width(wrap_name(name, 1.7, _LABEL_SIZE), _LABEL_SIZE) for name in names)
        + room
        + 0.25
    )
    body = _KEY + _USER_ROW * len(who) + _HEAD
    with plot_style():
        figure = titled_figure(
            _users_title(shares, devices),
            f"Each row is a user: {clean(chosen)}. In the cells the share of the user's viewing.",
            body=body,
        )
        axes = add_axes(figure, left, _KEY, WIDTH - _RIGHT, body - _HEAD)
        texts = [[percent(share, 0) if share else "" for share in row] for row in shares]
        draw_cells(axes, shares, texts, Normalize(0, 1), WHITE_TO_BLUE)
        axes.set_yticks(range(len(who)), users_shown, parse_math=False)
        axes.set_xticks(range(len(devices)), [short_name(device, 16) for device in devices], parse_math=False)
        axes.tick_params(length=0, labeltop=True, labelbottom=False, labelcolor=INK, labelsize=_LABEL_SIZE)
        axes.tick_params(axis="y", labelsize=8)
        beside = add_axes(figure, _SIDE, _KEY, left - room, body - _HEAD)
        _draw_bands(beside, bands, ids, len(who))
        draw_key(figure, ("0%", "share of viewing", "100%"), WHITE_TO_BLUE, low=0.28)
    return figure


def segment_device_heatmap(segments: pl.DataFrame) -> Figure:
    """Draw segments by devices: the share of viewing in each cell, its distance from everybody as colour.

    Parameters
    ----------
    segments
        One row per segment and device of one segmentation: segment_id, segment_name, device, share (0 to 1) and index
        (100 = as everybody).

    Returns
    -------
    A figure whose title names the segment and device furthest from everybody.

    Raises
    ------
    NothingToDrawError
        When no segment has a device.
    """
    known = drawable(segments, "segment_id", "segment_name", "device", "share").sort(
        "segment_id", maintain_order=True
    )
    devices = _by_share(known)
    who = known.unique("segment_id", keep="first", maintain_order=True)
    ids, names = who["segment_id"].to_list(), who["segment_name"].to_list()
    shares, index = (
        as_matrix(known.select("segment_id", "device", value), ids, devices, absent=absent)
        for value, absent in (("share", 0.0), ("index", np.nan))
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        distance = np.clip(np.log2(index / 100), -2 * _STRONGEST, 2 * _STRONGEST)
    limit = float(np.clip(np.nanmax(np.abs(distance), initial=0), _WEAKEST, _STRONGEST))
    wrapped = [wrap_name(name, 2.1, _LABEL_SIZE) for name in names]
    left = max(text_width(name, _LABEL_SIZE) for name in wrapped) + 0.35
    body = _KEY + _SEGMENT_ROW * len(ids) + _HEAD
    with plot_style():
        figure = titled_figure(
            _segments_title(shares, index, names, devices),
            "In each cell the share of the segment's viewing; blue is less, red more than of everybody's.",
            body=body,
        )
        axes = add_axes(figure, left, _KEY, WIDTH - _RIGHT, body - _HEAD)
        texts = [[percent(share) for share in row] for row in shares]
        draw_cells(axes, distance, texts, Normalize(-limit, limit, clip=True))
        axes.set_yticks(range(len(ids)), wrapped, parse_math=False)
        axes.set_xticks(range(len(devices)), [short_name(device, 16) for device in devices], parse_math=False)
        axes.tick_params(length=0, labeltop=True, labelbottom=False, labelcolor=INK, labelsize=_LABEL_SIZE)
        for row, color in enumerate(colors_of(ids)):
            axes.add_patch(Rectangle((-0.5, row - 0.48), 0.03, 0.96, color=color, zorder=3))
        draw_key(figure, (f"{2**-limit:.2g} ×", "as everybody", f"{2**limit:.2g} ×"), low=0.28)
    return figure


def _by_share(known: pl.DataFrame) -> list[str]:
    """Return the devices, the one with the largest shares first."""
    totals = known.group_by("device").agg(pl.col("share").sum())
    # Rounded: sums of shares in another order must not change the order of equal devices.
    return totals.sort(-pl.col("share").round(9), "device")["device"].to_list()


def _bands(names: list[str]) -> list[tuple[str, int, int]]:
    """Return name, first row and row after the last of each group of neighbours."""
    starts = [i for i, name in enumerate(names) if i == 0 or name != names[i - 1]]
    return [(names[a], a, b) for a, b in zip(starts, [*starts[1:], len(names)], strict=True)]


def _draw_bands(axes: Axes, bands: list[tuple[str, int, int]], ids: list[int | None], rows: int) -> None:
    """Draw a strip of its colour beside the users of each segment, with its name."""
    axes.set_xlim(0, 1)
    axes.set_ylim(rows - 0.5, -0.5)
    axes.set_axis_off()
    colors = colors_of(ids, absent="#c6cad3")
    for name, first, after in bands:
        axes.add_patch(Rectangle((0.95, first - 0.44), 0.05, after - first - 0.12, color=colors[first]))
        label = wrap_name(name, 1.7, _LABEL_SIZE, lines=max(1, min(2, after - first)))
        middle = (first + after - 1) / 2
        axes.text(0.9, middle, label, ha="right", va="center", size=_LABEL_SIZE, parse_math=False)


def _users_title(shares: np.ndarray, devices: list[str]) -> str:
    first = np.bincount(shares.argmax(axis=1), minlength=len(devices))
    most = int(first.argmax())
    alone = int((shares.max(axis=1) > 0.999).sum())
    text = f"{short_name(devices[most])} is the first device of {first[most]:,} of {len(shares):,} users"
    return f"{text}; {alone:,} use a single device" if alone else f"{text}; all use more than one device"


def _segments_title(shares: np.ndarray, index: np.ndarray, names: list[str], devices: list[str]) -> str:
    base = np.divide(shares, index / 100, out=np.full_like(shares, np.nan), where=index > 0)
    difference = np.nan_to_num(np.abs(shares - base))
    row, column = divmod(int(difference.argmax()), len(devices))
    # A tenth of a point is the last digit in the cells.
    if difference[row, column] < 0.0005:
        return "All segments watch on the same devices"
    return (
        f"Furthest from everybody: {short_name(names[row])} on {short_name(devices[column])} "
        f"({percent(shares[row, column])} of viewing against {percent(base[row, column])})"
    )
