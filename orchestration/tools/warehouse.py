"""The warehouse as a Dagster resource: locked for a run, with short DuckDB connections.

Belongs here: the resource and its pool. Does not belong here: names and the lock (`orchestration.stores`),
what is written.
"""

import hashlib
import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import dagster as dg
import duckdb

from orchestration.stores.layout import WarehouseLayout
from orchestration.stores.ledger import Stage, ledger_of
from orchestration.stores.lock import lock_warehouse
from orchestration.tools.run_ends import recorded
from orchestration.tools.spark import end_session

POOL = "warehouse"
"""The Dagster pool that keeps steps of different runs from writing at once."""


class WarehouseResource(dg.ConfigurableResource):
    """The warehouse of a run: its layout and short DuckDB connections. Holds the lock while the run lasts."""

    path: str
    engine: str = "duckdb"
    memory_limit: str = "2GB"
    threads: int = 2

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator["WarehouseResource"]:
        """Lock the warehouse for the run."""
        holder = f"run {context.run.run_id[:8]}" if context.run else "a Dagster process"
        with lock_warehouse(self.layout, holder, inherit=True), recorded(self.layout, context):
            try:
                yield self
            finally:
                end_session()
            shutil.rmtree(self.layout.temporary, ignore_errors=True)

    @property
    def layout(self) -> WarehouseLayout:
        """Names inside the warehouse folder."""
        return WarehouseLayout(Path(self.path))

    @contextmanager
    def connect(self, *, read_only: bool = True) -> Iterator[duckdb.DuckDBPyConnection]:
        """Open the DuckDB file for the time of a `with` block."""
        self.layout.temporary.mkdir(parents=True, exist_ok=True)
        connection = duckdb.connect(
            str(self.layout.database),
            read_only=read_only,
            config={
                "memory_limit": self.memory_limit,
                "threads": self.threads,
                "temp_directory": str(self.layout.temporary),
            },
        )
        try:
            yield connection
        finally:
            connection.close()

    def stage(self, run_id: str, stage: Stage, of: str | None = None) -> AbstractContextManager[None]:
        """Keep in the ledger of runs what a `with` block takes."""
        return ledger_of(self.layout.ledger, run_id).stage(stage, of)

    def snapshots(self, run_id: str, *queries: str) -> list[Path]:
        """Return Parquet files of the rows of queries, each made once in a run, in the order of the queries.

        They are for the worker, which must not open the database while dbt writes.
        """
        files = {query: self.layout.temporary / f"{run_id}-{_short_hash(query)}.parquet" for query in queries}
        missing = {query: file for query, file in files.items() if not file.exists()}
        if missing:
            with self.connect() as connection:
                for query, file in missing.items():
                    unfinished = file.with_name(f".{file.name}")
                    connection.sql(query).write_parquet(str(unfinished))
                    unfinished.rename(file)
        return [files[query] for query in queries]


def _short_hash(query: str) -> str:
    return hashlib.sha256(query.encode()).hexdigest()[:12]
