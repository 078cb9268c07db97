"""What is said about the number of segments: what each candidate scored, why one is published, what others would cost.

Belongs here: candidates in figures and the choice in words, once for report and dashboard. Does not belong here:
computing indices (`ml.segmentation`), how a page looks.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from ml.plots.words import decimals

INDICES = {
    "silhouette": "Silhouette",
    "calinski_harabasz": "Calinski–Harabasz",
    "davies_bouldin": "Davies–Bouldin",
}
"""Index to its name."""
_ASKED = {
    "silhouette": "The silhouette (do members sit clearly within their own segment?)",
    "calinski_harabasz": "Calinski–Harabasz (are segments far apart for how wide they are?)",
    "davies_bouldin": "Davies–Bouldin (how much does a segment overlap with its nearest?)",
}
"""Index to what it asks, within a sentence."""
HIGHER_IS_BETTER = {"silhouette", "calinski_harabasz"}


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

    def beside(self, published: "Candidate") -> str:
        """Say what it would give up and gain beside the published one, in what is known of both."""
        if self.k == published.k:
            return "the published number"
        worth = (
            ("held-out lift", self.lift, published.lift),
            ("stability", self.bootstrap_ari, published.bootstrap_ari),
        )
        known = [(name, mine, other) for name, mine, other in worth if mine is not None and other is not None]
        if not known and self.silhouette is not None and published.silhouette is not None:
            known = [("silhouette", self.silhouette, published.silhouette)]
        texts = [(name, decimals(mine), decimals(other)) for name, mine, other in known]
        texts.append(("smallest segment", f"{self.size_min:,}", f"{published.size_min:,}"))
        said = [f"{name} {mine} instead of {other}" for name, mine, other in texts if mine != other]
        return ", ".join(said) or "no worse and no better in figures"

    @property
    def worth(self) -> str:
        """What it is worth in figures, in brackets; empty where that is not known."""
        if self.lift is None or self.bootstrap_ari is None:
            return ""
        return f" (held-out lift {self.lift:.2f}, stability {self.bootstrap_ari:.2f})"


def candidates(frame: pl.DataFrame) -> tuple[Candidate, ...]:
    """Return the candidates of a table with a row for each, by k; an index that is not defined is null there."""
    if not len(frame):
        return ()
    best = {name: frame[name].max() if name in HIGHER_IS_BETTER else frame[name].min() for name in INDICES}
    return tuple(
        Candidate(
            **{name: row[name] for name in frame.columns if name != "segmentation"},
            best=frozenset(name for name in INDICES if row[name] is not None and row[name] == best[name]),
        )
        for row in frame.iter_rows(named=True)
    )


def choice(
    tried: Sequence[Candidate], *, ward_k: int | None = None, is_anchored: bool = False
) -> tuple[str, ...]:
    """Say which k is published and why, and what the elbow, Ward's tree and each index would take and cost.

    Parameters
    ----------
    tried
        The candidates, by k.
    ward_k
        What Ward's tree suggests; None where none was grown.
    is_anchored
        Whether the published segments are declared groups.
    """
    if not tried:
        return ()
    by_k = {candidate.k: candidate for candidate in tried}
    published = next((candidate for candidate in tried if candidate.is_published), None)
    elbow = next((candidate for candidate in tried if candidate.is_elbow), None)
    range_tried = f"Every number of segments (k) from {tried[0].k} to {tried[-1].k} was tried."
    said = [
        range_tried
        if published is None
        else f"{published.k} segments are published{published.worth}. {range_tried}"
    ]
    if any(candidate.worth for candidate in tried):
        said.append(
            "Held-out lift says how much better what is popular in the segment foretells what users choose than what "
            "is popular with everybody; 1 is nothing. Stability says how far the same segments come back on other "
            "users (adjusted Rand index); 1 is exactly."
        )

    def taken(opening: str, candidate: Candidate | None, why: str = "") -> None:
        if candidate is not None:
            cost = f" ({candidate.beside(published)})" if published else ""
            said.append(f"{opening} would take k = {candidate.k}{cost}{why}.")

    taken(
        "The elbow",
        elbow,
        ": up to there each further segment makes the members of a segment much more alike (their inertia, the spread "
        "within segments, falls), beyond it hardly",
    )
    taken("Ward's tree", by_k.get(ward_k) if ward_k else None)
    for index, asked in _ASKED.items():
        best = next((candidate for candidate in tried if index in candidate.best), None)
        taken(asked, best, f": its index is {'highest' if index in HIGHER_IS_BETTER else 'lowest'}")
    if published is not None:
        said.append(_reason(published.k, tried, is_anchored=is_anchored))
    return tuple(said)


def _reason(published: int, tried: Sequence[Candidate], *, is_anchored: bool) -> str:
    if is_anchored:
        return f"Why {published}: so many groups are declared, and segments that people already speak of stay the same."
    if any(candidate.is_elbow and candidate.k == published for candidate in tried):
        return f"Why {published}: it is the elbow, and few enough segments to be known by name."
    fewer = all(candidate.k < published for candidate in tried if candidate.best)
    indices = "The indices favour few, crude groups; how" if fewer else "How"
    return (
        f"Why {published}: so the segmentation is declared. {indices} many can be told apart and acted on is a "
        "decision."
    )
