"""What readers of the published set learn of runs and checks, which only Dagster knows.

Belongs here: from Dagster's records to two tables. Does not belong here: writing them (`orchestration.assets.publish`),
what a check checks.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import polars as pl

from orchestration.tools.shown import NOT_APPLICABLE
from published.contract import Column, Table
from published.errors import PublishedError
from published.sets import open_set

WAREHOUSE_TAG, SOURCE_TAG = "matinee/warehouse", "matinee/source"
_MOST_RUNS = 20
RUNS = Table(
    "One row per run on the warehouse, the one that published the set on top, then the newest; the last 20.",
    (
        Column("run_id", "varchar", "Dagster's id of the run."),
        Column("job", "varchar", "What was run: `refresh` is everything."),
        Column(
            "status",
            "varchar",
            "`published` for a run that published, else how it ended as Dagster calls it.",
        ),
        Column("source", "varchar", "Where the raw files came from, in words; NULL where it is not known."),
        Column("started_at", "timestamp", "When the run started (UTC); NULL where it never did."),
        Column("ended_at", "timestamp", "When it published or ended (UTC); NULL where it has not."),
        Column("checks", "bigint", "Checks made before it published; NULL for a run that did not."),
        Column("failed_checks", "bigint", "Those of them that did not pass."),
        Column("not_applicable_checks", "bigint", "Those of them that had nothing to check."),
        Column("models", "varchar", "Segmentations and the version of each that the run put in force."),
    ),
)
CHECKS = Table(
    "One row per check that the publishing run made before it published, those that failed first.",
    (
        Column(
            "layer", "varchar", "Layer of the table: landing, staging, features, marts or a segmentation."
        ),
        Column("table_name", "varchar", "Table that was checked."),
        Column("check_name", "varchar", "The rule, in words divided by underscores."),
        Column(
            "outcome",
            "varchar",
            "`passed`, `failed`, or `not_applicable` where there was nothing to check: its table has no rows, or the"
            " source lacks what it is about.",
        ),
        Column("severity", "varchar", "`error`, or `warn` where results may be used all the same."),
        Column("is_blocking", "boolean", "True where nothing is published unless the rule holds."),
        Column(
            "description",
            "varchar",
            "What was found, or why it is not applicable; NULL where nothing is said.",
        ),
    ),
)
_POLARS: dict[str, pl.DataType] = {
    "varchar": pl.String(),
    "timestamp": pl.Datetime("us"),
    "bigint": pl.Int64(),
    "boolean": pl.Boolean(),
}


def checks_of_run(instance: dg.DagsterInstance, run_id: str) -> pl.DataFrame:
    """Return one row per check that a run made so far, those that failed first.

    A step that was tried again made its checks again; the last answer counts.
    """
    events = instance.get_records_for_run(
        run_id, of_type={dg.DagsterEventType.ASSET_CHECK_EVALUATION}, limit=100_000
    )
    made = {}
    for record in events.records:
        event = record.event_log_entry.dagster_event
        if event is None:
            continue
        evaluation = event.asset_check_evaluation_data
        layer, *table = evaluation.asset_key.path
        made[evaluation.asset_check_key] = {
            "layer": layer,
            "table_name": "/".join(table),
            "check_name": evaluation.check_name,
            "outcome": _outcome(evaluation),
            "severity": evaluation.severity.value.lower(),
            "is_blocking": bool(evaluation.blocking),
            "description": evaluation.description,
        }
    return pl.DataFrame(list(made.values()), schema=_schema(CHECKS)).sort(
        pl.col("outcome").cast(pl.Enum(["failed", "passed", "not_applicable"])),
        "layer",
        "table_name",
        "check_name",
    )


def _outcome(evaluation: dg.AssetCheckEvaluation) -> str:
    if not evaluation.passed:
        return "failed"
    return "not_applicable" if NOT_APPLICABLE in evaluation.metadata else "passed"


def last_runs(
    instance: dg.DagsterInstance,
    run: dg.DagsterRun,
    *,
    warehouse: Path,
    source: str | None,
    checks: pl.DataFrame,
    models: Mapping[str, str],
    published: Path,
) -> pl.DataFrame:
    """Return one row per run on a warehouse, the newest first, with the one that publishes now on top.

    Parameters
    ----------
    instance
        Knows the runs that failed since the last set, too.
    run
        The run that publishes.
    warehouse
        Only runs on it are told of.
    source
        Where the landed files of this run came from, in words: two sets are compared only when it is the same.
    checks
        Its checks.
    models
        Segmentation to the version that it puts in force.
    published
        Folder of the set before, whose account of earlier runs is kept.
    """
    found = instance.get_run_records(dg.RunsFilter(tags={WAREHOUSE_TAG: str(warehouse)}), limit=_MOST_RUNS)
    rows = [_row(record) for record in found if record.dagster_run.run_id != run.run_id]
    own = instance.get_run_record_by_id(run.run_id)
    now = {
        "run_id": run.run_id,
        "job": run.job_name,
        "status": "published",
        "source": source,
        "started_at": _time(own.start_time if own else None),
        "ended_at": datetime.now(UTC).replace(tzinfo=None),
        "checks": len(checks),
        "failed_checks": int((checks["outcome"] == "failed").sum()),
        "not_applicable_checks": int((checks["outcome"] == "not_applicable").sum()),
        "models": ", ".join(f"{name} {version}" for name, version in sorted(models.items())),
    }
    earlier = _before(published)
    others = pl.DataFrame(rows, schema=_schema(RUNS)).join(earlier, on="run_id", how="anti")
    return pl.concat(
        [
            pl.DataFrame([now], schema=_schema(RUNS)),
            pl.concat([earlier, others]).sort("started_at", descending=True, nulls_last=True),
        ]
    ).head(_MOST_RUNS)


def _row(record: dg.RunRecord) -> dict[str, object]:
    run = record.dagster_run
    return {
        "run_id": run.run_id,
        "job": run.job_name,
        "status": run.status.value.lower(),
        "source": run.tags.get(SOURCE_TAG),
        "started_at": _time(record.start_time),
        "ended_at": _time(record.end_time),
        "checks": None,
        "failed_checks": None,
        "not_applicable_checks": None,
        "models": None,
    }


def _before(published: Path) -> pl.DataFrame:
    """Return the account of the set before, NULL in columns that it had not; none where it cannot be read."""
    schema = _schema(RUNS)
    try:
        data = open_set(published)
        columns = (name if data.has("runs", name) else f"null as {name}" for name in schema)
        return data.ask(f"select {', '.join(columns)} from runs where run_id is not null").cast(schema)  # type: ignore[arg-type]
    except (PublishedError, pl.exceptions.PolarsError):
        return pl.DataFrame(schema=schema)


def _schema(table: Table) -> dict[str, pl.DataType]:
    return {column.name: _POLARS[column.type] for column in table.columns}


def _time(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)
