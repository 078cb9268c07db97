"""Every dbt model and seed as an asset, every dbt data test as an asset check.

Belongs here: the definition, and what else begins as its models finish. Does not belong here: names and metadata of the
assets (`orchestration.tools.dbt_assets`), how dbt is run (`orchestration.tools.dbt`).

Two definitions, what dbt builds before ML and what it builds of ML's tables. Were they one, the graph would have a
circle of steps, and Dagster would cut it at each distance from the landing: one build for every step of training that
some table of ML comes from.
"""

from collections.abc import Iterator
from typing import Any

import dagster as dg
import dagster_dbt

from orchestration.assets.audience_plots import AUDIENCE_PLOTS, MARTS, begin_audience_plots
from orchestration.assets.publish import REPORT
from orchestration.stores.ledger import Stage
from orchestration.tasks.nothing_new import is_nothing_new
from orchestration.tasks.worker import start_workers
from orchestration.tools import dbt, dbt_assets
from orchestration.tools.run_ends import CONFIRMED, PUBLISHED
from orchestration.tools.run_tags import FULL_REFRESH_TAG, IF_NEW_TAG, SERVES_TAG, asks_for
from orchestration.tools.steps import asked_for, is_asked_for
from orchestration.tools.warehouse import POOL, WarehouseResource

BEFORE_ML = "dbt_build_before_ml"
_OF_ML = "source:ml+ source:recommender+ source:audiences+ source:departure+"
"""dbt's selection of all that is built of what ML gives."""


def build_dbt_assets() -> list[dg.AssetsDefinition]:
    """Return the dbt project as assets, before ML and after it; parses the project when it has changed."""
    missing: dict[str, set[dg.AssetKey]] = {}
    """By run: the marts that the pictures of the audience still wait for."""

    manifest = dbt.ensure_manifest()

    def build_stage(name: str, stage: Stage, sources: str, select: str, exclude: str) -> dg.AssetsDefinition:
        @dagster_dbt.dbt_assets(
            manifest=manifest,
            select=select,
            exclude=exclude,
            dagster_dbt_translator=dbt_assets.MatineeTranslator(sources),
            name=name,
            pool=POOL,
        )
        def build(context: dg.AssetExecutionContext, warehouse: WarehouseResource) -> Iterator[Any]:
            with warehouse.stage(context.run.run_id, stage):
                yield from _build(context, warehouse)

        def _build(context: dg.AssetExecutionContext, warehouse: WarehouseResource) -> Iterator[Any]:
            # What is published is compared with, so the run must be one that would publish.
            may_end = asks_for(context.run, IF_NEW_TAG) and not asks_for(context.run, FULL_REFRESH_TAG)
            may_end = may_end and name == BEFORE_ML and is_asked_for(PUBLISHED, context)
            serves = asks_for(context.run, SERVES_TAG)
            if may_end and is_nothing_new(warehouse.layout, asked_for(context), serves=serves):
                # Dagster leaves out what is made of tables that a step has not made.
                said = "Nothing is new since the last run: what is published stays."
                context.log.info(said)
                # It is as fresh as if it had been made again.
                for key in (PUBLISHED, REPORT):
                    context.log_event(dg.AssetMaterialization(key, metadata={CONFIRMED: said}))
                return
            start_workers()  # they import while dbt works

            def draw_from_marts() -> None:
                waited_for = missing.setdefault(context.run.run_id, set(drawn))
                waited_for -= context.selected_asset_keys
                if not waited_for and is_asked_for(AUDIENCE_PLOTS, context):
                    begin_audience_plots(context.run.run_id, warehouse)

            yield from dbt_assets.build(context, warehouse, once_built=draw_from_marts)

        return build

    stages = [
        build_stage(BEFORE_ML, "dbt before ML", "landing", "fqn:*", _OF_ML),
        build_stage("dbt_build_after_ml", "dbt after ML", "ml", _OF_ML, ""),
    ]
    drawn = {key for stage in stages for key in MARTS & stage.keys}
    return stages
