"""Where the Dagster UI looks for a run: under its job, and in the timeline.

Belongs here: that. Does not belong here: running the job (`orchestration.commands.run`).

A run that a process executes by itself is recorded with the name of its job, and not with where that job is defined;
the UI then lists it among all runs and nowhere else.
"""

from functools import partial
from typing import Any

import dagster as dg
from dagster._core.remote_origin import RegisteredCodeLocationOrigin, RemoteRepositoryOrigin

LOCATION, REPOSITORY = "matinee", "__repository__"
"""As `workspace.yaml` calls what it loads, and as Dagster calls the only repository in there."""


def place_runs(instance: dg.DagsterInstance, job: str) -> None:
    """Let the runs that an instance makes from now on be recorded as runs of a job of `workspace.yaml`."""
    origin = RemoteRepositoryOrigin(RegisteredCodeLocationOrigin(LOCATION), REPOSITORY).get_job_origin(job)
    recorder: Any = instance
    recorder.create_run_for_job = partial(instance.create_run_for_job, remote_job_origin=origin)
