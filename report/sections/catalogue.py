"""What the report says about catalogue and genres: what there is, how it is received, what is watched.

Belongs here: choosing and summing up rows of the marts. Does not belong here: scores themselves (SQL), the page,
plots of many points.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from report.charts import ColumnChart, column_chart
from report.reading import Rows

TABLES = ("titles", "catalogue_genres", "catalogue_trends", "catalogue_runtimes", "weighted_score_constants")
"""What a catalogue is described by."""
NAMES = {"movies": "Movies", "streaming": "Streaming catalogue"}
_MOST_TITLES, _MOST_GENRES, _MOST_POPULAR, _MOST_DECADES = 10, 12, 20, 11
_UNKNOWN = "Unknown"
_FEWEST_TITLES = 10
"""Scored titles of a decade, genre or length from which its mean score is shown: below, one title decides."""


@dataclass(frozen=True)
class CatalogueView:
    """One catalogue.

    Attributes
    ----------
    vote_minimum, mean_score : m and C of the weighted score; None where the table of constants is absent.
    genres, decades, runtimes : label, titles, mean weighted score and `bar`, which is titles over the most.
    """

    name: str
    titles: int
    vote_minimum: float | None
    mean_score: float | None
    best: Rows
    genres: Rows
    genre_finding: str
    decades: Rows
    decade_chart: ColumnChart | None
    runtimes: Rows


def catalogues(marts: Mapping[str, pl.DataFrame]) -> tuple[CatalogueView, ...]:
    """Return what the page says about each catalogue, the largest first; an absent mart leaves its part empty."""
    found = {mart: marts[mart] for mart in TABLES if mart in marts and len(marts[mart])}
    names = dict.fromkeys(name for frame in found.values() for name in frame["catalogue"].unique().sort())
    views = (
        _catalogue(name, {mart: frame.filter(pl.col("catalogue") == name) for mart, frame in found.items()})
        for name in names
    )
    return tuple(sorted(views, key=lambda view: (-view.titles, view.name)))


def popular_genres(popularity: pl.DataFrame | None) -> Rows:
    """Return the genres with most ratings, most first; without ratings those with most minutes.

    `minutes` is None where nothing tells what is watched.
    """
    if popularity is None:
        return ()
    filled = popularity.with_columns(pl.col("ratings", "raters", "viewers", "minutes").fill_null(0)).filter(
        (pl.col("ratings") > 0) | (pl.col("minutes") > 0)
    )
    if not len(filled):
        return ()
    by = "ratings" if filled["ratings"].sum() else "minutes"
    ordered = filled.sort(by, "genre_label", descending=[True, False]).head(_MOST_POPULAR)
    minutes = pl.col("minutes") if filled["minutes"].sum() else pl.lit(None)
    return ordered.with_columns(minutes.alias("minutes"), bar=pl.col(by) / ordered[by].max()).rows(named=True)


def _catalogue(name: str, rows: Mapping[str, pl.DataFrame]) -> CatalogueView:
    constants = rows.get("weighted_score_constants", pl.DataFrame())
    known = constants.row(0, named=True) if len(constants) else {}
    titles = rows.get("titles", pl.DataFrame())
    genres = _groups(rows.get("catalogue_genres"), "genre_label")[:_MOST_GENRES]
    decades = _decades(rows.get("catalogue_trends"))
    undated = titles["release_year"].null_count() if "release_year" in titles.columns else 0
    if decades and undated and decades[-1]["label"] != _UNKNOWN:  # the trends may leave them out
        most = max(undated, *(group["titles"] for group in decades))
        decades = (
            *({**group, "bar": group["titles"] / most} for group in decades),
            {"label": _UNKNOWN, "titles": undated, "score": None, "bar": undated / most},
        )
    has_series = "kind" in titles.columns and "series" in titles["kind"]
    dated = [(group["label"], group["titles"]) for group in decades if group["label"] != _UNKNOWN]
    return CatalogueView(
        name="Movies and series" if name == "movies" and has_series else NAMES.get(name, name),
        titles=len(titles) or known.get("titles") or 0,
        vote_minimum=known.get("vote_minimum"),
        mean_score=known.get("mean_score"),
        best=_best(titles),
        genres=genres,
        genre_finding=_genre_finding(genres),
        decades=decades,
        decade_chart=column_chart(dated, _dated_titles(rows["catalogue_trends"])) if dated else None,
        runtimes=_groups(rows.get("catalogue_runtimes"), "runtime"),
    )


def _best(titles: pl.DataFrame) -> Rows:
    if not len(titles):
        return ()
    scored = titles.drop_nulls("weighted_score")
    best = scored.sort("weighted_score", "title_id", descending=[True, False]).head(_MOST_TITLES)
    return best.rows(named=True)


def _groups(frame: pl.DataFrame | None, label: str) -> Rows:
    """Return the rows of a mart that has a row per label, most titles first."""
    if frame is None or not len(frame):
        return ()
    ordered = frame.drop_nulls(label).sort("titles", label, descending=[True, False])
    if ordered[label].to_list() in ([], [_UNKNOWN]):
        return ()
    return _barred(
        ordered.select(pl.col(label).alias("label"), "titles", "scored_titles", score="weighted_score")
    )


def _barred(groups: pl.DataFrame) -> Rows:
    """Return groups of titles with their bars, and with their scores where enough titles have one."""
    is_known = pl.col("scored_titles") >= _FEWEST_TITLES
    bar = pl.col("titles") / (groups["titles"].max() or 1)
    return groups.with_columns(score=pl.when(is_known).then("score"), bar=bar).rows(named=True)


def _dated_titles(trends: pl.DataFrame) -> int:
    """Return how many titles have a known year, those before the decades shown included."""
    return int(trends.drop_nulls("release_year")["titles"].sum())


def _decades(trends: pl.DataFrame | None) -> Rows:
    """Return the last decades, oldest first, then titles of no known year; means are weighted by scored titles."""
    if trends is None or not len(trends):
        return ()
    summed = (
        trends.group_by((pl.col("release_year") // 10 * 10).alias("decade"))
        .agg(
            pl.col("titles").sum(),
            pl.col("scored_titles").sum(),
            (pl.col("weighted_score") * pl.col("scored_titles")).sum().alias("points"),
        )
        .sort("decade", nulls_last=True)
    )
    dated = summed.drop_nulls("decade").tail(_MOST_DECADES)
    summed = pl.concat([dated, summed.filter(pl.col("decade").is_null())])
    return _barred(
        summed.select(
            pl.format("{}s", "decade").fill_null(_UNKNOWN).alias("label"),
            *("titles", "scored_titles"),
            score=pl.col("points") / pl.col("scored_titles"),
        )
    )


def _genre_finding(genres: Rows) -> str:
    judged = [(genre["score"], genre["label"]) for genre in genres if genre["score"] is not None]
    if len(judged) < 2:
        return ""
    (low, worst), (high, best) = min(judged), max(judged)
    return (
        f"{best} is received best ({high:.1f} of 100), {worst} least ({low:.1f}), among the largest genres."
    )
