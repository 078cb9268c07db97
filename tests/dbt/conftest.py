"""Warehouses for the dbt project: a landing of made-up rows, or of the real files, and dbt run on it in this process.

Here: what a landing looks like on disk and how to run dbt on it. Not here: what the models should do with it.
"""

import gc
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest
from dbt.cli.main import dbtRunner

from ingest.landing import land, stage
from ingest.sources import resolve_source
from ingest.sql import text_literal
from orchestration.tools.dbt import free_database, project

PROJECT = Path(__file__).resolve().parents[2] / "dbt_project"

# No row is taken from a public file. Movie ids and title ids overlap on purpose: only then does a wrong join give rows.
RATINGS = [
    "(1, 11, 4.0, timestamp '2016-01-01 10:00:00')",
    "(1, 11, 2.0, timestamp '2016-02-01 10:00:00')",
    "(1, 22, 3.0, timestamp '2016-01-01 11:00:00')",
    "(1, 12, 5.0, timestamp '2016-01-01 12:00:00')",
    "(2, 22, 4.5, timestamp '2016-01-01 13:00:00')",
    "(3, 13, 1.0, timestamp '2016-01-01 14:00:00')",
]
LINKS = ["(11, '0000011', 22)", "(12, '0000012', 33)", "(13, '0000013', null)", "(22, '0000099', 11)"]
TITLES = [
    "(22, 'tt0000011', 'Aurora', ['Drama', 'War'], 9)",
    "(22, 'tt0000011', 'Aurora', ['Drama'], 3)",
    "(11, 'tt0000099', 'Bramble', ['Comedy'], 4)",
    "(33, 'tt0000012', 'Cinder', []::varchar[], 5)",
]

CUSTOMERS = [
    "('1', 30.0, 59.9, 0, 7)",
    "('2', null, 0.0, 2, 1)",
    "('2', 12.0, 20.0, 2, 1)",
    "('3', 0.0, 119.0, 1, 6)",
]

USERS = ["(1, 'Basic', 'UK', date '2015-01-01')", "(2, null, null, null)", "(3, 'Basic', 'UK', null)"]
# Movie 22 is title 11; nobody listed is user 9, and links does not know movie 77.
WATCH_EVENTS = [
    "(1, 22, timestamp '2017-06-05 20:15:00', 'TV', 90.0)",
    "(1, 22, timestamp '2017-06-11 23:59:59', ' TV', 30.0)",
    "(2, 11, timestamp '2017-06-12 00:00:00', null, 0.0)",
    "(9, 22, timestamp '2017-06-12 09:00:00', 'Mobile', 12.5)",
    "(1, 77, timestamp '2017-06-13 09:00:00', 'TV', 60.0)",
]

RATING_COLUMNS = {"user_id": "bigint", "title_id": "bigint", "rating": "double", "rated_at": "timestamp"}
LINK_COLUMNS = {"rated_id": "bigint", "imdb_id": "varchar", "title_id": "bigint"}
TITLE_COLUMNS = {
    "title_id": "bigint",
    "imdb_id": "varchar",
    "title": "varchar",
    "genres": "varchar[]",
    "vote_count": "bigint",
    "overview": "varchar",
    "kind": "varchar",
    "release_year": "bigint",
    "original_language": "varchar",
    "release_date": "date",
    "runtime_minutes": "double",
    "popularity": "double",
    "vote_average": "double",
}
CUSTOMER_COLUMNS = {
    "customer_id": "varchar",
    "minutes_watched": "double",
    "clv": "double",
    "region_id": "bigint",
    "channel_id": "bigint",
    "country": "varchar",
}
USER_COLUMNS = {"user_id": "bigint", "subscription": "varchar", "region": "varchar", "joined_on": "date"}
VIEW_COLUMNS = {
    "user_id": "bigint",
    "title_id": "bigint",
    "watched_at": "timestamp",
    "device": "varchar",
    "minutes_watched": "double",
}
CATALOGUE_COLUMNS = {"catalogue_id": "varchar", "title": "varchar", "kind": "varchar", "release_date": "date"}
DELETED = {"is_deleted": "boolean"}
# Columns of each table, and how many of them the made-up rows fill.
TABLES = {
    "ratings": (RATING_COLUMNS | DELETED, 4),
    "links": (LINK_COLUMNS | DELETED, 3),
    "titles": (TITLE_COLUMNS | DELETED, 5),
    "customers": (CUSTOMER_COLUMNS | DELETED, 5),
    "users": (USER_COLUMNS | DELETED, 4),
    "views": (VIEW_COLUMNS | DELETED, 5),
    "catalogue": (CATALOGUE_COLUMNS | DELETED, 4),
    "ids": ({"number": "bigint", "id": "varchar"}, 2),
}
MOVIES = {"ratings": RATINGS, "links": LINKS, "titles": TITLES}
VIEWING = {"users": USERS, "views": WATCH_EVENTS}
REJECT_COLUMNS = {
    "source": "varchar",
    "table_name": "varchar",
    "line": "bigint",
    "reason": "varchar",
    "raw_text": "varchar",
    "is_known_quirk": "boolean",
}
MANIFEST_COLUMNS = {
    "table_name": "varchar",
    "source": "varchar",
    "sha256": "varchar",
    "bytes": "bigint",
    "rows_read": "bigint",
    "rows_landed": "bigint",
    "rows_rejected": "bigint",
    "rows_left_out": "bigint",
    "unreadable_cells": "varchar",
    "landed_at": "timestamp",
}


@dataclass(frozen=True)
class Outcome:
    """What a dbt command did: its nodes' status by name, and all it said of what went wrong."""

    success: bool
    status: Mapping[str, str]
    message: str

    def with_status(self, *wanted: str) -> set[str]:
        return {name for name, status in self.status.items() if status in wanted}


@dataclass(frozen=True)
class Warehouse:
    """A warehouse folder and the way to run dbt on it."""

    folder: Path
    manifest: Any

    def dbt(self, *args: str) -> Outcome:
        ran = self._invoke(*args)
        results = getattr(ran.result, "results", None) or []
        return Outcome(
            success=ran.success,
            status={r.node.name: str(r.status) for r in results},
            message="\n".join(
                str(words) for words in (ran.exception, *(r.message for r in results)) if words
            ),
        )

    def _invoke(self, *args: str) -> Any:
        places = ["--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT)]
        outputs = ["--target-path", str(self.folder / "target"), "--log-path", str(self.folder / "logs")]
        with pytest.MonkeyPatch.context() as patch, without_collector():
            patch.setenv("MATINEE_WAREHOUSE", str(self.folder))
            try:
                return dbtRunner(manifest=self.manifest).invoke(
                    ["--log-level", "none", "--no-write-json", *args, *places, *outputs]
                )
            finally:
                free_database()

    def copy(self, folder: Path) -> "Warehouse":
        """Return a warehouse like this one, to be written to."""
        shutil.copytree(self.folder, folder / "copy")
        return Warehouse(folder / "copy", self.manifest)

    def ls(self, *args: str) -> list[str]:
        listed = self._invoke("ls", "--output", "name", *args)
        assert listed.success, listed.exception
        return list(listed.result)

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(self.folder / "matinee.duckdb", read_only=True) as connection:
            return connection.execute(sql).fetchall()

    def execute(self, *statements: str) -> None:
        with duckdb.connect(self.folder / "matinee.duckdb") as connection:
            for sql in statements:
                connection.execute(sql)


@contextmanager
def without_collector() -> Iterator[None]:
    """Switch the collector off, as a run does: it would go through the parsed project again and again."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _write(folder: Path, columns: Mapping[str, str], rows: Sequence[str], given: int | None = None) -> None:
    """Write SQL row literals as one typed Parquet file; columns past the given ones are NULL."""
    folder.mkdir(parents=True)
    names = list(columns)[:given]
    typed = ", ".join(
        f"cast({name if name in names else 'null'} as {kind}) as {name}" for name, kind in columns.items()
    )
    values = (
        f"(values {', '.join(rows)})" if rows else f"(select {', '.join(['null'] * len(names))} where false)"
    )
    file = text_literal(str(folder / "made_up.parquet"))
    duckdb.execute(f"copy (select {typed} from {values} as v({', '.join(names)})) to {file}")


def land_made_up_rows(
    folder: Path, tables: Mapping[str, Sequence[str]], *, rejected_ratings: int = 0
) -> None:
    """Write a landing of these tables, and no others, in the layout that `ingest` leaves behind."""
    candidate = folder / "landing" / "candidate"
    for table, rows in tables.items():
        columns, given = TABLES[table]
        _write(candidate / table, columns, rows, given)
    rejects = [
        f"('ratings.csv', 'ratings', {line + 2}, 'no number', 'x', false)" for line in range(rejected_ratings)
    ]
    _write(candidate / "rejects", REJECT_COLUMNS, rejects)
    manifest = []
    for table, rows in tables.items():
        bad = rejected_ratings if table == "ratings" else 0
        counts = f"{len(rows) + bad}, {len(rows)}, {bad}, 0, '{{}}'"
        day = "2030-01-01" if table == "ratings" else "2024-01-01"
        manifest.append(f"('{table}', '{table}.csv', 'ab', 1, {counts}, timestamp '{day}')")
    _write(candidate / "manifest", MANIFEST_COLUMNS, manifest)


@pytest.fixture(scope="session")
def manifest() -> Any:
    """The parsed project. One for all warehouses: nothing of a warehouse may be baked into it."""
    parsed = project()
    gc.freeze()  # it stays until the end: no need to look for it in every collection
    return parsed


@pytest.fixture(scope="module")
def make_warehouse(
    tmp_path_factory: pytest.TempPathFactory, manifest: Any
) -> Iterator[Callable[..., Warehouse]]:
    """A function that lands made-up movies in a new warehouse; each table can be given other rows."""

    def make(*, rejected_ratings: int = 0, **rows: Sequence[str]) -> Warehouse:
        folder = tmp_path_factory.mktemp("warehouse")
        land_made_up_rows(folder, MOVIES | rows, rejected_ratings=rejected_ratings)
        return Warehouse(folder, manifest)

    yield make
    free_database()


@pytest.fixture(scope="module")
def customers_warehouse(tmp_path_factory: pytest.TempPathFactory, manifest: Any) -> Warehouse:
    """A warehouse in which made-up customers have landed and nothing else."""
    folder = tmp_path_factory.mktemp("customers")
    land_made_up_rows(folder, {"customers": CUSTOMERS})
    return Warehouse(folder, manifest)


@pytest.fixture(scope="module")
def viewing_warehouse(tmp_path_factory: pytest.TempPathFactory, manifest: Any) -> Warehouse:
    """A warehouse in which made-up viewing has landed and nothing else."""
    folder = tmp_path_factory.mktemp("viewing")
    land_made_up_rows(folder, VIEWING)
    return Warehouse(folder, manifest)


@pytest.fixture(scope="module")
def empty_warehouse(tmp_path_factory: pytest.TempPathFactory, manifest: Any) -> Warehouse:
    """A warehouse in which nothing has landed."""
    return Warehouse(tmp_path_factory.mktemp("empty"), manifest)


@pytest.fixture(scope="module")
def real_warehouse(tmp_path_factory: pytest.TempPathFactory, manifest: Any, real_movies: Path) -> Warehouse:
    """The real movies, landed by `ingest`."""
    return _landed(real_movies, tmp_path_factory.mktemp("real"), manifest)


@pytest.fixture(scope="module")
def real_customers_warehouse(
    tmp_path_factory: pytest.TempPathFactory, manifest: Any, real_movies: Path
) -> Warehouse:
    """The real customers, landed by `ingest`."""
    return _landed(real_movies.parent / "customers", tmp_path_factory.mktemp("real"), manifest)


@pytest.fixture(scope="module")
def real_catalogue_warehouse(
    tmp_path_factory: pytest.TempPathFactory, manifest: Any, real_movies: Path
) -> Warehouse:
    """The real streaming catalogue, landed by `ingest`."""
    return _landed(real_movies.parent / "catalogue", tmp_path_factory.mktemp("real"), manifest)


def _landed(source: Path, folder: Path, manifest: Any) -> Warehouse:
    stage(folder / "landing", land(resolve_source(str(source)), folder / "landing"), {})
    return Warehouse(folder, manifest)
