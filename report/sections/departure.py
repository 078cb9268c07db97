"""What the report says of who is about to leave: how good the scores are, and what they say of segments and cells.

Belongs here: choosing and wording rows of the marts. Does not belong here: the scores (`ml.departure`), the page.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from ml.plots import departure_words
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
_WARNS = "At Risk"
"""The cell whose name foretells what it does not say."""


@dataclass(frozen=True)
class DepartureView:
    """Scores as the page shows them; empty where nothing was judged."""

    finding: str = ""
    judged: str = ""
    measures: Rows = ()
    cells: Rows = ()
    cells_beside_scores: str = ""
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
    judged = departure_words.judged(figures)
    if not scored["users"]:
        return DepartureView(departure_words.why_not(figures), judged, measures)
    rows = [] if groups is None else groups.filter(pl.col("scored") > 0).rows(named=True)
    cells = tuple(row for row in rows if row["segmentation"] == _RFM)
    horizon = f"the next {scored['horizon_days']} days"
    return DepartureView(
        departure_words.expected(scored),
        judged,
        measures,
        cells,
        _past_and_next(cells, horizon),
        {
            (row["segmentation"], row["group_name"]): (
                f"Of its {row['scored']:,} members who were active of late, {percent(row['mean_score'])} are "
                f"expected to show no view or rating in {horizon}; of all who were, {percent(row['base_score'])}."
            )
            for row in rows
            if row["segmentation"] != _RFM
        },
    )


def _past_and_next(cells: Rows, horizon: str) -> str:
    """Say why a cell whose name warns may be expected to leave less than everybody; so only where it is so."""
    told = f"Cells describe the past, each user beside the others; scores foretell {horizon}"
    lower = [row for row in cells if row["group_name"] == _WARNS and row["mean_score"] < row["base_score"]]
    if not lower:
        return f"{told}."
    own, everybody = percent(lower[0]["mean_score"]), percent(lower[0]["base_score"])
    return f"{told}. So a cell such as {_WARNS} can have a lower expected share than all: {own}, all {everybody}."
