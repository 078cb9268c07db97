"""Every dbt model and seed as an asset, every dbt data test as an asset check.

Belongs here: the definition, and what else begins as its models finish. Does not belong here: names and metadata of the
assets (`orchestration.tools.dbt_assets`), how dbt is run (`orchestration.tools.dbt`).

One definition: Dagster splits it by itself into the stage before ML and the stage after it.
"""

from collections.abc import Iterator
from typing import Any

import dagster as dg
import dagster_dbt

from orchestration.assets.audience_plots import AUDIENCE_PLOTS, MARTS, begin_audience_plots
from orchestration.tasks.worker import start_worker
from orchestration.tools import dbt, dbt_assets
from orchestration.tools.steps import is_asked_for
from orchestration.tools.warehouse import POOL, WarehouseResource


def build_dbt_assets() -> dg.AssetsDefinition:
    """Return the dbt project as assets; parses the project when it has changed."""
    missing: dict[str, set[dg.AssetKey]] = {}
    """By run: the marts that the pictures of the audience still wait for."""

    @dagster_dbt.dbt_assets(
        manifest=dbt.ensure_manifest(),
        dagster_dbt_translator=dbt_assets.MatineeTranslator(),
        name="dbt_build",
        pool=POOL,
    )
    def dbt_build(context: dg.AssetExecutionContext, warehouse: WarehouseResource) -> Iterator[Any]:
        start_worker()  # it imports while dbt works

        def draw_from_marts() -> None:
            waited_for = missing.setdefault(context.run.run_id, set(MARTS & dbt_build.keys))
            waited_for -= context.selected_asset_keys
            if not waited_for and is_asked_for(AUDIENCE_PLOTS, context):
                begin_audience_plots(context.run.run_id, warehouse)

        yield from dbt_assets.build(context, warehouse, once_built=draw_from_marts)

    return dbt_build
