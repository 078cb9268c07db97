"""Charts of titles: who watches one, what is alike, how titles of each genre are rated.

Belongs here: charts whose rows are titles, or segments as the audience of one. Does not belong here: queries.
"""

import math
from collections.abc import Mapping

import numpy as np
import plotly.graph_objects as go
import polars as pl

from dashboard.charts.base import (
    BLUE,
    EDGE,
    GREY,
    LIGHT,
    Chart,
    Theme,
    finish,
    heatmap,
    largest,
    name,
    names,
    rising,
)
from ml.plots.palette import color_of
from ml.plots.words import number, percent, short_name
from published.questions.audience import Interest

_RATINGS = Interest()


def audience(rows: pl.DataFrame, title: str, interest: Interest = _RATINGS) -> Chart:
    """Draw how far each segment takes to a title, however much it rates (or watches), with the interval.

    Parameters
    ----------
    rows
        segment_id, segment_name, raters, rater_share, index, index_low, index_high, raw_index of one segmentation.
    title
        The title's name.
    interest
        What is counted, in words.
    """
    ordered = rows.sort("segment_id", descending=True).with_columns(
        pl.col("index", "index_low", "index_high").fill_null(float("nan"))
    )
    told = list(ordered.iter_rows(named=True))
    figure = go.Figure().add_scatter(
        x=ordered["index"],
        y=names(ordered["segment_name"].to_list()),
        mode="markers+text",
        marker={"color": [color_of(i) for i in ordered["segment_id"]], "size": 13, "line": EDGE},
        error_x={
            "array": ordered["index_high"] - ordered["index"],
            "arrayminus": ordered["index"] - ordered["index_low"],
            "color": GREY,
            "thickness": 2,
        },
        text=["" if math.isnan(row["index"]) else f"{row['index']:.0f}" for row in told],
        textposition="top center",
        cliponaxis=False,
        customdata=[[row["raters"], percent(row["rater_share"]), number(row["raw_index"])] for row in told],
        hovertemplate=f"%{{y}}: %{{customdata[0]:,}} {interest.people}, %{{customdata[1]}} of its members"
        "<br>index %{x:.0f}, raw index %{customdata[2]}<extra></extra>",
    )
    figure.add_vline(x=100, line={"dash": "dot", "color": GREY})
    figure.update_xaxes(
        title="Index, 95 % interval", range=[0, max(largest(ordered["index_high"]), 100) * 1.1]
    )
    figure.update_yaxes(type="category")
    return Chart(
        finish(figure, height=100 + 44 * len(rows)),
        _audience_finding(rows, title, interest),
        f"Dotted, 100: the title's share of a segment's {interest.given} is its share of all {interest.given}. "
        "Where a line crosses it, the figures do not tell.",
    )


def _audience_finding(rows: pl.DataFrame, title: str, interest: Interest) -> str:
    over = rows.filter(pl.col("index_low") > 100).sort("index", "segment_id", descending=[True, False])
    if not rows["raters"].sum():
        return f"Nobody {interest.acted} {short_name(title)} yet"
    if not len(over):
        return f"No segment surely gives {short_name(title)} more of its {interest.given} than everybody does"
    top = over.row(0, named=True)
    times = number(top["index"] / 100)
    return (
        f"{short_name(top['segment_name'])} give {short_name(title)} {times} times the share of their "
        f"{interest.given} that everybody gives it; {percent(top['rater_share'], 0)} of them {interest.acted} it, "
        f"{percent(top['base_share'], 0)} of everybody"
    )


def similarity_heatmap(
    titles: list[tuple[str, str]], similarities: pl.DataFrame, *, theme: Theme = LIGHT
) -> Chart:
    """Draw how alike a few titles are.

    Parameters
    ----------
    titles
        Id and name, the title that was asked for first.
    similarities
        title_id, similar_title_id, similarity: the known pairs, in one direction or both.
    theme
        What it is drawn on.
    """
    place = {title_id: i for i, (title_id, _) in enumerate(titles)}
    values = np.full((len(titles), len(titles)), np.nan)
    for row in similarities.iter_rows(named=True):
        a, b = place[row["title_id"]], place[row["similar_title_id"]]
        values[a, b] = values[b, a] = np.fmax(values[a, b], row["similarity"])
    labels = _apart([text for _, text in titles])
    figure = heatmap(
        values,
        labels,
        labels,
        heads_above=False,
        colorscale=rising(theme),
        zmin=0,
        hoverongaps=False,
        hovertemplate="%{y} and %{x}: %{z:.2f}<extra></extra>",
        colorbar={"thickness": 10, "len": 0.6},
    )
    figure.update_xaxes(tickangle=-60)
    return Chart(
        finish(figure, height=200 + 28 * len(titles)),
        _similarity_finding(titles, values),
        "The stronger the colour, the more alike. Empty where neither is among the nearest of the other.",
    )


def _apart(texts: list[str]) -> list[str]:
    """Return short names, told apart where two are the same: equal labels would be one row."""
    seen: dict[str, int] = {}
    labels = []
    for text in texts:
        label = name(text, 24)
        seen[label] = seen.get(label, 0) + 1
        labels.append(label if seen[label] == 1 else f"{label} ({seen[label]})")
    return labels


def _similarity_finding(titles: list[tuple[str, str]], values: np.ndarray) -> str:
    own = short_name(titles[0][1])
    first = values[0]
    if not np.isfinite(first).any():
        return f"Nothing is known to be like {own}"
    nearest = int(np.nanargmax(first))
    return f"{own} is most like {short_name(titles[nearest][1])} ({number(float(first[nearest]))})"


def genre_strip(titles: pl.DataFrame) -> Chart:
    """Draw each of the most rated titles as a dot on the line of its genre.

    Parameters
    ----------
    titles
        genre_label, title, rating_count, mean_rating; the genre of the highest median first.
    """
    genres = titles["genre_label"].unique(maintain_order=True).to_list()
    row_of = {genre: len(genres) - 1 - i for i, genre in enumerate(genres)}
    rows = np.array([row_of[genre] for genre in titles["genre_label"]], dtype=float)
    # A fixed pattern and no chance: the same titles are always drawn at the same places.
    jitter = (np.arange(len(titles)) * 0.618034 % 1 - 0.5) * 0.6
    medians = titles.group_by("genre_label", maintain_order=True).agg(pl.col("mean_rating").median())
    figure = go.Figure([_dots(titles, rows + jitter), _medians(medians, row_of)])
    figure.update_yaxes(
        tickvals=list(row_of.values()),
        ticktext=names(list(row_of)),
        range=[-0.7, len(genres) - 0.3],
        showgrid=False,
    )
    figure.update_xaxes(title="Mean rating of a title")
    if not len(genres):
        return Chart(finish(figure, height=120), "No title was rated")
    best, worst = medians.row(0, named=True), medians.row(-1, named=True)
    return Chart(
        finish(figure, height=90 + 30 * len(genres)),
        f"The typical {best['genre_label']} title is rated {number(best['mean_rating'])}, "
        f"the typical {worst['genre_label']} title {number(worst['mean_rating'])}",
        "Each dot is one of the most rated titles of a genre; red: the median of these.",
    )


def _dots(titles: pl.DataFrame, places: np.ndarray) -> go.Scattergl:
    return go.Scattergl(
        x=titles["mean_rating"],
        y=places,
        mode="markers",
        showlegend=False,
        marker={"color": BLUE, "size": 6, "opacity": 0.5},
        text=names(titles["title"].to_list()),
        customdata=titles["rating_count"],
        hovertemplate="%{text}: %{x:.2f} by %{customdata:,} raters<extra></extra>",
    )


def _medians(medians: pl.DataFrame, row_of: Mapping[str, int]) -> go.Scatter:
    return go.Scatter(
        x=medians["mean_rating"],
        y=[row_of[genre] for genre in medians["genre_label"]],
        mode="markers",
        showlegend=False,
        marker={"symbol": "line-ns", "size": 22, "line": {"width": 3, "color": "#bd1f01"}},
        text=names(medians["genre_label"].to_list()),
        hovertemplate="%{text}: median %{x:.2f}<extra></extra>",
    )
