"""Asset checks of our own that belong to no one asset's code.

Belongs here: checks over what several assets made. Does not belong here: what dbt tests say better.
"""

from collections.abc import Iterator

import dagster as dg

from orchestration.tasks.left_out import refusals
from orchestration.tasks.recovery import TRUTH, measure_recovery
from orchestration.tools.shown import not_applicable
from orchestration.tools.warehouse import POOL, WarehouseResource
from published.people import hide_emails

RECOVERY_GOAL = 0.8
NONE_REFUSED = "no_file_is_refused"


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
            return not_applicable(None, "this source has no planted segments")
        return dg.AssetCheckResult(
            passed=index >= RECOVERY_GOAL,
            severity=dg.AssetCheckSeverity.WARN,
            metadata={"adjusted_rand_index": index},
        )

    return planted_segments_are_recovered


def build_refusal_check() -> dg.AssetChecksDefinition:
    """Return the check that no dataset of the source was refused.

    The run fails where it does not hold, so that whoever watches runs sees it; nothing waits for the check, so that
    everything else is published all the same.
    """
    check = dg.AssetCheckSpec(
        NONE_REFUSED,
        asset=dg.AssetKey(["landing", "manifest"]),
        description="Every file of the source could be used.",
    )

    @dg.multi_asset_check(name=NONE_REFUSED, specs=[check], pool=POOL)
    def no_file_is_refused(warehouse: WarehouseResource) -> Iterator[dg.AssetCheckResult]:
        said = hide_emails(" ".join(refusals(warehouse.layout)))
        yield dg.AssetCheckResult(
            check_name=check.name, asset_key=check.asset_key, passed=not said, description=said or None
        )
        if said:
            raise dg.Failure(description=said, allow_retries=False)

    return no_file_is_refused


def build_checks() -> list[dg.AssetChecksDefinition]:
    """Return every check of this module."""
    return [build_refusal_check(), *(build_recovery_check(segmentation) for segmentation in TRUTH)]
