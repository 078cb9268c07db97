"""Raw files landed as typed Parquet, and the raw files themselves as the graph's roots.

Belongs here: choosing the source and telling Dagster what landed.
Does not belong here: parsing and checking (`ingest`), putting what landed in force (`publish`).
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import dagster as dg

from ingest.cells import FIRST_TEXT_ID
from ingest.contracts import CONTRACTS
from ingest.errors import IngestError, counted
from ingest.ids import last_number
from ingest.running import in_turn
from ingest.store import LandedFile
from orchestration.settings import Settings, load_settings
from orchestration.stores.ledger import KEPT_RUNS
from orchestration.tasks.forgetting import forget_pending
from orchestration.tasks.landed_changes import Comparison, Landed, changed_columns, compare, lost_rows
from orchestration.tasks.landing import LandedSource, land, land_days_again, stage
from orchestration.tools.dbt import OWNER
from orchestration.tools.records import forget_in_records
from orchestration.tools.shown import COLUMNS, not_applicable, parquet_columns
from orchestration.tools.spark import session
from orchestration.tools.spark_tasks import run_each_on
from orchestration.tools.warehouse import POOL, WarehouseResource
from published.people import hide_emails

KNOWN_REJECTS, ROWS_STAY, COLUMNS_STAY = (
    "rejects_are_known_quirks",
    "rows_do_not_drop",
    "raw_columns_stay_the_same",
)
CHECKS = {
    KNOWN_REJECTS: "Only lines that are known faults of the published file were rejected.",
    ROWS_STAY: "No more rows are gone than may be (MATINEE_MAX_ROW_DROP), beside what is published.",
    COLUMNS_STAY: "The raw file has the columns that it had when what is published landed, and they hold the same.",
}
"""Checks of each landing table."""
SILENT, DROPPED_ARE_USABLE = "the_source_brings_something_new", "every_file_that_came_can_be_used"
CHECKS_OF_ALL = {
    SILENT: "Some raw file changed within MATINEE_SOURCE_STALE_HOURS.",
    DROPPED_ARE_USABLE: "Every file that came through the drop folder could be used.",
}
"""Checks of the manifest."""
STAGES = dg.AssetKey(["ledger", "stages"])
"""The account of runs: it comes with their first step, since every step goes on with it."""
ARRIVALS = dg.AssetKey(["landing", "arrivals"])
_FIRST_DAY = "2025-01-01"
_ARRIVAL = dg.TableColumn(
    "arrival",
    "INTEGER",
    description="In dbt: place of its file among those of the table, in the order of arrival.",
)
TOLD, FAILED_FILES = "told", "failed_files"
"""Metadata of `landing/manifest`: what a person should know of what came, and how many files of it failed."""


class LandingConfig(dg.Config):
    """What to land in this run."""

    source: str | None = None
    """`demo`, `kaggle`, `incoming`, a folder or an archive; the setting MATINEE_SOURCE when left out."""
    since: str | None = None
    """A day such as 2026-11-30: what came through the drop folder then or later is read again."""


def build_raw_specs() -> list[dg.AssetSpec]:
    """Return the raw files as external assets: the roots of the lineage."""
    return [
        dg.AssetSpec(
            ["raw", table],
            description=f"Raw data of {table} as the source delivers it: files of a known layout, or what is declared.",
            group_name="raw",
            owners=[OWNER],
            kinds={"csv"},
        )
        for table in CONTRACTS
    ]


def build_landing() -> dg.AssetsDefinition:
    """Return the asset that lands every raw file and makes a set of them, which publishing puts in force."""

    @dg.multi_asset(
        specs=_specs(),
        check_specs=[
            dg.AssetCheckSpec(check, asset=["landing", table], description=description)
            for table in CONTRACTS
            for check, description in CHECKS.items()
        ]
        + [
            dg.AssetCheckSpec(check, asset=["landing", "manifest"], description=description)
            for check, description in CHECKS_OF_ALL.items()
        ],
        name="land_raw_files",
        pool=POOL,
    )
    def land_raw_files(
        context: dg.AssetExecutionContext, config: LandingConfig, warehouse: WarehouseResource
    ) -> Iterator[dg.MaterializeResult]:
        settings = load_settings(source=config.source, warehouse=warehouse.path)
        with warehouse.stage(context.run.run_id, "landing"):
            try:
                forget_pending(warehouse.layout, forget_in_records)  # of a `matinee forget` that was killed
                run_each = run_each_on(session(settings)) if settings.engine == "spark" else in_turn
                landed = land(settings, date.fromisoformat(config.since) if config.since else None, run_each)
            except IngestError as error:
                # The message is complete for a person; a stack trace would only bury it.
                raise dg.Failure(description=hide_emails(str(error)), allow_retries=False) from None
            refused = map(hide_emails, dict.fromkeys(landed.refused.values()))
            came = [hide_emails(sentence) for sentence in told_of_arrivals(landed)]
            context.log.info(
                "\n".join([*landed.source.found, *map(_sentence, landed.files), *refused, *came])
            )
            stage(landed, warehouse.layout)
            for table in {file.table for file in landed.files if not file.was_already_landed}:
                # When the source brought something last.
                context.log_event(dg.AssetMaterialization(["raw", table]))
            for day, files in _by_day(landed).items():
                # Of no step of this run: a day is an asset's partition, and runs are of no day.
                context.log_event(
                    dg.AssetMaterialization(ARRIVALS, partition=day.isoformat(), metadata=_counts(files))
                )
            ids = last_number(warehouse.layout.landing) - FIRST_TEXT_ID + 1
            yield from _report_all(landed, ids, compare(landed, warehouse.layout), settings)
        yield dg.MaterializeResult(asset_key=STAGES)

    return land_raw_files


def build_arrivals() -> dg.AssetsDefinition:
    """Return what came through the drop folder, by day; a day that is materialised is read again."""

    @dg.asset(
        key=ARRIVALS,
        description="Files that came through the drop folder, by the day (UTC) on which they arrived. Materialising a "
        "day reads its files again, as they are declared now; the tables follow with the next run.",
        deps=[dg.AssetKey(["raw", table]) for table in CONTRACTS],
        partitions_def=dg.DailyPartitionsDefinition(start_date=_FIRST_DAY, end_offset=1),
        group_name="arrivals",
        owners=[OWNER],
        kinds={"parquet"},
        pool=POOL,
    )
    def arrivals(context: dg.AssetExecutionContext, warehouse: WarehouseResource) -> None:
        day = date.fromisoformat(context.partition_key)
        try:
            found, said = land_days_again(load_settings(warehouse=warehouse.path), [day])
        except IngestError as error:
            raise dg.Failure(description=hide_emails(str(error)), allow_retries=False) from None
        files = [file for _, file in found]
        context.log.info("\n".join(map(hide_emails, [*map(_sentence, files), *said])))
        context.add_asset_metadata(_counts(files))

    return arrivals


def told_of_arrivals(landed: LandedSource) -> list[str]:
    """Return what came through the drop folder, and what else a person should know of a landing, as sentences."""
    return [
        *(f"{arrival.shown} arrived: {_rows(file)}." for arrival, file in landed.taken.landed),
        *(
            f"{name} cannot be used and lies in failed/: {reason}"
            for name, reason in landed.taken.failed.items()
        ),
        *landed.said,
    ]


def _by_day(landed: LandedSource) -> dict[date, list[LandedFile]]:
    days: dict[date, list[LandedFile]] = {}
    for arrival, file in landed.taken.landed:
        days.setdefault(arrival.day, []).append(file)
    return days


def _counts(files: Sequence[LandedFile]) -> dict[str, Any]:
    return {
        "dagster/row_count": sum(file.rows_landed for file in files),
        "rows_read": sum(file.rows_read for file in files),
        "rows_rejected": sum(file.rows_rejected for file in files),
        "files": [f"{file.table}/{file.source}" for file in files],
    }


def _specs() -> list[dg.AssetSpec]:
    raw = {table: dg.AssetKey(["raw", table]) for table in CONTRACTS}
    described = {
        **{table: (contract.description, [raw[table]]) for table, contract in CONTRACTS.items()},
        "rejects": ("One row per rejected raw line, with its reason and raw text.", list(raw.values())),
        "manifest": (
            "One row per landed file: hash, rows read, landed and rejected.",
            list(raw.values()),
        ),
        "ids": ("One row per id that is no number, with the number that stands for it.", list(raw.values())),
    }
    return [
        dg.AssetSpec(
            ["landing", table],
            description=description,
            deps=deps,
            group_name="landing",
            owners=[OWNER],
            kinds={"parquet"},
        )
        for table, (description, deps) in described.items()
    ] + [
        dg.AssetSpec(
            STAGES,
            description=f"One row per run and stage: what it took; the last {KEPT_RUNS} runs.",
            deps=list(raw.values()),
            group_name="landing",
            owners=[OWNER],
            kinds={"parquet"},
        )
    ]


def _report_all(
    landed: LandedSource, id_count: int, comparison: Comparison, settings: Settings
) -> Iterator[dg.MaterializeResult]:
    """Tell Dagster of every table, of those that the source lacks, of the two accounts of all, and of the ids."""
    files = landed.files
    for table in CONTRACTS:
        own = [file for file in files if file.table == table]
        refused = hide_emails(landed.refused.get(table, ""))
        changes = _changes(table, comparison, settings.max_row_drop)
        yield _report(table, own, refused, changes) if own else _report_absent(table, refused, changes)
    yield dg.MaterializeResult(asset_key=["landing", "ids"], metadata={"dagster/row_count": id_count})
    rejected = sum(file.rows_rejected for file in files)
    yield dg.MaterializeResult(
        asset_key=["landing", "rejects"], metadata=_counted(rejected, files[0].rejects_path)
    )
    told = {TOLD: list(map(hide_emails, told_of_arrivals(landed))), FAILED_FILES: len(landed.taken.failed)}
    yield dg.MaterializeResult(
        asset_key=["landing", "manifest"],
        metadata=_counted(len(files), files[0].manifest_path) | told,
        check_results=[_check_silence(files, settings.source_stale_hours), _judge_dropped(landed)],
    )


def _changes(table: str, comparison: Comparison, most: float) -> list[dg.AssetCheckResult]:
    """Return what is told of the rows and raw columns of a table beside those in force."""
    key = ["landing", table]
    why = comparison.incomparable
    if why is None and table not in comparison.before:
        why = f"no {table} are published"
    if why:
        return [not_applicable(check, why, asset_key=key) for check in (ROWS_STAY, COLUMNS_STAY)]
    now, before = comparison.now.get(table, Landed()), comparison.before[table]
    rows = dg.AssetCheckResult(
        check_name=ROWS_STAY,
        asset_key=key,
        passed=(lost := lost_rows(table, now, before, most)) is None,
        severity=dg.AssetCheckSeverity.WARN,
        description=lost,
        metadata={"rows": now.rows, "published": before.rows},
    )
    if now.columns is None or before.columns is None:
        unknown = "it is not known which raw columns it had" if now.rows else "it has not landed"
        return [rows, not_applicable(COLUMNS_STAY, unknown, asset_key=key)]
    changed = hide_emails(changed_columns(now.columns, before.columns))
    columns = dg.AssetCheckResult(
        check_name=COLUMNS_STAY,
        asset_key=key,
        passed=not changed,
        severity=dg.AssetCheckSeverity.WARN,
        description=changed or None,
        metadata={"columns": len(now.columns), "published": len(before.columns)},
    )
    return [rows, columns]


def _check_silence(files: Sequence[LandedFile], most_hours: float | None) -> dg.AssetCheckResult:
    key = ["landing", "manifest"]
    if most_hours is None:
        return not_applicable(SILENT, "MATINEE_SOURCE_STALE_HOURS is not set", asset_key=key)
    newest = max(file.landed_at for file in files)
    hours = (datetime.now(UTC).replace(tzinfo=None) - newest).total_seconds() / 3600
    is_silent = hours > most_hours
    return dg.AssetCheckResult(
        check_name=SILENT,
        asset_key=key,
        passed=not is_silent,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"No raw file changed for {hours:,.0f} hours; {most_hours:g} may pass."
        if is_silent
        else None,
        metadata={"hours": round(hours, 1), "newest": f"{newest:%Y-%m-%d %H:%M}"},
    )


def _counted(rows: int, file: Path) -> dict[str, Any]:
    return {"dagster/row_count": rows, COLUMNS: parquet_columns(file)}


def _judge_dropped(landed: LandedSource) -> dg.AssetCheckResult:
    failed = landed.taken.failed
    if not failed and not landed.taken.landed:
        why = "no file came through the drop folder"
        return not_applicable(DROPPED_ARE_USABLE, why, asset_key=["landing", "manifest"])
    return dg.AssetCheckResult(
        check_name=DROPPED_ARE_USABLE,
        asset_key=["landing", "manifest"],
        passed=not failed,
        severity=dg.AssetCheckSeverity.WARN,
        description=hide_emails("; ".join(failed.values())) or None,
        metadata={"failed": list(failed)},
    )


def _sentence(result: LandedFile) -> str:
    if result.was_already_landed:
        return f"{result.source}: unchanged, landed: {counted(result.rows_landed, 'row')}"
    return f"{result.source}: {_rows(result)}"


def _rows(result: LandedFile) -> str:
    rejected = f", {result.rows_rejected:,} rejected" if result.rows_rejected else ""
    rejected += f", {result.rows_left_out:,} left out" if result.rows_left_out else ""
    return f"{counted(result.rows_landed, 'row')} landed{rejected}"


def _report_absent(table: str, refused: str, changes: Sequence[dg.AssetCheckResult]) -> dg.MaterializeResult:
    reason = refused or f"The source has no {table}: the table is empty."
    return dg.MaterializeResult(
        asset_key=["landing", table],
        metadata={"skipped": reason, "dagster/row_count": 0},
        check_results=[not_applicable(KNOWN_REJECTS, reason, asset_key=["landing", table]), *changes],
    )


def _report(
    table: str, files: Sequence[LandedFile], refused: str, changes: Sequence[dg.AssetCheckResult]
) -> dg.MaterializeResult:
    """Report the files of one table together."""
    unexpected = sum(file.rows_rejected - file.known_quirks for file in files)
    unreadable: Counter[str] = sum((Counter(file.unreadable) for file in files), Counter())
    first = files[0]
    return dg.MaterializeResult(
        asset_key=["landing", table],
        metadata={
            "dagster/row_count": sum(file.rows_landed for file in files),
            "rows_read": sum(file.rows_read for file in files),
            "rows_rejected": sum(file.rows_rejected for file in files),
            "rows_left_out": sum(file.rows_left_out for file in files),
            "known_quirks": sum(file.known_quirks for file in files),
            "unreadable_cells": dict(unreadable),
            "notes": [hide_emails(f"{file.source}: {note}") for file in files for note in file.notes],
            **({"refused": refused} if refused else {}),
            "layout": first.layout,
            "source": first.source if len(files) == 1 else f"{first.source} and {len(files) - 1} more",
            "sha256": first.sha256,
            "already_landed": all(file.was_already_landed for file in files),
            "path": dg.MetadataValue.path(str(first.path)),
            COLUMNS: dg.TableSchema(
                [
                    dg.TableColumn(
                        column.name,
                        column.kind.sql_type,
                        description=column.description or column.expectation,
                    )
                    for column in CONTRACTS[table].columns
                ]
                + [_ARRIVAL]
            ),
        },
        check_results=[
            dg.AssetCheckResult(
                check_name=KNOWN_REJECTS,
                asset_key=["landing", table],
                passed=unexpected == 0,
                severity=dg.AssetCheckSeverity.WARN,
                metadata={
                    "unexpected_rejects": unexpected,
                    "known_quirks": sum(file.known_quirks for file in files),
                },
            ),
            *changes,
        ],
    )
