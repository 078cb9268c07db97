"""A folder in the shape of each known layout runs with one command, from its files to a report and a dashboard."""

import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import polars as pl
import pytest

from dashboard.views import PAGES
from ingest.layouts import known_layouts
from tests.integration.conftest import mart
from tests.layout_files import write_layout
from tests.unit.dashboard.test_pages import open_page

pytestmark = pytest.mark.long

RATED = {
    "movies_dataset",
    "movielens_latest",
    "movielens_1m",
    "movielens_10m",
    "movielens_100k",
    "movietweetings",
}
"""Layouts of ratings by many users."""
SEGMENTS = {
    **{
        layout: {"user_ratings", "user_activity_and_ratings", "user_taste", "title_reception"}
        for layout in RATED
    },
    **{layout: {"title_reception"} for layout in ("netflix_titles", "tmdb_5000", "streaming_catalogue")},
    "imdb_export": {"title_reception"},
    "letterboxd_export": {"title_reception"},
    "netflix_viewing": set(),
    "matinee": {"user_viewing", "user_taste", "title_reception"},
    "viewing": {"user_viewing", "user_taste"},
    "customers": {"customer_acquisition"},
}
RECOMMENDED = RATED | {"matinee"}
"""Layouts of which several people rated or watched titles."""
UNSAID = {"ratings": "stars", "views": "watch events", "customers": "lifetime value"}
"""What the page says of a table, and of no source that lacks it."""


class _Text(HTMLParser):
    """The words of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self._is_hidden = False

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self._is_hidden = tag in ("style", "title")

    def handle_data(self, data: str) -> None:
        self.words += [] if self._is_hidden else data.split()


def matinee(*arguments: str | Path, home: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "DAGSTER_HOME": str(home), "COLUMNS": "200"}
    command = [sys.executable, "-m", "orchestration", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


@pytest.mark.parametrize("layout", known_layouts())
def test_a_layout_runs_to_a_report_and_a_dashboard(layout, layout_world, dagster_home, tmp_path):
    folder, warehouse = write_layout(layout, layout_world, tmp_path / "files"), tmp_path / "warehouse"
    tables = set(known_layouts()[layout].tables)
    ran = matinee("run", "--source", folder, "--warehouse", warehouse, home=dagster_home)
    assert ran.returncode in ((0, 3) if layout == "movies_dataset" else (0,)), ran.stdout + ran.stderr
    assert f"Read as {known_layouts()[layout].name}: " in ran.stdout
    assert set(mart(warehouse, "segments")["segmentation"]) == SEGMENTS[layout]

    page = _Text()
    page.feed((warehouse / "report" / "index.html").read_text(encoding="utf-8"))
    text = " ".join(page.words)
    missing = {"user_ratings", "user_viewing", "customer_acquisition", "title_reception"} - SEGMENTS[layout]
    assert all(re.search(rf"\b{name}\b[^.:]* (was|were) skipped: ", text) for name in missing)
    assert not [words for table, words in UNSAID.items() if table not in tables and words in text]

    checks = mart(warehouse, "checks")
    empty = {
        file.stem for file in (warehouse / "published").glob("*.parquet") if not len(pl.read_parquet(file))
    }
    # What is said of a table without rows was not found to be so.
    of_empty = checks.filter(pl.col("layer") == "marts", pl.col("table_name").is_in(list(empty)))
    assert set(of_empty["outcome"]) <= {"not_applicable", "failed"}
    assert ("segments" in empty) == (not SEGMENTS[layout])
    counts = {
        outcome: (checks["outcome"] == outcome).sum() for outcome in ("passed", "failed", "not_applicable")
    }
    told = ", ".join(f"{count} {outcome.replace('_', ' ')}" for outcome, count in counts.items())
    assert f"Checks: {told}." in ran.stdout
    assert f"Checks before publishing: {told}." in text

    for shown in PAGES:
        assert not open_page(shown.path, warehouse).exception

    titles = mart(warehouse, "titles").filter(pl.col("title").is_not_null())["title"].to_list()
    liked = matinee("recommend", "--like", *titles[:1] or ["x"], "--warehouse", warehouse, home=dagster_home)
    assert liked.returncode == (0 if layout in RECOMMENDED else 1), liked.stdout + liked.stderr
    # Events alone recommend by ids; nothing has a name to be liked by.
    said = "no title 'x'" if layout == "viewing" else "recommender was not trained in the last run: "
    assert layout in RECOMMENDED or said in liked.stderr
