"""Spark's tables and DuckDB's file: each shows the other what it made, as Parquet files.

Belongs here: where these files lie, views over them. Does not belong here: making tables (dbt), Spark's session.

DuckDB's file stays what everybody asks: each of Spark's tables is a view there, and ML output, which DuckDB holds to
its contract, is written for Spark to read.
"""

import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

import duckdb

from ingest.sql import path_literal, text_literal
from orchestration.stores.layout import WarehouseLayout
from orchestration.tools.spark import has_catalog


def show(connection: duckdb.DuckDBPyConnection, layout: WarehouseLayout, views: Mapping[str, str]) -> None:
    """Make DuckDB's file show what landed, every table of Spark's, and views (`schema.name`) by their queries."""
    of_duckdb = set(connection.execute("select schema_name, table_name from duckdb_tables()").fetchall())
    folders = {("ledger", "stages"): layout.ledger}
    folders |= {("landing", folder.name): folder for folder in (layout.landing / "candidate").glob("*/")}
    folders |= {(folder.parent.stem, folder.name): folder for folder in layout.spark.glob("*.db/*")}
    folders = {table: folder for table, folder in folders.items() if _has_files(folder)}
    connection.execute("begin")
    # A build that was killed leaves tables without files, which the view of their last ones cannot read.
    for schema, name in shown(connection, layout):
        if (schema, name) not in folders:
            connection.execute(f"drop view {schema}.{name}")
    for (schema, name), folder in sorted(folders.items()):
        connection.execute(f"create schema if not exists {schema}")
        if (schema, name) in of_duckdb:  # of a night without Spark
            connection.execute(f"drop table {schema}.{name}")
        connection.execute(f"create or replace view {schema}.{name} as from {_rows_in(folder)}")
    if ("landing", "ids") not in folders:
        none = "select null::bigint as number, null::varchar as id where false"
        connection.execute(f"create or replace view landing.ids as {none}")
    for name, query in views.items():
        connection.execute(f"create or replace view {name} as {query}")
    connection.execute("commit")


def shown(connection: duckdb.DuckDBPyConnection, layout: WarehouseLayout) -> list[tuple[str, str]]:
    """Return those views of DuckDB's file, by (schema, name), that show a table of Spark's."""
    place = f"{layout.spark}/".replace("'", "''")  # as it stands in SQL
    return connection.execute(
        "select schema_name, view_name from duckdb_views() where not internal and contains(sql, ?)", [place]
    ).fetchall()


def hand_over(connection: duckdb.DuckDBPyConnection, layout: WarehouseLayout, tables: Iterable[str]) -> None:
    """Write tables of ML output where Spark's tables of the same names look for their rows."""
    for table in tables:
        folder = layout.spark / "ml" / table
        folder.mkdir(parents=True, exist_ok=True)
        unfinished = folder / ".rows.parquet"
        connection.execute(f"copy ml.{table} to {text_literal(str(unfinished))} (format parquet)")
        unfinished.rename(folder / "rows.parquet")


def lack(layout: WarehouseLayout, tables: Iterable[str]) -> set[str]:
    """Return those tables of ML output that Spark was never given."""
    return {table for table in tables if not (layout.spark / "ml" / table / "rows.parquet").exists()}


def leave(connection: duckdb.DuckDBPyConnection, layout: WarehouseLayout) -> None:
    """Remove Spark's tables, and what shows them in DuckDB's file, which makes its own again."""
    if not layout.spark.exists():
        return
    for schema, name in connection.execute(
        "select schema_name, view_name from duckdb_views() where not internal"
    ).fetchall():
        connection.execute(f"drop view {schema}.{name}")
    shutil.rmtree(layout.spark)


def known(layout: WarehouseLayout) -> set[tuple[str, str]]:
    """Return the tables, by (schema, name), that Spark knows and of which there are files."""
    if not has_catalog(layout):
        return set()
    # Spark takes a table whose files are gone for one without rows.
    return {(folder.parent.stem, folder.name) for folder in layout.spark.glob("*.db/*") if _has_files(folder)}


def _has_files(folder: Path) -> bool:
    return any(folder.glob("*.parquet"))


def _rows_in(folder: Path) -> str:
    return f"read_parquet({path_literal(folder)} || '/*.parquet', union_by_name = true)"
