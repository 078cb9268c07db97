"""What Dagster is told of a step that has nothing to do, because the source lacks what it works on.

Belongs here: that one result. Does not belong here: when a step is skipped (the assets), where the reason is kept
(`orchestration.stores.versions`).
"""

from collections.abc import Sequence

import dagster as dg

from orchestration.stores.versions import VersionedStore


def skipped(store: VersionedStore, checks: Sequence[str] = ()) -> dg.MaterializeResult:
    """Tell Dagster that there was nothing to do, so that everything else goes on."""
    return dg.MaterializeResult(
        metadata={"skipped": store.skipped},
        check_results=[
            dg.AssetCheckResult(check_name=check, passed=True, description=f"Skipped: {store.skipped}.")
            for check in checks
        ],
    )
