"""Metadata as Dagster shows them: columns of tables, a small table as Markdown, checks that had nothing to check.

Belongs here: these translations. Does not belong here: what the tables hold.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl

from orchestration.tools import spark_tables
from orchestration.tools.warehouse import WarehouseResource

NOT_APPLICABLE = "not_applicable"
"""Metadata of a check that had nothing to check: why. Dagster knows passed and failed only."""

COLUMNS = "dagster/column_schema"
"""Metadata in which Dagster looks for the columns of a table."""


def not_applicable(check_name: str | None, why: str, *, asset_key: Any = None) -> dg.AssetCheckResult:
    """Return what is told of a check that had nothing to check: it stops nothing, and is not told of as passed."""
    return dg.AssetCheckResult(
        check_name=check_name,
        asset_key=asset_key,
        passed=True,
        description=f"Not applicable: {why.rstrip('.')}.",
        metadata={NOT_APPLICABLE: why},
    )


def parquet_columns(path: Path) -> dg.TableSchema:
    """Return names and types of a Parquet file's columns; only its footer is read."""
    schema = pl.read_parquet_schema(path)
    return dg.TableSchema([dg.TableColumn(name, str(kind)) for name, kind in schema.items()])


def pictures(thumbnails: Mapping[str, str]) -> dict[str, dg.TableSchema]:
    """Return pictures, Markdown by name, as metadata that the page of an asset shows without a click.

    It draws what describes a column, and hides all other Markdown of 1,000 characters behind a link.
    """
    shown = [dg.TableColumn(name, "picture", description=picture) for name, picture in thumbnails.items()]
    return {COLUMNS: dg.TableSchema(shown)}


def markdown(frame: pl.DataFrame) -> dg.MarkdownMetadataValue:
    """Return a frame of few rows as a table."""
    header = [f"| {' | '.join(frame.columns)} |", f"|{' --- |' * frame.width}"]
    rows = [f"| {' | '.join(_cell(value) for value in row)} |" for row in frame.iter_rows()]
    return dg.MetadataValue.md("\n".join(header + rows))


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else ""
    if isinstance(value, float):
        return f"{value:,.3f}"
    return f"{value:,}" if isinstance(value, int) else str(value).replace("|", "\\|").replace("<", "&lt;")


def empty_tables(warehouse: WarehouseResource, tables: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
    """Return those tables and views, by (schema, name), that have no row; of a view only the first row is asked for."""
    with warehouse.connect(read_only=True) as connection:
        known = set(
            connection.execute(
                "select schema_name, table_name from duckdb_tables() where not internal"
                " union all select schema_name, view_name from duckdb_views() where not internal"
            ).fetchall()
        )
        asked = sorted(known & set(tables))
        exists = ", ".join(f"exists(select 1 from {schema}.{name})" for schema, name in asked)
        filled = connection.execute(f"select {exists}").fetchall()[0] if asked else ()
    return {table for table, has_rows in zip(asked, filled, strict=True) if not has_rows}


def table_metadata(warehouse: WarehouseResource) -> dict[tuple[str, str], dict[str, Any]]:
    """Return columns and row counts of every table, and columns of every view, by (schema, name)."""
    if not warehouse.layout.database.exists():
        return {}
    with warehouse.connect(read_only=True) as connection:
        columns = connection.execute(
            "select schema_name, table_name, list({'name': column_name, 'type': data_type} order by column_index)"
            " from duckdb_columns() where not internal group by all"
        ).fetchall()
        # What DuckDB estimates is wrong after a process was killed. Counting a table costs next to nothing; a view
        # would have to be run.
        tables = connection.execute(
            "select schema_name, table_name from duckdb_tables() where not internal"
        ).fetchall()
        # Nor does counting one of Spark's, whose files say how many they hold.
        tables += spark_tables.shown(connection, warehouse.layout)
        counts = " union all ".join(
            f"select '{schema}', '{table}', count(*) from {schema}.{table}" for schema, table in tables
        )
        rows = {
            (schema, table): count
            for schema, table, count in (connection.execute(counts).fetchall() if counts else ())
        }
    metadata: dict[tuple[str, str], dict[str, Any]] = {}
    for schema, table, fields in columns:
        entry: dict[str, Any] = {
            COLUMNS: dg.TableSchema(
                [dg.TableColumn(name=field["name"], type=field["type"]) for field in fields]
            )
        }
        if (schema, table) in rows:
            entry["dagster/row_count"] = rows[schema, table]
        metadata[schema, table] = entry
    return metadata
