"""Runs whose process was killed.

Belongs here: which process a run belongs to, and closing the runs of dead ones. Does not belong here: running anything.
"""

import os
import socket

import dagster as dg

_PROCESS_TAG = "matinee/process"


def process_tag() -> dict[str, str]:
    """Return the tag by which a run says that it belongs to this process."""
    return {_PROCESS_TAG: f"{socket.gethostname()}:{os.getpid()}"}


def bury_dead_runs(instance: dg.DagsterInstance) -> None:
    """Close runs whose process was killed: they would show as running and hold the pool for ever."""
    active = [dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.STARTING]
    for run in instance.get_runs(filters=dg.RunsFilter(statuses=active)):
        host, _, pid = run.tags.get(_PROCESS_TAG, "").rpartition(":")
        if host == socket.gethostname() and not _is_alive(int(pid)):
            instance.report_run_failed(run, message="The process of this run ended without a word.")
            instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
