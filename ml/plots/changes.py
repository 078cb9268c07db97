"""What changed since an earlier run: two published sets beside each other, once for report and dashboard.

Belongs here: the figures at a glance, which of them are compared, when two sets may be, what the comparison says. Does
not belong here: finding and reading the sets, the page.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import polars as pl

from ml.plots.palette import color_of
from ml.plots.words import feature_label

_HEADLINE_STEPS = {
    "distinct titles": "titles",
    "ratings joined to a title": "ratings of these titles",
    "streaming titles": "streaming titles",
    "users with features": "users",
    "customers with features": "customers",
    "watch events joined to a title": "watch events of titles",
}
REJECTED = "lines rejected"
DEMO = "the demo world"
"""How the description of every invented source begins."""
_MOST_SEGMENTS = 12
"""Segments listed of one segmentation: the ones that moved most."""


@dataclass(frozen=True)
class ComparedSet:
    """What a comparison reads of one published set.

    Attributes
    ----------
    source : where its raw files came from, in words; None where the set does not say.
    published_at : UTC; None where the set does not say.
    marts : tables by name; an absent one is not compared.
    """

    source: str | None
    published_at: datetime | None
    marts: Mapping[str, pl.DataFrame] = field(default_factory=dict)


@dataclass(frozen=True)
class FigureChange:
    """A figure of the last run beside this one's; None where a run has no such figure."""

    label: str
    before: float | None
    after: float | None
    digits: int = 0

    @property
    def difference(self) -> float | None:
        """After less before, rounded as both are shown; None where one is missing."""
        if self.before is None or self.after is None:
            return None
        return round(self.after - self.before, self.digits)


@dataclass(frozen=True)
class SegmentChange:
    """Size of one segment then and now; None for a segment that is new or gone."""

    name: str
    color: str
    members_before: int | None
    members_after: int | None
    share_before: float | None
    share_after: float | None

    @property
    def points(self) -> float:
        """Percentage points of share won or lost; a segment that is new or gone moves by its whole share."""
        return 100 * ((self.share_after or 0.0) - (self.share_before or 0.0))


@dataclass(frozen=True)
class SegmentationChange:
    """What moved within one segmentation; `sentence` says the most important of it."""

    title: str
    sentence: str
    segments: tuple[SegmentChange, ...]


@dataclass(frozen=True)
class Changes:
    """What the page says about the last run.

    Attributes
    ----------
    sentence : what is compared, or why nothing is.
    figures : every figure that both runs have or only one of them; empty when nothing is compared.
    segmentations : those in which anything moved.
    """

    sentence: str
    figures: tuple[FigureChange, ...] = ()
    segmentations: tuple[SegmentationChange, ...] = ()


def headlines(data_funnel: pl.DataFrame | None, manifest: pl.DataFrame | None) -> tuple[tuple[str, int], ...]:
    """Return label and count of the figures at a glance; None for a mart that is absent."""
    found = []
    if data_funnel is not None:
        counts = dict(data_funnel.select("step", "row_count").iter_rows())
        found = [(label, counts[step]) for step, label in _HEADLINE_STEPS.items() if step in counts]
    if manifest is not None:
        found.append((REJECTED, int(manifest["rows_rejected"].sum())))
    return tuple(found)


def compare(before: ComparedSet | None, after: ComparedSet, *, called: str = "the last run") -> Changes:
    """Compare the set published now with an earlier one.

    Two sets are compared when they come from the same source, or when files of the same names came from another
    folder. A demo world and real files share names, so either of them beside the other is never compared.

    Parameters
    ----------
    before
        None when no set was published before.
    after
        The set that is shown.
    called
        What the run of the earlier one is called.
    """
    if before is None:
        return Changes("This is the first run here: there is nothing to compare it with yet.")
    when = f" of {before.published_at:%d %B %Y at %H:%M} UTC" if before.published_at else ""
    opening = f"{called[:1].upper()}{called[1:]}{when}"
    if before.source is None:
        return Changes(f"{opening} did not record where its data came from, so nothing is compared.")
    if not _comparable(before, after):
        return Changes(
            f"{opening} read other data ({before.source}; this one: {after.source or 'unknown'}). "
            "A comparison would say more about the data than about the audience, so nothing is compared."
        )
    figures, segmentations = _figures(before, after), _segmentations(before, after)
    moved = segmentations or any(figure.difference != 0 for figure in figures)
    origin = before.source if before.source == after.source else f"{before.source}, then; {after.source}, now"
    sentence = f"Compared with {called}{when} ({origin})."
    return Changes(
        sentence if moved else f"{sentence} Nothing changed: every figure is the same.",
        figures if moved else (),
        segmentations,
    )


def _comparable(before: ComparedSet, after: ComparedSet) -> bool:
    if before.source == after.source:
        return True
    if any((one.source or DEMO).startswith(DEMO) for one in (before, after)):
        return False
    names = [_file_names(one.marts.get("landing_manifest")) for one in (before, after)]
    return bool(names[0]) and names[0] == names[1]


def _file_names(manifest: pl.DataFrame | None) -> set[tuple[str, str]]:
    return set() if manifest is None else set(manifest.select("table_name", "source").iter_rows())


def _figures(before: ComparedSet, after: ComparedSet) -> tuple[FigureChange, ...]:
    counts = (
        dict(headlines(one.marts.get("data_funnel"), one.marts.get("landing_manifest")))
        for one in (before, after)
    )
    judged = (_recommender_figure(one.marts) for one in (before, after))
    return (*_beside(*counts, digits=0), *_beside(*judged, digits=3))


def _beside(then: Mapping[str, float], now: Mapping[str, float], *, digits: int) -> tuple[FigureChange, ...]:
    labels = dict.fromkeys([*now, *then])
    return tuple(FigureChange(label, then.get(label), now.get(label), digits) for label in labels)


def _recommender_figure(marts: Mapping[str, pl.DataFrame]) -> dict[str, float]:
    """Return nDCG of the model that recommendations come from, by the metric's name."""
    metrics = marts.get("recommender_metrics")
    if metrics is None:
        return {}
    chosen = metrics.filter(pl.col("is_default"), pl.col("metric").str.starts_with("ndcg"))
    value = next(iter(chosen["value"].drop_nulls()), None)
    return {} if value is None else {"recommender's nDCG": value}


def _segmentations(before: ComparedSet, after: ComparedSet) -> tuple[SegmentationChange, ...]:
    then, now = (one.marts.get("segments") for one in (before, after))
    if then is None or now is None:
        return ()
    names = dict.fromkeys([*now["segmentation"].to_list(), *then["segmentation"].to_list()])
    found = (_segmentation(name, then, now) for name in names)
    return tuple(change for change in found if change is not None)


def _segmentation(name: str, then: pl.DataFrame, now: pl.DataFrame) -> SegmentationChange | None:
    old, new = (_sizes(frame, name) for frame in (then, now))
    title = feature_label(name)
    if not old:
        return SegmentationChange(title, f"New: {len(new)} segments that were not there before.", ())
    if not new:
        return SegmentationChange(
            title, "Not in this run: its segments were there before, and are no longer.", ()
        )
    changes = [
        SegmentChange(
            name=segment,
            color=(new.get(segment) or old[segment])[0],
            members_before=old[segment][1] if segment in old else None,
            members_after=new[segment][1] if segment in new else None,
            share_before=old[segment][2] if segment in old else None,
            share_after=new[segment][2] if segment in new else None,
        )
        for segment in dict.fromkeys([*new, *old])
    ]
    moved = [change for change in changes if change.members_before != change.members_after]
    if not moved:
        return None
    moved.sort(key=lambda change: (-abs(change.points), change.name))
    return SegmentationChange(title, _sentence(len(old), len(new), moved), tuple(moved[:_MOST_SEGMENTS]))


def _sizes(segments: pl.DataFrame, name: str) -> dict[str, tuple[str, int, float]]:
    rows = segments.filter(pl.col("segmentation") == name).sort("segment_id")
    return {
        row["segment_name"]: (color_of(row["segment_id"]), row["members"], row["share"] or 0.0)
        for row in rows.iter_rows(named=True)
    }


def _sentence(k_before: int, k_after: int, moved: Sequence[SegmentChange]) -> str:
    said = [f"{k_after} segments instead of {k_before}."] if k_before != k_after else []
    new = [change.name for change in moved if change.members_before is None]
    gone = [change.name for change in moved if change.members_after is None]
    said += [f"New: {', '.join(new)}."] if new else []
    said += [f"Gone: {', '.join(gone)}."] if gone else []
    kept = [change for change in moved if None not in (change.members_before, change.members_after)]
    if kept:
        most = kept[0]
        then, now = f"{most.share_before:.1%}", f"{most.share_after:.1%}"
        said.append(
            f"{most.name} moved most: {then} of all members then, {now} now."
            if then != now
            else "No segment's share of all members moved by a tenth of a percent."
        )
    return " ".join(said)
