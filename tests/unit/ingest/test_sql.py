"""Rows written as Parquet."""

import duckdb
import pyarrow.parquet as pq
import pytest

from ingest.sql import copy

FAILS = "SELECT CASE WHEN range % 7 = 3 THEN error('no') ELSE range END FROM range(40)"


def test_a_copy_that_failed_takes_nothing_from_the_next_one_of_the_same_name(tmp_path):
    # DuckDB removes the file of a failed COPY when its threads have ended, some time after it has told of the failure.
    to = tmp_path / "draft.parquet"
    for _ in range(200):
        with duckdb.connect(config={"threads": 2}) as connection:
            with pytest.raises(duckdb.Error):
                copy(connection, FAILS, to)
            assert not to.exists()
            assert copy(connection, "SELECT range FROM range(40)", to) == 40
        assert pq.read_metadata(to).num_rows == 40
        to.unlink()
