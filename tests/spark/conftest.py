"""One warehouse whose features are Spark's tables, and one session for all tests of this folder."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import duckdb
import polars as pl
import pytest

from orchestration.settings import Settings, SettingsError, load_settings
from orchestration.stores.layout import WarehouseLayout
from orchestration.tools import spark
from orchestration.tools.warehouse import WarehouseResource


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what starts Spark."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.spark)


@dataclass(frozen=True)
class OnSpark:
    """A warehouse on Spark."""

    settings: Settings

    @property
    def layout(self) -> WarehouseLayout:
        return WarehouseLayout(self.settings.warehouse)

    def table(self, name: str, frame: pl.DataFrame) -> None:
        """Make a table of Spark, in parts, and the view of it in DuckDB's file, as dbt and the run do."""
        opened = spark.session(self.settings)
        schema, table = name.split(".")
        opened.sql(f"create database if not exists {schema}")
        rows = opened.createDataFrame(frame.to_arrow(compat_level=pl.CompatLevel.oldest()))
        rows.repartition(3).write.mode("overwrite").saveAsTable(name)
        self.query(f"create schema if not exists {schema}")
        parts = self.layout.spark / f"{schema}.db" / table / "*.parquet"
        self.query(f"create or replace view {name} as from read_parquet('{parts}')")

    def query(self, sql: str) -> None:
        with duckdb.connect(str(self.layout.database)) as connection:
            connection.execute(sql)

    def make(self, assets: list[dg.AssetsDefinition], *keys: str, **settings: object) -> None:
        """Materialise assets as a run does, with settings of this run."""
        given = self.settings.model_copy(update=settings)
        before = dict(os.environ)
        os.environ.update(given.to_environment())
        try:
            with dg.DagsterInstance.ephemeral() as instance:
                made = dg.materialize(
                    assets,
                    selection=[dg.AssetKey(key.split("/")) for key in keys],
                    instance=instance,
                    resources={
                        "warehouse": WarehouseResource(
                            path=str(given.warehouse), engine=given.engine, threads=2
                        )
                    },
                )
            assert made.success
        finally:
            os.environ.clear()
            os.environ.update(before)


@pytest.fixture(scope="session")
def spark_works() -> None:
    """Skip the test where Spark cannot work."""
    try:
        spark.check_spark(load_settings(engine="spark"))
    except SettingsError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def on_spark(spark_works: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OnSpark]:
    """A warehouse on Spark."""
    folder = tmp_path_factory.mktemp("on spark")
    yield OnSpark(load_settings(warehouse=folder, engine="spark", threads=2, spark_memory="1g"))
    spark.end_session()
