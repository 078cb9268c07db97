"""Chart of departure: mean score per segment beside everybody.

Belongs here: charts over the published tables of departure. Does not belong here: queries, pages.
"""

import polars as pl

from dashboard.charts.base import BLUE, GREY, RED, Chart, bars, finish, largest
from ml.plots.words import percent


def scores(groups: pl.DataFrame, *, least: int) -> Chart:
    """Draw the mean score of segments: group_name, scored, mean_score, base_score; grey of fewer than `least`."""
    known = groups.filter(pl.col("scored") > 0)
    everybody = known["base_score"][0]
    beside = known[:1].with_columns(group_name=pl.lit("Everybody"), scored=None, mean_score=everybody)
    rows = pl.concat([known, beside], how="vertical_relaxed").sort("mean_score", "group_name")
    scored = rows["scored"].to_list()
    figure = bars(
        rows["mean_score"],
        rows["group_name"].to_list(),
        [
            percent(mean) + (f" of {count:,}" if count else "")
            for mean, count in zip(rows["mean_score"], scored, strict=True)
        ],
        reach=largest(rows["mean_score"]) * 1.3 or 1,
        marker_color=[RED if count is None else BLUE if count >= least else GREY for count in scored],
        hovertemplate="%{y}: %{text}<extra></extra>",
    )
    enough = rows.filter(pl.col("scored") >= least)
    finding = f"No segment has {least} users with a score"
    if len(enough):
        top = enough.row(-1, named=True)
        finding = (
            f"Highest in {top['group_name']}: {percent(top['mean_score'])} are expected to leave, of everybody "
            f"{percent(everybody)}"
        )
    few = f" Grey: fewer than {least} users." if len(enough) < len(known) else ""
    return Chart(
        finish(figure, height=70 + 40 * len(rows)),
        finding,
        f"Mean score of the members who were active of late; red: everybody.{few}",
    )
