"""What stands on the first screen: who the audience is, what changed, what to do, whether it can be trusted.

Belongs here: choosing from what the sections say. Does not belong here: saying anything of its own, the page.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from ml.plots.changes import Changes
from report.sections.advice import Advice
from report.sections.segmentations import SegmentationView

_MOST_ADVICE = 3
_MOST_CHANGES, _MOST_FINDINGS = 2, 2


@dataclass(frozen=True)
class Summary:
    """The first screen.

    Attributes
    ----------
    lead : the foremost segmentation; None in a run that made none.
    others : all others, in their order.
    changed, trust : sentences.
    advice : what to do first, about the lead segmentation or the whole audience.
    """

    lead: SegmentationView | None
    others: tuple[SegmentationView, ...]
    changed: tuple[str, ...]
    advice: tuple[Advice, ...]
    trust: tuple[str, ...]


def summarise(
    segmentations: Sequence[SegmentationView], changes: Changes, advice: Sequence[Advice]
) -> Summary:
    """Return the first screen of what the sections say.

    Advice about segments that the first screen does not show comes only where there is too little other.
    """
    lead = segmentations[0] if segmentations else None
    shown = ("", lead.name) if lead else ("",)
    # Of two about the same genre the second tells little more.
    repeated = {
        one for i, one in enumerate(advice) if one.genre and one.genre in {a.genre for a in advice[:i]}
    }
    near = sorted(advice, key=lambda one: (one in repeated, one.segmentation not in shown))
    return Summary(
        lead=lead,
        others=tuple(segmentations[1:]),
        changed=_changed(lead, changes),
        advice=tuple(near[:_MOST_ADVICE]),
        trust=_trust(lead),
    )


def _changed(lead: SegmentationView | None, changes: Changes) -> tuple[str, ...]:
    moved = [f"{one.title}: {one.sentence}" for one in changes.segmentations]
    went = lead.trust.refreshed if lead and changes.figures and not moved else ()
    return (changes.sentence, *(moved or went)[:_MOST_CHANGES])


def _trust(lead: SegmentationView | None) -> tuple[str, ...]:
    if lead is None:
        return ()
    sure = sum(card.badge.level == "sure" for card in lead.cards)
    many = "All" if sure == len(lead.cards) else f"{sure or 'None'} of"
    said = f"{many} {len(lead.cards)} segments come back and foretell choices." if lead.trust.figures else ""
    return tuple(filter(None, (lead.trust.decision, said, *lead.trust.findings[:_MOST_FINDINGS])))
