"""What ML gives, gathered over segmentations, audiences and the recommender into the DuckDB schema `ml`, for dbt.

Belongs here: the switch from the model store's Parquet to tables. Does not belong here: what the columns
mean and must hold; that contract stands once, in dbt's sources `ml` and `recommender`.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import duckdb
import polars as pl

from ingest.store import hash_of
from ml.audiences.members import jump
from orchestration import costs
from orchestration.assets.departure import GROUP as DEPARTURE
from orchestration.assets.exports import LIFT
from orchestration.assets.recommender import GROUP as RECOMMENDER
from orchestration.settings import load_holdout_settings
from orchestration.stores.layout import WarehouseLayout
from orchestration.stores.segmentations import ModelStore
from orchestration.stores.versions import VersionedStore
from orchestration.tasks.audiences import GROUP as AUDIENCES
from orchestration.tasks.audiences import account, read_audiences
from orchestration.tools import dbt_kept, spark_tables
from orchestration.tools.dbt import OWNER, ml_table_definitions
from orchestration.tools.run_tags import FULL_REFRESH_TAG, asks_for
from orchestration.tools.shown import table_metadata
from orchestration.tools.warehouse import POOL, WarehouseResource

TABLES = {
    "k_metrics": {
        "k_metrics": "Every candidate k of every segmentation with all indices.",
        "segments": "Ids and names of the published segments.",
        "start_agreement": "How much of the published segments hangs on where K-Means started.",
        "free_segments": "What the best free fit looks like beside the published segments.",
    },
    "quality": {
        "segment_quality": "Whether segments come back, what they are worth, and what nothing would be.",
    },
    "model": {
        "segment_promotions": "Which model took over when, which was refused, and why.",
    },
    "members": {
        "segment_members": "The segment of every entity.",
        "segment_levels": "How many members of each segment are light and how many heavy, where that is declared.",
        "segment_migration": "Who went from which segment to which since the refresh before.",
        "membership_history": "Who was in which segment from when to when.",
        "segment_history": "What became of segments: kept, born, died, split, merged.",
    },
    "profile": {
        "segment_profiles": "Mean of every feature per segment, beside the base.",
        "segment_words": "What may be said of each segment: playbook, name and quality, as its figures bear them out.",
        "segment_exemplars": "The members that are most like each segment.",
        "segment_rules": "The rule of each segment in words, and how far it holds.",
        "segment_separation": "What the segments explain of a feature, beside the best single column.",
        "segment_claims": "Which segments differ from everybody in a feature, and why nothing is said of the others.",
        "pca_loadings": "Loadings of the two principal components of the prepared features.",
        "segment_map": "Where a sample of members lies on the principal components, for every explored k.",
    },
}
"""By the step of a segmentation that makes them: its tables, each with those of all segmentations in one."""
RECOMMENDER_TABLES = {
    "evaluation": {
        "recommender_metrics": "What every recommender reaches on held-out ratings.",
        "recommender_user_ndcg": "nDCG@10 of every judged user's list.",
        "recommender_long_tail": "What the default's lists reach the further they go into the long tail.",
    },
    "lists": {
        "recommendations": "The best titles for every user.",
    },
    "similar": {
        "similar_titles": "The titles most like each title that is rated.",
    },
    "similar_catalogue": {
        "similar_catalogue_titles": "The titles most like each title of the streaming catalogue.",
    },
}
"""Likewise by the step of the recommender."""
AUDIENCE_TABLES = {
    "audiences": "Every audience with its size, and its rule as SQL.",
    "audience_matches": "Of whom which rule holds, who goes to an audience of higher priority, who is held out.",
    "audience_waterfall": "How many people each condition of each audience keeps and drops.",
    "audience_history": "Who entered and left which audience when.",
}
"""Of all audiences together."""
SIZES_STAY = "no_audience_changed_suddenly"
DEPARTURE_TABLES = {
    "departure": "The chance that an active user departs, with the reason.",
    "departure_quality": "What these scores are worth, beside recency alone.",
}
"""Of departure's one step."""
_EARLIER = ("k_metrics", "quality")
"""Steps after which `model` may let an earlier version serve on: whose figures a table holds is up to it."""


def build_ml_tables(segmentations: Sequence[str], audiences: Sequence[str] = ()) -> dg.AssetsDefinition:
    """Return the one asset that gathers segmentations, audiences and the recommender, each table from its steps."""

    @dg.multi_asset(
        specs=[
            dg.AssetSpec(
                ["ml", table],
                description=description,
                deps=made_of,
                group_name="ml",
                owners=[OWNER],
                kinds={"python", "duckdb"},
            )
            for made_of, tables in _tables(segmentations, audiences)
            for table, description in tables.items()
        ],
        check_specs=[
            dg.AssetCheckSpec(
                SIZES_STAY,
                asset=dg.AssetKey(["ml", "audiences"]),
                description="No audience grew or shrank by more than half since what is published.",
            )
        ],
        name="gather_ml_tables",
        pool=POOL,
    )
    def gather_ml_tables(
        context: dg.AssetExecutionContext, warehouse: WarehouseResource
    ) -> Iterator[dg.MaterializeResult]:
        with warehouse.stage(context.run.run_id, "gather"):
            files = _files(warehouse.layout, segmentations)
            with warehouse.connect(read_only=False) as connection:
                told = _account(warehouse, connection, audiences)
                files |= {table: [str(file)] for table, file in told.items()}
                to = warehouse.layout if warehouse.engine == "spark" else None
                gather(connection, files, anew=asks_for(context.run, FULL_REFRESH_TAG), hand_over_to=to)
            described = table_metadata(warehouse)
            for table in files:
                costs.wrote(rows=described["ml", table]["dagster/row_count"])
                yield dg.MaterializeResult(
                    asset_key=["ml", table],
                    metadata=described["ml", table],
                    check_results=[_sizes_stay(told[table])] if table == "audiences" else [],
                )

    return gather_ml_tables


def _account(
    warehouse: WarehouseResource, connection: duckdb.DuckDBPyConnection, audiences: Sequence[str]
) -> dict[str, Path]:
    """Return the files of the tables of all audiences."""
    now = datetime.now(UTC).replace(tzinfo=None)
    layout = warehouse.layout
    specs = {name: spec for name, spec in read_audiences().items() if name in audiences}
    files = {}
    for table, frame in account(layout, specs, load_holdout_settings(), connection, now).items():
        files[table] = layout.temporary / f"{table}.parquet"
        frame.write_parquet(files[table])
    return files


def _sizes_stay(file: Path) -> dg.AssetCheckResult:
    rows = pl.read_parquet(file).select("audience", "members", "members_before").iter_rows()
    jumped = {name: words for name, now, before in rows if (words := jump(now, before))}
    return dg.AssetCheckResult(
        check_name=SIZES_STAY,
        asset_key=["ml", "audiences"],
        passed=not jumped,
        severity=dg.AssetCheckSeverity.WARN,
        description="; ".join(f"{name}: {words}" for name, words in jumped.items()) or None,
    )


def _tables(
    segmentations: Sequence[str], audiences: Sequence[str]
) -> Iterator[tuple[list[dg.AssetKey], dict[str, str]]]:
    """Yield tables with their descriptions, and the assets that they are made of."""
    for step, tables in TABLES.items():
        steps = (step, "model") if step in _EARLIER else (step,)
        yield [dg.AssetKey([name, step]) for name in segmentations for step in steps], tables
    for step, tables in RECOMMENDER_TABLES.items():
        yield [dg.AssetKey([RECOMMENDER, step])], tables
    yield [LIFT], {"audience_lift": "What came of audiences that were sent, beside who was held out."}
    yield [dg.AssetKey([AUDIENCES, name]) for name in audiences], AUDIENCE_TABLES
    yield [dg.AssetKey([DEPARTURE, "scores"])], DEPARTURE_TABLES


def _files(layout: WarehouseLayout, segmentations: Sequence[str]) -> dict[str, list[str]]:
    """Return the files of every table: none where nothing was trained."""
    trained = [store for name in segmentations if not (store := ModelStore(layout.models / name)).skipped]
    files = {
        table: [str(store.table_path(table)) for store in trained]
        for tables in TABLES.values()
        for table in tables
    }
    for step, tables in RECOMMENDER_TABLES.items():
        is_catalogue = step == "similar_catalogue"
        of_one = VersionedStore(layout.catalogue_similarity if is_catalogue else layout.recommender)
        files |= {table: [str(of_one.table_path(table))] if of_one.has_candidate else [] for table in tables}
    files["audience_lift"] = [str(layout.lift)] if layout.lift.exists() else []
    departure = VersionedStore(layout.departure)
    files |= {
        table: [str(departure.table_path(table))] if departure.has_candidate else []
        for table in DEPARTURE_TABLES
    }
    return files


def gather(
    connection: duckdb.DuckDBPyConnection,
    files: dict[str, list[str]],
    *,
    anew: bool = False,
    hand_over_to: WarehouseLayout | None = None,
) -> None:
    """Fill tables from files, each as dbt's contract defines it.

    One that was filled from the same stays, unless all are to be filled `anew`. Where Spark builds what is made of
    them, its warehouse gets them, too.

    Raises
    ------
    dagster.Failure
        Where a file does not keep the contract; no table is changed then.
    """
    defined = ml_table_definitions()
    connection.execute("create schema if not exists ml")
    connection.execute("begin")
    made_of = {
        f"ml.{table}": f"{hash_of(*map(Path, parts))} {defined[table]}" for table, parts in files.items()
    }
    changed = dbt_kept.remember_tables(connection, made_of)
    lacking = spark_tables.lack(hand_over_to, files) if hand_over_to else set()
    filled = [table for table in files if anew or f"ml.{table}" in changed or table in lacking]
    for table in filled:
        parts = files[table]
        try:
            connection.execute(f"create or replace table ml.{table} ({defined[table]})")
            if parts:
                connection.execute(f"insert into ml.{table} by name select * from read_parquet(?)", [parts])
        except duckdb.Error as error:
            connection.execute("rollback")
            msg = f"ml.{table} does not keep its contract (dbt_project/models/marts): {error}"
            raise dg.Failure(description=msg, allow_retries=False) from error
    if hand_over_to:
        spark_tables.hand_over(connection, hand_over_to, filled)
    connection.execute("commit")
