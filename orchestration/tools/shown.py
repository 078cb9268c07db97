"""Metadata as Dagster shows them: columns of a Parquet file and of DuckDB's tables, a small table as Markdown.

Belongs here: these translations. Does not belong here: what the tables hold.
"""

from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl

from orchestration.tools.warehouse import WarehouseResource


def parquet_columns(path: Path) -> dg.TableSchema:
    """Return names and types of a Parquet file's columns; only its footer is read."""
    schema = pl.read_parquet_schema(path)
    return dg.TableSchema([dg.TableColumn(name, str(kind)) for name, kind in schema.items()])


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
        counts = " union all ".join(
            f"select '{schema}', '{table}', count(*) from {schema}.{table}"
            for schema, table in connection.execute(
                "select schema_name, table_name from duckdb_tables() where not internal"
            ).fetchall()
        )
        rows = {
            (schema, table): count
            for schema, table, count in (connection.execute(counts).fetchall() if counts else ())
        }
    metadata: dict[tuple[str, str], dict[str, Any]] = {}
    for schema, table, fields in columns:
        entry: dict[str, Any] = {
            "dagster/column_schema": dg.TableSchema(
                [dg.TableColumn(name=field["name"], type=field["type"]) for field in fields]
            )
        }
        if (schema, table) in rows:
            entry["dagster/row_count"] = rows[schema, table]
        metadata[schema, table] = entry
    return metadata
