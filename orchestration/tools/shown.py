"""Metadata as Dagster shows them: the columns of a Parquet file, a small table as Markdown.

Belongs here: these translations. Does not belong here: columns of DuckDB's tables (`orchestration.tools.dbt`).
"""

from pathlib import Path

import dagster as dg
import polars as pl


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
