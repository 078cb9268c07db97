"""When people watch, and how much week by week.

Belongs here: plots over time of viewing. Does not belong here: counting events.
"""

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from ml.plots.cells import WHITE_TO_BLUE, draw_cells, draw_key
from ml.plots.given import NothingToDrawError, as_matrix, drawable
from ml.plots.palette import INK, kind_colors
from ml.plots.spacing import note, spread
from ml.plots.style import WIDTH, add_axes, label_ticks, plot_style, text_width, titled_figure
from ml.plots.words import number, percent, short_name

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_KEY, _RIGHT = 0.85, 0.25
_LABEL_SIZE = 9.0
_EDGES = 2
"""The first and the last week may be parts of weeks, so that no sentence rests on them."""


def viewing_hours_heatmap(hours: pl.DataFrame) -> Figure:
    """Draw how many viewings begin in each hour of the week.

    Parameters
    ----------
    hours
        One row per weekday and hour: weekday (1 = Monday), hour (0 to 23), events. An hour without a row has none.

    Returns
    -------
    A figure whose title names the busiest hour, which is framed, and the quietest one.

    Raises
    ------
    NothingToDrawError
        When nothing was watched.
    """
    known = drawable(hours.filter(pl.col("events") > 0), "weekday", "hour", "events")
    events = as_matrix(known.select("weekday", "hour", "events"), range(1, 8), range(24))
    shares = events / events.sum()
    busiest = divmod(int(shares.argmax()), 24)
    body = _KEY + 0.34 * 7
    with plot_style():
        figure = titled_figure(
            _hours_title(shares), "The darker, the more viewings begin in that hour.", body=body
        )
        axes = add_axes(figure, 1.1, _KEY, WIDTH - _RIGHT, body)
        norm = Normalize(0, float(shares.max()))
        draw_cells(axes, shares, [[""] * 24] * 7, norm, WHITE_TO_BLUE)
        frame = (busiest[1] - 0.5, busiest[0] - 0.5), 1, 1
        axes.add_patch(Rectangle(*frame, fill=False, edgecolor=INK, linewidth=1.8, zorder=3))
        axes.set_yticks(range(7), _DAYS)
        axes.set_xticks(range(0, 24, 3), [f"{hour}:00" for hour in range(0, 24, 3)])
        axes.tick_params(length=0, labelcolor=INK, labelsize=_LABEL_SIZE)
        axes.set_xlabel("Hour at which a viewing begins", labelpad=3)
        draw_key(figure, ("0", "share of viewings", percent(float(shares.max()))), WHITE_TO_BLUE)
    return figure


def weekly_activity(weeks: pl.DataFrame) -> Figure:
    """Draw hours watched week by week, a line per device.

    Parameters
    ----------
    weeks
        One row per week and device: week (date of its first day), device, minutes. A week without a row of a device
        has none of it.

    Returns
    -------
    A figure whose title says how viewing grew over the whole weeks and which device leads.

    Raises
    ------
    NothingToDrawError
        When nothing was watched, or in one week only.
    """
    known = drawable(weeks.filter(pl.col("minutes") > 0), "week", "device", "minutes")
    days = known["week"].unique().sort()
    if len(days) < 2:
        raise NothingToDrawError("there is viewing in one week only")
    totals = known.group_by("device").agg(pl.col("minutes").sum()).sort(-pl.col("minutes").round(3), "device")
    devices = totals["device"].to_list()
    hours = as_matrix(known.select("week", "device", "minutes"), days.to_list(), devices) / 60
    colors = kind_colors(devices)
    names = [short_name(device, 16) for device in devices]
    right = max(text_width(name, _LABEL_SIZE, bold=True) for name in names) + 0.35
    body = 3.7
    with plot_style():
        figure = titled_figure(
            _weeks_title(hours, devices),
            "Hours watched in each week, by device. Dotted: the first and the last week, which may be parts of a week.",
            body=body,
        )
        axes = add_axes(figure, 0.85, 0.6, WIDTH - right, body)
        at = days.to_numpy()
        for device, line in zip(devices, hours.T, strict=True):
            axes.plot(at[1:-1], line[1:-1], color=colors[device], linewidth=2)
            for part in (slice(0, 2), slice(-2, None)):
                axes.plot(at[part], line[part], color=colors[device], linewidth=1.5, linestyle=(0, (1, 1.5)))
        axes.set_ylim(0, hours.max() * 1.08)
        axes.set_xlim(at[0], at[-1])
        _label_ends(axes, hours[-1], names, [colors[device] for device in devices], height=body - 0.6)
        locator = AutoDateLocator(maxticks=7)
        axes.xaxis.set_major_locator(locator)
        axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))
        label_ticks(axes.yaxis)
        axes.set_ylabel("Hours watched per week")
        axes.set_xlabel("Week")
    return figure


def _label_ends(axes: Axes, ends: np.ndarray, names: list[str], colors: list[str], *, height: float) -> None:
    """Write each name beside the end of its line, moved apart where two would meet."""
    low, high = axes.get_ylim()
    places = spread((ends - low) / (high - low), np.full(len(ends), _LABEL_SIZE * 1.3 / 72 / height))
    for place, name, color in zip(places, names, colors, strict=True):
        note(
            axes,
            name,
            (1, place),
            xycoords="axes fraction",
            color=color,
            weight="bold",
            size=_LABEL_SIZE,
            parse_math=False,
            annotation_clip=False,
        )


def _hours_title(shares: np.ndarray) -> str:
    day, hour = divmod(int(shares.argmax()), 24)
    quiet_day, quiet_hour = divmod(int(shares.argmin()), 24)
    return (
        f"Busiest hour: {_DAYS[day]}, {hour}:00 ({percent(shares[day, hour], 2)} of all viewings); "
        f"quietest: {_DAYS[quiet_day]}, {quiet_hour}:00 ({percent(shares[quiet_day, quiet_hour], 2)})"
    )


def _weeks_title(hours: np.ndarray, devices: list[str]) -> str:
    lead = f"{short_name(devices[0])} leads with {percent(hours[:, 0].sum() / hours.sum(), 0)} of the hours"
    whole = hours.sum(axis=1)[_EDGES // 2 : len(hours) - _EDGES // 2]
    part = min(4, len(whole) // 2)
    if not part or not whole[:part].sum():
        return f"{lead}; {number(float(hours.sum()))} hours in all"
    change = whole[-part:].mean() / whole[:part].mean() - 1
    word = "grew by" if change > 0 else "fell by"
    moved = f"{word} {percent(abs(change), 0)}" if abs(change) >= 0.005 else "stayed the same"
    weeks = f"{part} whole week{'s' if part > 1 else ''}"
    return f"Viewing {moved} from the first to the last {weeks}; {lead}"
