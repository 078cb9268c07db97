"""Raw files landed as typed Parquet, and the raw files themselves as the graph's roots.

Belongs here: choosing the source and telling Dagster what landed.
Does not belong here: parsing and checking (`ingest`).
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import dagster as dg

from ingest.contracts import CONTRACTS
from ingest.errors import IngestError
from ingest.store import LandedFile
from orchestration.settings import load_settings
from orchestration.tasks.landing import land, switch_to
from orchestration.tools.dbt import OWNER
from orchestration.tools.shown import parquet_columns
from orchestration.tools.warehouse import POOL, WarehouseResource

KNOWN_REJECTS = "rejects_are_known_quirks"


class LandingConfig(dg.Config):
    """What to land in this run."""

    source: str | None = None
    """`demo`, `kaggle`, a folder or an archive; the setting MATINEE_SOURCE when left out."""


def build_raw_specs() -> list[dg.AssetSpec]:
    """Return the raw files as external assets: the roots of the lineage."""
    return [
        dg.AssetSpec(
            ["raw", table],
            description=f"Raw file of {table} as the source delivers it ({' or '.join(contract.stems)}).",
            group_name="raw",
            owners=[OWNER],
            kinds={"csv"},
        )
        for table, contract in CONTRACTS.items()
    ]


def build_landing() -> dg.AssetsDefinition:
    """Return the asset that lands every raw file and switches to the new set as a whole."""

    @dg.multi_asset(
        specs=_specs(),
        check_specs=[
            dg.AssetCheckSpec(
                KNOWN_REJECTS,
                asset=["landing", table],
                description="Only lines that are known faults of the published file were rejected.",
            )
            for table in CONTRACTS
        ],
        name="land_raw_files",
        pool=POOL,
    )
    def land_raw_files(
        context: dg.AssetExecutionContext, config: LandingConfig, warehouse: WarehouseResource
    ) -> Iterator[dg.MaterializeResult]:
        settings = load_settings(source=config.source, warehouse=warehouse.path)
        try:
            landed = land(settings)
        except IngestError as error:
            # The message is complete for a person; a stack trace would only bury it.
            raise dg.Failure(description=str(error), allow_retries=False) from None
        context.log.info("\n".join(_sentence(file) for file in landed.files))
        switch_to(landed, warehouse.layout)
        yield from _report_all(landed.files)

    return land_raw_files


def _specs() -> list[dg.AssetSpec]:
    raw = {table: dg.AssetKey(["raw", table]) for table in CONTRACTS}
    described = {
        **{table: (contract.description, [raw[table]]) for table, contract in CONTRACTS.items()},
        "rejects": ("One row per rejected raw line, with its reason and raw text.", list(raw.values())),
        "manifest": (
            "One row per landed file: hash, rows read, landed and rejected.",
            list(raw.values()),
        ),
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
    ]


def _report_all(files: Sequence[LandedFile]) -> Iterator[dg.MaterializeResult]:
    """Tell Dagster of every table, of those that the source lacks, and of the two accounts of all."""
    for file in files:
        yield _report(file)
    for table in CONTRACTS.keys() - {file.table for file in files}:
        yield _report_absent(table)
    rejected = sum(file.rows_rejected for file in files)
    yield _report_account("rejects", rejected, files[0].rejects_path)
    yield _report_account("manifest", len(files), files[0].manifest_path)


def _report_account(table: str, rows: int, file: Path) -> dg.MaterializeResult:
    return dg.MaterializeResult(
        asset_key=["landing", table],
        metadata={"dagster/row_count": rows, "dagster/column_schema": parquet_columns(file)},
    )


def _sentence(result: LandedFile) -> str:
    if result.was_already_landed:
        return f"{result.source}: unchanged, {result.rows_landed:,} rows stay landed"
    rejected = f", {result.rows_rejected:,} rejected" if result.rows_rejected else ""
    return f"{result.source}: {result.rows_landed:,} rows landed{rejected}"


def _report_absent(table: str) -> dg.MaterializeResult:
    reason = f"The source has no {table}: the table is empty."
    return dg.MaterializeResult(
        asset_key=["landing", table],
        metadata={"skipped": reason, "dagster/row_count": 0},
        check_results=[
            dg.AssetCheckResult(
                check_name=KNOWN_REJECTS, asset_key=["landing", table], passed=True, description=reason
            )
        ],
    )


def _report(result: LandedFile) -> dg.MaterializeResult:
    unexpected = result.rows_rejected - result.known_quirks
    return dg.MaterializeResult(
        asset_key=["landing", result.table],
        metadata={
            "dagster/row_count": result.rows_landed,
            "rows_read": result.rows_read,
            "rows_rejected": result.rows_rejected,
            "known_quirks": result.known_quirks,
            "source": result.source,
            "sha256": result.sha256,
            "already_landed": result.was_already_landed,
            "path": dg.MetadataValue.path(str(result.path)),
            "dagster/column_schema": dg.TableSchema(
                [
                    dg.TableColumn(column.name, column.kind.value, description=column.expectation)
                    for column in CONTRACTS[result.table].columns
                ]
            ),
        },
        check_results=[
            dg.AssetCheckResult(
                check_name=KNOWN_REJECTS,
                asset_key=["landing", result.table],
                passed=unexpected == 0,
                severity=dg.AssetCheckSeverity.WARN,
                metadata={"unexpected_rejects": unexpected, "known_quirks": result.known_quirks},
            )
        ],
    )
