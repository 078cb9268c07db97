"""`matinee run` at the command line.

Belongs here: its options, the lock for its whole time, its messages and exit codes. Does not belong here: the run
(`job`), what is told of its results (`summary`).
"""

import gc
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from orchestration.commands.shared import (
    FAILED,
    REJECTS,
    USAGE,
    SourceOption,
    WarehouseOption,
    failing,
    read_settings,
    say,
)
from orchestration.progress import doing

if TYPE_CHECKING:
    from orchestration.commands.run.job import RunOutcome
    from orchestration.settings import Settings
    from orchestration.stores.layout import WarehouseLayout
    from orchestration.tools.alarm import Alarm


def _check_day(since: datetime | None) -> datetime | None:
    """Refuse a day on which nothing can have come."""
    today = datetime.now(UTC).date()
    if since and since.date() > today:
        msg = f"{since.date()} is in the future, and nothing came on it; today is {today} (UTC)."
        raise typer.BadParameter(msg)
    return since


def run(
    source: SourceOption = None,
    warehouse: WarehouseOption = None,
    *,
    job: Annotated[
        Literal["refresh", "update", "segments", "sql_layer"],
        typer.Option(
            help="refresh: everything; update: everything by the models in force, which are not trained; segments: all "
            "but training the recommender; sql_layer: landing, cleaning and features only."
        ),
    ] = "refresh",
    if_new: Annotated[
        bool,
        typer.Option(
            "--if-new", help="End after landing where files, code and models are those of what is published."
        ),
    ] = False,
    since: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"],
            callback=_check_day,
            help="Read again, as declared now, what came through the drop folder on this day (UTC) or later, also what "
            "failed.",
        ),
    ] = None,
    full_refresh: Annotated[
        bool,
        typer.Option(
            "--full-refresh",
            help="Make every table anew from all that has landed, and train and judge however little changed.",
        ),
    ] = False,
    allow_rejects: Annotated[
        bool,
        typer.Option(
            "--allow-rejects",
            help="End with exit code 0 even when raw lines were rejected or dropped files failed.",
        ),
    ] = False,
) -> None:
    """Run the whole graph: land, clean, segment, publish, report."""
    settings = read_settings(source=source, warehouse=warehouse)
    _check_engines(settings)
    started = time.perf_counter()
    # Each pass of the cycle collector walks all of dbt's and Dagster's objects, 20 s of a full-scale run; what is left
    # in cycles is some 70 MB.
    gc.disable()
    on_spark = ", tables on Spark" if settings.engine == "spark" else ""
    say(f"Matinee: source {settings.source}, warehouse {settings.warehouse}{on_spark}")

    from orchestration.stores.layout import WarehouseLayout

    layout = WarehouseLayout(settings.warehouse)
    since_day = since.date() if since else None
    outcome = _run_locked(job, settings, layout, since_day, if_new=if_new, full_refresh=full_refresh)
    _tell(outcome.alarm)
    seconds = time.perf_counter() - started
    for sentence in outcome.told:
        say(sentence)
    if not outcome.success:
        for problem in outcome.problems or ("the run failed; `make dev` shows its log",):
            say(f"error: {problem}")
        if layout.published.exists():
            say(f"Published results stay readable: {layout.published}")
        raise typer.Exit(USAGE if outcome.has_wrong_declaration else FAILED)
    from orchestration.commands.run.summary import show_outcome, write_run_file

    nothing_new = if_new and job != "sql_layer" and not outcome.has_published
    if nothing_new:
        say(f"Nothing is new: {layout.published} stays as it is. Done in {seconds:.0f} s.")
    else:
        write_run_file(layout, outcome, seconds)
        show_outcome(layout, outcome, seconds, job)
    # Of lines that were rejected earlier the run that landed them has told.
    rejected = outcome.unexpected_rejects and not nothing_new
    if (rejected or outcome.failed_files) and not allow_rejects:
        why = "lines were rejected" if rejected else "files cannot be used"
        say(f"Ends with exit code 3, because {why}; with --allow-rejects it would be 0.")
        raise typer.Exit(REJECTS)


def _check_engines(settings: "Settings") -> None:
    """End the command where Dagster, DuckDB or Spark would not take a setting, or others would be held out."""
    from orchestration.settings import SettingsError, load_holdout_settings
    from orchestration.stores.layout import WarehouseLayout
    from orchestration.tasks.audiences import check_salt
    from orchestration.tools.engines import check_engines, choose_dagster_home
    from orchestration.tools.spark import check_spark

    choose_dagster_home()
    with failing(SettingsError, code=USAGE):
        check_engines(settings)
        check_spark(settings)
        check_salt(WarehouseLayout(settings.warehouse), load_holdout_settings())


def _run_locked(
    job: str, settings: "Settings", layout: "WarehouseLayout", since: date | None, **wishes: bool
) -> "RunOutcome":
    """Lock the warehouse, begin to land while Dagster and dbt are imported, and run the job."""
    from ingest.errors import WrongDeclarationError
    from orchestration.stores.lock import WarehouseError, lock_warehouse
    from orchestration.tasks.landing import start_landing

    with failing(WarehouseError), _telling(WarehouseError), lock_warehouse(layout, "matinee run"):
        _finish_forgetting(layout)
        # Spark, which reads the files where it builds the tables, comes with the run.
        landing = start_landing(settings, since) if settings.engine == "duckdb" else None

        with doing("loading Dagster and dbt"):
            from orchestration.commands.run.job import run_job
            from orchestration.definitions import DeclarationError

        with failing(DeclarationError, code=USAGE), _telling(DeclarationError):
            outcome = run_job(job, settings, **wishes)
    is_wrong = bool(landing and landing.done() and isinstance(landing.exception(), WrongDeclarationError))
    return replace(outcome, has_wrong_declaration=is_wrong)


@contextmanager
def _telling(refusal: type[Exception]) -> Iterator[None]:
    """Tell those who are told of alarms, too, of a run that cannot begin."""
    try:
        yield
    except refusal as error:
        from orchestration.tools.alarm import Alarm

        _tell(Alarm("run_refused", "Matinee: the run could not begin.", (str(error),)))
        raise


def _tell(alarm: "Alarm | None") -> None:
    from orchestration.settings import load_alarm_settings
    from orchestration.tools.alarm import send

    for problem in send(alarm, load_alarm_settings()):
        say(problem)


def _finish_forgetting(layout: "WarehouseLayout") -> None:
    """Do the rest where `matinee forget` was killed."""
    from ingest.errors import IngestError
    from ingest.suppressing import read_suppressed

    with failing(IngestError):
        if not read_suppressed(layout.landing).is_pending:
            return
        from orchestration.tasks.forgetting import forget_pending
        from orchestration.tools.records import forget_in_records

        with doing("forgetting whom a killed command left"):
            forget_pending(layout, forget_in_records)
