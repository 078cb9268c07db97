"""Run a job of the graph in this process, recorded in the Dagster instance so that the UI shows it.

Belongs here: one run from settings to outcome. Does not belong here: what people see of it (`command`, `summary`).
"""

import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import dagster as dg

from orchestration.assets.landing import FAILED_FILES, TOLD
from orchestration.assets.recommender import GROUP as RECOMMENDER
from orchestration.definitions import build_defs
from orchestration.settings import Settings, load_alarm_settings
from orchestration.tools.alarm import COMMAND_TAG, Alarm, alarm_of_run
from orchestration.tools.dead_runs import bury_dead_runs
from orchestration.tools.event_log import quick_event_log
from orchestration.tools.events import details
from orchestration.tools.run_ends import problems_of
from orchestration.tools.run_history import SOURCE_TAG
from orchestration.tools.run_place import place_runs
from orchestration.tools.run_tags import FULL_REFRESH_TAG, IF_NEW_TAG


@dataclass(frozen=True)
class Stage:
    """One finished step."""

    name: str
    seconds: float


@dataclass(frozen=True)
class RunOutcome:
    """What became of a run."""

    run_id: str
    success: bool
    problems: tuple[str, ...]
    """Why it failed, in words for people; empty on success."""
    unexpected_rejects: dict[str, int]
    """Landing table to lines rejected that are not known quirks."""
    stages: tuple[Stage, ...]
    alarm: Alarm | None
    """What those who are told of alarms are told of it."""
    kept: str = ""
    """What stayed as an earlier run had made it, as a sentence."""
    told: tuple[str, ...] = ()
    """What a person should know of what came, as sentences."""
    failed_files: int = 0
    """Files of the drop folder that cannot be used."""
    has_wrong_declaration: bool = False
    """Whether it failed because a declaration of a source was refused."""

    @property
    def has_published(self) -> bool:
        """Whether it published; false for a run that was not to, and for one that found nothing new."""
        return any(stage.name == "published__tables" for stage in self.stages)


def run_job(job: str, settings: Settings, *, if_new: bool = False, full_refresh: bool = False) -> RunOutcome:
    """Run a job to its end and say how it went; failures of the run are in the outcome, not raised.

    Parameters
    ----------
    job
        `refresh`, `update`, `segments` or `sql_layer`.
    settings
        What to run on.
    if_new
        End after landing where nothing is new since the last run.
    full_refresh
        Make every table of dbt anew from what has landed.
    """
    os.environ.update(settings.to_environment())
    wishes = {IF_NEW_TAG: if_new, FULL_REFRESH_TAG: full_refresh}
    with dg.DagsterInstance.get() as instance, quick_event_log(instance):
        bury_dead_runs(instance)
        place_runs(instance, job)
        # Of a run that finds nothing new it would say of each check of each step that is left out that it was not made.
        logging.getLogger("dagster._core.execution.plan.active").setLevel(logging.ERROR)
        definitions = build_defs(settings)
        result = definitions.resolve_job_def(job).execute_in_process(
            instance=instance,
            raise_on_error=False,
            run_config={"loggers": {"progress": {"config": {}}}},
            # Begun anew by Dagster's daemon it would have the daemon's settings.
            tags={SOURCE_TAG: settings.source, COMMAND_TAG: "run", "dagster/max_retries": "0"}
            | {tag: "true" for tag, asked in wishes.items() if asked},
        )
        with_warnings = load_alarm_settings().alert_warnings
        told = _told(result)
        return RunOutcome(
            run_id=result.run_id,
            success=result.success,
            problems=tuple(problems_of(result.all_events)),
            unexpected_rejects=_unexpected_rejects(result),
            stages=tuple(
                Stage(event.step_key or "", details(event).duration_ms / 1000)
                for event in result.all_events
                if event.event_type_value == "STEP_SUCCESS"
            ),
            alarm=alarm_of_run(instance, result.dagster_run, with_warnings=with_warnings),
            kept=what_was_kept(result),
            told=tuple(told[TOLD].value) if told else (),
            failed_files=told[FAILED_FILES].value if told else 0,
        )


def _told(result: Any) -> Mapping[str, Any]:
    """Return what the landing told of what came; nothing where it failed."""
    return next(
        (
            event.materialization.metadata
            for event in result.get_asset_materialization_events()
            if TOLD in event.materialization.metadata
        ),
        {},
    )


def what_was_kept(result: Any) -> str:
    """Return what stayed as an earlier run had made it; nothing where all was made anew."""
    made = [event.materialization for event in result.get_asset_materialization_events()]
    dbt = [
        "kept_since" in one.metadata
        for one in (*made, *result.get_asset_check_evaluations())
        if "unique_id" in one.metadata
    ]
    models = {one.asset_key.path[0]: one.metadata["kept"].value for one in made if "kept" in one.metadata}
    has_recommender = models.pop(RECOMMENDER, False)
    parts = [
        f"{sum(kept)} of {len(kept)} {of}"
        for kept, of in ((dbt, "dbt models and tests"), (models.values(), "segmentations"))
        if any(kept)
    ]
    parts += ["the recommender"] if has_recommender else []
    return f"Kept from earlier runs: {', '.join(parts)}." if parts else ""


def _unexpected_rejects(result: Any) -> dict[str, int]:
    return {
        evaluation.asset_key.path[-1]: evaluation.metadata["unexpected_rejects"].value
        for evaluation in result.get_asset_check_evaluations()
        if not evaluation.passed and "unexpected_rejects" in evaluation.metadata
    }
