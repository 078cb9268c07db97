"""What the report says about how far a segmentation can be believed.

Belongs here: what its segments explain and do not, and what other starts would have given, in words.
Does not belong here: computing any of it (`ml.segmentation`), the page.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from ml.plots import segment_words as words
from ml.plots.words import feature_labels
from report.reading import Rows, SegmentationTables

_SURE = 0.95
"""Agreement from which starts count as having found the same thing."""


@dataclass(frozen=True)
class Trust:
    """Whether a segmentation can be trusted.

    Attributes
    ----------
    findings : what its figures say, in sentences.
    decision : whether it was promoted, and why or why not; `is_sound` where every threshold holds.
    figures : every measure, with its interval, beside what nothing would be.
    refreshed : what became of the segments, and who moved, since the refresh before; empty where there was none.
    """

    findings: tuple[str, ...]
    decision: str
    is_sound: bool
    figures: tuple[words.Figure, ...]
    refreshed: tuple[str, ...]


def trust(tables: SegmentationTables, unit: str) -> Trust:
    """Return what the page says about whether a segmentation can be trusted; `unit` is what is divided."""
    return Trust(
        findings=words.findings(tables.of_cards["segment_quality"], unit),
        decision=words.decision(tables.decisions),
        is_sound=words.is_sound(tables.decisions),
        figures=words.figures(tables.of_cards["segment_quality"]),
        refreshed=(*words.events(tables.history), *words.moves(tables.migration, unit)),
    )


def in_words(rows: pl.DataFrame, called: Mapping[str, str]) -> Rows:
    """Return rows about features with each feature, and the column that it is compared with, in words."""
    named = [name for name in ("feature", "best_column") if name in rows.columns]
    return rows.with_columns(
        pl.col(named).map_elements(lambda feature: feature_labels([feature], called)[0], pl.String)
    ).rows(named=True)


def starts_in_words(row: Mapping[str, Any] | None, unit: str) -> str:
    """Say how the published fit came about and what other starts gave; empty without such figures."""
    if row is None:
        return ""
    said = []
    if row["is_anchored"]:
        moved = row["left_rule"]
        who = f"no {unit} left" if moved == 0 else f"{moved:,} {unit} left"
        said.append(
            f"K-Means started from a declared partition, so ids and names hold whatever the seed; {who} the rule "
            "they started in."
        )
    if row["ward_k"] is not None:
        said.append(
            f"Ward's tree over {row['ward_rows']:,} {unit} suggests {row['ward_k']} segments by itself."
        )
    if row["start_agreement"] is not None:
        said.append(
            f"Of {row['starts']:,} free starts {row['best_start_share']:.0%} end at the best of them; any two agree "
            f"to {row['start_agreement']:.2f} on average (adjusted Rand index, 1 = the same)."
        )
    gain = 1 - row["free_inertia"] / row["inertia"] if row["inertia"] else 0.0
    if row["free_agreement"] < _SURE:
        said.append(
            f"The best free fit has {max(gain, 0):.1%} less inertia than the published one and agrees with it to "
            f"{row['free_agreement']:.2f}."
        )
    else:
        said.append("The best free fit finds the same segments.")
    return " ".join(said)
