"""A warehouse for one replication: landed, built by dbt up to the features, and read.

Belongs here: landing and dbt for a replica. Does not belong here: which models, and what is done with them.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import duckdb
import polars as pl

from ingest.rawfiles import RawFile
from orchestration.settings import Settings
from orchestration.stores.layout import WarehouseLayout
from orchestration.tasks.landing import land, stage
from orchestration.tools import dbt


class ReplicationError(ValueError):
    """The input cannot be analysed as published; the message says why."""


@dataclass(frozen=True)
class Replica:
    """A built warehouse, its raw files and how many rows were read of each, by landing table."""

    layout: WarehouseLayout
    files: Mapping[str, RawFile]
    rows_read: Mapping[str, int]

    def read(self, query: str) -> pl.DataFrame:
        """Return the result of a query."""
        with duckdb.connect(str(self.layout.database), read_only=True) as connection:
            return connection.sql(query).pl()


def build_replica(layout: WarehouseLayout, settings: Settings, selection: Sequence[str]) -> Replica:
    """Land the source into a warehouse of its own and build what dbt selects.

    Raises
    ------
    IngestError, DbtError
        When the source or a model fails.
    """
    # The published files fit any machine, and what is built is asked of DuckDB's file alone.
    own = settings.model_copy(update={"warehouse": layout.root, "engine": "duckdb"})
    os.environ.update(own.to_environment())
    landed = land(own)
    stage(landed, layout)
    failures = dbt.failures(dbt.run_build(selection, layout))
    if failures:
        msg = f"dbt build: {'; '.join(failures)}"
        raise dbt.DbtError(msg)
    return Replica(layout, landed.source.files, {file.table: file.rows_read for file in landed.files})
