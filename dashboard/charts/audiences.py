"""Charts of audiences by rule: who is left step by step, whom two share, sizes over time.

Belongs here: charts over the published tables of audiences. Does not belong here: queries, pages.
"""

import plotly.graph_objects as go
import polars as pl

from dashboard.charts.base import (
    BLUE,
    LIGHT,
    RED,
    Chart,
    Theme,
    bars,
    broken_name,
    finish,
    heatmap,
    largest,
    name,
    names,
    rising,
)
from ml.plots.palette import color_of


def waterfall(steps: pl.DataFrame) -> Chart:
    """Draw how many each step of an audience keeps: side, condition, kept, dropped."""
    drawn = steps.reverse()
    rows = [
        f"{place}. {'not: ' if side == 'exclude' else ''}{condition}"
        for place, side, condition in zip(
            range(len(drawn), 0, -1), drawn["side"], drawn["condition"], strict=True
        )
    ]
    texts = [
        f"{kept:,}" + (f" (−{dropped:,})" if dropped else "")
        for kept, dropped in drawn.select("kept", "dropped").iter_rows()
    ]
    figure = bars(
        drawn["kept"],
        rows,
        texts,
        reach=largest(drawn["kept"]) * 1.25 or 1,
        marker_color=[RED if side == "exclude" else BLUE for side in drawn["side"]],
        hovertemplate="%{y}: %{text}<extra></extra>",
    )
    first, last = steps["kept"][0], steps["kept"][-1]
    if len(steps) > 1:
        most = steps.sort("dropped", descending=True).row(0, named=True)
        drops = f"; most are left out by “{most['condition']}”" if most["dropped"] else ""
    else:
        drops = ""
    return Chart(
        finish(figure, height=70 + 40 * len(steps)),
        f"{last:,} of {first:,} are left{drops}",
        "People who are left after each step, and in brackets those whom it leaves out.",
    )


def overlap(pairs: pl.DataFrame, *, theme: Theme = LIGHT) -> Chart:
    """Draw whom two rules both find: audience, other, shared, lost_to_other."""
    order = pairs["audience"].unique(maintain_order=True).to_list()
    cells = pairs.pivot(on="other", index="audience", values="shared").select("audience", *order)
    values = cells.drop("audience").cast(pl.Float64).to_numpy()
    figure = heatmap(
        values,
        [broken_name(one.replace("_", " "), 14) for one in order],
        names([one.replace("_", " ") for one in cells["audience"]]),
        text=[
            ["" if value is None else f"{value:,}" for value in row] for row in cells.drop("audience").rows()
        ],
        texttemplate="%{text}",
        hovertemplate="%{y} and %{x}: %{text}<extra></extra>",
        colorscale=rising(theme),
        zmin=0,
        showscale=False,
    )
    lost = pairs.filter(pl.col("lost_to_other") > 0).sort("lost_to_other", descending=True)
    finding = "No audience loses anybody to another"
    if len(lost):
        most = lost.row(0, named=True)
        finding = (
            f"{pairs['lost_to_other'].sum():,} go to an audience of higher priority; most of all "
            f"{most['lost_to_other']:,} of {most['audience'].replace('_', ' ')} to {most['other'].replace('_', ' ')}"
        )
    return Chart(
        finish(figure, height=110 + 40 * len(order)), finding, "People whom both rules find, before priority."
    )


def sizes(over_time: pl.DataFrame) -> Chart:
    """Draw members over time: audience, moment, members."""
    figure = go.Figure()
    for place, ((audience,), own) in enumerate(over_time.group_by("audience", maintain_order=True)):
        called = name(str(audience).replace("_", " "), 30)
        figure.add_scatter(
            x=own["moment"],
            y=own["members"],
            mode="lines+markers",
            name=called,
            line={"color": color_of(place), "shape": "hv"},
            hovertemplate=f"{called}, %{{x|%d %b %Y %H:%M}}: %{{y:,}}<extra></extra>",
        )
    figure.update_yaxes(rangemode="tozero", tickformat=",")
    runs = over_time["moment"].n_unique()
    return Chart(
        finish(figure, height=340),
        f"{over_time['audience'].n_unique()} audiences over {runs} run{'s' if runs > 1 else ''} that changed them",
        "Members after each run that changed an audience.",
    )
