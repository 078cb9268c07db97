"""From a published set and the plots to the report's content, and the finished page to its place.

Belongs here: handing each section what it is made of, and saying what is missing. Does not belong here: asking the set
(`reading`), what is made of an answer (`sections`), how it looks (`render`), anything Dagster.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from ml.plots.changes import ComparedSet, compare
from published.questions import audience, changes, segments
from published.questions import quality as quality_questions
from published.sets import PublishedSet
from report.context import PERSONAL_PLOTS, ReportContext, RunFacts
from report.pictures import Picture, embed
from report.reading import Reading, rows_of
from report.sections import quality
from report.sections.advice import advice, left_out
from report.sections.audience import plans
from report.sections.catalogue import TABLES as CATALOGUE_TABLES
from report.sections.catalogue import catalogues, popular_genres
from report.sections.departure import departure
from report.sections.recommender import RecommenderView, recommender
from report.sections.segmentations import SegmentationView, describe
from report.sections.summary import summarise


def build_report_context(
    published: PublishedSet,
    plots_dir: Path,
    *,
    run: RunFacts,
    audience_plots: Sequence[Path] = (),
    previous: PublishedSet | None = None,
) -> ReportContext:
    """Read what the report says.

    Parameters
    ----------
    published
        The set the page is about.
    plots_dir
        Folder of `<segmentation>/<plot>.png`.
    run
        What only the run knows.
    audience_plots
        Plots of audience and catalogue in reading order; those that were not drawn are left out.
    previous
        The set published before this one; None where there is none.

    Returns
    -------
    The content; whatever could not be read is named in `absent`.
    """
    reading = Reading(published)
    names = reading.ask("segments", segments.segmentations) or []
    # Sizes stand in the table of segments.
    plots = {
        name: sorted(path for path in (plots_dir / name).glob("*.png") if path.stem != "sizes")
        for name in names
    }
    drawn = [path for path in audience_plots if path.stem not in PERSONAL_PLOTS and path.exists()]
    paths = [*(path for own in plots.values() for path in own), *drawn]
    pictures = embed(paths)
    after = ComparedSet(**{**changes.compared(published), "source": run.source})
    catalogue = reading.tables(*CATALOGUE_TABLES)
    recommended = reading.ask("strategic_recommendations", audience.strategic_recommendations)
    interest = reading.ask("interaction_basis", audience.interest) or audience.Interest()
    changed = compare(read_set(previous), after)
    views = _segmentations(reading, plots, pictures, run)
    advised = advice(recommended)
    return ReportContext(
        run=run,
        interest=interest,
        summary=summarise(views, changed, advised),
        changes=changed,
        advice=advised,
        advice_left_out=left_out(recommended),
        segmentations=views,
        audience_plots=tuple(pictures[path] for path in drawn if path in pictures),
        plans=plans(reading.ask("subscription_regions", audience.subscription_regions)),
        catalogues=catalogues(catalogue),
        genres=popular_genres(reading.ask("genre_popularity", audience.genre_popularity)),
        departure=departure(
            reading.table("departure_quality"),
            reading.table("departure_groups"),
            reading.scored_users(),
        ),
        recommender=_recommender(reading, names, interest),
        **_quality(reading, catalogue.get("titles")),
        left_out=(*quality.genres_left_out(reading.table("genres")), *run.left_out),
        absent=(
            *(f"published table {name}" for name in reading.absent),
            *(f"plots of {name}" for name, own in plots.items() if not own),
            *(f"plot {path.parent.name}/{path.name}" for path in paths if path not in pictures),
        ),
    )


def read_set(published: PublishedSet | None) -> ComparedSet | None:
    """Read of a published set what a comparison needs; None where there is no set."""
    return None if published is None else ComparedSet(**changes.compared(published))


def _segmentations(
    reading: Reading, plots: Mapping[str, Sequence[Path]], pictures: Mapping[Path, Picture], run: RunFacts
) -> tuple[SegmentationView, ...]:
    return tuple(
        describe(
            name,
            reading.segmentation(name),
            [pictures[path] for path in paths if path in pictures],
            description=run.descriptions.get(name, ""),
            called=reading.ask("segment_profiles", segments.feature_names, name),
            recovery=run.recovery.get(name),
        )
        for name, paths in plots.items()
    )


def _recommender(reading: Reading, names: Sequence[str], interest: audience.Interest) -> RecommenderView:
    whose = reading.example_users(names)
    return recommender(
        reading.table("recommender_metrics"),
        reading.table("recommender_segment_ndcg"),
        reading.recommendations(list(whose)),
        whose,
        interest,
        long_tail=reading.table("recommender_long_tail"),
    )


def _quality(reading: Reading, titles: pl.DataFrame | None) -> dict[str, Any]:
    """Return what the page says about the data, by its names in the content."""
    funnel = reading.ask("data_funnel", quality_questions.funnel)
    files = reading.ask("landing_manifest", quality_questions.files)
    reasons = reading.ask("rejects", quality_questions.reject_reasons)
    return {
        "headlines": quality.headlines(funnel, files, titles),
        "funnels": quality.funnels(funnel),
        "files": rows_of(files),
        "unlisted": quality.unlisted(reading.ask("unlisted_titles", quality_questions.unlisted_titles)),
        "reject_reasons": quality.reject_reasons(reasons),
        "checks": quality.checks(
            reading.ask("checks", quality_questions.check_counts),
            reading.ask("checks", quality_questions.failed_checks),
        ),
        "reject_count": 0 if reasons is None else reasons["lines"].sum(),
    }


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
