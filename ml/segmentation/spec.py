"""What a segmentation is: the declaration that one YAML file holds.

Belongs here: the schema, its defaults and the rules that a declaration must keep.
Does not belong here: how anything is computed, and anything that knows what an entity means.
"""

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from ml.segmentation.errors import SegmentationError

Identifier = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
StepName = Literal["winsorize", "log1p", "standardize", "robust", "weigh_as_one"]
TableName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$")]


class _Declaration(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PrepareStep(_Declaration):
    """One step of preparation and the columns it applies to."""

    step: StepName
    """`winsorize`: values beyond a quantile become that quantile, so that one extreme value cannot stretch a
    column; `log1p`: log(1 + x), for counts and amounts; `standardize`: mean 0, standard deviation 1; `robust`:
    median 0, and the middle half of the rows as wide as of a normal distribution of standard deviation 1;
    `weigh_as_one`: the columns together get the variance of one standardized column, for the dummies of one
    category. They apply in this order."""
    columns: tuple[str, ...] = ("*",)
    """Column names or globs; all columns when omitted."""
    share: Annotated[float, Field(gt=0, lt=0.5)] | None = None
    """Of `winsorize`: the share of rows cut off at either end, e.g. 0.01."""

    @model_validator(mode="after")
    def _each_step_has_what_it_needs(self) -> Self:
        if self.step == "winsorize" and self.share is None:
            msg = "winsorize needs `share`, the share of rows cut off at either end, e.g. share: 0.01"
            raise ValueError(msg)
        if self.step != "winsorize" and self.share is not None:
            msg = f"`share` belongs to winsorize, not to {self.step}"
            raise ValueError(msg)
        if self.step == "weigh_as_one" and self.columns == ("*",):
            msg = "weigh_as_one needs `columns`: the dummies of one category, e.g. [genre_*]"
            raise ValueError(msg)
        return self


def _spelled_out(step: object) -> object:
    return {"step": step} if isinstance(step, str) else step


Step = Annotated[PrepareStep, BeforeValidator(_spelled_out, json_schema_input_type=PrepareStep | StepName)]
"""A step, or its name alone. The schema that editors and `dg check yaml` read says both."""


class EmbeddingSpec(_Declaration):
    """How what users chose becomes a few dimensions of taste, in columns `taste_1` to `taste_<dimensions>`."""

    method: Literal["svd", "nmf"] = "svd"
    """`svd`: directions of most variance; `nmf`: parts that only add up."""
    dimensions: Annotated[int, Field(ge=2, le=64)] = 8
    titles: Annotated[int, Field(ge=10)] = 5_000
    """How many of the most chosen titles count."""
    least: Annotated[int, Field(ge=1)] = 5
    """How many of them a user must have chosen; who has fewer has no segment."""


class Features(_Declaration):
    """Where the features stand and how they are prepared."""

    table: TableName
    """`schema.table` in the warehouse, one row per entity."""
    interactions: TableName | None = None
    """`schema.table` with `title_id` beside the entity: what is embedded."""
    embedding: EmbeddingSpec | None = None
    """Adds dimensions of taste to the columns of the table; entities without enough titles are left out."""
    columns: tuple[str, ...] = Field(min_length=1)
    """Names or globs of the columns to cluster on, e.g. `avg_*`; a glob passes over columns of text."""
    prepare: tuple[Step, ...] = (PrepareStep(step="standardize"),)
    """Applied in order; a step is written `standardize` or `{step: log1p, columns: [cnt_*]}`."""
    missing: Literal["error", "zero", "mean"] = "error"
    """What an empty value becomes."""
    constant: Literal["error", "drop"] = "drop"
    """What to do with a column that has one value only and so can separate nobody; a run says which it dropped."""

    @model_validator(mode="after")
    def _an_embedding_has_something_to_embed(self) -> Self:
        if (self.embedding is None) != (self.interactions is None):
            msg = (
                "features.interactions and features.embedding belong together: the table of who chose which title, "
                "and how it becomes dimensions of taste, e.g. embedding: {method: svd, dimensions: 8}"
            )
            raise ValueError(msg)
        return self


class Clustering(_Declaration):
    """Which numbers of segments are tried, which are shown and which one is published."""

    method: Literal["kmeans", "ward_then_kmeans"] = "kmeans"
    """`ward_then_kmeans`: Ward's tree suggests a k and gives each k one more start; K-Means assigns."""
    anchor: str | None = None
    """Text column of the feature table that declares a partition: the published segments start from its groups,
    whose values are `naming.names`. Without one they start where free starts lead."""
    candidates: tuple[Annotated[int, Field(ge=2)], ...] = tuple(range(2, 11))
    """Every k that is fitted and judged."""
    explore: tuple[int, ...] = ()
    """Candidates whose map is drawn."""
    publish: int | Literal["elbow", "ward", "trusted"] = "elbow"
    """The candidate whose segments are published; `elbow` takes the knee of the inertia curve, `ward` the k that
    Ward's tree suggests, `trusted` the fewest segments that foretell what users choose as well as any that come back
    when they are fitted anew."""
    restarts: Annotated[int, Field(ge=1, le=100)] = 10
    seed: Annotated[int, Field(ge=0)] = 0

    @model_validator(mode="after")
    def _choices_are_candidates(self) -> Self:
        if list(self.candidates) != sorted(set(self.candidates)) or not self.candidates:
            msg = "candidates must be increasing and without repeats, e.g. [2, 3, 4, 5]"
            raise ValueError(msg)
        for k in self.explore:
            if k not in self.candidates:
                msg = f"explore: {k} is not among the candidates {list(self.candidates)}"
                raise ValueError(msg)
        if self.publish == "ward" and self.method != "ward_then_kmeans":
            msg = "publish: `ward` needs method: ward_then_kmeans"
            raise ValueError(msg)
        if isinstance(self.publish, int) and self.publish not in self.candidates:
            msg = (
                f"publish: {self.publish} is not among the candidates {list(self.candidates)} "
                "(or use `elbow`, `ward` or `trusted`)"
            )
            raise ValueError(msg)
        return self


class NamingRule(_Declaration):
    """A name and the segment it belongs to, said over the segment's mean of one column."""

    name: str = Field(min_length=1)
    feature: str
    pick: Literal["highest", "lowest"] = "highest"
    """Which segment gets the name when several qualify."""
    at_least: float | None = None
    at_most: float | None = None
    optional: bool = False
    """Whether the name is left out where no segment is within the bounds, instead of refusing the segments."""

    @model_validator(mode="after")
    def _bounds_are_ordered(self) -> Self:
        if self.at_least is not None and self.at_most is not None and self.at_least > self.at_most:
            msg = f"at_least ({self.at_least}) is greater than at_most ({self.at_most})"
            raise ValueError(msg)
        return self


class Family(_Declaration):
    """Columns of one kind, of which a name says those that set a segment apart."""

    columns: tuple[str, ...] = Field(min_length=1)
    """Names or globs."""
    most: Annotated[int, Field(ge=1)] = 1
    """How many of them a name says at most."""


class Naming(_Declaration):
    """How segments get their ids and names: by what they are, never by a label number.

    Ids follow the rank of `rank_by` (smallest mean first). Names come from `names` in the same order, from `rules`, or
    from what sets a segment apart in each family of `describe`; where none applies it is `Segment <id + 1>`.
    With `clustering.anchor`, ids and names follow `names`, and `rank_by` is not needed.
    """

    rank_by: str | None = None
    names: tuple[str, ...] = ()
    rules: tuple[NamingRule, ...] = ()
    describe: tuple[Family, ...] = ()
    words: dict[str, str] = {}
    """What a described column is called in a name; `plots.labels`, then the column's own name, when omitted."""
    origin: str | None = None
    """Where names come from that are not made from the figures, e.g. `the published analysis`: said where one is not
    borne out."""

    @model_validator(mode="after")
    def _one_way_of_naming(self) -> Self:
        if sum(bool(way) for way in (self.names, self.rules, self.describe)) > 1:
            msg = "give one of `names` (by rank), `rules` and `describe`"
            raise ValueError(msg)
        names = self.names or tuple(rule.name for rule in self.rules)
        if len(set(names)) != len(names):
            msg = "segment names must differ from each other"
            raise ValueError(msg)
        return self


class LevelsSpec(_Declaration):
    """A second division of every segment by how much, which has no part in finding the segments."""

    by: str
    """A numeric column of the feature table that is not clustered on."""
    names: tuple[str, ...] = Field(("light", "heavy"), min_length=2)
    """Levels from the least to the most; everybody is divided into as many parts of the same size."""

    @model_validator(mode="after")
    def _levels_differ(self) -> Self:
        if len(set(self.names)) != len(self.names):
            msg = "names of levels must differ from each other"
            raise ValueError(msg)
        return self


class Judge(_Declaration):
    """What the segments are asked about, so that nobody reads into them what they do not say."""

    features: tuple[str, ...] = ()
    """Numeric columns: how much of each do the segments explain, and which segments differ from everybody?"""
    against: tuple[str, ...] = ()
    """Columns of categories; the one that explains most by itself is shown beside the segments."""
    volume: str | None = None
    """Column that says how much an entity does, so that it can be told apart from what it chooses; `levels.by` when
    omitted."""

    @model_validator(mode="after")
    def _against_needs_features(self) -> Self:
        if self.against and not self.features:
            msg = "judge.against needs judge.features: the columns that are to be explained"
            raise ValueError(msg)
        return self


MeasureName = Literal[
    "lift",
    "genre_gain_bits",
    "split_half_ari",
    "bootstrap_ari",
    "smallest_jaccard",
    "restart_ari",
    "prediction_strength",
    "generalizability",
    "over_one_segment",
    "smallest_share",
    "largest_share",
]
"""Figures that a threshold may bind; what each means stands in `ml.segmentation.quality`."""


class Quality(_Declaration):
    """What new segments must hold before they take the place of those in force."""

    interactions: TableName | None = None
    """`schema.table` with `title_id` beside the entity, for figures on what users did; `features.interactions` when
    omitted. Without either only figures of the features are measured."""
    thresholds: dict[MeasureName, float] = {}
    """Least value of each figure that passes; the most for `largest_share`."""
    exempt: str | None = None
    """Why these segments are published although a figure falls short; said beside the figures."""

    @property
    def bounds(self) -> dict[str, float]:
        """The thresholds, by measure."""
        return {str(measure): bound for measure, bound in self.thresholds.items()}


class Bounds(_Declaration):
    """Between which values the whole interval of a segment's mean must lie."""

    at_least: float | None = None
    at_most: float | None = None

    @model_validator(mode="after")
    def _there_is_one(self) -> Self:
        if self.at_least is None and self.at_most is None:
            msg = "give at_least, at_most or both"
            raise ValueError(msg)
        return self


Relation = Literal["above", "below", "highest", "lowest", "not_apart"]
"""`above` and `below`: the interval of the segment's mean leaves out everybody's; `highest` and `lowest`: that, and no
other segment's mean is beyond it; `not_apart`: the interval holds everybody's mean."""
When = dict[str, Relation | Bounds]
"""Column, or `members` or `share` of the segment itself, to what must hold of it; all must."""
OF_THE_SEGMENT = ("members", "share")
"""What a condition may speak of beside columns: how many are in the segment, and how many of all that is."""


class Saying(_Declaration):
    """A sentence, and what must hold of a segment for it to be said."""

    say: str = Field(min_length=1)
    when: When = {}


def _sayings(given: object) -> object:
    listed = given if isinstance(given, (list, tuple)) else [given]
    return [{"say": one} if isinstance(one, str) else one for one in listed]


Sayings = Annotated[
    tuple[Saying, ...],
    BeforeValidator(_sayings, json_schema_input_type=str | Saying | list[str | Saying]),
]
"""One or several sentences; a text alone is always said."""


class Play(_Declaration):
    """What is known of the bearer of a name and to be done with them, as far as the figures bear it out."""

    name_when: When = {}
    """What the name promises; where it does not hold, the name is marked as not borne out."""
    audience: Sayings = ()
    content_strategy: Sayings = ()
    marketing_strategy: Sayings = ()

    @property
    def conditions(self) -> tuple[When, ...]:
        """Every condition there is."""
        sayings = (*self.audience, *self.content_strategy, *self.marketing_strategy)
        return (self.name_when, *(saying.when for saying in sayings))


class Scatter(_Declaration):
    """Two numeric columns drawn against each other."""

    x: str
    y: str


class Plots(_Declaration):
    """Which columns the plots show; a plot whose field is left out is not drawn, where nothing else is said."""

    heatmap: tuple[str, ...] = ()
    """Columns or globs of the heat map; the clustering columns when omitted."""
    distribution: str | None = None
    """Column whose distribution is drawn per segment; `naming.rank_by` when omitted."""
    correlations: tuple[str, ...] = ()
    """Columns or globs whose correlations are drawn."""
    scatter: Scatter | None = None
    """Two columns whose values are drawn by segment."""
    families: tuple[tuple[str, ...], ...] = ()
    """Columns or globs made from one another, such as the dummies of one category: no news that they correlate."""
    summary: tuple[str, ...] = ()
    """Columns or globs of the summary table: their mean in each segment, with its size and share."""
    labels: dict[str, str] = {}
    """What a column is called on plots and in the report, where its name does not say it."""
    units: dict[str, str] = {}
    """What a column is counted in, where its name does not say it."""

    @property
    def scattered(self) -> tuple[str, ...]:
        """The columns that are drawn against each other."""
        return (self.scatter.x, self.scatter.y) if self.scatter else ()


class SegmentationSpec(_Declaration):
    """A whole segmentation: entity, features, clustering, names."""

    name: Identifier
    description: str = Field(min_length=1)
    entity: Identifier
    """The column that identifies one row of the feature table."""
    features: Features
    clustering: Clustering = Clustering()
    naming: Naming
    levels: LevelsSpec | None = None
    judge: Judge = Judge()
    quality: Quality = Quality()
    playbook: dict[str, Play] = {}
    """Name of a segment to what is said of who bears it."""
    plots: Plots = Plots()

    @property
    def interactions(self) -> str | None:
        """The table of what users did, where there is one to judge segments by."""
        return self.quality.interactions or self.features.interactions

    @property
    def volume(self) -> str | None:
        """The column that says how much an entity does; None where none is declared."""
        return self.judge.volume or (self.levels.by if self.levels else None)

    @property
    def distribution(self) -> str | None:
        """The column whose distribution is drawn per segment; None where none is declared."""
        return self.plots.distribution or self.naming.rank_by

    @model_validator(mode="after")
    def _ids_have_an_order(self) -> Self:
        if self.clustering.anchor is not None and not self.naming.names:
            msg = (
                "clustering.anchor needs naming.names: the values of the anchor, in the order of segment ids"
            )
            raise ValueError(msg)
        if self.clustering.anchor is None and self.naming.rank_by is None:
            msg = "naming.rank_by is missing: without clustering.anchor it gives segments their ids"
            raise ValueError(msg)
        return self

    @property
    def least_agreement(self) -> float:
        """The bootstrap adjusted Rand index from which a number of segments counts as stable."""
        return self.quality.thresholds.get("bootstrap_ari", 0.7)

    @property
    def trained_on(self) -> tuple[str, ...]:
        """The tables that training reads: features and, where they are embedded or k hangs on them, interactions."""
        is_asked = self.features.interactions or self.clustering.publish == "trusted"
        return (
            (self.features.table, self.interactions)
            if is_asked and self.interactions
            else (self.features.table,)
        )

    @model_validator(mode="after")
    def _trust_needs_interactions(self) -> Self:
        if self.clustering.publish == "trusted" and not self.interactions:
            msg = (
                "clustering.publish: `trusted` needs quality.interactions, the table of who chose which title: "
                "it is what a number of segments is judged by"
            )
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _a_playbook_speaks_of_names(self) -> Self:
        names = self.naming.names or tuple(rule.name for rule in self.naming.rules)
        if unknown := [name for name in self.playbook if names and name not in names]:
            msg = f"playbook: no segment is called {unknown[0]!r}; there are: {', '.join(names)}"
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _as_many_names_as_segments(self) -> Self:
        names, publish = self.naming.names, self.clustering.publish
        if names and isinstance(publish, str):
            msg = (
                f"naming.names needs clustering.publish as a number: with `{publish}` "
                "the count is not known before"
            )
            raise ValueError(msg)
        if names and publish != len(names):
            msg = f"naming.names: {len(names)} names for clustering.publish = {publish} segments"
            raise ValueError(msg)
        return self


def select_columns(patterns: Sequence[str], available: Sequence[str]) -> list[str]:
    """Return the available columns that the patterns name, in the order of `available`.

    Parameters
    ----------
    patterns
        Column names or globs (`avg_*`).
    available
        The columns there are.

    Raises
    ------
    SegmentationError
        When a pattern matches no column.
    """
    for pattern in patterns:
        if not any(fnmatchcase(column, pattern) for column in available):
            msg = f"no column matches {pattern!r}; there are: {', '.join(available)}"
            raise SegmentationError(msg)
    return [column for column in available if any(fnmatchcase(column, pattern) for pattern in patterns)]
