"""A folder in the shape of each known layout runs with one command, from its files to a report and a dashboard."""

import re
from html.parser import HTMLParser
from pathlib import Path

import polars as pl
import pytest

from dashboard.views import PAGES
from ingest.landing import land
from ingest.layouts import known_layouts
from ingest.sources import resolve_source
from tests.integration.conftest import Matinee, mart
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
AS_OTHERS = {
    "movielens_1m": ("movielens_latest", "movielens_100k"),
    "movielens_10m": ("movielens_latest",),
}
"""Layouts of which each table lands with the columns that it has in one of these, which run as a whole."""
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


def landed(folder: Path, to: Path) -> set[tuple[str, frozenset[str]]]:
    """Return the tables that a folder lands as, each with the columns that have a value."""
    tables = {file.table: pl.read_parquet(file.path) for file in land(resolve_source(str(folder)), to)}
    return {
        (name, frozenset(column.name for column in table if column.null_count() < len(table)))
        for name, table in tables.items()
    }


@pytest.mark.parametrize("layout", AS_OTHERS)
def test_a_layout_that_lands_as_others_do_runs_to_its_features(
    matinee: Matinee, layout, layout_world, tmp_path
):
    own, *others = (
        landed(write_layout(name, layout_world, tmp_path / name), tmp_path / f"{name}_landing")
        for name in (layout, *AS_OTHERS[layout])
    )
    assert own <= set().union(*others)
    ran = matinee(
        "run", "--source", tmp_path / layout, "--job", "sql_layer", warehouse=tmp_path / "warehouse"
    )
    assert ran.exit_code == 0, ran.said
    assert f"Read as {known_layouts()[layout].name}: " in " ".join(ran.said.split())


@pytest.mark.parametrize("layout", [name for name in known_layouts() if name not in AS_OTHERS])
def test_a_layout_runs_to_a_report_and_a_dashboard(matinee: Matinee, layout, layout_world, tmp_path):
    folder, warehouse = write_layout(layout, layout_world, tmp_path / "files"), tmp_path / "warehouse"
    tables = set(known_layouts()[layout].tables)
    ran = matinee("run", "--source", folder, warehouse=warehouse)
    said = " ".join(ran.said.split())
    assert ran.exit_code in ((0, 3) if layout == "movies_dataset" else (0,)), ran.said
    assert f"Read as {known_layouts()[layout].name}: " in said
    assert set(mart(warehouse, "segments")["segmentation"]) == SEGMENTS[layout]
    assert {folder.name for folder in (warehouse / "plots").iterdir()} <= SEGMENTS[layout] | {"audience"}

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
    assert f"Checks: {told}." in said
    assert f"Checks before publishing: {told}." in text

    for shown in PAGES:
        assert not open_page(shown.path, warehouse).exception

    titles = mart(warehouse, "titles").filter(pl.col("title").is_not_null())["title"].to_list()
    liked = matinee("recommend", "--like", *titles[:1] or ["x"], warehouse=warehouse)
    assert liked.exit_code == (0 if layout in RECOMMENDED else 1), liked.said
    # Events alone recommend by ids; nothing has a name to be liked by.
    why = "no title 'x'" if layout == "viewing" else "recommender was not trained in the last run: "
    assert layout in RECOMMENDED or why in " ".join(liked.error.split())
