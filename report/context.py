"""What the report says, as plain values.

Belongs here: the shape of the report's content. Does not belong here: where the values come from
(`build`), how they look (`render`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from report.charts import IndexChart
from report.sections.advice import Advice
from report.sections.audience import Plan
from report.sections.catalogue import CatalogueView, PopularGenre
from report.sections.changes import Changes, FigureChange
from report.sections.recommender import RecommenderView

CATALOGUE_PLOTS = frozenset(
    ("genre_popularity", "genre_cloud", "genre_ratings", "genre_scores", "catalogue_trends", "similar_titles")
)
RECOMMENDER_PLOTS = frozenset(("recommenders",))
"""Pictures that stand in a section of their own subject."""


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
    labels : segmentation to column to what it is called, where its name does not say it.
    """

    run_id: str
    source: str
    finished_at: datetime
    recovery: Mapping[str, float] = field(default_factory=dict)
    descriptions: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Picture:
    """A plot inside the page: a `data:` address, its size in pixels and what it shows in words.

    One that `is_wide` needs the width of two others to be read.
    """

    name: str
    source: str
    width: int
    height: int
    alt: str
    is_wide: bool = False


@dataclass(frozen=True)
class Measure:
    """A mean of a segment beside the mean of everybody."""

    label: str
    segment_mean: float
    base_mean: float


@dataclass(frozen=True)
class LeanTitle:
    """A title that members rated more often than everybody; index 100 = as often."""

    title: str
    rater_share: float
    base_share: float
    index: float


@dataclass(frozen=True)
class Device:
    """Share of a segment's viewing on one device; index 100 = as everybody."""

    name: str
    share: float
    index: float | None


@dataclass(frozen=True)
class Card:
    """One segment.

    Attributes
    ----------
    measures : features that describe the whole entity, such as titles per user.
    chart : indices of what it has most over and under everybody.
    titles : what its members rated more than everybody, strongest first.
    devices : what it watches on, most first.
    favourites : label and honest mean rating, highest first.
    audience, content_strategy, marketing_strategy : the playbook; None without one.
    """

    segment_id: int
    name: str
    color: str
    members: int
    share: float
    measures: tuple[Measure, ...]
    chart: IndexChart
    titles: tuple[LeanTitle, ...]
    devices: tuple[Device, ...]
    favourites: tuple[tuple[str, float], ...]
    audience: str | None
    content_strategy: str | None
    marketing_strategy: str | None


@dataclass(frozen=True)
class GenreCell:
    """How one segment rates one genre: 0 for never rated averaged in, raters only, and share of raters."""

    published: float
    honest: float | None
    rater_share: float


@dataclass(frozen=True)
class GenreRow:
    """One genre; a cell per segment in the order of the cards, None where the mart has no such row."""

    label: str
    cells: tuple[GenreCell | None, ...]


@dataclass(frozen=True)
class Candidate:
    """One candidate k and its indices; `best` names the columns in which it is the best of all."""

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


@dataclass(frozen=True)
class Component:
    """One principal component and its largest loadings."""

    number: int
    explained_variance_ratio: float
    loadings: tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Separation:
    """Share of a feature's variance that the segments explain, beside the best single column.

    `explained` is None for a feature that has one value only.
    """

    label: str
    explained: float | None
    kruskal_p: float | None
    best_column: str | None
    best_explained: float | None
    best_kruskal_p: float | None


@dataclass(frozen=True)
class Claim:
    """A statement about one segment and feature: a sentence, or why there is none."""

    segment: str
    label: str
    text: str
    is_supported: bool


@dataclass(frozen=True)
class FreeSegment:
    """A group of the best free fit, and the published segment it shares most members with."""

    members: int
    nearest: str
    shared: int


@dataclass(frozen=True)
class SegmentationView:
    """One segmentation, ready to be shown.

    `unit` is what is divided, in the plural; `measured` is what the index charts compare; `choice` says in words how
    k came about, `starts` what other starts would have given.
    """

    name: str
    title: str
    description: str
    unit: str
    measured: str
    members: int
    recovery: float | None
    cards: tuple[Card, ...]
    genres: tuple[GenreRow, ...]
    candidates: tuple[Candidate, ...]
    choice: tuple[str, ...]
    starts: str
    free_segments: tuple[FreeSegment, ...]
    separations: tuple[Separation, ...]
    claims: tuple[Claim, ...]
    components: tuple[Component, ...]
    choice_plots: tuple[Picture, ...]
    map_plots: tuple[Picture, ...]
    profile_plots: tuple[Picture, ...]


@dataclass(frozen=True)
class FunnelStep:
    """Rows left after a step, and as a share of the first step for the same entity."""

    step: str
    row_count: int
    share: float


@dataclass(frozen=True)
class Funnel:
    """The steps of one entity."""

    entity: str
    steps: tuple[FunnelStep, ...]


@dataclass(frozen=True)
class LandedFile:
    """One raw file and what became of its rows."""

    table_name: str
    source: str
    size_bytes: int
    rows_read: int
    rows_landed: int
    rows_rejected: int
    sha256: str


@dataclass(frozen=True)
class RejectReason:
    """Rejected lines that share table and reason."""

    table_name: str
    reason: str
    line_count: int
    is_known_quirk: bool


@dataclass(frozen=True)
class Reject:
    """One rejected line; the raw text is cut to a readable length."""

    source: str
    line: int | None
    reason: str
    raw_text: str


@dataclass(frozen=True)
class ReportContext:
    """Everything on the page.

    Attributes
    ----------
    headlines : label and count, in reading order.
    changes : what is different from the last run.
    audience_plots : pictures of audience and catalogue, in reading order.
    absent : what is missing from the published set or the plots, in words.
    """

    run: RunFacts
    headlines: tuple[tuple[str, int], ...]
    changes: Changes
    advice: tuple[Advice, ...]
    advice_left_out: int
    segmentations: tuple[SegmentationView, ...]
    audience_plots: tuple[Picture, ...]
    plans: tuple[Plan, ...]
    catalogues: tuple[CatalogueView, ...]
    genres: tuple[PopularGenre, ...]
    recommender: RecommenderView
    funnels: tuple[Funnel, ...]
    files: tuple[LandedFile, ...]
    reject_reasons: tuple[RejectReason, ...]
    rejects: tuple[Reject, ...]
    reject_count: int
    absent: tuple[str, ...]

    def change_of(self, label: str) -> FigureChange | None:
        """Return how a headline moved since the last run; None where nothing is compared."""
        return next((change for change in self.changes.figures if change.label == label), None)

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
            sum(getattr(file, rows) for file in self.files)
            for rows in ("rows_read", "rows_landed", "rows_rejected")
        )
        if not self.files:
            return "Nothing tells how many rows were read."
        kept = f"{rejected:,} rejected and kept with {'its' if rejected == 1 else 'their'} reason"
        count = len(self.files)
        return (
            f"{read:,} rows read from {count} file{'' if count == 1 else 's'}: {landed:,} landed, "
            f"{kept if rejected else 'none rejected'}."
        )
