"""Charts of the data itself.

Belongs here: rows left after each step. Does not belong here: tables of files and lines.
"""

import plotly.graph_objects as go
import polars as pl

from dashboard.charts.base import BLUE, Chart, finish, largest, names
from ml.plots.words import percent


def funnel(steps: pl.DataFrame) -> Chart:
    """Draw the rows of one entity left after each step: entity, step_order, step, row_count, share."""
    rows = steps.sort("step_order", descending=True)
    figure = go.Figure(
        go.Bar(
            x=rows["row_count"],
            y=names(rows["step"].to_list()),
            orientation="h",
            marker={"color": BLUE},
            text=[
                f"{row['row_count']:,} · {percent(row['share'] or 0)}" for row in rows.iter_rows(named=True)
            ],
            textposition="auto",
            constraintext="none",
            cliponaxis=False,
            hovertemplate="%{y}: %{x:,}<extra></extra>",
        )
    )
    figure.update_xaxes(visible=False, range=[0, max(largest(rows["row_count"]), 1) * 1.2])
    figure.update_yaxes(type="category")
    last = rows.row(0, named=True)
    entity = last["entity"].capitalize()
    if len(rows) == 1:
        finding = f"{entity}: {last['row_count']:,}"
    else:
        finding = (
            f"{entity}: {last['row_count']:,} {last['step']}, {percent(last['share'] or 0)} of what was read"
        )
    return Chart(finish(figure, height=40 + 34 * len(rows)), finding)
