"""From the published Parquet and the plots to the report's content, and the finished page to its place.

Belongs here: reading, and saying what is missing. Does not belong here: what is made of a table
(`segmentations`, `data`), how it looks (`render`), anything Dagster.

A mart or plot that is missing is said to be missing: the report is also what people open to see why.
"""

import os
from pathlib import Path

import polars as pl

from orchestration.report import data
from orchestration.report.context import ReportContext, RunFacts
from orchestration.report.pictures import embed
from orchestration.report.segmentations import describe, in_reading_order

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


def build_report_context(published_dir: Path, plots_dir: Path, *, run: RunFacts) -> ReportContext:
    """Read what the report says.

    Parameters
    ----------
    published_dir
        Folder of `<mart>.parquet`.
    plots_dir
        Folder of `<segmentation>/<plot>.png`.
    run
        What only the run knows.

    Returns
    -------
    The content; whatever could not be read is named in `absent`.
    """
    found = {name: _read(published_dir / f"{name}.parquet") for name in _MARTS}
    marts = {name: frame for name, frame in found.items() if frame is not None}
    absent = [f"published table {name}" for name in _MARTS if name not in marts]
    names = in_reading_order(marts["segments"]) if "segments" in marts else []
    plots = {name: sorted((plots_dir / name).glob("*.png")) for name in names}
    absent += [f"plots of {name}" for name, paths in plots.items() if not paths]
    pictures = embed([path for paths in plots.values() for path in paths])
    left_out = [path for paths in plots.values() for path in paths if path not in pictures]
    absent += [f"plot {path.parent.name}/{path.name}" for path in left_out]
    return ReportContext(
        run=run,
        headlines=data.headlines(marts.get("data_funnel"), marts.get("landing_manifest")),
        segmentations=tuple(
            describe(name, marts, [pictures[path] for path in plots[name] if path in pictures], run)
            for name in names
        ),
        funnels=data.funnels(marts.get("data_funnel")),
        files=data.files(marts.get("landing_manifest")),
        reject_reasons=data.reject_reasons(marts.get("rejects")),
        rejects=data.first_rejects(marts.get("rejects")),
        reject_count=len(marts["rejects"]) if "rejects" in marts else 0,
        absent=tuple(absent),
    )


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


def _read(path: Path) -> pl.DataFrame | None:
    try:
        return pl.read_parquet(path)
    except (OSError, pl.exceptions.PolarsError):
        return None
