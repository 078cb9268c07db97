"""The sensors that tell people of runs that failed, and of checks that did.

Belongs here: when Dagster's daemon tells of a run. Does not belong here: the words and the way they go
(`orchestration.tools.alarm`), runs of `matinee run`, which tells of itself what it lives to see.
"""

import dagster as dg

from orchestration.settings import load_alarm_settings
from orchestration.tools.alarm import COMMAND_TAG, alarm_of_run, send
from orchestration.tools.run_ends import problems_of_run


def build_alarms() -> list[dg.SensorDefinition]:
    """Return the sensors; both are on, and tell nobody where no setting names anybody."""

    @dg.run_failure_sensor(
        name="tell_of_failed_runs",
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Tells MATINEE_ALERT_WEBHOOK and MATINEE_ALERT_MAIL of a run that failed, and why.",
    )
    def tell_of_failed_runs(context: dg.RunFailureSensorContext) -> None:
        tell(context, context.failure_event.message or "")

    @dg.run_status_sensor(
        name="tell_of_failed_checks",
        run_status=dg.DagsterRunStatus.SUCCESS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=(
            "Tells MATINEE_ALERT_WEBHOOK and MATINEE_ALERT_MAIL of checks with severity error that failed in a run "
            "that went on all the same; with MATINEE_ALERT_WARNINGS of warnings, too."
        ),
    )
    def tell_of_failed_checks(context: dg.RunStatusSensorContext) -> None:
        tell(context)

    return [tell_of_failed_runs, tell_of_failed_checks]


def tell(context: dg.RunStatusSensorContext, said: str = "") -> None:
    """Tell of a run, unless the command that ran it has told already; a receiver that is down is only logged."""
    run = context.dagster_run
    if COMMAND_TAG in run.tags and (not said or problems_of_run(context.instance, run.run_id)):
        return
    settings = load_alarm_settings()
    alarm = alarm_of_run(context.instance, run, said=said, with_warnings=settings.alert_warnings)
    for problem in send(alarm, settings):
        context.log.warning(problem)
