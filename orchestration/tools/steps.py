"""One step of training something as an asset: it works on a versioned store, or is skipped for lack of data.

Belongs here: what all these steps share: owner, pool, the worker's snapshots, skipping. Does not belong here: any one
step (`assets`, `components`), where the reason is kept (`orchestration.stores.versions`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import dagster as dg

from ml.segmentation.errors import UntrainableError
from orchestration import costs
from orchestration.stores.ledger import Stage
from orchestration.stores.versions import VersionedStore
from orchestration.tools.dbt import OWNER
from orchestration.tools.run_tags import FULL_REFRESH_TAG, SERVES_TAG, asks_for
from orchestration.tools.shown import not_applicable
from orchestration.tools.warehouse import POOL, WarehouseResource

Store = TypeVar("Store", bound=VersionedStore)


@dataclass(frozen=True)
class Step(Generic[Store]):
    """What the work of a step has at hand."""

    store: Store
    warehouse: WarehouseResource
    run_id: str
    asked_for: frozenset[str]
    """The assets that the run materialises (`user_ratings/quality`): a later one is begun if it is among them."""
    serves: bool = False
    """Whether models in force are to serve today's rows, and nothing is trained that need not be."""
    anew: bool = False
    """Whether everything is to be trained and judged, however little changed."""

    def snapshots(self, *queries: str) -> list[Path]:
        """Return files of the rows of queries, for the worker."""
        files = self.warehouse.snapshots(self.run_id, *queries)
        costs.read_parquet(*files)
        return files


def build_step(
    key: dg.AssetKey,
    work: Callable[[Step[Store]], dg.MaterializeResult],
    *,
    stage: Stage,
    store: Callable[[WarehouseResource], Store],
    lacks: Callable[[Step[Store]], str | None] | None = None,
    checks: Sequence[dg.AssetCheckSpec] = (),
    **declared: Any,
) -> dg.AssetsDefinition:
    """Return a step as an asset.

    Parameters
    ----------
    key
        Key of the asset.
    work
        Makes what the step makes and says what Dagster is told of it. Where it finds too little to train on
        (UntrainableError), the step is skipped with that reason.
    stage
        Of a run, to which it belongs.
    store
        Where the step keeps it.
    lacks
        Of the first step of a store: what the source lacks, in words, so that nothing can be trained; None where all is
        there. The later steps go by what the first one found.
    checks
        The checks whose results the work gives; where the step is skipped they are not applicable.
    declared
        What else `dagster.asset` takes.
    """

    @dg.asset(key=key, check_specs=checks, owners=[OWNER], pool=POOL, **declared)
    def step(context: dg.AssetExecutionContext, warehouse: WarehouseResource) -> dg.MaterializeResult:
        here = Step(
            store(warehouse),
            warehouse,
            context.run.run_id,
            asked_for(context),
            asks_for(context.run, SERVES_TAG),
            asks_for(context.run, FULL_REFRESH_TAG),
        )
        with warehouse.stage(here.run_id, stage, key.path[0]):
            lacking = lacks(here) if lacks else here.store.skipped
            if lacking is None:
                try:
                    made = work(here)
                except UntrainableError as error:  # too little to divide stops nothing else
                    lacking = str(error).removeprefix(f"{here.store.name}: ")
                else:
                    rows: Any = (made.metadata or {}).get("dagster/row_count")
                    costs.wrote(rows=rows)
                    return made
            here.store.skip(lacking)
            return _skipped(lacking, checks)

    return step


def _skipped(lacking: str, checks: Sequence[dg.AssetCheckSpec]) -> dg.MaterializeResult:
    """Tell Dagster that there was nothing to do, so that everything else goes on."""
    return dg.MaterializeResult(
        metadata={"skipped": lacking},
        check_results=[not_applicable(check.name, lacking) for check in checks],
    )


def is_asked_for(key: dg.AssetKey, context: dg.AssetExecutionContext) -> bool:
    """Return whether the run also materialises an asset."""
    return key.to_user_string() in asked_for(context)


def asked_for(context: dg.AssetExecutionContext) -> frozenset[str]:
    """Return the assets that the run materialises, as people write them: `user_ratings/members`."""
    keys = context.run.asset_selection or context.job_def.asset_layer.executable_asset_keys
    return frozenset(key.to_user_string() for key in keys)
