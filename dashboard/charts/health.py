"""Charts of the data itself and of the runs that made it.

Belongs here: rows left after each step, time that runs take. Does not belong here: tables of files and lines.
"""

import plotly.graph_objects as go
import polars as pl

from dashboard.charts.base import BLUE, Chart, bars, finish, largest
from ml.plots.palette import kind_colors
from ml.plots.words import number, percent

_PARTS = {
    "landing": "Landing",
    "sql": "SQL",
    "train": "Training",
    "judge": "Judging",
    "place": "Placing and listing",
    "draw": "Drawing",
}
"""Parts of a run in their order; stages of the same kind are one."""
_ALIKE = 0.1
"""A run within this share of what is usual is as long as usual."""


def nights(stages: pl.DataFrame) -> Chart | None:
    """Draw the seconds of each run by part: run, run_started_at, stage, part, outcome, seconds; the oldest run first.

    None where no earlier run had the stages of the newest: then nothing can be said. Of the newest nobody knows yet how
    long publishing took, so that this is left out of all.
    """
    stages = stages.filter(pl.col("part").is_in(list(_PARTS)))
    finding = _nights_finding(stages)
    if finding is None:
        return None
    figure, colors = go.Figure(), kind_colors(_PARTS)
    runs = stages.select("run", "run_started_at").unique(maintain_order=True)
    for part, called in _PARTS.items():
        seconds = stages.filter(pl.col("part") == part).group_by("run").agg(pl.col("seconds").sum())
        figure.add_bar(
            x=[f"{at:%d %b %H:%M:%S}" for at in runs["run_started_at"]],
            y=runs.join(seconds, on="run", how="left", maintain_order="left")["seconds"],
            name=called,
            marker={"color": colors[part]},
            hovertemplate="%{x}: %{y:,.1f} s<extra>%{fullData.name}</extra>",
        )
    figure.update_layout(barmode="stack")
    figure.update_xaxes(type="category", nticks=12)
    figure.update_yaxes(title="Seconds")
    reading = "One bar per run (UTC), up to publishing; a run that failed or did less is shorter."
    return Chart(finish(figure, height=360), finding, reading)


def _nights_finding(stages: pl.DataFrame) -> str | None:
    """Compare the newest run with the earlier ones that finished the same stages."""
    runs = stages.group_by("run", maintain_order=True).agg(
        pl.col("seconds").sum(),
        pl.col("stage").sort().alias("stages"),
        is_finished=(pl.col("outcome") == "finished").all(),
    )
    last = runs[-1:].filter("is_finished")
    earlier = runs[:-1].filter("is_finished").join(last.select("stages"), on="stages", how="semi")
    if earlier.is_empty():
        return None
    took, usual = last["seconds"].item(), float(earlier["seconds"].to_numpy().mean())
    of = (
        "of the one before"
        if len(earlier) == 1
        else f"that the {len(earlier)} like it before took on average"
    )
    said = f"Up to publishing the newest run took {number(took)} s"
    if abs(took / usual - 1) <= _ALIKE:
        return f"{said}, about as long as the {number(usual)} s {of}"
    parts = stages.group_by("part").agg(
        pl.col("seconds").filter(pl.col("run").is_in(last["run"].implode())).sum().alias("took"),
        pl.col("seconds").filter(pl.col("run").is_in(earlier["run"].implode())).sum() / len(earlier),
    )
    more = parts.select("part", more=pl.col("took") - pl.col("seconds")).sort("more", descending=took > usual)
    part, difference = more.row(0)
    which = "more" if took > usual else "less"
    return (
        f"{said}, {number(abs(took - usual))} s {which} than the {number(usual)} s {of}; "
        f"{_PARTS[part]} took {number(abs(difference))} s {which}"
    )


def funnel(steps: pl.DataFrame) -> Chart:
    """Draw the rows of one entity left after each step: entity, step_order, step, row_count, share."""
    rows = steps.sort("step_order", descending=True)
    figure = bars(
        rows["row_count"],
        rows["step"].to_list(),
        [f"{row['row_count']:,} · {percent(row['share'] or 0)}" for row in rows.iter_rows(named=True)],
        reach=max(largest(rows["row_count"]), 1) * 1.2,
        marker={"color": BLUE},
        hovertemplate="%{y}: %{x:,}<extra></extra>",
    )
    last = rows.row(0, named=True)
    entity = last["entity"].capitalize()
    if len(rows) == 1:
        finding = f"{entity}: {last['row_count']:,}"
    else:
        finding = (
            f"{entity}: {last['row_count']:,} {last['step']}, {percent(last['share'] or 0)} of what was read"
        )
    return Chart(finish(figure, height=40 + 34 * len(rows)), finding)
