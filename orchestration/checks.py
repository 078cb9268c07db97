"""Asset checks of our own that belong to no one asset's code.

Belongs here: checks over what several assets made. Does not belong here: what dbt tests say better.
"""

import dagster as dg

from orchestration.tasks.recovery import TRUTH, measure_recovery
from orchestration.tools.warehouse import POOL, WarehouseResource

RECOVERY_GOAL = 0.8


def build_recovery_check(segmentation: str) -> dg.AssetChecksDefinition:
    """Return the check that planted segments are found again where the source is a demo world."""

    @dg.asset_check(
        asset=dg.AssetKey([segmentation, "members"]),
        name="planted_segments_are_recovered",
        description=f"Adjusted Rand index with the demo world's planted segments is at least {RECOVERY_GOAL}.",
        pool=POOL,
    )
    def planted_segments_are_recovered(warehouse: WarehouseResource) -> dg.AssetCheckResult:
        index = measure_recovery(warehouse.layout, segmentation)
        if index is None:
            return dg.AssetCheckResult(passed=True, description="This source has no planted segments.")
        return dg.AssetCheckResult(
            passed=index >= RECOVERY_GOAL,
            severity=dg.AssetCheckSeverity.WARN,
            metadata={"adjusted_rand_index": index},
        )

    return planted_segments_are_recovered


def build_checks() -> list[dg.AssetChecksDefinition]:
    """Return every check of this module."""
    return [build_recovery_check(segmentation) for segmentation in TRUTH]
