"""A model of a sample applied to everybody, by Spark, where the rows lie.

Belongs here: handing stored models to Spark's executors and gathering what they write. Does not belong here: the models
and what they say of rows (`ml`), the session (`orchestration.tools.spark`), who is sampled
(`orchestration.tools.sampling`).

Executors need `ml` and what it imports, nothing else of Matinee: what they run is made inside functions of this module,
which Spark sends as code and not by name.
"""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np
import polars as pl

from ml.recommendation.state import to_arrays
from orchestration.stores.recommender import RecommenderStore
from orchestration.stores.segmentations import ModelStore

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame, SparkSession

_BLOCK_ROWS = 500_000
"""Rows of a block where a user's must be together, about; else Spark's own blocks are taken."""
_MEMBERS = "entity_id string, segment_id int, segment_name string, level string"
_LISTED = (
    "user_id bigint, rank int, title_id string, score double, because_title_id string, "
    "because_other_title_id string"
)
_Frames = Callable[[Iterator[pl.DataFrame]], Iterator[pl.DataFrame]]


def place_everybody(
    spark: "SparkSession",
    connection: duckdb.DuckDBPyConnection,
    store: ModelStore,
    table: str,
    *,
    pairs: str | None,
    target: Path,
) -> None:
    """Write the segment of every row of a table of features, ordered by entity, as `SegmentationModel.members` has it.

    Parameters
    ----------
    spark, connection
        Who computes, and who makes one file of what Spark's executors write.
    store
        At the version whose model is applied.
    table
        Of the features, in Spark's catalog.
    pairs
        Where users are placed by their titles, the table of who chose which; only they have a segment then.
    target
        The Parquet file.
    """
    model = store.model()
    entity, rows = model.entity, spark.table(table)
    embedding = ModelStore.read_embedding(store.home)
    if pairs and embedding:
        rows = rows.join(_placed(spark, embedding.to_arrays(), pairs, entity), on=entity)
    needed = {entity, *model.preparation.columns, *([model.levels.by] if model.levels else [])}
    rows = rows.select(*(name for name in rows.columns if name in needed))
    text = spark.sparkContext.broadcast(model.to_json())

    def members(frames: Iterator[pl.DataFrame]) -> Iterator[pl.DataFrame]:
        from ml.segmentation.model import SegmentationModel  # noqa: PLC0415

        stored = SegmentationModel.from_json(text.value)
        for frame in frames:
            yield stored.members(frame).with_columns(frame[stored.entity].alias("_of"))

    kind = dict(rows.dtypes)[entity]
    found = rows.mapInArrow(_on_frames(members), f"{_MEMBERS}, _of {kind}")
    _write(found, connection, target, "select * exclude (_of) from parts order by _of")


def _placed(spark: "SparkSession", arrays: dict[str, np.ndarray], pairs: str, entity: str) -> "DataFrame":
    """Return where users lie in the fitted dimensions of taste, one row each who has enough titles."""
    sent = spark.sparkContext.broadcast(arrays)
    of = spark.table(pairs).select(entity, "title_id")
    # A user's titles together, and users in ascending order, as the embedding asks for them.
    of = of.repartition(entity).sortWithinPartitions(entity, "title_id")

    def placed(frames: Iterator[pl.DataFrame]) -> Iterator[pl.DataFrame]:
        from ml.segmentation.embedding import Embedding  # noqa: PLC0415

        embedding = Embedding.from_arrays(sent.value)
        for frame in frames:
            yield embedding.placed(frame)

    dimensions = ", ".join(f"taste_{place + 1} float" for place in range(len(arrays["components"])))
    return of.mapInArrow(_on_frames(placed, whole=entity), f"{entity} bigint, {dimensions}")


def list_for_everybody(
    spark: "SparkSession",
    connection: duckdb.DuckDBPyConnection,
    store: RecommenderStore,
    ratings: Path,
    table: str,
) -> int:
    """Store the best titles of every user of a table of interactions, by the model of a sample; return how many rows.

    Titles that nobody of the sample rated are unknown to the model: passed over, and recommended to nobody. All
    lists are made anew each time.
    """
    from orchestration.tasks.recommender import PER_USER, may_be_listed  # noqa: PLC0415 - seconds

    model, n = store.read_model(), PER_USER
    items = pl.scan_parquet(ratings).select(pl.col("title_id").unique().sort()).collect().to_series()
    sent = spark.sparkContext.broadcast(
        (to_arrays(model.fitted), items.to_numpy(), may_be_listed(store, model))
    )
    rated = spark.table(table).select("user_id", "title_id", "weight")
    # By ranges of users, so that the parts are in the order of the one file that they become.
    rated = rated.repartitionByRange("user_id").sortWithinPartitions("user_id", "title_id")

    def best(frames: Iterator[pl.DataFrame]) -> Iterator[pl.DataFrame]:
        from ml.recommendation.interactions import of_known  # noqa: PLC0415
        from ml.recommendation.lists import lists, published  # noqa: PLC0415
        from ml.recommendation.state import from_arrays  # noqa: PLC0415

        arrays, known, eligible = sent.value
        fitted, titles = from_arrays(arrays), pl.Series("item_id", known)
        for frame in frames:
            seen = of_known(frame.rename({"title_id": "item_id", "weight": "rating"}), titles)
            # Spark has a process at work for each core already.
            yield published(lists(fitted, seen, n, candidates=eligible, reasons=2, threads=1))

    found = rated.mapInArrow(_on_frames(best, whole="user_id"), _LISTED)
    target = store.table_path("recommendations")
    _write(found, connection, target, "from parts")
    return pl.scan_parquet(target).select(pl.len()).collect().item()


def _on_frames(work: _Frames, whole: str | None = None) -> Any:
    """Return work on frames as work on Arrow's batches; of `whole`, ascending, no value is divided between frames."""
    most = _BLOCK_ROWS

    def frames(batches: Iterator["pa.RecordBatch"]) -> Iterator[pl.DataFrame]:
        held = list[pl.DataFrame]()
        for batch in batches:
            frame = pl.DataFrame(batch)
            if whole is None:
                yield frame
                continue
            held.append(frame)
            if sum(map(len, held)) >= most:
                frame = pl.concat(held)
                last = frame[whole].search_sorted(frame[whole][-1])
                held = [frame[last:]]
                if last:
                    yield frame[:last]
        if held:
            yield pl.concat(held)

    def on_batches(batches: Iterator["pa.RecordBatch"]) -> Iterator["pa.RecordBatch"]:
        for found in work(frames(batches)):
            yield from found.to_arrow(compat_level=pl.CompatLevel.oldest()).to_batches()

    return on_batches


def _write(found: "DataFrame", connection: duckdb.DuckDBPyConnection, target: Path, query: str) -> None:
    """Write what Spark finds as one file, by a query of `parts`, in the order of Spark's partitions."""
    folder, unfinished = target.with_name(f".{target.stem}"), target.with_name(f".{target.name}")
    try:
        found.write.mode("overwrite").parquet(str(folder))
        files = str(folder / "*.parquet").replace("'", "''")
        parts = f"with parts as (from read_parquet('{files}')) "
        connection.sql(parts + query).write_parquet(str(unfinished), compression="zstd")
        unfinished.rename(target)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        unfinished.unlink(missing_ok=True)
