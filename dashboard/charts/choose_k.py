"""Charts for choosing a number of segments.

Belongs here: indices over candidates. Does not belong here: charts of the segments themselves.
"""

import plotly.graph_objects as go
import polars as pl

from dashboard.charts.base import BLUE, GREY, RED, Chart, finish, total
from ml.plots import choice_words
from ml.plots.words import number, numbers_apart, percent

INDICES = {"inertia": "Inertia", **choice_words.INDICES}


def index_over_k(metrics: pl.DataFrame, index: str) -> Chart:
    """Draw one index over k.

    Parameters
    ----------
    metrics
        One row per candidate: k, is_elbow, is_published and the index, which may be null.
    index
        A key of `INDICES`.
    """
    metrics = metrics.sort("k")
    figure = go.Figure(_line(metrics, index, INDICES[index]))
    marked = best(metrics, index)
    if marked is not None:
        what = "elbow" if index == "inertia" else "best"
        figure.add_scatter(
            x=[marked["k"]],
            y=[marked[index]],
            mode="markers",
            marker={"color": RED, "size": 12},
            hovertemplate=what + ": k = %{x}<extra></extra>",
        )
    return Chart(_framed(figure, metrics), _index_finding(metrics, index, marked), _reading(index))


def _reading(index: str) -> str:
    if index == "inertia":
        return "Sum of squared distances to the centres. Red: the elbow. Dotted: the published k."
    better = "Higher" if index in choice_words.HIGHER_IS_BETTER else "Lower"
    return f"{better} is better. Red: the best. Dotted: the published k."


def _index_finding(metrics: pl.DataFrame, index: str, marked: dict | None) -> str:
    called = INDICES[index]
    if marked is None:
        return "There is no elbow" if index == "inertia" else f"{called} is not defined for any k"
    if index == "inertia":
        return f"The elbow is at k = {marked['k']}"
    published = metrics.filter("is_published").drop_nulls(index)
    if not len(published) or published["k"][0] == marked["k"]:
        return f"{called} prefers k = {marked['k']} ({number(marked[index])})"
    own, other = numbers_apart(marked[index], published[index][0])
    return f"{called} prefers k = {marked['k']} ({own} against {other})"


def sizes_over_k(metrics: pl.DataFrame, unit: str = "members") -> Chart:
    """Draw the smallest and the largest segment over k: k, size_min, size_max, is_published.

    `unit` is what is divided, in the plural.
    """
    metrics = metrics.sort("k")
    figure = go.Figure([_line(metrics, "size_min", "smallest"), _line(metrics, "size_max", "largest")])
    figure.update_yaxes(rangemode="tozero")
    published = metrics.filter("is_published")
    finding = "Sizes of the smallest and the largest segment"
    if len(published):
        low, high = published["size_min"][0], published["size_max"][0]
        finding = f"At k = {published['k'][0]} segments have from {low:,} to {high:,} {unit}"
    return Chart(
        _framed(figure, metrics), finding, f"{unit.capitalize()} in the smallest and the largest segment."
    )


def _framed(figure: go.Figure, metrics: pl.DataFrame) -> go.Figure:
    for k in metrics.filter("is_published")["k"]:
        figure.add_vline(x=k, line={"dash": "dot", "color": GREY})
    figure.update_xaxes(dtick=1 if len(metrics) <= 12 else 2, showgrid=False, title="k")
    figure.update_yaxes(nticks=6)
    finish(figure, height=250)
    return figure.update_layout(showlegend=False)


def _line(metrics: pl.DataFrame, column: str, called: str) -> go.Scatter:
    return go.Scatter(
        x=metrics["k"],
        y=metrics[column],
        mode="lines+markers",
        line={"color": BLUE, "width": 2},
        marker={"size": 6},
        connectgaps=False,
        hovertemplate="k = %{x}: %{y:,.4~g}<extra>" + called + "</extra>",
    )


def best(metrics: pl.DataFrame, index: str) -> dict | None:
    """Return the candidate that an index prefers, for the inertia the elbow; None where there is none."""
    if index == "inertia":
        found = metrics.filter("is_elbow")
    else:
        known = metrics.drop_nulls(index)
        found = known.sort(index, "k", descending=[index in choice_words.HIGHER_IS_BETTER, False])
    return found.row(0, named=True) if len(found) else None


def free_overlap(groups: pl.DataFrame) -> str:
    """Say how far the best free fit is from the published segments."""
    if not len(groups):
        return ""
    shared, members = total(groups["shared_members"]), total(groups["members"])
    return (
        f"Found freely, {percent(shared / members if members else 0, 0)} of the members would stay with the people "
        "whose segment they share now."
    )
