"""Tags by which a run says how it wants to be.

Belongs here: their names, and asking a run for them. Does not belong here: what follows from them.
"""

import dagster as dg

IF_NEW_TAG = "matinee/if_new"
"""The run is to end where nothing is new since the last one."""
FULL_REFRESH_TAG = "matinee/full_refresh"
"""Every table is to be made anew from what has landed, and every model trained and judged."""
SERVES_TAG = "matinee/serves"
"""Models in force are to serve today's rows: nothing is trained or judged that need not be."""


def asks_for(run: dg.DagsterRun, tag: str) -> bool:
    """Return whether a run has one of these tags."""
    return run.tags.get(tag) == "true"
