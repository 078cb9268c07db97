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
    label and value in words, `source` the table they come from. `segmentation` is the one whose segments it speaks of,
    empty where it speaks of the whole audience; `genre` is what it speaks of, where it is of one.
    """

    topic: str
    segmentation: str
    genre: str
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
    figures = _known(row["figures"] or "")
    return Advice(
        topic=feature_label(row["topic"] or ""),
        segmentation=str(figures.get("segmentation") or ""),
        genre=str(figures.get("genre") or ""),
        action=f"{action}." if colon else action,
        reason=f"{reason[:1].upper()}{reason[1:]}",
        figures=tuple(
            (_label(key), _words(key, value))
            for key, value in figures.items()
            if value is not None and key != "title_id"
        ),
        source=row["source"] or "",
    )


def _known(text: str) -> dict[str, object]:
    """Return the figures of a JSON object; text that is none is a figure as it is."""
    try:
        found = json.loads(text) if text else {}
    except ValueError:
        found = None
    return found if isinstance(found, dict) else {"figures": text}


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
