"""What ML gives, gathered over all segmentations and the recommender into the DuckDB schema `ml`, for dbt's marts.

Belongs here: the switch from the model store's Parquet to tables. Does not belong here: what the columns
mean and must hold; that contract stands once, in dbt's sources `ml` and `recommender`.
"""

from collections.abc import Iterator, Sequence

import dagster as dg
import duckdb

from orchestration.stores.layout import WarehouseLayout
from orchestration.stores.segmentations import ModelStore
from orchestration.stores.versions import VersionedStore
from orchestration.tools.dbt import OWNER
from orchestration.tools.shown import table_metadata
from orchestration.tools.warehouse import POOL, WarehouseResource

TABLES = {
    "k_metrics": "Every candidate k of every segmentation with all indices.",
    "segments": "Ids and names of the published segments.",
    "segment_members": "The segment of every entity.",
    "segment_levels": "How many members of each segment are light and how many heavy, where that is declared.",
    "segment_profiles": "Mean of every feature per segment, beside the base.",
    "segment_words": "What may be said of each segment: playbook, name and quality, as its figures bear them out.",
    "segment_exemplars": "The members that are most like each segment.",
    "segment_rules": "The rule of each segment in words, and how far it holds.",
    "pca_loadings": "Loadings of the two principal components of the prepared features.",
    "segment_map": "Where a sample of members lies on the principal components, for every explored k.",
    "start_agreement": "How much of the published segments hangs on where K-Means started.",
    "free_segments": "What the best free fit looks like beside the published segments.",
    "segment_separation": "What the segments explain of a feature, beside the best single column.",
    "segment_quality": "Whether segments come back, what they are worth, and what nothing would be.",
    "segment_promotions": "Which model took over when, which was refused, and why.",
    "segment_history": "What became of segments: kept, born, died, split, merged.",
    "segment_migration": "Who went from which segment to which since the refresh before.",
    "membership_history": "Who was in which segment from when to when.",
    "segment_claims": "Which segments differ from everybody in a feature, and why nothing is said of the others.",
}

RECOMMENDER_TABLES = {
    "recommendations": "The best titles for every user.",
    "recommender_metrics": "What every recommender reaches on held-out ratings.",
    "recommender_user_ndcg": "nDCG@10 of every judged user's list.",
    "similar_titles": "The titles most like each title that is rated.",
}
CATALOGUE_TABLES = {"similar_catalogue_titles": "The titles most like each title of the streaming catalogue."}


def build_ml_tables(segmentations: Sequence[str]) -> dg.AssetsDefinition:
    """Return the one asset that gathers the given segmentations and the recommender: dbt waits for it once."""
    # Every table waits for all of it: with different parents they would be gathered, and dbt invoked, apart.
    upstream = [
        *(dg.AssetKey([name, step]) for name in segmentations for step in ("members", "profile")),
        *(
            dg.AssetKey(["recommender", step])
            for step in ("evaluation", "lists", "similar", "similar_catalogue")
        ),
    ]

    @dg.multi_asset(
        specs=[
            dg.AssetSpec(
                ["ml", table],
                description=description,
                deps=upstream,
                group_name="ml",
                owners=[OWNER],
                kinds={"python", "duckdb"},
            )
            for table, description in (TABLES | RECOMMENDER_TABLES | CATALOGUE_TABLES).items()
        ],
        name="gather_ml_tables",
        pool=POOL,
    )
    def gather_ml_tables(warehouse: WarehouseResource) -> Iterator[dg.MaterializeResult]:
        files = _files(warehouse.layout, segmentations)
        with warehouse.connect(read_only=False) as connection:
            _gather(connection, files)
        described = table_metadata(warehouse)
        for table in files:
            yield dg.MaterializeResult(asset_key=["ml", table], metadata=described["ml", table])

    return gather_ml_tables


def _files(layout: WarehouseLayout, segmentations: Sequence[str]) -> dict[str, list[str]]:
    """Return the files of every table: none where nothing was trained."""
    trained = [store for name in segmentations if not (store := ModelStore(layout.models / name)).skipped]
    files = {table: [str(store.table_path(table)) for store in trained] for table in TABLES}
    for folder, tables in (
        (layout.recommender, RECOMMENDER_TABLES),
        (layout.catalogue_similarity, CATALOGUE_TABLES),
    ):
        of_one = VersionedStore(folder)
        files |= {table: [str(of_one.table_path(table))] if of_one.has_candidate else [] for table in tables}
    return files


def _gather(connection: duckdb.DuckDBPyConnection, files: dict[str, list[str]]) -> None:
    connection.execute("create schema if not exists ml")
    connection.execute("begin")
    for table, parts in files.items():
        # Where nothing was trained, dbt made the table with its declared columns.
        if parts:
            connection.execute(
                f"create or replace table ml.{table} as select * from read_parquet(?)", [parts]
            )
        else:
            connection.execute(f"delete from ml.{table}")
    connection.execute("commit")
