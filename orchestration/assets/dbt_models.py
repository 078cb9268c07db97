"""Every dbt model and seed as an asset, every dbt data test as an asset check.

One definition: Dagster splits it by itself into the stage before ML and the stage after it.
"""

from collections.abc import Iterator
from typing import Any

import dagster as dg
import dagster_dbt

from orchestration import dbt
from orchestration.warehouse import POOL, WarehouseResource
from orchestration.worker import start_worker


def build_dbt_assets() -> dg.AssetsDefinition:
    """Return the dbt project as assets; parses the project when it has changed."""

    @dagster_dbt.dbt_assets(
        manifest=dbt.ensure_manifest(),
        dagster_dbt_translator=dbt.MatineeTranslator(),
        name="dbt_build",
        pool=POOL,
    )
    def dbt_build(context: dg.AssetExecutionContext, warehouse: WarehouseResource) -> Iterator[Any]:
        start_worker()  # it imports while dbt works
        yield from dbt.build(context, warehouse)

    return dbt_build
