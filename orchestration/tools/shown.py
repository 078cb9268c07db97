"""The columns of a Parquet file as Dagster shows them.

Belongs here: that one translation. Does not belong here: columns of DuckDB's tables (`orchestration.tools.dbt`).
"""

from pathlib import Path

import dagster as dg
import polars as pl


def parquet_columns(path: Path) -> dg.TableSchema:
    """Return names and types of a Parquet file's columns; only its footer is read."""
    schema = pl.read_parquet_schema(path)
    return dg.TableSchema([dg.TableColumn(name, str(kind)) for name, kind in schema.items()])
