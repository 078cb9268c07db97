"""The published set: every mart and an account of the runs as Parquet, switched as a whole.

Belongs here: copying. Does not belong here: what a mart holds (dbt), putting a set in force
(`orchestration.tasks.switching`), what is told of runs (`orchestration.tools.run_history`), what a page looks like
(`report`, `dashboard`).
"""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import polars as pl

from ingest.sql import text_literal
from orchestration import costs
from orchestration.assets.audience_plots import AUDIENCE_PLOTS
from orchestration.stores.layout import KEPT_SETS, WarehouseLayout
from orchestration.stores.lock import switching
from orchestration.stores.segmentations import ModelStore
from orchestration.tasks.left_out import landed_source
from orchestration.tasks.switching import put_in_force
from orchestration.tools.dbt import OWNER, mart_contracts
from orchestration.tools.run_ends import PUBLISHED
from orchestration.tools.run_history import CHECKS, RUNS, checks_of_run, last_runs
from orchestration.tools.warehouse import POOL, WarehouseResource
from published.contract import Table, write_contract
from published.schema import write_schema

REPORT = dg.AssetKey(["published", "report"])
_USER = "user_id"
_TIME = "%Y%m%dT%H%M%S"
"""Of sets; their names sort as they were published."""


def build_published(marts: Sequence[dg.AssetKey], segmentations: Sequence[str]) -> dg.AssetsDefinition:
    """Return the asset that publishes the given marts and puts models and pictures of the same run in force."""

    @dg.asset(
        key=PUBLISHED,
        description=(
            "Every mart as `published/<mart>.parquet`, with the last runs, their checks and what all columns mean;"
            " a reader sees the old set or the new one."
        ),
        deps=[*marts, AUDIENCE_PLOTS, *(dg.AssetKey([name, "plots"]) for name in segmentations)],
        group_name="published",
        owners=[OWNER],
        kinds={"parquet"},
        pool=POOL,
    )
    def published(context: dg.AssetExecutionContext, warehouse: WarehouseResource) -> dg.MaterializeResult:
        with warehouse.stage(context.run.run_id, "publish"):
            return publish(context, warehouse)

    def publish(context: dg.AssetExecutionContext, warehouse: WarehouseResource) -> dg.MaterializeResult:
        layout = warehouse.layout
        finished = layout.published_sets / name_of_set(layout, context.run.run_id, datetime.now(UTC))
        unfinished = finished.with_name(f".{finished.name}")
        unfinished.mkdir(parents=True)
        contracts = mart_contracts()
        rows = copy_marts(warehouse, {key.path[-1]: contracts[key.path[-1]] for key in marts}, unfinished)
        history = _history(context, layout, segmentations)
        for table, frame in history.items():
            frame.write_parquet(unfinished / f"{table}.parquet", compression="zstd")
            rows[table] = len(frame)
        promised = {**contracts, "checks": CHECKS, "runs": RUNS}
        write_contract({table: as_published(promised[table]) for table in rows}, unfinished)
        write_schema(unfinished)
        with switching(layout):
            put_in_force(layout, unfinished, finished, segmentations)
            prune_sets(layout)
        size = sum(file.stat().st_size for file in finished.iterdir())
        costs.wrote(rows=sum(rows.values()), size_bytes=size)
        return dg.MaterializeResult(
            metadata={
                "folder": dg.MetadataValue.path(str(layout.published)),
                "tables": dg.MetadataValue.json(rows),
                "checks": dg.MetadataValue.json(
                    dict(history["checks"]["outcome"].value_counts().iter_rows())
                ),
                "dagster/row_count": sum(rows.values()),
            }
        )

    return published


def name_of_set(layout: WarehouseLayout, run_id: str, now: datetime) -> str:
    """Return a name after those of all sets: where the clock went back, that of a second after the last one."""
    published = [_moment(folder.name) for folder in _finished(layout)]
    moment = max(
        [
            now,
            *(
                last + timedelta(seconds=1)
                for last in published
                if last and last >= now.replace(microsecond=0)
            ),
        ]
    )
    return f"{moment:{_TIME}}-{run_id[:8]}"


def prune_sets(layout: WarehouseLayout) -> None:
    """Remove all but the last sets, and what runs that were killed left unfinished."""
    kept = {*_finished(layout)[-KEPT_SETS:], layout.published.resolve()}
    for folder in layout.published_sets.iterdir():
        if folder not in kept:
            shutil.rmtree(folder, ignore_errors=True)


def _finished(layout: WarehouseLayout) -> list[Path]:
    folders = layout.published_sets.iterdir() if layout.published_sets.exists() else ()
    return sorted(folder for folder in folders if not folder.name.startswith("."))


def _moment(name: str) -> datetime | None:
    try:
        return datetime.strptime(name.partition("-")[0], _TIME).replace(tzinfo=UTC)
    except ValueError:  # a person named it
        return None


def copy_marts(warehouse: WarehouseResource, marts: Mapping[str, Table], folder: Path) -> dict[str, int]:
    """Copy marts into a folder as Parquet, users by their ids as the source writes them; return the rows of each."""
    rows = {}
    with warehouse.connect() as connection:
        ((has_ids,),) = connection.execute("select exists(from landing.ids)").fetchall()
        for mart, table in sorted(marts.items()):
            ((rows[mart],),) = connection.execute(
                f"copy ({_rows_of(mart, table, has_ids=has_ids)}) to {text_literal(f'{folder / mart}.parquet')}"
                " (format parquet, compression zstd)"
            ).fetchall()
    return rows


def _rows_of(mart: str, table: Table, *, has_ids: bool) -> str:
    names = [column.name for column in table.columns]
    if _USER not in names:
        return f"select * from marts.{mart}"
    text = f"cast(mart.{_USER} as varchar)"
    written, joined = (
        (f"coalesce(ids.id, {text})", f" left join landing.ids as ids on mart.{_USER} = ids.number")
        if has_ids
        else (text, "")
    )
    # In this order a reader who looks one user up needs one part of the file.
    ordered = " order by 1, 2" if names[0] == _USER else ""
    return f"select mart.* replace ({written} as {_USER}) from marts.{mart} as mart{joined}{ordered}"


def as_published(table: Table) -> Table:
    """Return what is promised of a table whose users go by their ids as the source writes them."""
    return replace(
        table,
        columns=tuple(
            replace(column, type="varchar") if column.name == _USER else column for column in table.columns
        ),
    )


def _history(
    context: dg.AssetExecutionContext, layout: WarehouseLayout, segmentations: Sequence[str]
) -> dict[str, pl.DataFrame]:
    """Return what is published of runs and checks: readers do not open Dagster's records."""
    stores = [ModelStore(layout.models / name) for name in segmentations]
    checks = checks_of_run(context.instance, context.run.run_id)
    runs = last_runs(
        context.instance,
        context.run,
        warehouse=layout.root,
        source=landed_source(layout.landing),
        checks=checks,
        models={store.name: store.home.name for store in stores if not store.skipped},
        published=layout.published.resolve(),
    )
    return {"checks": checks, "runs": runs}
