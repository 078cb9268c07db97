"""What the report says about the number of segments: what each candidate scored, and why one is published.

Belongs here: candidates in figures and the choice in words. Does not belong here: computing indices
(`ml.segmentation`), the page.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

_INDICES = {
    "silhouette": ("the silhouette (do members sit clearly within their own segment?)", True),
    "calinski_harabasz": ("Calinski–Harabasz (are segments far apart for how wide they are?)", True),
    "davies_bouldin": ("Davies–Bouldin (how much does a segment overlap with its nearest?)", False),
}
"""Index to its name and meaning in a sentence and whether higher is better."""


@dataclass(frozen=True)
class Candidate:
    """One candidate k and its indices; `best` names the columns in which it is the best of all.

    `lift` and `bootstrap_ari` say what it is worth on what users choose, and how far its segments come back.
    """

    k: int
    inertia: float
    silhouette: float | None
    calinski_harabasz: float | None
    davies_bouldin: float | None
    size_min: int
    size_max: int
    is_elbow: bool
    is_published: bool
    best: frozenset[str]
    lift: float | None = None
    bootstrap_ari: float | None = None

    @property
    def worth(self) -> str:
        """Its price in figures, in brackets; empty where none is known."""
        if self.lift is None or self.bootstrap_ari is None:
            return ""
        return f" (held-out lift {self.lift:.2f}, stability {self.bootstrap_ari:.2f})"


def candidates(frame: pl.DataFrame) -> tuple[Candidate, ...]:
    """Return the candidates of a table with a row for each, by k; an index that is not defined is null there."""
    if not len(frame):
        return ()
    best = {
        name: frame[name].max() if higher else frame[name].min() for name, (_, higher) in _INDICES.items()
    }
    return tuple(
        Candidate(
            **{name: row[name] for name in frame.columns if name != "segmentation"},
            best=frozenset(name for name in _INDICES if row[name] is not None and row[name] == best[name]),
        )
        for row in frame.iter_rows(named=True)
    )


def choice(tried: Sequence[Candidate], *, is_anchored: bool) -> tuple[str, ...]:
    """Say which k is published and why, where the elbow is and what each index alone would take."""
    if not tried:
        return ()
    published = next((candidate.k for candidate in tried if candidate.is_published), None)
    elbow = next((candidate.k for candidate in tried if candidate.is_elbow), None)
    worth = {candidate.k: candidate.worth for candidate in tried}
    range_tried = f"Every number of segments (k) from {tried[0].k} to {tried[-1].k} was tried."
    said = [
        range_tried
        if published is None
        else f"{published} segments are published{worth[published]}. {range_tried}"
    ]
    if any(worth.values()):
        said.append(
            "Held-out lift says how much better what is popular in the segment foretells what users choose than what "
            "is popular with everybody; 1 is nothing. Stability says how far the same segments come back on other "
            "users (adjusted Rand index); 1 is exactly."
        )
    if elbow is not None:
        said.append(
            f"The elbow is at k = {elbow}{worth[elbow]}: up to there each further segment makes the members of a "
            "segment much more alike (their inertia, the spread within segments, falls), beyond it hardly."
        )
    for index, (name, higher) in _INDICES.items():
        best = next((candidate.k for candidate in tried if index in candidate.best), None)
        if best is not None:
            said.append(
                f"By {name} alone k = {best} would be best{worth[best]}: its index is "
                f"{'highest' if higher else 'lowest'}."
            )
    if published is not None:
        said.append(_reason(published, elbow, is_anchored=is_anchored))
    return tuple(said)


def _reason(published: int, elbow: int | None, *, is_anchored: bool) -> str:
    if is_anchored:
        return f"Why {published}: so many groups are declared, and segments that people already speak of stay the same."
    if published == elbow:
        return f"Why {published}: it is the elbow, and few enough segments to be known by name."
    return (
        f"Why {published}: so the segmentation is declared. The indices favour few, crude groups; how many can be told "
        "apart and acted on is a decision."
    )
