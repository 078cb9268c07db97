"""What the report says of who is about to leave: how good the scores are, and what they say of segments and cells.

Belongs here: choosing and wording rows of the marts. Does not belong here: the scores (`ml.departure`), the page.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from ml.plots.words import decimals, percent
from report.reading import Rows

MEASURES = {
    "auc": (
        "AUC",
        "how surely a user who left had a higher score than one who stayed: 1 always, 0.5 by chance",
    ),
    "average_precision": (
        "Average precision",
        "mean share of users who left among those with the highest scores",
    ),
    "top_decile_lift": (
        "Lift of the top tenth",
        "how many times as often as all the tenth with the highest scores left",
    ),
    "calibration_error": ("Calibration error", "how far score and share who left lie apart, over ten groups"),
}
"""Measure to its heading and what it means, in the order of the rows."""
_RFM = "rfm"


@dataclass(frozen=True)
class DepartureView:
    """Scores as the page shows them; empty where nothing was judged."""

    finding: str = ""
    judged: str = ""
    measures: Rows = ()
    cells: Rows = ()
    said: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """What the scores say of a segment, by segmentation and name of the segment."""

    def of_segment(self, segmentation: str, segment: str) -> str:
        """Return the sentence about a segment; empty where there is none."""
        return self.said.get((segmentation, segment), "")


def departure(
    quality: pl.DataFrame | None, groups: pl.DataFrame | None, scored: Mapping[str, Any] | None
) -> DepartureView:
    """Return what the page says.

    Parameters
    ----------
    quality, groups
        The tables `departure_quality` and `departure_groups`.
    scored
        Of the table `departure`: `users`, `mean_score`, `horizon_days`; None where it is not there.
    """
    figures = {} if quality is None else {row["measure"]: row for row in quality.iter_rows(named=True)}
    if not figures or scored is None:
        return DepartureView()
    measures = [
        {
            "heading": heading,
            "meaning": meaning,
            "value": decimals(figures[name]["value"]),
            "beside": decimals(figures[name]["beside"]),
        }
        for name, (heading, meaning) in MEASURES.items()
    ]
    judged = (
        f"Judged on {figures['judged_users']['value']:,.0f} users as of an earlier day, of whom "
        f"{percent(figures['departed_share']['value'])} left, by a model that had learned from still earlier ones."
    )
    if not scored["users"]:
        return DepartureView(_why_not(figures), judged, measures)
    rows = [] if groups is None else groups.filter(pl.col("scored") > 0).rows(named=True)
    horizon = f"the next {scored['horizon_days']} days"
    return DepartureView(
        f"{percent(scored['mean_score'])} of {scored['users']:,} users active of late are expected to show nothing in "
        f"{horizon}",
        judged,
        measures,
        tuple(row for row in rows if row["segmentation"] == _RFM),
        {
            (row["segmentation"], row["group_name"]): (
                f"Of its {row['scored']:,} members who were active of late, {percent(row['mean_score'])} are "
                f"expected to show no view or rating in {horizon}; of all who were, {percent(row['base_score'])}."
            )
            for row in rows
            if row["segmentation"] != _RFM
        },
    )


def _why_not(figures: Mapping[str, Mapping[str, Any]]) -> str:
    """Say which figure kept the scores from being published."""
    auc, gain = figures["auc"], figures["auc_gain"]
    if gain["passed"] is False:
        interval = f"{decimals(gain['low'])} to {decimals(gain['high'])}"
        return (
            f"No scores, for they do not tell more than recency alone: AUC {decimals(auc['value'])} beside "
            f"{decimals(auc['beside'])}, a gain of {interval} at 95 %"
        )
    return f"No scores, for they tell too little: AUC {decimals(auc['value'])}, {decimals(auc['threshold'])} asked for"
