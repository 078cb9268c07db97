"""What starts runs by itself: the nightly schedule, the hourly one, and the sensor of new files.

Belongs here: when a run is asked for and when it is better not. Does not belong here: the jobs (`definitions`), what a
run does, how files come (`ingest.arrivals`).

The instance lets one run go at a time and queues the others, so that runs never overlap; what is asked for every hour
or minute would queue up, and is left out while anything is going.
"""

import hashlib
import json
import os
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

import dagster as dg

from ingest.arrivals import is_unfinished
from ingest.errors import IngestError
from ingest.sources import watched
from ingest.store import source_of
from orchestration.settings import NAMED_SOURCES, Settings
from orchestration.stores.layout import WarehouseLayout
from orchestration.stores.lock import is_held
from orchestration.tasks.landing import source_described
from orchestration.tools.engines import next_time
from orchestration.tools.run_tags import IF_NEW_TAG

_NIGHT_IS_NEAR = timedelta(minutes=30)
_LOOK_EVERY_SECONDS = 60
_GOING = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


def build_schedules(settings: Settings, *, nightly_job: str, hourly_job: str) -> list[dg.ScheduleDefinition]:
    """Return the nightly and the hourly schedule."""

    @dg.schedule(
        name="hourly_refresh",
        job_name=hourly_job,
        cron_schedule=settings.hourly_schedule,
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Lands what is new each hour, and refreshes tables, members and lists by the models in force.",
    )
    def hourly_refresh(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        at = context.scheduled_execution_time
        nightly = next_time(settings.schedule, at)
        if nightly - at <= _NIGHT_IS_NEAR:
            return dg.SkipReason(f"The nightly refresh begins at {nightly:%H:%M} UTC and does this, too.")
        if why := _why_not(context.instance, settings):
            return dg.SkipReason(why)
        return dg.RunRequest(tags={IF_NEW_TAG: "true"})

    nightly_refresh = dg.ScheduleDefinition(
        name="nightly_refresh",
        job_name=nightly_job,
        cron_schedule=settings.schedule,
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        tags={IF_NEW_TAG: "true"},
        description="Refreshes everything, models too, each night on which something is new.",
    )
    return [nightly_refresh, hourly_refresh]


def build_sensor(settings: Settings, *, job: str) -> dg.SensorDefinition:
    """Return the sensor of new files: in the drop folder, and where the source is a folder or names some."""

    @dg.sensor(
        name="new_files",
        job_name=job,
        minimum_interval_seconds=_LOOK_EVERY_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Starts a refresh when new files lie in the drop folder or in the folders of the source.",
    )
    def new_files(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        try:
            dropped, held = _dropped(WarehouseLayout(settings.warehouse).incoming), _held(settings.source)
        except (IngestError, OSError) as error:
            return dg.SkipReason(f"The files cannot be looked at: {error}")
        now = dropped | held
        # At the first look the source is what it is; the schedules land it.
        before = json.loads(context.cursor) if context.cursor else {"seen": sorted(held), "then": []}
        new = now - set(before["seen"])

        def looked(seen: Iterable[str], *requests: dg.RunRequest, why: str = "") -> dg.SensorResult:
            cursor = json.dumps({"seen": sorted(seen), "then": sorted(now)})
            return dg.SensorResult(list(requests), skip_reason=why or None, cursor=cursor)

        if not new:
            return looked(now, why="No new files.")
        if now != set(before["then"]):
            return looked(
                before["seen"], why="Files are coming: the next look tells whether they are complete."
            )
        if why := _why_not(context.instance, settings):
            return looked(before["seen"], why=why)
        # Without a key: of one that a run had, a file that lies there again would never ask for another.
        return looked(now, dg.RunRequest(tags={IF_NEW_TAG: "true"}))

    return new_files


def _why_not(instance: dg.DagsterInstance, settings: Settings) -> str:
    """Say why no run should be asked for now; empty where one may.

    One is going or waiting; or it would put another source in the place of the one in force, which nobody expects of an
    hour.
    """
    layout = WarehouseLayout(settings.warehouse)
    in_force = (source_of(layout.landing, "current") or {}).get("description")
    if in_force not in (None, source_described(settings)):
        return (
            f"What is published was made of {in_force}, and MATINEE_SOURCE names {settings.source}: "
            "the nightly refresh or `matinee run` changes the source."
        )
    going = instance.get_runs(filters=dg.RunsFilter(statuses=_GOING), limit=1)
    if going:
        what = "waits" if going[0].status == dg.DagsterRunStatus.QUEUED else "is going"
        return f"Run {going[0].run_id[:8]} of {going[0].job_name} {what}."
    return "The warehouse is in use." if is_held(layout) else ""


def _dropped(incoming: Path) -> set[str]:
    files = (path for path in incoming.rglob("*") if path.is_file())
    return _marks(path for path in files if not is_unfinished(path.relative_to(incoming)))


def _held(source: str) -> set[str]:
    return set() if source in NAMED_SOURCES else _marks(watched(source))


def _marks(paths: Iterable[Path]) -> set[str]:
    """Return a short mark of each file's name, size and time: its content is not read."""
    return {_mark(path) for path in paths}


def _mark(path: Path) -> str:
    found = path.stat()
    text = f"{path} {found.st_size} {found.st_mtime_ns}"
    return hashlib.sha256(os.fsencode(text)).hexdigest()[:12]
