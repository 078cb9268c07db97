"""Charts of customers: channel by region, lifetime value, minutes.

Belongs here: charts over the published tables of customers. Does not belong here: segments of customers.
"""

from typing import Any

import numpy as np
import plotly.graph_objects as go
import polars as pl

from dashboard.charts.base import (
    BLUE,
    GREY,
    LIGHT,
    Chart,
    Theme,
    around,
    broken_name,
    finish,
    heatmap,
    names,
    rising,
)
from ml.plots.words import number, percent

_FEWEST = 30
"""Customers a cell must have before a finding names it."""


def channels_by_region(discovery: pl.DataFrame, measure: str, *, theme: Theme = LIGHT) -> Chart:
    """Draw how each region's customers discover the service.

    Parameters
    ----------
    discovery
        region_label, channel_label, customers, region_share, base_share, index; largest first.
    measure
        `index` (100 = as in all regions), `region_share` or `customers`.
    theme
        What it is drawn on.
    """
    cells = discovery.pivot(on="region_label", index="channel_label", values=measure, maintain_order=True)
    values = cells.drop("channel_label").cast(pl.Float64).to_numpy()
    if measure == "index":
        colors = np.log2(np.maximum(values, 12.5) / 100)
        scale: dict[str, Any] = {"colorscale": around(theme), "zmin": -1, "zmax": 1}
        key: dict[str, Any] = {"tickvals": [-1, 0, 1], "ticktext": ["50", "100", "200"]}
    else:
        colors, scale = values, {"colorscale": rising(theme), "zmin": 0}
        key = {"tickformat": ".0%" if measure == "region_share" else ",d"}
    write = (lambda value: percent(value, 0)) if measure == "region_share" else number
    figure = heatmap(
        colors,
        [broken_name(text, 16) for text in cells.columns[1:]],
        names(cells["channel_label"].to_list()),
        text=[[write(value) for value in row] for row in values],
        texttemplate="%{text}",
        hovertemplate="%{y}, %{x}: %{text}<extra></extra>",
        colorbar={"thickness": 10, "len": 0.7, **key},
        **scale,
    )
    return Chart(
        finish(figure, height=90 + 38 * len(cells)),
        _discovery_finding(discovery),
        {
            "index": "A channel's share of the region against its share of all regions; 100 is the same.",
            "region_share": "Share of the region's customers who came through the channel.",
            "customers": "Customers of the region who came through the channel.",
        }[measure],
    )


def _discovery_finding(discovery: pl.DataFrame) -> str:
    known = discovery.filter(pl.col("customers") >= _FEWEST)
    if not len(known):
        return "No pair of channel and region has enough customers to speak of"
    top = known.sort("index", "channel_label", descending=[True, False]).row(0, named=True)
    return (
        f"{top['channel_label']} brings {number(top['index'] / 100)} times its usual share of customers in "
        f"{top['region_label']}"
    )


def value_by_channel(channels: pl.DataFrame) -> Chart:
    """Draw mean and median lifetime value per channel: channel_label, mean_clv, median_clv."""
    rows = channels.sort("median_clv", "channel_label")
    figure = _dots(rows, (("mean_clv", "Mean", BLUE, "circle"), ("median_clv", "Median", GREY, "diamond")))
    figure.update_xaxes(title="Customer lifetime value", rangemode="tozero")
    best, worst = rows.row(-1, named=True), rows.row(0, named=True)
    return Chart(
        finish(figure, height=120 + 34 * len(rows)),
        f"The typical customer of {best['channel_label']} is worth {number(best['median_clv'])}, "
        f"of {worst['channel_label']} {number(worst['median_clv'])}",
        "Median (diamond) and mean (circle) per channel.",
    )


def minutes_by_channel(channels: pl.DataFrame) -> Chart:
    """Draw minutes watched per channel: mean, mean without the largest customer, and median."""
    rows = channels.sort("median_minutes_watched", "channel_label")
    measures = (
        ("mean_minutes_watched", "Mean", BLUE, "circle"),
        ("mean_minutes_without_largest", "Mean without the one who watched most", "#a96b59", "circle-open"),
        ("median_minutes_watched", "Median", GREY, "diamond"),
    )
    figure = _dots(rows, measures)
    figure.update_xaxes(title="Minutes watched per customer", rangemode="tozero")
    return Chart(
        finish(figure, height=150 + 34 * len(rows)),
        _minutes_finding(rows),
        "The distance between a filled and an open circle is what a single customer moves.",
    )


def _minutes_finding(rows: pl.DataFrame) -> str:
    moved = rows.with_columns(
        (pl.col("mean_minutes_watched") / pl.col("mean_minutes_without_largest")).alias("moved")
    ).drop_nulls("moved")
    best = rows.row(-1, named=True)
    median = number(best["median_minutes_watched"])
    typical = f"The typical customer of {best['channel_label']} watches most, {median} minutes"
    if not len(moved):
        return typical
    top = moved.sort("moved", "channel_label", descending=[True, False]).row(0, named=True)
    if not np.isfinite(top["moved"]) or top["moved"] < 1.1:
        return typical
    return (
        f"{typical}; one customer raises the mean of {top['channel_label']} by {percent(top['moved'] - 1, 0)}"
    )


def _dots(rows: pl.DataFrame, measures: tuple[tuple[str, str, str, str], ...]) -> go.Figure:
    figure = go.Figure()
    for column, label, color, symbol in measures:
        figure.add_scatter(
            x=rows[column],
            y=names(rows["channel_label"].to_list()),
            mode="markers",
            name=label,
            marker={
                "color": color,
                "size": 12,
                "symbol": symbol,
                "line": {"width": 2 if "open" in symbol else 0},
            },
            hovertemplate="%{y}, " + label.lower() + ": %{x:,.1f}<extra></extra>",
        )
    figure.update_yaxes(type="category")
    return figure
