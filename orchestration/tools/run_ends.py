"""How a run ended, of what Dagster recorded of it, and writing that down for those who ask without Dagster.

Belongs here: from Dagster's events to an outcome and the reasons of a failure. Does not belong here: the file
(`orchestration.stores.runs`), what the published set tells of runs (`orchestration.tools.run_history`), alarms.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import dagster as dg

from orchestration.stores import runs
from orchestration.stores.layout import WarehouseLayout
from orchestration.tools.events import details
from published.people import hide_emails

PUBLISHED = dg.AssetKey(["published", "tables"])
CONFIRMED = "confirmed"
"""Metadata of what a run did not make again because nothing is new: in words."""


@contextmanager
def recorded(layout: WarehouseLayout, context: dg.InitResourceContext) -> Iterator[None]:
    """Write down that a run begins and how it ended; the warehouse is locked meanwhile."""
    run, instance = context.run, context.instance
    if run is None or instance is None:
        yield
        return
    runs.begin(layout, run.run_id, run.job_name)
    try:
        yield
    finally:
        problems = [hide_emails(problem) for problem in problems_of_run(instance, run.run_id)]
        runs.end(
            layout, run.run_id, "failed" if problems else _outcome_of_run(instance, run.run_id), problems
        )


def problems_of(events: Iterable[dg.DagsterEvent]) -> list[str]:
    """Return why a run failed, in words for people, of its events; empty where it did not, or ended without a word."""
    problems = []
    for event in events:
        data = details(event)
        if event.event_type_value == "STEP_FAILURE":
            failure = data.user_failure_data
            problems.append(
                failure.description if failure and failure.description else _innermost(data.error)
            )
        elif event.event_type_value == "PIPELINE_FAILURE" and getattr(data, "error", None):
            problems.append(_innermost(data.error))
    return list(dict.fromkeys(problems))


def problems_of_run(instance: dg.DagsterInstance, run_id: str) -> list[str]:
    """Return why a run that is recorded failed, as `problems_of` does."""
    failures = {dg.DagsterEventType.STEP_FAILURE, dg.DagsterEventType.RUN_FAILURE}
    found = instance.get_records_for_run(run_id, of_type=failures).records
    return problems_of(event for record in found if (event := record.event_log_entry.dagster_event))


_STOPPED = ("DagsterExecutionInterruptedError", "KeyboardInterrupt")


def _innermost(error: Any) -> str:
    if error is None or error.cls_name in _STOPPED:
        return "it was stopped"
    while error.cause is not None:
        error = error.cause
    _, _, message = error.message.partition(": ")
    return (message or error.message).strip() or "it was stopped"


def _outcome_of_run(instance: dg.DagsterInstance, run_id: str) -> runs.Outcome:
    made = instance.get_records_for_run(
        run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION, limit=100_000
    )
    for record in made.records:
        materialized = record.asset_materialization
        if materialized and materialized.asset_key == PUBLISHED:
            return "unchanged" if CONFIRMED in materialized.metadata else "published"
    return "done"
