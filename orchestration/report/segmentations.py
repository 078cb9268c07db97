"""What the report says about one segmentation: its cards, genres, candidates and components.

Belongs here: choosing and summing up rows of the marts. Does not belong here: reading them, the page.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from ml.plots.style import feature_label, feature_labels, segment_colors
from orchestration.report import judgement
from orchestration.report.context import (
    Candidate,
    Card,
    Component,
    GenreCell,
    GenreRow,
    Lean,
    Measure,
    Picture,
    RunFacts,
    SegmentationView,
)

_GENRE_PREFIXES = ("avg_", "cnt_")
_FEWEST_RATERS = 0.1
"""Share of members who must have rated a genre before a card speaks of it: below, a handful decides."""
_LEANING = 105.0
"""Index from which a segment leans to something: five per cent over everybody."""
_MOST_MEASURES, _MOST_NAMED, _MOST_LOADINGS = 4, 3, 8
_INDICES = {
    "silhouette": ("the silhouette", True),
    "calinski_harabasz": ("Calinski–Harabasz", True),
    "davies_bouldin": ("Davies–Bouldin", False),
}
"""Index to its name in a sentence and whether higher is better."""
_CHOICE_PLOTS = ("elbow", "k_metrics")
_PROFILE_PLOTS = ("sizes", "distribution", "heatmap")


def in_reading_order(segments: pl.DataFrame) -> list[str]:
    """Return the segmentations, those with a playbook first: they are the ones to act on."""
    ordered = segments.group_by("segmentation").agg(pl.col("audience").count().alias("advised"))
    return ordered.sort(pl.col("advised") == 0, "segmentation")["segmentation"].to_list()


def describe(
    name: str, marts: Mapping[str, pl.DataFrame], pictures: Sequence[Picture], run: RunFacts
) -> SegmentationView:
    """Return everything the page says about one segmentation.

    Parameters
    ----------
    name
        A segmentation of `marts["segments"]`.
    marts
        Published tables by name; one that is absent leaves its part of the page empty.
    pictures
        The segmentation's plots.
    run
        What only the run knows.
    """
    tables = _Tables.of(name, marts)
    labels = _genre_labels(marts.get("genre_counts"))
    called = run.labels.get(name, {})
    candidates = _candidates(tables.k_metrics)
    maps = tuple(
        sorted(
            (picture for picture in pictures if picture.name.startswith("pca_map")),
            key=lambda picture: (len(picture.name), picture.name),  # k = 10 after k = 9
        )
    )
    choice = tuple(picture for wanted in _CHOICE_PLOTS for picture in pictures if picture.name == wanted)
    unit = _unit(tables.segments)
    names_by_id = dict(tables.segments["segment_id", "segment_name"].iter_rows())
    return SegmentationView(
        name=name,
        title=feature_label(name),
        description=run.descriptions.get(name, ""),
        unit=unit,
        members=int(tables.segments["members"].sum()),
        recovery=run.recovery.get(name),
        cards=tuple(_card(row, tables, labels, called) for row in tables.segments.iter_rows(named=True)),
        genres=_genre_rows(tables, labels),
        candidates=candidates,
        choice=_choice(candidates),
        starts=judgement.starts_in_words(tables.starts, unit),
        free_segments=judgement.free_segments(tables.free, names_by_id),
        separations=judgement.separations(tables.separation, called),
        claims=judgement.claims(tables.claims, called),
        components=_components(tables.loadings, called),
        choice_plots=choice,
        map_plots=maps,
        profile_plots=tuple(sorted(set(pictures) - {*maps, *choice}, key=_profile_order)),
    )


@dataclass(frozen=True)
class _Tables:
    """The rows of one segmentation; an absent mart has no rows."""

    segments: pl.DataFrame
    profiles: pl.DataFrame
    genres: pl.DataFrame
    k_metrics: pl.DataFrame
    loadings: pl.DataFrame
    starts: pl.DataFrame
    free: pl.DataFrame
    separation: pl.DataFrame
    claims: pl.DataFrame

    @classmethod
    def of(cls, name: str, marts: Mapping[str, pl.DataFrame]) -> "_Tables":
        def rows(mart: str) -> pl.DataFrame:
            return marts[mart].filter(pl.col("segmentation") == name) if mart in marts else pl.DataFrame()

        return cls(
            rows("segments").sort("segment_id"),
            rows("segment_profiles"),
            rows("segment_genre_ratings"),
            rows("k_metrics"),
            rows("pca_loadings"),
            rows("start_agreement"),
            rows("free_segments"),
            rows("segment_separation"),
            rows("segment_claims"),
        )


def _unit(segments: pl.DataFrame) -> str:
    """Return what is divided: `users` for the entity `user_id`."""
    entity = segments["entity"][0] if "entity" in segments.columns else None
    return f"{entity.removesuffix('_id').replace('_', ' ')}s" if entity else "members"


def _profile_order(picture: Picture) -> tuple[int, str]:
    known = picture.name in _PROFILE_PLOTS
    return (_PROFILE_PLOTS.index(picture.name) if known else len(_PROFILE_PLOTS), picture.name)


def _genre_labels(genre_counts: pl.DataFrame | None) -> dict[str, str]:
    return {} if genre_counts is None else dict(genre_counts.select("genre", "genre_label").iter_rows())


def _card(segment: dict, tables: _Tables, labels: dict[str, str], called: Mapping[str, str]) -> Card:
    segment_id = segment["segment_id"]
    return Card(
        segment_id=segment_id,
        name=segment["segment_name"],
        color=segment_colors(segment_id + 1)[-1],
        members=segment["members"],
        share=segment["share"] or 0.0,
        measures=_measures(tables, segment_id, called),
        leans=_genre_leans(tables.genres, segment_id, labels)
        if len(tables.genres)
        else _feature_leans(tables, segment_id, called),
        favourites=_favourites(tables.genres, segment_id, labels),
        audience=segment["audience"],
        content_strategy=segment["content_strategy"],
        marketing_strategy=segment["marketing_strategy"],
    )


def _measures(tables: _Tables, segment_id: int, called: Mapping[str, str]) -> tuple[Measure, ...]:
    """Return the means of the judged features; without any, of those that are not about one genre."""
    profiles = tables.profiles
    if not len(profiles):
        return ()
    if len(tables.separation):
        shown = pl.col("feature").is_in(tables.separation["feature"].to_list())
    else:
        shown = ~pl.any_horizontal(pl.col("feature").str.starts_with(prefix) for prefix in _GENRE_PREFIXES)
    whole = profiles.filter(pl.col("segment_id") == segment_id, shown).head(_MOST_MEASURES)
    return tuple(
        Measure(feature_labels([row["feature"]], called)[0], row["segment_mean"], row["base_mean"])
        for row in whole.iter_rows(named=True)
    )


def _genre_leans(genres: pl.DataFrame, segment_id: int, labels: dict[str, str]) -> tuple[Lean, ...]:
    base = (pl.col("published_mean_rating") * pl.col("members")).sum() / pl.col("members").sum()
    leaning = (
        genres.with_columns((100 * pl.col("published_mean_rating") / base.over("genre")).alias("index"))
        .filter(
            pl.col("segment_id") == segment_id,
            pl.col("rater_share") >= _FEWEST_RATERS,
            pl.col("index") >= _LEANING,
        )
        .sort("index", "genre", descending=[True, False])
        .head(_MOST_NAMED)
    )
    return tuple(
        Lean(labels.get(row["genre"], feature_label(row["genre"])), row["index"])
        for row in leaning.iter_rows(named=True)
    )


def _feature_leans(tables: _Tables, segment_id: int, called: Mapping[str, str]) -> tuple[Lean, ...]:
    profiles = tables.profiles
    if not len(profiles):
        return ()
    doubtful = []
    if len(tables.claims):  # a mean that one member makes is not what stands out
        own = pl.col("segment_id") == segment_id
        doubtful = tables.claims.filter(own, ~pl.col("is_supported"))["feature"].to_list()
    leaning = (
        profiles.filter(
            pl.col("segment_id") == segment_id,
            pl.col("index") >= _LEANING,
            ~pl.col("feature").is_in(doubtful),
        )
        .sort("index", "feature", descending=[True, False])
        .head(_MOST_NAMED)
    )
    labels = feature_labels(leaning["feature"].to_list(), called)
    return tuple(Lean(label, index) for label, index in zip(labels, leaning["index"], strict=True))


def _favourites(
    genres: pl.DataFrame, segment_id: int, labels: dict[str, str]
) -> tuple[tuple[str, float], ...]:
    if not len(genres):
        return ()
    best = (
        genres.filter(pl.col("segment_id") == segment_id, pl.col("rater_share") >= _FEWEST_RATERS)
        .drop_nulls("rater_mean_rating")
        .sort("rater_mean_rating", "genre", descending=[True, False])
        .head(_MOST_NAMED)
    )
    return tuple(
        (labels.get(row["genre"], feature_label(row["genre"])), row["rater_mean_rating"])
        for row in best.iter_rows(named=True)
    )


def _genre_rows(tables: _Tables, labels: dict[str, str]) -> tuple[GenreRow, ...]:
    """Return a row per genre, the one rated by most members first."""
    if not len(tables.genres):
        return ()
    cells = {
        (row["genre"], row["segment_id"]): GenreCell(
            row["published_mean_rating"], row["rater_mean_rating"], row["rater_share"]
        )
        for row in tables.genres.iter_rows(named=True)
    }
    reach = tables.genres.group_by("genre").agg(pl.col("raters").sum())
    ordered = reach.sort("raters", "genre", descending=[True, False])["genre"]
    ids = tables.segments["segment_id"].to_list()
    return tuple(
        GenreRow(labels.get(genre, feature_label(genre)), tuple(cells.get((genre, i)) for i in ids))
        for genre in ordered
    )


def _candidates(k_metrics: pl.DataFrame) -> tuple[Candidate, ...]:
    if not len(k_metrics):
        return ()
    frame = k_metrics.sort("k").with_columns(pl.col(*_INDICES).fill_nan(None))
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


def _choice(candidates: Sequence[Candidate]) -> str:
    """Say which k is published, where the elbow is and what each index alone would take."""
    sentences = [f"Published: k = {candidate.k}." for candidate in candidates if candidate.is_published]
    sentences += [
        f"The elbow of the inertia curve is at k = {candidate.k}."
        for candidate in candidates
        if candidate.is_elbow
    ]
    preferred: dict[int, list[str]] = {}
    for index, (name, _) in _INDICES.items():
        best = next((candidate.k for candidate in candidates if index in candidate.best), None)
        if best is not None:
            preferred.setdefault(best, []).append(name)
    if preferred:
        takes = (f"{_listed(names)} alone would take k = {k}" for k, names in sorted(preferred.items()))
        text = "; ".join(takes)
        sentences.append(f"{text[0].upper()}{text[1:]}.")
    return " ".join(sentences)


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _components(loadings: pl.DataFrame, called: Mapping[str, str]) -> tuple[Component, ...]:
    if not len(loadings):
        return ()
    components = []
    for (number,), rows in loadings.sort("component").group_by("component", maintain_order=True):
        top = rows.sort(pl.col("loading").abs(), "feature", descending=[True, False]).head(_MOST_LOADINGS)
        labels = feature_labels(rows["feature"].to_list(), called)
        names = dict(zip(rows["feature"], labels, strict=True))
        components.append(
            Component(
                number=int(str(number)),
                explained_variance_ratio=rows["explained_variance_ratio"][0],
                loadings=tuple(
                    (names[feature], value) for feature, value in top["feature", "loading"].iter_rows()
                ),
            )
        )
    return tuple(components)
