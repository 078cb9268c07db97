"""Charts for choosing a number of segments.

Belongs here: indices over candidates. Does not belong here: charts of the segments themselves.
"""

import plotly.graph_objects as go
import polars as pl
from plotly.subplots import make_subplots

from dashboard.charts.base import BLUE, GREY, RED, Chart, finish, total
from ml.plots.words import number, numbers_apart, percent

_PANELS = (
    ("inertia", "Inertia (elbow)", None),
    ("silhouette", "Silhouette: higher is better", True),
    ("calinski_harabasz", "Calinski–Harabasz: higher is better", True),
    ("davies_bouldin", "Davies–Bouldin: lower is better", False),
    ("sizes", "Members: smallest and largest segment", None),
)


def indices(metrics: pl.DataFrame, columns: int = 3) -> Chart:
    """Draw every index over k.

    Parameters
    ----------
    metrics
        One row per candidate: k, inertia, silhouette, calinski_harabasz, davies_bouldin, size_min, size_max, is_elbow,
        is_published; an index may be null.
    columns
        Panels beside each other.
    """
    rows = -(-len(_PANELS) // columns)
    figure = make_subplots(
        rows=rows,
        cols=columns,
        subplot_titles=[title for _, title, _ in _PANELS],
        horizontal_spacing=0.08,
        vertical_spacing=0.36 / rows,
    )
    metrics = metrics.sort("k")
    published = metrics.filter("is_published")["k"].to_list()
    for position, (index, title, higher) in enumerate(_PANELS):
        place = {"row": position // columns + 1, "col": position % columns + 1}
        for column, color in (
            [("size_min", BLUE), ("size_max", BLUE)] if index == "sizes" else [(index, BLUE)]
        ):
            figure.add_trace(_line(metrics, column, color, title), **place)
        marked = _marked(metrics, index, higher)
        if marked is not None:
            figure.add_trace(
                go.Scatter(
                    x=[marked["k"]],
                    y=[marked[index]],
                    mode="markers",
                    marker={"color": RED, "size": 12},
                    hovertemplate=("elbow" if index == "inertia" else "best") + ": k = %{x}<extra></extra>",
                ),
                **place,
            )
        for k in published:
            figure.add_vline(x=k, line={"dash": "dot", "color": GREY}, **place)
    figure.update_xaxes(dtick=1 if len(metrics) <= 12 else 2, showgrid=False)
    figure.update_yaxes(nticks=5)
    finish(figure, height=250 * rows + 20)
    figure.update_layout(showlegend=False, margin={"t": 30})
    figure.update_annotations(font_size=13)
    return Chart(
        figure, _finding(metrics), "Red: the elbow or the best k by that index. Dotted: the published k."
    )


def _line(metrics: pl.DataFrame, column: str, color: str, title: str) -> go.Scatter:
    return go.Scatter(
        x=metrics["k"],
        y=metrics[column],
        mode="lines+markers",
        line={"color": color, "width": 2},
        marker={"size": 6},
        connectgaps=False,
        hovertemplate="k = %{x}: %{y:,.4~g}<extra>" + title.partition(":")[0] + "</extra>",
    )


def _marked(metrics: pl.DataFrame, index: str, higher: bool | None) -> dict | None:
    if index == "sizes":
        return None
    if index == "inertia":
        found = metrics.filter("is_elbow")
    else:
        found = metrics.drop_nulls(index).sort(index, "k", descending=[bool(higher), False])
    return found.row(0, named=True) if len(found) else None


def _finding(metrics: pl.DataFrame) -> str:
    published = metrics.filter("is_published")
    best = _marked(metrics, "silhouette", higher=True)
    elbow = _marked(metrics, "inertia", None)
    said = f"k = {published['k'][0]} is published" if len(published) else "No k is published"
    if elbow is not None:
        said += f"; the elbow is at k = {elbow['k']}"
    if best is None:
        return f"{said}; the silhouette is not defined"
    own = published["silhouette"][0] if len(published) else None
    if own is None or best["k"] == published["k"][0]:
        return f"{said}; the silhouette prefers k = {best['k']} ({number(best['silhouette'])})"
    highest, lower = numbers_apart(best["silhouette"], own)
    return f"{said}; the silhouette prefers k = {best['k']} ({highest} against {lower})"


def free_overlap(groups: pl.DataFrame) -> str:
    """Say how far the best free fit is from the published segments."""
    if not len(groups):
        return ""
    shared, members = total(groups["shared_members"]), total(groups["members"])
    return (
        f"Found freely, {percent(shared / members if members else 0, 0)} of the members would stay with the people "
        "whose segment they share now."
    )
