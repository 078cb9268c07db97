from pathlib import Path

import dagster as dg
import duckdb
import polars as pl
import pytest

from orchestration.assets.ml_tables import gather

GOOD = pl.DataFrame({"segmentation": "s", "component": 1, "feature": "a", "loading": 0.5}).with_columns(
    explained_variance_ratio=pl.lit(0.6)
)


@pytest.fixture
def gathered(tmp_path: Path) -> tuple[duckdb.DuckDBPyConnection, Path]:
    connection, file = duckdb.connect(), tmp_path / "loadings.parquet"
    GOOD.write_parquet(file)
    gather(connection, {"pca_loadings": [str(file)]})
    return connection, file


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (GOOD.with_columns(component=pl.lit(3)), "component IN"),
        (GOOD.with_columns(feature=pl.lit(None, pl.String)), "pca_loadings.feature"),
        (GOOD.rename({"loading": "load"}), "load"),
        (GOOD.with_columns(loading=pl.lit("much")), "much"),
    ],
    ids=["a value that cannot be", "none where there must be one", "another column", "another type"],
)
def test_ml_output_that_breaks_its_contract_is_refused_and_what_was_there_stays(
    gathered: tuple[duckdb.DuckDBPyConnection, Path], broken: pl.DataFrame, said: str
) -> None:
    connection, file = gathered
    broken.write_parquet(file)
    with pytest.raises(dg.Failure, match="pca_loadings does not keep its contract") as refused:
        gather(connection, {"pca_loadings": [str(file)]})
    assert said.lower() in (refused.value.description or "").lower()
    assert connection.execute("select component, loading from ml.pca_loadings").fetchall() == [(1, 0.5)]


def test_a_table_of_which_nothing_was_trained_is_empty(
    gathered: tuple[duckdb.DuckDBPyConnection, Path],
) -> None:
    connection, _ = gathered
    gather(connection, {"pca_loadings": []})
    assert connection.execute("select count(*) from ml.pca_loadings").fetchall() == [(0,)]


def test_a_table_is_filled_again_from_another_file_and_where_all_are_asked_for_anew(
    gathered: tuple[duckdb.DuckDBPyConnection, Path],
) -> None:
    connection, file = gathered
    connection.execute("delete from ml.pca_loadings")
    gather(connection, {"pca_loadings": [str(file)]})
    assert connection.execute("select loading from ml.pca_loadings").fetchall() == []
    gather(connection, {"pca_loadings": [str(file)]}, anew=True)
    assert connection.execute("select loading from ml.pca_loadings").fetchall() == [(0.5,)]
    GOOD.with_columns(loading=pl.lit(0.4)).write_parquet(file)
    gather(connection, {"pca_loadings": [str(file)]})
    assert connection.execute("select loading from ml.pca_loadings").fetchall() == [(0.4,)]
