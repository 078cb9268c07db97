"""What the report says about one segmentation: its segments, genres, components and how far it can be believed.

Belongs here: putting the parts of one segmentation together. Does not belong here: one segment
(`ml.plots.segment_card`), the number of segments (`ml.plots.choice_words`), reading tables, the page.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from ml.plots.choice_words import Candidate, candidates, choice
from ml.plots.segment_card import Card, card
from ml.plots.words import feature_label, feature_labels
from report.pictures import Picture
from report.reading import Rows, SegmentationTables
from report.sections import judgement
from report.sections.judgement import Trust

_MOST_LOADINGS = 8
_CHOICE_PLOTS = ("elbow", "k_metrics")
_PROFILE_PLOTS = ("heatmap", "distribution")


@dataclass(frozen=True)
class SegmentationView:
    """One segmentation, ready to be shown.

    `unit` is what is divided, in the plural; `choice` says in words how k came about, `starts` what other starts would
    have given, `moved` shows who went where since the refresh before.
    """

    name: str
    title: str
    description: str
    unit: str
    members: int
    recovery: float | None
    trust: Trust
    cards: tuple[Card, ...]
    genres: tuple[tuple[str, Sequence[Mapping[str, Any] | None]], ...]
    has_means: bool
    candidates: tuple[Candidate, ...]
    choice: tuple[str, ...]
    starts: str
    free_segments: Rows
    separations: Rows
    claims: Rows
    components: Rows
    choice_plots: tuple[Picture, ...]
    map_plots: tuple[Picture, ...]
    moved: tuple[Picture, ...]
    profile_plots: tuple[Picture, ...]


def describe(
    name: str,
    tables: SegmentationTables,
    pictures: Sequence[Picture],
    *,
    description: str = "",
    called: Mapping[str, str] | None = None,
    recovery: float | None = None,
) -> SegmentationView:
    """Return everything the page says about one segmentation.

    Parameters
    ----------
    name
        As declared.
    tables
        Its rows; a table without any leaves its part of the page empty.
    pictures
        Its plots.
    description
        What it divides and by what, in a sentence.
    called
        Column to what it is called, where its name does not say it.
    recovery
        Adjusted Rand index against planted truth; None for real data.
    """
    called, unit = called or {}, _unit(tables.segments)
    tried = candidates(tables.k_metrics)
    starts = tables.starts or {"is_anchored": False, "ward_k": None}
    is_anchored, ward_k = starts["is_anchored"], starts["ward_k"]
    return SegmentationView(
        name=name,
        title=feature_label(name),
        description=description,
        unit=unit,
        members=int(tables.segments["members"].sum()),
        recovery=recovery,
        trust=judgement.trust(tables, unit),
        cards=tuple(card(row, tables.of_cards) for row in tables.segments.iter_rows(named=True)),
        genres=_genre_rows(tables),
        has_means=tables.has_means,
        candidates=tried,
        choice=choice(tried, ward_k=ward_k, is_anchored=is_anchored),
        starts=judgement.starts_in_words(tables.starts, unit),
        free_segments=tables.free.rows(named=True),
        separations=judgement.in_words(tables.of_cards["segment_separation"], called),
        claims=judgement.in_words(tables.of_cards["segment_claims"], called),
        components=_components(tables.of_cards["pca_loadings"], called),
        **_places(pictures),
    )


def _places(pictures: Sequence[Picture]) -> dict[str, tuple[Picture, ...]]:
    """Return the plots by where they stand on the page."""
    choice_plots = [picture for wanted in _CHOICE_PLOTS for picture in pictures if picture.name == wanted]
    map_plots = sorted(
        (picture for picture in pictures if picture.name.startswith("pca_map")),
        key=lambda picture: (len(picture.name), picture.name),  # k = 10 after k = 9
    )
    moved = [picture for picture in pictures if picture.name == "moves"]
    others = set(pictures) - {*map_plots, *choice_plots, *moved}
    return {
        "choice_plots": tuple(choice_plots),
        "map_plots": tuple(map_plots),
        "moved": tuple(moved),
        "profile_plots": tuple(sorted(others, key=_profile_order)),
    }


def _profile_order(picture: Picture) -> tuple[int, str]:
    known = picture.name in _PROFILE_PLOTS
    return (_PROFILE_PLOTS.index(picture.name) if known else len(_PROFILE_PLOTS), picture.name)


def _unit(segments: pl.DataFrame) -> str:
    """Return what is divided: `users` for the entity `user_id`."""
    entity = segments["entity"][0] if "entity" in segments.columns else None
    return f"{entity.removesuffix('_id').replace('_', ' ')}s" if entity else "members"


def _genre_rows(tables: SegmentationTables) -> tuple[tuple[str, list[dict[str, Any] | None]], ...]:
    """Return label and cells of each genre, in the order they come in; a cell per segment, None where there is none."""
    ids = tables.segments["segment_id"].to_list()
    genres = tables.of_cards["segment_genre_ratings"]
    found = []
    for rows in genres.partition_by("genre", maintain_order=True) if len(genres) else ():
        cells = {row["segment_id"]: row for row in rows.iter_rows(named=True)}
        found.append((rows["genre_label"][0], [cells.get(i) for i in ids]))
    return tuple(found)


def _components(loadings: pl.DataFrame, called: Mapping[str, str]) -> Rows:
    """Return each principal component with its largest loadings, by the features in words."""
    components = []
    for rows in loadings.partition_by("component", maintain_order=True) if len(loadings) else ():
        names = feature_labels(rows["feature"].to_list(), called)
        largest = tuple(zip(names, rows["loading"], strict=True))[:_MOST_LOADINGS]
        components.append({**rows.row(0, named=True), "loadings": largest})
    return components
