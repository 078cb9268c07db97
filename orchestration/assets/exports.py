"""Declared exports as assets: each sends what is new once the tables are published; and what came of it.

Belongs here: what Dagster is told of a delivery. Does not belong here: the delivery (`orchestration.tasks.exporting`).
"""

from collections.abc import Mapping

import dagster as dg

from orchestration import costs
from orchestration.settings import load_settings
from orchestration.stores.layout import write_atomically
from orchestration.stores.lock import WarehouseError
from orchestration.stores.versions import parquet_bytes
from orchestration.tasks.exporting.declaration import Export
from orchestration.tasks.exporting.delivering import deliver
from orchestration.tasks.exporting.errors import ExportError, ExportRefusedError
from orchestration.tasks.exporting.proof import READ, lift_of_deliveries
from orchestration.tasks.nothing_new import forget_what_it_was_made_of
from orchestration.tools.dbt import OWNER
from orchestration.tools.run_ends import PUBLISHED
from orchestration.tools.shown import markdown
from orchestration.tools.warehouse import POOL, WarehouseResource
from published.errors import PublishedError

GROUP = "exports"
LIFT = dg.AssetKey(["proof", "lift"])
_TOLD = ("id", "kind", "added", "updated", "removed", "left", "held_out")


def build_exports(exports: Mapping[str, Export]) -> list[dg.AssetsDefinition]:
    """Return an asset for each declared export."""
    return [_build(export) for export in exports.values()]


def build_lift() -> dg.AssetsDefinition:
    """Return the asset that judges what was sent in earlier nights by what people did since."""

    @dg.asset(
        key=LIFT,
        description="What became of people who were sent, beside those of the same audiences who were held out.",
        deps=[dg.AssetKey(table.split(".")) for table in READ],
        group_name=GROUP,
        owners=[OWNER],
        kinds={"python"},
        pool=POOL,
    )
    def lift(context: dg.AssetExecutionContext, warehouse: WarehouseResource) -> dg.MaterializeResult:
        with warehouse.stage(context.run.run_id, "prove"):
            with warehouse.connect() as connection:
                found = lift_of_deliveries(warehouse.layout, connection)
            write_atomically(warehouse.layout.lift, parquet_bytes(found))
            costs.wrote(rows=len(found))
        return dg.MaterializeResult(metadata={"says": markdown(found), "dagster/row_count": len(found)})

    return lift


def _build(export: Export) -> dg.AssetsDefinition:
    @dg.asset(
        key=dg.AssetKey([GROUP, export.name]),
        description=f"{export.description}. Sends who is new, changed or gone to its destination.",
        deps=[PUBLISHED],
        group_name=GROUP,
        owners=[OWNER],
        kinds={export.destination.kind if export.destination.kind == "postgres" else export.format},
        pool=POOL,
        op_tags={"dagster/priority": "-2"},  # nothing waits for a destination
    )
    def send(context: dg.AssetExecutionContext, warehouse: WarehouseResource) -> dg.MaterializeResult:
        settings = load_settings(warehouse=warehouse.path)
        with warehouse.stage(context.run.run_id, "export", export.name):
            try:
                delivered = deliver(export, settings)
            except (ExportError, PublishedError, WarehouseError) as error:
                # One that could not even begin is not pending, and a night without new data would leave it out. What is
                # refused would be so again.
                if not isinstance(error, ExportRefusedError):
                    forget_what_it_was_made_of(warehouse.layout)
                raise dg.Failure(description=str(error), allow_retries=False) from None
            costs.wrote(
                rows=sum(one["added"] + one["updated"] + one["removed"] for one in delivered.manifests)
            )
        told = [{name: one[name] for name in _TOLD} for one in delivered.manifests]
        return dg.MaterializeResult(
            metadata={"deliveries": dg.MetadataValue.json(told), "dagster/row_count": delivered.left}
        )

    return send
