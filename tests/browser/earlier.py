"""A warehouse as it is a week after an earlier run: what there is of one run, and an earlier state made of it."""

import shutil
from datetime import timedelta
from pathlib import Path

import polars as pl

EARLIER, DAYS = "0123abcd-earlier", 8
MOVED, CAME = 40, 25
"""Users of `user_ratings` who were elsewhere a week ago, and who were not there."""


def a_week_later(warehouse: Path, folder: Path) -> Path:
    """Copy a warehouse and let it have run eight days before too, when some users were elsewhere or not there yet."""
    shutil.copytree(warehouse / "models", folder / "models")
    name = (warehouse / "published").resolve().name
    now = folder / "published.d" / name
    shutil.copytree(warehouse / "published", now)
    (folder / "published").symlink_to(now)
    runs = pl.read_parquet(now / "runs.parquet").head(1)
    week = timedelta(days=DAYS)
    earlier = runs.with_columns(
        pl.lit(EARLIER).alias("run_id"), pl.col("started_at") - week, pl.col("ended_at") - week
    )
    pl.concat([runs, earlier]).write_parquet(now / "runs.parquet")
    history = pl.read_parquet(now / "membership_history.parquet").with_columns(pl.col("entered_at") - week)
    rated = history.filter(segmentation="user_ratings").sort("entity_id")
    entered = runs["ended_at"].item() - timedelta(minutes=1)
    loyal, _ = largest(now)
    elsewhere = rated.filter(segment_id=loyal).head(MOVED)
    came = rated.filter(pl.col("segment_id") != loyal).head(CAME)
    late = pl.concat([elsewhere, came])["entity_id"].implode()
    is_late = (pl.col("segmentation") == "user_ratings") & pl.col("entity_id").is_in(late)
    other = rated.filter(pl.col("segment_id") != loyal).select("segment_id", "segment_name").row(0)
    was = elsewhere.with_columns(
        pl.lit(other[0], history.schema["segment_id"]).alias("segment_id"),
        pl.lit(other[1]).alias("segment_name"),
        pl.lit(entered, history.schema["left_at"]).alias("left_at"),
    )
    pl.concat(
        [history.with_columns(entered_at=pl.when(is_late).then(entered).otherwise("entered_at")), was]
    ).write_parquet(now / "membership_history.parquet")
    then = now.with_name(f"{runs['ended_at'].item() - week:%Y%m%dT%H%M%S}-{EARLIER[:8]}")
    shutil.copytree(now, then)
    earlier.write_parquet(then / "runs.parquet")
    fewer = {loyal: MOVED, other[0]: CAME - MOVED}
    of_ratings = pl.col("segmentation") == "user_ratings"
    segments = pl.read_parquet(now / "segments.parquet").with_columns(
        members=pl.col("members")
        - pl.when(of_ratings).then(pl.col("segment_id").replace_strict(fewer, default=0)).otherwise(0)
    )
    segments = segments.with_columns(share=pl.col("members") / pl.col("members").sum().over("segmentation"))
    segments.write_parquet(then / "segments.parquet")
    funnel = pl.read_parquet(now / "data_funnel.parquet").with_columns(
        row_count=pl.col("row_count") - pl.when(step="users with features").then(CAME).otherwise(0)
    )
    funnel.write_parquet(then / "data_funnel.parquet")
    return folder


def largest(published: Path) -> tuple[int, str]:
    """Return id and name of the largest segment of `user_ratings`."""
    segments = pl.read_parquet(published / "segments.parquet").filter(segmentation="user_ratings")
    row = segments.sort("members", "segment_id").row(-1, named=True)
    return row["segment_id"], row["segment_name"]
