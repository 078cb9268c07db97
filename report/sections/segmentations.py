"""What the report says about one segmentation: its cards, genres, candidates and components.

Belongs here: choosing and summing up rows of the marts. Does not belong here: reading them, the page.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from ml.plots.palette import segment_colors
from ml.plots.words import feature_label, feature_labels, short_name
from report import judgement
from report.charts import IndexChart, index_chart
from report.context import (
    Candidate,
    Card,
    Component,
    Device,
    GenreCell,
    GenreRow,
    LeanTitle,
    Measure,
    Picture,
    RunFacts,
    SegmentationView,
)

_GENRE_PREFIXES = ("avg_", "cnt_")
_FEWEST_RATERS = 0.1
"""Share of members who must have rated a genre before a card speaks of it: below, a handful decides."""
_OVER, _UNDER = 105.0, 95.0
"""Indices from which a segment leans to or from something: five per cent over or under everybody."""
_MOST_MEASURES, _MOST_NAMED, _MOST_LOADINGS = 4, 3, 8
_MOST_OVER, _MOST_BARS, _MOST_TITLES, _MOST_DEVICES = 5, 8, 5, 4
_TITLE_LETTERS = 120
_INDICES = {
    "silhouette": ("the silhouette (do members sit clearly within their own segment?)", True),
    "calinski_harabasz": ("Calinski–Harabasz (are segments far apart for how wide they are?)", True),
    "davies_bouldin": ("Davies–Bouldin (how much does a segment overlap with its nearest?)", False),
}
"""Index to its name and meaning in a sentence and whether higher is better."""
_CHOICE_PLOTS = ("elbow", "k_metrics")
_PROFILE_PLOTS = ("sizes", "distribution", "heatmap")


def in_reading_order(segments: pl.DataFrame) -> list[str]:
    """Return the segmentations: those with a playbook first, they are the ones to act on; users before others."""
    ordered = segments.group_by("segmentation").agg(
        pl.col("audience").count().alias("advised"), (pl.col("entity") == "user_id").any().alias("of_users")
    )
    return ordered.sort(pl.col("advised") == 0, ~pl.col("of_users"), "segmentation")["segmentation"].to_list()


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
        measured="mean rating of each genre" if len(tables.genres) else "mean of each feature",
        members=int(tables.segments["members"].sum()),
        recovery=run.recovery.get(name),
        cards=tuple(_card(row, tables, labels, called) for row in tables.segments.iter_rows(named=True)),
        genres=_genre_rows(tables, labels),
        candidates=candidates,
        choice=_choice(candidates, is_anchored=_is_anchored(tables.starts)),
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
    titles: pl.DataFrame
    devices: pl.DataFrame

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
            rows("segment_titles"),
            rows("segment_devices"),
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
        chart=_genre_chart(tables.genres, segment_id, labels)
        if len(tables.genres)
        else _feature_chart(tables, segment_id, called),
        titles=_titles(tables.titles, segment_id),
        devices=_devices(tables.devices, segment_id),
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


def _genre_chart(genres: pl.DataFrame, segment_id: int, labels: dict[str, str]) -> IndexChart:
    """Return the genres a segment rates most over and under everybody, never rated counted as 0."""
    members = pl.col("members").sum().over("genre")
    base = (pl.col("published_mean_rating") * pl.col("members")).sum().over("genre") / members
    indexed = genres.with_columns(
        (100 * pl.col("published_mean_rating") / base).alias("index"),
        (pl.col("raters").sum().over("genre") / members).alias("base_share"),
    ).filter(pl.col("segment_id") == segment_id)
    rows = indexed.filter(
        # What a handful rates neither leads nor trails: of the members for a lead, of everybody for a lag.
        ((pl.col("index") >= _OVER) & (pl.col("rater_share") >= _FEWEST_RATERS))
        | ((pl.col("index") <= _UNDER) & (pl.col("base_share") >= _FEWEST_RATERS)),
    ).sort("index", "genre", descending=[True, False])
    named = [
        (labels.get(genre, feature_label(genre)), index)
        for genre, index in rows["genre", "index"].iter_rows()
    ]
    return index_chart(_both_ends(named))


def _feature_chart(tables: _Tables, segment_id: int, called: Mapping[str, str]) -> IndexChart:
    """Return the features whose mean is most over and under everybody's."""
    profiles = tables.profiles
    if not len(profiles):
        return index_chart([])
    left_out = _codes(profiles["feature"].unique().to_list())
    if len(tables.claims):  # a mean that one member makes is not what stands out
        own = pl.col("segment_id") == segment_id
        left_out |= set(tables.claims.filter(own, ~pl.col("is_supported"))["feature"])
    rows = profiles.filter(
        pl.col("segment_id") == segment_id,
        ~pl.col("feature").is_in(list(left_out)),
        # An index of 0 is a group that has no member here by the segment's own definition.
        (pl.col("index") >= _OVER) | ((pl.col("index") <= _UNDER) & (pl.col("index") > 0)),
    ).sort("index", "feature", descending=[True, False])
    names = feature_labels(rows["feature"].to_list(), called)
    return index_chart(_both_ends(list(zip(names, rows["index"], strict=True))))


def _both_ends(rows: Sequence[tuple[str, float]]) -> list[tuple[str, float]]:
    """Return the first rows, highest index first, and as many of the last as a chart has room for."""
    over = [row for row in rows if row[1] > 100][:_MOST_OVER]
    under = [row for row in rows if row[1] < 100]
    return over + under[max(0, len(under) - (_MOST_BARS - max(len(over), _MOST_BARS - _MOST_OVER))) :]


def _codes(features: Sequence[str]) -> set[str]:
    """Return columns that stand for a category by a number and are also there as one column per value.

    The mean of such a code says nothing: 1 is not half of 2.
    """
    return {name for name in features if any(other.startswith(f"{name}_") for other in features)}


def _titles(titles: pl.DataFrame, segment_id: int) -> tuple[LeanTitle, ...]:
    if not len(titles):
        return ()
    own = titles.filter(pl.col("segment_id") == segment_id).sort("rank").head(_MOST_TITLES)
    return tuple(
        LeanTitle(
            short_name(row["title"] or row["title_id"], _TITLE_LETTERS),
            row["rater_share"],
            row["base_share"],
            row["index"],
        )
        for row in own.iter_rows(named=True)
    )


def _devices(devices: pl.DataFrame, segment_id: int) -> tuple[Device, ...]:
    if not len(devices):
        return ()
    own = devices.filter(pl.col("segment_id") == segment_id).sort("share", "device", descending=[True, False])
    return tuple(
        Device(row["device"], row["share"], row["index"])
        for row in own.head(_MOST_DEVICES).iter_rows(named=True)
    )


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


def _is_anchored(starts: pl.DataFrame) -> bool:
    return bool(len(starts) and starts["is_anchored"][0])


def _choice(candidates: Sequence[Candidate], *, is_anchored: bool) -> tuple[str, ...]:
    """Say which k is published and why, where the elbow is and what each index alone would take."""
    if not candidates:
        return ()
    published = next((candidate.k for candidate in candidates if candidate.is_published), None)
    elbow = next((candidate.k for candidate in candidates if candidate.is_elbow), None)
    tried = f"Every number of segments (k) from {candidates[0].k} to {candidates[-1].k} was tried."
    said = [tried if published is None else f"{published} segments are published. {tried}"]
    if elbow is not None:
        said.append(
            f"The elbow is at k = {elbow}: up to there each further segment makes the members of a segment much more "
            "alike (their inertia, the spread within segments, falls), beyond it hardly."
        )
    for index, (name, higher) in _INDICES.items():
        best = next((candidate.k for candidate in candidates if index in candidate.best), None)
        if best is not None:
            said.append(
                f"By {name} alone k = {best} would be best: its index is {'highest' if higher else 'lowest'}."
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
