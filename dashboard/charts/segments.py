"""Charts of segments: how large, how different, what genres, where on the map.

Belongs here: charts whose rows or colours are segments. Does not belong here: queries, choosing k.
"""

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
    bars,
    broken_name,
    finish,
    heatmap,
    largest,
    name,
    names,
    rising,
)
from ml.plots import segment_words as words
from ml.plots.palette import color_of, colors_of
from ml.plots.segment_card import Card, leaning_finding
from ml.plots.words import feature_labels, map_finding, number, percent, short_name

_ROW = 34
"""Pixels of a row with a name."""
_MOST_FEATURES = 12
_INNER = (0.005, 0.995)
"""Quantiles of the members that fit the frame of a map."""


def sizes(segments: pl.DataFrame, unit: str) -> Chart:
    """Draw members per segment.

    Parameters
    ----------
    segments
        segment_id, segment_name, members, share.
    unit
        What is counted, in the plural: `viewers`.
    """
    rows = segments.sort("segment_id", descending=True)
    shares = rows["share"].fill_null(0)
    figure = bars(
        rows["members"],
        rows["segment_name"].to_list(),
        [f"{count:,} · {percent(share)}" for count, share in zip(rows["members"], shares, strict=True)],
        reach=max(largest(rows["members"]), 1) * 1.25,
        marker={"color": colors_of(rows["segment_id"]), "line": EDGE},
        hovertemplate="%{y}: %{x:,} " + unit + "<extra></extra>",
    )
    return Chart(
        finish(figure, height=60 + _ROW * len(rows)),
        _sizes_finding(rows, unit),
        f"{rows['members'].sum():,} {unit} in all.",
    )


def _sizes_finding(rows: pl.DataFrame, unit: str) -> str:
    if not len(rows):
        return "There are no segments"
    most, smallest = (rows.sort("members", "segment_id").row(i, named=True) for i in (-1, 0))
    if most["members"] == smallest["members"]:
        return f"All segments have {most['members']:,} {unit}"
    return (
        f"The largest segment is {short_name(most['segment_name'])} with {percent(most['share'] or 0)}, "
        f"the smallest {short_name(smallest['segment_name'])} with {percent(smallest['share'] or 0)}"
    )


def compare(profiles: pl.DataFrame, *, everybody: str, called: Mapping[str, str] | None = None) -> Chart:
    """Draw the features that differ most between segments: one row per feature, one dot per segment.

    Parameters
    ----------
    profiles
        segment_id, segment_name, feature, segment_mean, base_mean, index; the most different feature first.
    everybody
        Whose mean is 100: `all viewers`.
    called
        Feature to what it is called, where its name does not say it.
    """
    known = profiles.filter(pl.col("index").is_not_null())
    shown = known["feature"].unique(maintain_order=True).head(_MOST_FEATURES).to_list()
    rows = known.filter(pl.col("feature").is_in(shown))
    labels = dict(zip(shown, feature_labels(shown, called), strict=True))
    figure = go.Figure()
    figure.add_vline(x=100, line={"color": "#94a4a2", "dash": "dot"})
    for (segment_id, segment), own in rows.group_by("segment_id", "segment_name", maintain_order=True):
        ordered = own.sort("feature")
        figure.add_scatter(
            x=np.maximum(ordered["index"].to_numpy(), 1),
            y=names([labels[feature] for feature in ordered["feature"]]),
            mode="markers",
            name=name(str(segment), 30),
            marker={
                "color": color_of(int(str(segment_id))),
                "size": 12,
                "line": {"width": 1, "color": "white"},
            },
            customdata=np.column_stack(
                [
                    [number(value) for value in ordered["segment_mean"]],
                    [number(value) for value in ordered["base_mean"]],
                ]
            ),
            hovertemplate="%{y}<br>mean %{customdata[0]}, " + everybody + " %{customdata[1]}, index %{x:.0f}",
        )
    figure.update_xaxes(
        type="log", title="Index: 100 is the mean of " + everybody, tickvals=_index_ticks(rows)
    )
    figure.update_yaxes(
        type="category", categoryorder="array", categoryarray=names([labels[f] for f in reversed(shown)])
    )
    finish(figure, height=150 + 30 * len(shown))
    return Chart(
        figure,
        _compare_finding(rows, labels, everybody),
        "The features that differ most. Each dot is a segment's mean against everybody's; logarithmic.",
    )


def _index_ticks(rows: pl.DataFrame) -> list[float]:
    ticks = [1, 2, 5, 10, 25, 50, 100, 200, 400, 1000, 2000, 5000, 10000]
    if not len(rows):
        return [100]
    low, high = max(-largest(-rows["index"]), 1), largest(rows["index"])
    return [tick for tick in ticks if low / 2 <= tick <= high * 2] or [100]


def _compare_finding(rows: pl.DataFrame, labels: dict[str, str], everybody: str) -> str:
    if not len(rows):
        return "No feature can be compared: the mean of everybody is 0"
    top = rows.sort("index", "feature", descending=[True, False]).row(0, named=True)
    times = number(top["index"] / 100)
    return f"{short_name(top['segment_name'])}: {labels[top['feature']]} is {times} times that of {everybody}"


def genre_heatmap(
    ratings: pl.DataFrame, measure: str, *, theme: Theme = LIGHT, acted: str = "rated"
) -> Chart:
    """Draw genres by segments.

    Parameters
    ----------
    ratings
        segment_id, segment_name, genre_label, raters, is_few and the measure; the rows in the order of the genres.
    measure
        `rater_mean_rating` (honest), `published_mean_rating` (0 for never rated) or `rater_share`.
    theme
        What it is drawn on.
    acted
        What those did who are counted: `rated`.
    """
    genres = ratings["genre_label"].unique(maintain_order=True).to_list()
    heads = ratings.select("segment_id", "segment_name").unique().sort("segment_id")
    # A mean of a handful has no colour: it is written in grey, with how many they are.
    is_greyed = pl.col("is_few") & pl.lit(measure == "rater_mean_rating")
    cells = ratings.with_columns(pl.when(~is_greyed).then(measure).alias(measure)).pivot(
        on="segment_id", index="genre_label", values=measure, maintain_order=True
    )
    values = cells.select(str(i) for i in heads["segment_id"]).cast(pl.Float64).to_numpy()
    is_share = measure == "rater_share"
    known = values[np.isfinite(values)]
    shown = "%{z:.1%} " + acted + " it" if is_share else "%{z:.2f}"
    figure = heatmap(
        values,
        [broken_name(text, 14) for text in heads["segment_name"]],
        names(genres),
        colorscale=rising(theme),
        zmin=0 if is_share or not len(known) else float(known.min()),
        zmax=float(known.max()) if len(known) else 1,
        texttemplate="%{z:.0%}" if is_share else "%{z:.2f}",
        hovertemplate="%{y}, %{x}: " + shown + "<extra></extra>",
        colorbar={"tickformat": ".0%" if is_share else ".1f", "thickness": 10, "len": 0.6},
    )
    for row in ratings.filter(is_greyed, pl.col(measure).is_not_null()).iter_rows(named=True):
        figure.add_annotation(
            x=heads["segment_id"].index_of(row["segment_id"]),
            y=genres.index(row["genre_label"]),
            text=f"{row[measure]:.2f} by {row['raters']}",
            showarrow=False,
            font={"color": theme.muted, "size": 11},
        )
    return Chart(
        finish(figure, height=110 + 28 * len(genres)),
        _genre_finding(ratings, measure, acted),
        {
            "rater_mean_rating": "Mean rating by those members who rated the genre; grey: of too few, and how many.",
            "published_mean_rating": "Mean rating with 0 averaged in for a genre never rated, as published.",
            "rater_share": f"Share of the members who {acted} the genre at all.",
        }[measure],
    )


def _genre_finding(ratings: pl.DataFrame, measure: str, acted: str) -> str:
    known = ratings.filter(pl.col(measure).is_not_null(), pl.col("rater_share") >= 0.1, ~pl.col("is_few"))
    if not len(known):
        return f"No genre was {acted} by a tenth of any segment"
    top = known.sort(measure, "genre_label", descending=[True, False]).row(0, named=True)
    who, genre, value = short_name(top["segment_name"]), top["genre_label"], top[measure]
    if measure == "rater_share":
        return f"{genre} reaches {percent(value)} of {who}, the widest reach of all"
    said = "rate" if measure == "rater_mean_rating" else "have the highest mean for"
    return f"{who} {said} {genre} highest of all: {number(value)}"


def segment_map(
    points: pl.DataFrame,
    ratios: tuple[float, float],
    *,
    unit: str = "members",
    theme: Theme = LIGHT,
    height: int = 520,
) -> Chart:
    """Draw members and centres on the two principal components.

    Parameters
    ----------
    points
        segment_id, segment_name, is_centre, pc1, pc2: a sample of members, and the centres.
    ratios
        Share of the variance that each component holds.
    unit
        What is divided, in the plural.
    theme
        What it is drawn on.
    height
        Pixels.
    """
    centres = points.filter("is_centre").sort("segment_id")
    members = points.filter(~pl.col("is_centre"))
    figure = go.Figure()
    for (segment_id, segment), own in members.sort("segment_id").group_by(
        "segment_id", "segment_name", maintain_order=True
    ):
        figure.add_scattergl(
            x=own["pc1"],
            y=own["pc2"],
            mode="markers",
            name=name(str(segment), 30),
            marker={"color": color_of(int(str(segment_id))), "size": 5, "opacity": 0.55},
            hoverinfo="name",
        )
    figure.add_scatter(
        x=centres["pc1"],
        y=centres["pc2"],
        mode="markers",
        showlegend=False,
        text=names(centres["segment_name"].to_list()),
        marker={
            "color": [color_of(i) for i in centres["segment_id"]],
            "size": 17,
            "line": {"width": 2, "color": theme.ink},
        },
        hovertemplate="centre of %{text}<extra></extra>",
    )
    figure.update_xaxes(title=f"Component 1 ({percent(ratios[0])} of the variance)")
    figure.update_yaxes(title=f"Component 2 ({percent(ratios[1])} of the variance)")
    outside = _frame_inner(figure, members, centres)
    reading = f"Small dots: {len(members):,} {unit}. Large dots: the centres"
    finish(figure, height=height)
    figure.update_layout(legend={"itemsizing": "constant"})
    return Chart(
        figure,
        map_finding(centres["segment_name"].to_list(), centres.select("pc1", "pc2").to_numpy(), sum(ratios)),
        f"{reading}; {outside:,} {unit} lie outside the frame." if outside else f"{reading}.",
    )


def _frame_inner(figure: go.Figure, members: pl.DataFrame, centres: pl.DataFrame) -> int:
    """Frame what is drawn without its few extremes, which would squeeze all others; return how many are left out."""
    if not len(members):
        return 0
    inside = pl.lit(value=True)
    for column, update in (("pc1", figure.update_xaxes), ("pc2", figure.update_yaxes)):
        low, high = np.quantile(members[column].to_numpy(), _INNER)
        reach = [low, high, *centres[column]]
        margin = 0.06 * (max(reach) - min(reach)) or 1.0
        frame = [min(reach) - margin, max(reach) + margin]
        update(range=frame)
        inside &= pl.col(column).is_between(*frame)
    return len(members.filter(~inside))


def component(loadings: pl.DataFrame, labels: list[str]) -> Chart:
    """Draw the largest loadings of one component: component, feature, loading; the largest first."""
    most = 10
    rows, shown = loadings.head(most)[::-1], labels[:most][::-1]
    figure = go.Figure().add_bar(
        x=rows["loading"],
        y=names(shown),
        orientation="h",
        marker={"color": [BLUE if value >= 0 else "#e76300" for value in rows["loading"]]},
        hovertemplate="%{y}: %{x:.3f}<extra></extra>",
    )
    figure.update_yaxes(type="category")
    figure.update_xaxes(title="Loading")
    number_of = loadings["component"][0]
    return Chart(
        finish(figure, height=90 + 28 * len(rows)),
        f"Component {number_of} is mostly {', '.join(labels[:3])}",
    )


def leanings(segment: Card, everybody: str) -> Chart:
    """Draw what one segment has most over and under everybody, whose mean is 100."""
    rows = segment.leanings[::-1]
    doublings, low, high = (
        np.array([np.log2(max(value, 1) / 100) for value in values])
        for values in (
            [row.index for row in rows],
            [row.index if row.low is None else row.low for row in rows],
            [row.index if row.high is None else row.high for row in rows],
        )
    )
    labels = names([row.label for row in rows])
    figure = go.Figure().add_bar(
        x=doublings,
        y=labels,
        orientation="h",
        marker={"color": segment.color, "line": EDGE},
        showlegend=False,
        error_x={
            "type": "data",
            "symmetric": False,
            "array": high - doublings,
            "arrayminus": doublings - low,
            "color": GREY,
            "thickness": 1.5,
            "width": 3,
        },
        customdata=[[row.own, row.everybody] for row in rows],
        hovertemplate="%{y}: mean %{customdata[0]}, " + everybody + " %{customdata[1]}<extra></extra>",
    )
    ends = np.where(doublings > 0, high, low)
    figure.add_scatter(  # beyond the interval, which would strike the numbers through
        x=ends,
        y=labels,
        mode="text",
        text=[f" {number(row.index)} " for row in rows],
        textposition=["middle right" if row.index > 100 else "middle left" for row in rows],
        cliponaxis=False,
        hoverinfo="skip",
        showlegend=False,
    )
    reach = max(np.abs([*doublings, *ends]).max(initial=0.3), 0.3) * 1.25
    figure.update_xaxes(visible=False, range=[-reach, reach])
    figure.update_yaxes(type="category")
    return Chart(
        finish(figure, height=60 + 30 * len(rows)),
        f"{short_name(segment.name)}: {leaning_finding(segment.leanings)}",
        f"Index of the mean, 100 = {everybody}; bars to the right are above it, the thin line is the 95 % interval. "
        "What differs by less than 5 %, or may differ by chance, is left out.",
    )


def moves(migration: pl.DataFrame, unit: str) -> Chart:
    """Draw who went from which segment to which.

    Parameters
    ----------
    migration
        from_segment_id, from_segment_name, to_segment_id, to_segment_name, entities; no segment where somebody was not
        there before, or is no longer.
    unit
        What is divided, in the plural.
    """
    nodes: list[tuple[str, str]] = []
    places: dict[tuple[str, int | None], int] = {}
    for side, nobody in (("from", "New"), ("to", "Gone")):
        found = migration.select(f"{side}_segment_id", f"{side}_segment_name").unique()
        for segment_id, segment in found.sort(f"{side}_segment_id", nulls_last=True).iter_rows():
            places[side, segment_id] = len(nodes)
            nodes.append((segment or nobody, GREY if segment_id is None else color_of(segment_id)))
    rows = list(migration.select("from_segment_id", "to_segment_id", "entities").iter_rows())
    figure = go.Figure().add_sankey(
        node={
            "label": [name(text, 20) for text, _ in nodes],
            "color": [color for _, color in nodes],
            "pad": 14,
            "thickness": 14,
            "line": {"width": 0},
            "hovertemplate": "%{label}: %{value:,d} " + unit + "<extra></extra>",
        },
        link={
            "source": [places["from", source] for source, _, _ in rows],
            "target": [places["to", target] for _, target, _ in rows],
            "value": [count for _, _, count in rows],
            "color": [f"{nodes[places['from', source]][1]}66" for source, _, _ in rows],
            "hovertemplate": "%{source.label} → %{target.label}: %{value:,d} " + unit + "<extra></extra>",
        },
    )
    return Chart(
        finish(figure, height=420),
        words.moves(migration, unit)[0].rstrip("."),
        "From the earlier run, left, to this one, right.",
    )


def sizes_over_runs(sizes: pl.DataFrame, unit: str) -> Chart:
    """Draw members per segment at the end of each run: ended_at, segment_id, segment_name, members."""
    figure = go.Figure()
    for (segment_id,), own in sizes.group_by("segment_id", maintain_order=True):
        called = name(own["segment_name"][-1], 30)
        figure.add_scatter(
            x=own["ended_at"],
            y=own["members"],
            mode="lines+markers",
            name=called,
            line={"color": color_of(int(str(segment_id)))},
            hovertemplate=f"{called}, %{{x|%d %b %Y %H:%M}}: %{{y:,}} {unit}<extra></extra>",
        )
    figure.update_yaxes(rangemode="tozero", tickformat=",")
    totals = sizes.group_by("ended_at").agg(pl.col("members").sum()).sort("ended_at")["members"]
    return Chart(
        finish(figure, height=340),
        f"{totals[-1]:,} {unit} now, {totals[0]:,} at the first of {len(totals)} runs",
        f"{unit.capitalize()} in each segment at the end of each run.",
    )
