"""What the report says, as plain values.

Belongs here: putting the parts together. Does not belong here: any part, which stands with the section that makes it;
where the values come from (`build`), how they look (`render`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from ml.plots.changes import Changes
from published.questions.audience import Interest
from report.pictures import Picture
from report.reading import Rows
from report.sections.advice import Advice
from report.sections.catalogue import CatalogueView
from report.sections.departure import DepartureView
from report.sections.quality import Checks
from report.sections.recommender import RecommenderView
from report.sections.segmentations import SegmentationView
from report.sections.summary import Summary

CATALOGUE_PLOTS = frozenset(
    ("genre_popularity", "genre_cloud", "genre_ratings", "genre_scores", "catalogue_trends", "similar_titles")
)
RECOMMENDER_PLOTS = frozenset(("recommenders",))
"""Pictures that stand in a section of their own subject."""
PERSONAL_PLOTS = frozenset(("user_devices", "user_genres"))
"""Pictures whose rows are people by their ids: not on a page that is mailed."""


@dataclass(frozen=True)
class RunFacts:
    """What only the run knows.

    Attributes
    ----------
    run_id : of the Dagster run.
    source : where the raw files came from, in words.
    finished_at : UTC.
    recovery : segmentation to adjusted Rand index against planted truth; empty for real data.
    descriptions : segmentation to what it divides and by what, in a sentence; may be empty.
    left_out : what segmentations leave out and why, in sentences.
    """

    run_id: str
    source: str
    finished_at: datetime
    recovery: Mapping[str, float] = field(default_factory=dict)
    descriptions: Mapping[str, str] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True)
class Section:
    """A part of the page that unfolds: its anchor, heading, what it says in a line, and the template it is made by.

    `view` is the segmentation it is about, where it is about one.
    """

    id: str
    title: str
    gist: str
    template: str
    view: SegmentationView | None = None


@dataclass(frozen=True)
class ReportContext:
    """Everything on the page.

    Attributes
    ----------
    summary : the first screen.
    interest : what the figures of genres, titles and recommendations count, in words.
    headlines : label and count, in reading order.
    changes : what is different from the last run.
    audience_plots : pictures of audience and catalogue, in reading order.
    absent : what is missing from the published set or the plots, in words.
    left_out : genres without columns, skipped segmentations, features that are the same for all; in sentences.
    """

    run: RunFacts
    interest: Interest
    summary: Summary
    headlines: tuple[tuple[str, int], ...]
    changes: Changes
    advice: tuple[Advice, ...]
    advice_left_out: int
    segmentations: tuple[SegmentationView, ...]
    audience_plots: tuple[Picture, ...]
    plans: Rows
    catalogues: tuple[CatalogueView, ...]
    genres: Rows
    departure: DepartureView
    recommender: RecommenderView
    funnels: tuple[tuple[str, Rows], ...]
    files: Rows
    unlisted: Rows
    reject_reasons: Rows
    reject_count: int
    checks: Checks | None
    absent: tuple[str, ...]
    left_out: tuple[str, ...] = ()

    @property
    def sections(self) -> tuple[Section, ...]:
        """What unfolds below the first screen, in reading order; what has nothing to show is no section."""
        advised = len(self.advice)
        offered = [
            (advised, Section("advice", "What to do", _counted(advised, "recommendation"), "advice")),
            (
                self.changes.figures or self.changes.segmentations,
                Section("changes", "What changed since the last run", self.changes.sentence, "changes"),
            ),
            *((view.cards, _of_segmentation(view)) for view in self.segmentations),
            (
                self.departure.finding,
                Section("departure", "Who is about to leave", self.departure.finding, "departure"),
            ),
            (self.viewing_plots or self.plans, self._pictured("audience", "Audience", self.viewing_plots)),
            (
                self.catalogues or self.genres or self.catalogue_plots,
                self._pictured("catalogue", "Catalogue and genres", self.catalogue_plots),
            ),
            (
                self.recommender_plots or not self.recommender.is_empty,
                Section(
                    "recommender", "Recommender", self.recommender.finding.partition(": ")[0], "recommender"
                ),
            ),
            (
                self.files or self.funnels or self.checks,
                Section("data", "Data quality", self.quality_sentence, "quality"),
            ),
            (
                self.segmentations or self.left_out,
                Section("method", "Method and limits", "What was done and what to keep in mind", "method"),
            ),
        ]
        return tuple(section for has, section in offered if has)

    @staticmethod
    def _pictured(name: str, title: str, pictures: tuple[Picture, ...]) -> Section:
        # The first sentence of a picture is its finding.
        return Section(name, title, pictures[0].alt.partition(". ")[0] if pictures else "", name)

    @property
    def catalogue_plots(self) -> tuple[Picture, ...]:
        """Those pictures that show genres and titles."""
        return tuple(picture for picture in self.audience_plots if picture.name in CATALOGUE_PLOTS)

    @property
    def recommender_plots(self) -> tuple[Picture, ...]:
        """Those pictures that show recommenders."""
        return tuple(picture for picture in self.audience_plots if picture.name in RECOMMENDER_PLOTS)

    @property
    def viewing_plots(self) -> tuple[Picture, ...]:
        """All other pictures: what people watch, when and on what."""
        elsewhere = CATALOGUE_PLOTS | RECOMMENDER_PLOTS
        return tuple(picture for picture in self.audience_plots if picture.name not in elsewhere)

    @property
    def quality_sentence(self) -> str:
        """How many rows were read and landed, and what became of the rest."""
        read, landed, rejected = (
            sum(file[rows] for file in self.files) for rows in ("rows_read", "rows_landed", "rows_rejected")
        )
        if not self.files:
            return "Nothing tells how many rows were read."
        kept = f"{rejected:,} rejected and kept with {'its' if rejected == 1 else 'their'} reason"
        count = len(self.files)
        return (
            f"{read:,} rows read from {count} file{'' if count == 1 else 's'}: {landed:,} landed, "
            f"{kept if rejected else 'none rejected'}."
        )


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _of_segmentation(view: SegmentationView) -> Section:
    largest = max(view.cards, key=lambda card: card.members, default=None)
    most = f"; the largest is {largest.name}, {largest.share:.0%}" if largest else ""
    gist = f"{_counted(len(view.cards), 'segment')} of {view.members:,} {view.unit}{most}"
    return Section(view.name, view.title, gist, "segments", view)
