"""What ML gives, gathered over all segmentations into the DuckDB schema `ml`, for dbt to build marts on.

Belongs here: the switch from the model store's Parquet to tables. Does not belong here: what the columns
mean and must hold; that contract stands once, in dbt's source of the same name.
"""

from collections.abc import Iterator, Sequence

import dagster as dg

from orchestration.dbt import OWNER
from orchestration.model_store import ModelStore
from orchestration.warehouse import POOL, WarehouseResource

TABLES = {
    "k_metrics": "Every candidate k of every segmentation with all indices.",
    "segments": "Ids and names of the published segments.",
    "segment_members": "The segment of every entity.",
    "segment_profiles": "Mean of every feature per segment, beside the base.",
    "pca_loadings": "Loadings of the two principal components of the prepared features.",
}


def build_ml_tables(segmentations: Sequence[str]) -> dg.AssetsDefinition:
    """Return the gathering asset over the given segmentations."""
    upstream = [dg.AssetKey([name, step]) for name in segmentations for step in ("members", "profile")]

    @dg.multi_asset(
        specs=[
            dg.AssetSpec(
                ["ml", table],
                description=description,
                deps=upstream,
                group_name="ml",
                owners=[OWNER],
                kinds={"python", "duckdb"},
            )
            for table, description in TABLES.items()
        ],
        name="gather_ml_tables",
        pool=POOL,
    )
    def gather_ml_tables(warehouse: WarehouseResource) -> Iterator[dg.MaterializeResult]:
        stores = [ModelStore(warehouse.layout.models / name) for name in segmentations]
        with warehouse.connect(read_only=False) as connection:
            connection.execute("create schema if not exists ml")
            connection.execute("begin")
            for table in TABLES:
                files = [str(store.table_path(table)) for store in stores]
                connection.execute(
                    f"create or replace table ml.{table} as select * from read_parquet(?)", [files]
                )
            connection.execute("commit")
            counts = {
                table: connection.execute(f"select count(*) from ml.{table}").fetchall()[0][0]
                for table in TABLES
            }
        for table in TABLES:
            yield dg.MaterializeResult(asset_key=["ml", table], metadata={"dagster/row_count": counts[table]})

    return gather_ml_tables
