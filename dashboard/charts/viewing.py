"""Charts of viewing: devices, weeks, hours, ratings by genre, subscriptions by region.

Belongs here: charts over the published tables of viewing. Does not belong here: queries.
"""

import numpy as np
import plotly.graph_objects as go
import polars as pl

from dashboard.charts.base import (
    BLUE,
    LIGHT,
    Chart,
    Theme,
    around,
    broken_name,
    finish,
    heatmap,
    names,
    rising,
    total,
)
from ml.plots.palette import segment_colors
from ml.plots.words import number, percent, short_name
from published.people import hide_emails

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_DASHES = ("solid", "dash", "dot", "dashdot")


def weeks(activity: pl.DataFrame, devices: list[str]) -> Chart:
    """Draw minutes per week and device: week, device, minutes; the devices in order of importance."""
    figure = go.Figure()
    for place, (device, color) in enumerate(zip(devices, segment_colors(len(devices)), strict=True)):
        rows = activity.filter(pl.col("device") == device)
        figure.add_scatter(
            x=rows["week"],
            y=rows["minutes"],
            mode="lines",
            name=names([device])[0],
            line={"color": color, "width": 2.5, "dash": _DASHES[place % len(_DASHES)]},
            hovertemplate="week of %{x|%d %b %Y}: %{y:,.0f} minutes<extra>%{fullData.name}</extra>",
        )
    figure.update_yaxes(rangemode="tozero", title="Minutes")
    finish(figure, height=380)
    return Chart(figure, _weeks_finding(activity), "Minutes watched per week that begins on the day shown.")


def _weeks_finding(activity: pl.DataFrame) -> str:
    totals = activity.group_by("week").agg(pl.col("minutes").sum()).sort("week")
    if len(totals) < 4:
        return f"{number(float(totals['minutes'].sum()))} minutes watched in {len(totals)} weeks"
    # The first and the last week may be cut off by the file.
    whole = totals[1:-1]
    top = whole.sort("minutes", "week", descending=[True, False]).row(0, named=True)
    mean = float(whole["minutes"].cast(pl.Float64).to_numpy().mean())
    return (
        f"The week of {top['week']:%d %B %Y} was the busiest: {number(top['minutes'])} minutes, "
        f"{number(top['minutes'] / mean)} times an average week"
    )


def hours(events: pl.DataFrame, *, theme: Theme = LIGHT) -> Chart:
    """Draw when people watch: weekday (1 = Monday), hour, events."""
    grid = np.zeros((7, 24))
    for weekday, hour, count in events.iter_rows():
        grid[weekday - 1, hour] = count
    figure = heatmap(
        grid,
        [f"{hour:02d}" for hour in range(24)],
        WEEKDAYS,
        heads_above=False,
        colorscale=rising(theme),
        zmin=0,
        hovertemplate="%{y} %{x}:00: %{z:,} views<extra></extra>",
        colorbar={"thickness": 10, "len": 0.8},
    )
    figure.update_xaxes(title="Hour", nticks=12, tickangle=0)
    day, hour = divmod(int(grid.argmax()), 24)
    share = grid.max() / grid.sum() if grid.sum() else 0
    return Chart(
        finish(figure, height=300),
        f"{WEEKDAYS[day]} at {hour:02d}:00 is the busiest hour, with {percent(share)} of the week's views",
        "Views that began in the hour, in the time zone of the file.",
    )


def user_devices(rows: pl.DataFrame, *, theme: Theme = LIGHT) -> Chart:
    """Draw on which devices the busiest users watch: user_id, device, minutes, share; the busiest first."""
    wide = rows.pivot(on="device", index="user_id", values="minutes", maintain_order=True).fill_null(0)
    devices = sorted(wide.columns[1:])
    figure = heatmap(
        wide.select(devices).to_numpy(),
        names(devices),
        [f"user {hide_emails(user)}" for user in wide["user_id"]],
        colorscale=rising(theme),
        zmin=0,
        hovertemplate="%{y}, %{x}: %{z:,.0f} minutes<extra></extra>",
        colorbar={"thickness": 10, "len": 0.6},
    )
    by_device = (
        rows.group_by("device").agg(pl.col("minutes").sum()).sort("minutes", "device", descending=True)
    )
    first, share = by_device["device"][0], by_device["minutes"][0] / total(by_device["minutes"])
    return Chart(
        finish(figure, height=100 + 20 * len(wide)),
        f"The {len(wide)} busiest users watch {percent(share, 0)} of their minutes on {first}",
        "Minutes per device of those who watch most.",
    )


def segment_devices(rows: pl.DataFrame, *, theme: Theme = LIGHT) -> Chart:
    """Draw which devices each segment prefers: segment_id, segment_name, device, share, index."""
    wide = rows.pivot(on="device", index=["segment_id", "segment_name"], values="index", maintain_order=True)
    devices = sorted(wide.columns[2:])
    values = wide.select(devices).cast(pl.Float64).to_numpy()
    figure = heatmap(
        np.log2(np.maximum(np.nan_to_num(values, nan=100.0), 12.5) / 100),
        names(devices),
        names(wide["segment_name"].to_list()),
        text=[[number(value) for value in row] for row in values],
        texttemplate="%{text}",
        colorscale=around(theme),
        zmin=-1,
        zmax=1,
        showscale=False,
        hovertemplate="%{y}, %{x}: index %{text}<extra></extra>",
    )
    top = rows.drop_nulls("index").sort("index", "segment_id", "device", descending=[True, False, False])
    if not len(top):
        finding = "No segment watched anything"
    else:
        first = top.row(0, named=True)
        finding = (
            f"{short_name(first['segment_name'])} watch on {first['device']} {number(first['index'] / 100)} times as "
            "much of their views as all"
        )
    return Chart(
        finish(figure, height=90 + 38 * len(wide)),
        finding,
        "Index of the share of views: 100 is everybody's.",
    )


def rating_boxes(boxes: pl.DataFrame) -> Chart:
    """Draw the ratings of each genre as a box: genre_label, ratings, low, q1, median, q3, high, mean."""
    rows = boxes.reverse()
    labels = names(rows["genre_label"].to_list())
    figure = go.Figure(
        [
            go.Box(
                y=labels,
                q1=rows["q1"],
                median=rows["median"],
                q3=rows["q3"],
                lowerfence=rows["low"],
                upperfence=rows["high"],
                orientation="h",
                line={"color": BLUE, "width": 1.5},
                fillcolor="rgba(63,144,218,0.35)",
                showlegend=False,
                hoverinfo="skip",
            ),
            go.Scatter(
                x=rows["mean"],
                y=labels,
                mode="markers",
                showlegend=False,
                marker={"symbol": "diamond", "size": 9, "color": "#e76300"},
                customdata=np.column_stack([rows["ratings"], rows["q1"], rows["median"], rows["q3"]])
                if len(rows)
                else None,
                hovertemplate="%{y}: mean %{x:.2f}, quartiles %{customdata[1]} / %{customdata[2]} / %{customdata[3]},"
                " %{customdata[0]:,} ratings<extra></extra>",
            ),
        ]
    )
    figure.update_xaxes(title="Rating", range=[0, 5.2])
    figure.update_yaxes(type="category")
    if not len(boxes):
        return Chart(finish(figure, height=120), "Nothing was rated")
    best, worst = boxes.row(0, named=True), boxes.row(-1, named=True)
    return Chart(
        finish(figure, height=90 + 28 * len(boxes)),
        f"{best['genre_label']} is rated highest ({number(best['mean'])} on average), "
        f"{worst['genre_label']} lowest ({number(worst['mean'])})",
        "Box: the middle half of all ratings, exactly. Whiskers: the furthest within 1.5 boxes. Diamond: the mean.",
    )


def subscriptions(rows: pl.DataFrame, measure: str, *, theme: Theme = LIGHT) -> Chart:
    """Draw users or minutes per user by region and subscription: region, subscription, users, mean_minutes."""
    wide = rows.pivot(on="subscription", index="region", values=measure, maintain_order=True)
    values = wide.drop("region").cast(pl.Float64).to_numpy()
    figure = heatmap(
        values,
        [broken_name(text, 14) for text in wide.columns[1:]],
        names(wide["region"].to_list()),
        text=[[number(value) for value in row] for row in values],
        texttemplate="%{text}",
        colorscale=rising(theme),
        zmin=0,
        showscale=False,
        hovertemplate="%{y}, %{x}: %{text}<extra></extra>",
    )
    known = rows.drop_nulls(measure).sort(measure, "region", "subscription", descending=[True, False, False])
    if not len(known):
        return Chart(finish(figure, height=120), "Nothing is known of subscriptions")
    top = known.row(0, named=True)
    said = (
        f"{top['subscription']} in {top['region']} has most users: {top['users']:,}"
        if measure == "users"
        else f"{top['subscription']} users in {top['region']} watch most: {number(top[measure])} minutes each"
    )
    return Chart(finish(figure, height=80 + 36 * len(wide)), said)
