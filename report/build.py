"""From the published Parquet and the plots to the report's content, and the finished page to its place.

Belongs here: reading, and saying what is missing. Does not belong here: what is made of a table
(`segmentations`, `data`), how it looks (`render`), anything Dagster.

A mart or plot that is missing is said to be missing: the report is also what people open to see why.
"""

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from orchestration.tasks.audience_queries import AUDIENCE, PICTURES
from report import data
from report.context import ReportContext, RunFacts
from report.pictures import embed
from report.sections.advice import advice, left_out
from report.sections.audience import plans
from report.sections.catalogue import catalogues, popular_genres
from report.sections.changes import PublishedSet, compare
from report.sections.recommender import RecommenderView, recommender
from report.sections.segmentations import describe, in_reading_order

_MARTS = (
    "segments",
    "k_metrics",
    "segment_profiles",
    "segment_genre_ratings",
    "pca_loadings",
    "start_agreement",
    "free_segments",
    "segment_separation",
    "segment_claims",
    "data_funnel",
    "landing_manifest",
    "rejects",
    "genre_counts",
)
"""What every source gives; one that is missing is named on the page."""
_FURTHER_MARTS = (
    "segment_titles",
    "segment_devices",
    "titles",
    "catalogue_genres",
    "catalogue_trends",
    "catalogue_runtimes",
    "weighted_score_constants",
    "genre_popularity",
    "subscription_regions",
    "recommender_metrics",
    "recommender_segment_ndcg",
    "strategic_recommendations",
)
"""What only some sources give: the section that lacks it says so."""
_COMPARED_MARTS = ("segments", "data_funnel", "landing_manifest", "recommender_metrics")
_EXAMPLES = 3


def build_report_context(
    published_dir: Path, plots_dir: Path, *, run: RunFacts, previous: Path | None = None
) -> ReportContext:
    """Read what the report says.

    Parameters
    ----------
    published_dir
        Folder of `<mart>.parquet`.
    plots_dir
        Folder of `<segmentation>/<plot>.png` and `audience/<plot>.png`.
    run
        What only the run knows.
    previous
        Folder of the set published before this one; None where there is none.

    Returns
    -------
    The content; whatever could not be read is named in `absent`.
    """
    found = {name: _read(published_dir / f"{name}.parquet") for name in (*_MARTS, *_FURTHER_MARTS)}
    marts = {name: frame for name, frame in found.items() if frame is not None}
    absent = [f"published table {name}" for name in _MARTS if name not in marts]
    names = in_reading_order(marts["segments"]) if "segments" in marts else []
    plots = {name: sorted((plots_dir / name).glob("*.png")) for name in names}
    absent += [f"plots of {name}" for name, paths in plots.items() if not paths]
    plots[AUDIENCE] = [path for name in PICTURES if (path := plots_dir / AUDIENCE / f"{name}.png").exists()]
    pictures = embed([path for paths in plots.values() for path in paths])
    unread = [path for paths in plots.values() for path in paths if path not in pictures]
    absent += [f"plot {path.parent.name}/{path.name}" for path in unread]
    return ReportContext(
        run=run,
        headlines=data.headlines(
            marts.get("data_funnel"), marts.get("landing_manifest"), marts.get("titles")
        ),
        changes=compare(read_set(previous), PublishedSet(run.source, run.finished_at, marts)),
        advice=advice(marts.get("strategic_recommendations")),
        advice_left_out=left_out(marts.get("strategic_recommendations")),
        segmentations=tuple(
            describe(name, marts, [pictures[path] for path in plots[name] if path in pictures], run)
            for name in names
        ),
        audience_plots=tuple(pictures[path] for path in plots[AUDIENCE] if path in pictures),
        plans=plans(marts.get("subscription_regions")),
        catalogues=catalogues(marts),
        genres=popular_genres(marts.get("genre_popularity")),
        recommender=_recommender(published_dir, marts, names),
        funnels=data.funnels(marts.get("data_funnel")),
        files=data.files(marts.get("landing_manifest")),
        reject_reasons=data.reject_reasons(marts.get("rejects")),
        rejects=data.first_rejects(marts.get("rejects")),
        reject_count=len(marts["rejects"]) if "rejects" in marts else 0,
        absent=tuple(absent),
    )


def set_before(published_dir: Path) -> Path | None:
    """Return the published set before a given one, by the names of their folders; None where none is kept."""
    older = [
        folder
        for folder in published_dir.parent.iterdir()
        if folder.is_dir() and not folder.name.startswith(".") and folder.name < published_dir.name
    ]
    return max(older, default=None, key=lambda folder: folder.name)


def read_set(published_dir: Path | None) -> PublishedSet | None:
    """Read of a published set what a comparison needs; None where there is no set."""
    if published_dir is None:
        return None
    found = {name: _read(published_dir / f"{name}.parquet") for name in _COMPARED_MARTS}
    marts = {name: frame for name, frame in found.items() if frame is not None}
    runs = _read(published_dir / "runs.parquet")
    # The newest run on top is the one that published the set; sets of earlier versions say nothing of runs.
    source = None if runs is None or not len(runs) else runs["source"][0]
    return PublishedSet(source, _stamped(published_dir.name), marts)


def write_report(html: str, report_dir: Path) -> Path:
    """Write `index.html` in one step, so that a reader sees the old page or the new one.

    Returns
    -------
    The path of the page.

    Raises
    ------
    OSError
        When the folder cannot be written; the old page is untouched.
    """
    report_dir.mkdir(parents=True, exist_ok=True)
    page = report_dir / "index.html"
    temporary = report_dir / f".index.html.{os.getpid()}"
    try:
        temporary.write_text(html, encoding="utf-8")
        temporary.replace(page)
    finally:
        temporary.unlink(missing_ok=True)
    return page


def _stamped(name: str) -> datetime | None:
    """Return the moment in the name of a set's folder."""
    try:
        return datetime.strptime(name.partition("-")[0], "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return None


def _recommender(published_dir: Path, marts: Mapping[str, pl.DataFrame], names: list[str]) -> RecommenderView:
    """Read only the rows of a few users: the whole table has ten for each."""
    whose = _example_users(published_dir / "segment_members.parquet", marts, names)
    path = published_dir / "recommendations.parquet"
    try:
        rows = pl.scan_parquet(path)
        users = list(whose) or (
            rows.select("user_id").unique().sort("user_id").head(_EXAMPLES).collect()["user_id"].to_list()
        )
        recommendations = rows.filter(pl.col("user_id").is_in(users)).collect()
    except (OSError, pl.exceptions.PolarsError):
        recommendations = None
    return recommender(
        marts.get("recommender_metrics"), marts.get("recommender_segment_ndcg"), recommendations, whose
    )


def _example_users(
    members: Path, marts: Mapping[str, pl.DataFrame], names: list[str]
) -> dict[int, tuple[str, int]]:
    """Return the first user of the first, the middle and the last segment of the foremost segmentation of users."""
    try:
        segments = marts["segments"].filter(pl.col("entity") == "user_id")
        name = next(name for name in names if name in set(segments["segmentation"]))
        firsts = (
            pl.scan_parquet(members)
            .filter(pl.col("segmentation") == name)
            .group_by("segment_id", "segment_name")
            .agg(pl.col("entity_id").cast(pl.Int64, strict=False).min().alias("user_id"))
            .drop_nulls()
            .sort("segment_id")
            .collect()
        )
    except (KeyError, StopIteration, OSError, pl.exceptions.PolarsError):
        return {}
    rows = firsts.rows(named=True)
    places = sorted({0, len(rows) // 2, len(rows) - 1}) if rows else []
    return {rows[i]["user_id"]: (rows[i]["segment_name"], rows[i]["segment_id"]) for i in places}


def _read(path: Path) -> pl.DataFrame | None:
    try:
        return pl.read_parquet(path)
    except (OSError, pl.exceptions.PolarsError):
        return None
