"""Connections that translate, and the few answers that differ from dbt-spark's."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from dbt.adapters.base import available
from dbt.adapters.spark import SparkAdapter, SparkConnectionManager, SparkCredentials

from orchestration.settings import SPARK_SAME_EVERYWHERE, load_settings
from orchestration.stores.layout import WarehouseLayout
from orchestration.tools import spark_tables
from orchestration.tools.spark import in_words, session
from orchestration.tools.spark_adapter.translate import is_duckdb, to_spark

_DUCKDB_NAMES = {"string": "varchar", "int": "integer"}


class MatineeSparkCredentials(SparkCredentials):
    """dbt-spark's, under the name of this adapter."""

    def __post_init__(self) -> None:
        """Say with each statement what decides the tables' contents: dbt-spark says there that ANSI mode is off."""
        super().__post_init__()
        self.server_side_parameters |= SPARK_SAME_EVERYWHERE

    @property
    def type(self) -> str:
        """Return the name that profiles give."""
        return "matineespark"


class MatineeSparkConnectionManager(SparkConnectionManager):
    """Connections that take DuckDB's queries."""

    TYPE = "matineespark"

    @classmethod
    def open(cls, connection: Any) -> Any:
        """Open a connection; of a session of this process it is the one of the warehouse."""
        if connection.credentials.method == "session":
            session(load_settings())
        return super().open(connection)

    @contextmanager
    def exception_handler(self, sql: str) -> Iterator[None]:
        """Say in words what Spark raises; dbt-spark says the rest."""
        with super().exception_handler(sql), in_words(load_settings()):
            yield

    def add_query(self, sql: str, *args: Any, **kwargs: Any) -> Any:
        """Run a statement: a query is DuckDB's, anything else is Spark's already."""
        return super().add_query(to_spark(sql) if is_duckdb(sql) else sql, *args, **kwargs)


class MatineeSparkAdapter(SparkAdapter):
    """dbt-spark's adapter for a project that is written for DuckDB."""

    ConnectionManager = MatineeSparkConnectionManager

    @classmethod
    def type(cls) -> str:
        """Return the name that profiles give."""
        return "matineespark"

    @classmethod
    def quote(cls, identifier: str) -> str:
        """As the project's queries quote: the session takes it (`spark.sql.ansi.doubleQuotedIdentifiers`)."""
        return f'"{identifier}"'

    def get_columns_in_relation(self, relation: Any) -> list[Any]:
        """Return the columns of a table, with the types as the project calls them."""
        columns = super().get_columns_in_relation(relation)
        return [replace(column, dtype=_DUCKDB_NAMES.get(column.dtype, column.dtype)) for column in columns]

    @available.parse(lambda *_: "")
    def to_spark(self, sql: str) -> str:
        """Return a model's query as Spark takes it, for the statements of which it is a part."""
        return to_spark(sql)

    @available.parse(lambda *_: {"files": [], "written": [], "columns": []})
    def landed_files(self, folder: str) -> dict[str, list[str]]:
        """Return the names of the Parquet files of a folder, in order, and of all columns that one of them has.

        `written` says of each file when that was, too: one that lands again under its name is another.
        """
        files = sorted(Path(folder).glob("*.parquet"))
        columns = {name for file in files for name in pq.read_schema(file).names}
        written = [f"{file.name} {file.stat().st_mtime_ns}" for file in files]
        return {"files": [file.name for file in files], "written": written, "columns": sorted(columns)}

    @available.parse(lambda *_: False)
    def is_whole(self, relation: Any) -> bool:
        """Whether there are files of a table: Spark takes one without them for one without rows."""
        return (relation.schema, relation.identifier) in spark_tables.known(
            WarehouseLayout(load_settings().warehouse)
        )

    @available.parse(lambda *_: None)
    def clear_location(self, relation: Any) -> None:
        """Remove the files of a table that the catalog does not know: of a build that was killed as it dropped it."""
        folder = (
            WarehouseLayout(load_settings().warehouse).spark / f"{relation.schema}.db" / relation.identifier
        )
        shutil.rmtree(folder, ignore_errors=True)
