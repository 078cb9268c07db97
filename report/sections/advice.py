"""What the figures recommend to do, with the figures.

Belongs here: reading recommendations out of their table. Does not belong here: making them (SQL), the page.
"""

import json
from dataclasses import dataclass

import polars as pl

from ml.plots.words import feature_label, number

_MOST = 12


@dataclass(frozen=True)
class Advice:
    """One strategic recommendation: what to do, and why in figures.

    `reason` is the rest of the sentence after what to do, empty where it is not told apart by a colon; `figures` are
    label and value in words, `source` the table they come from.
    """

    topic: str
    action: str
    reason: str
    figures: tuple[tuple[str, str], ...]
    source: str

    @property
    def has_z(self) -> bool:
        """Whether one of the figures is a z, which then needs explaining."""
        return any("z" in label.lower().split() for label, _ in self.figures)


def advice(recommendations: pl.DataFrame | None) -> tuple[Advice, ...]:
    """Return the strategic recommendations by rank."""
    if recommendations is None:
        return ()
    return tuple(_advice(row) for row in recommendations.sort("rank").head(_MOST).iter_rows(named=True))


def left_out(recommendations: pl.DataFrame | None) -> int:
    """Return how many recommendations the page has no room for."""
    return 0 if recommendations is None else max(len(recommendations) - _MOST, 0)


def _advice(row: dict) -> Advice:
    action, colon, reason = (row["sentence"] or "").partition(": ")
    return Advice(
        topic=feature_label(row["topic"] or ""),
        action=f"{action}." if colon else action,
        reason=f"{reason[:1].upper()}{reason[1:]}",
        figures=_figures(row["figures"] or ""),
        source=row["source"] or "",
    )


def _figures(text: str) -> tuple[tuple[str, str], ...]:
    """Return label and value of a JSON object, of what is known; text that is none is shown as it is."""
    try:
        found = json.loads(text) if text else {}
    except ValueError:
        found = None
    if not isinstance(found, dict):
        return (("Figures", text),)
    return tuple(
        (_label(str(key)), _words(str(key), value)) for key, value in found.items() if value is not None
    )


def _label(key: str) -> str:
    """Return a key as words; its unit stays part of them, for the value is written with it."""
    words = key.replace("_", " ").strip()
    return words[:1].upper() + words[1:]


def _words(key: str, value: object) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "–"}[value]
    if isinstance(value, int | float):
        return f"{value:.1%}" if key.endswith("share") and 0 <= value <= 1 else number(value)
    if key == "segmentation":
        return feature_label(str(value))
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
