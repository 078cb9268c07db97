"""Raw files landed as typed Parquet, and the raw files themselves as the graph's roots.

Belongs here: choosing the source and telling Dagster what landed.
Does not belong here: parsing and checking (`ingest`).
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import dagster as dg
from ingest.landing import LandedFile, land_file, switch
from ingest.sources import Source, resolve_source

from ingest.contracts import CONTRACTS
from orchestration.dbt import OWNER
from orchestration.settings import Settings, load_settings
from orchestration.warehouse import POOL, WarehouseLayout, WarehouseResource, write_landed_source

KNOWN_REJECTS = "rejects_are_known_quirks"


class LandingConfig(dg.Config):
    """What to land in this run."""

    source: str | None = None
    """`demo`, `kaggle`, a folder or an archive; the setting MATINEE_SOURCE when left out."""


def open_source(source: str, layout: WarehouseLayout, settings: Settings) -> Source:
    """Resolve a source; the demo world is written first where it is not there yet."""
    if source != "demo":
        return resolve_source(source, download_dir=layout.downloads)
    from ingest.demo import write_demo_world  # noqa: PLC0415 - only for those who want the demo

    folder = layout.demo / settings.demo_scale
    if not folder.exists():
        unfinished = folder.with_name(f".{folder.name}")
        write_demo_world(unfinished, scale=settings.demo_scale)
        unfinished.rename(folder)
    world = resolve_source(str(folder), download_dir=layout.downloads)
    return replace(world, description=f"the demo world ({settings.demo_scale})")


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
    tables = list(CONTRACTS)
    raw = [dg.AssetKey(["raw", table]) for table in tables]

    def spec(table: str, description: str, deps: list[dg.AssetKey]) -> dg.AssetSpec:
        return dg.AssetSpec(
            ["landing", table],
            description=description,
            deps=deps,
            group_name="landing",
            owners=[OWNER],
            kinds={"parquet"},
        )

    specs = [
        spec(table, contract.description, [dg.AssetKey(["raw", table])])
        for table, contract in CONTRACTS.items()
    ]
    specs.append(spec("rejects", "One row per rejected raw line, with its reason and raw text.", raw))
    specs.append(spec("manifest", "One row per landed file: hash, rows read, landed and rejected.", raw))

    @dg.multi_asset(
        specs=specs,
        check_specs=[
            dg.AssetCheckSpec(
                KNOWN_REJECTS,
                asset=["landing", table],
                description="Only lines that are known faults of the published file were rejected.",
            )
            for table in tables
        ],
        name="land_raw_files",
        pool=POOL,
    )
    def land_raw_files(
        context: dg.AssetExecutionContext, config: LandingConfig, warehouse: WarehouseResource
    ) -> Iterator[Any]:
        settings, layout = load_settings(), warehouse.layout
        source = open_source(config.source or settings.source, layout, settings)
        landed = []
        for table, file in source.files.items():
            result = land_file(
                CONTRACTS[table],
                file,
                layout.landing,
                memory_limit=warehouse.memory_limit,
                threads=warehouse.threads,
                max_rejected_share=settings.max_rejected_share,
            )
            context.log.info(_sentence(result))
            landed.append(result)
        switch(layout.landing, landed)
        write_landed_source(layout, source.description, next(iter(source.files.values())).path.parent)
        for result in landed:
            yield from _report(result)
        for table, rows in (
            ("rejects", sum(result.rows_rejected for result in landed)),
            ("manifest", len(landed)),
        ):
            yield dg.MaterializeResult(asset_key=["landing", table], metadata={"dagster/row_count": rows})

    return land_raw_files


def _sentence(result: LandedFile) -> str:
    if result.was_already_landed:
        return f"{result.source}: unchanged, {result.rows_landed:,} rows stay landed"
    rejected = f", {result.rows_rejected:,} rejected" if result.rows_rejected else ""
    return f"{result.source}: {result.rows_landed:,} rows landed{rejected}"


def _report(result: LandedFile) -> Iterator[Any]:
    unexpected = result.rows_rejected - result.known_quirks
    yield dg.MaterializeResult(
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
