"""What a Dagster event holds beside its name and step.

Belongs here: reading an event. Does not belong here: what is made of it (`orchestration.tools.step_lines`, commands).
"""

from typing import Any

import dagster as dg


def details(event: dg.DagsterEvent) -> Any:
    """Return what only events of its type have: a step's duration, an error, a materialisation."""
    return event.event_specific_data
