"""Runs whose process ended without a word: they would show as running, and those that wait for them wait for ever.

Belongs here: telling a dead run from a living one, to Dagster's monitor and to `matinee run`. Does not belong here: the
lock itself (`orchestration.stores.lock`), how often the monitor looks (`.dagster/dagster.yaml`).

A living run holds the lock of its warehouse, and the operating system frees that lock however the process ends, a power
cut included. A process id would tell less: after a restart it may be somebody else's.
"""

import time
from pathlib import Path

import dagster as dg
from dagster._core.launcher.base import CheckRunHealthResult, WorkerStatus

from orchestration.settings import load_settings
from orchestration.stores.layout import WarehouseLayout
from orchestration.stores.lock import is_held
from orchestration.tools.run_history import WAREHOUSE_TAG

_QUIET_SECONDS = 30
"""A run starts before it takes the lock and ends after it gave it back; it writes events meanwhile."""


class MonitoredRunLauncher(dg.DefaultRunLauncher):
    """Dagster's own launcher, which can also tell its monitor whether a run is still alive."""

    @property
    def supports_check_run_worker_health(self) -> bool:
        """Whether `check_run_worker_health` may be asked: yes, unlike of the launcher it comes from."""
        return True

    def check_run_worker_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        """Return whether the run's process is there."""
        if has_died(self._instance, run):
            return CheckRunHealthResult(WorkerStatus.FAILED, "The process of this run ended without a word.")
        return CheckRunHealthResult(WorkerStatus.RUNNING)


def has_died(instance: dg.DagsterInstance, run: dg.DagsterRun) -> bool:
    """Return whether nobody holds the run's warehouse, and the run has written nothing for a while."""
    # Parts of the graph that a person picks in the UI make a run without our tags.
    warehouse = run.tags.get(WAREHOUSE_TAG) or load_settings().warehouse
    if is_held(WarehouseLayout(Path(warehouse))):
        return False
    last = instance.event_log_storage.get_logs_for_run(run.run_id, limit=1, ascending=False)
    return not last or time.time() - last[0].timestamp > _QUIET_SECONDS


def bury_dead_runs(instance: dg.DagsterInstance) -> None:
    """Mark dead runs as failed without waiting for the monitor, which only looks while a Dagster daemon runs."""
    active = [dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.STARTING]
    for run in instance.get_runs(filters=dg.RunsFilter(statuses=active)):
        if has_died(instance, run):
            instance.report_run_failed(run, message="The process of this run ended without a word.")
            instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)
