"""What the members of each segment are like, beside everybody.

Belongs here: means per segment, the base and the index. Does not belong here: names, plots.
"""

import numpy as np
import polars as pl


def segment_means(frame: pl.DataFrame, segment_ids: np.ndarray, k: int) -> pl.DataFrame:
    """Return the mean of every column per segment, one row per segment id.

    Parameters
    ----------
    frame : n rows of numeric columns
    segment_ids : (n,) int from 0 to k - 1
    k
        Number of segments.
    """
    sizes = np.bincount(segment_ids, minlength=k)
    return pl.DataFrame(
        {
            column: np.bincount(
                segment_ids, frame[column].cast(pl.Float64).fill_null(0).to_numpy(), minlength=k
            )
            / np.maximum(sizes, 1)
            for column in frame.columns
        }
    )


def profile(frame: pl.DataFrame, segment_ids: np.ndarray, k: int) -> pl.DataFrame:
    """Profile segments over every column of a frame.

    Parameters
    ----------
    frame : n rows of numeric columns
    segment_ids : (n,) int from 0 to k - 1
    k
        Number of segments.

    Returns
    -------
    One row per segment and column: segment_id, feature, segment_mean, base_mean (all rows) and index
    (100 = same as base; null where the base is 0).
    """
    means = segment_means(frame, segment_ids, k)
    base = segment_means(frame, np.zeros(len(frame), dtype=int), 1)
    long = means.with_row_index("segment_id").unpivot(
        index="segment_id", variable_name="feature", value_name="segment_mean"
    )
    return (
        long.join(
            base.unpivot(variable_name="feature", value_name="base_mean"),
            on="feature",
            maintain_order="left",
        )
        .with_columns(
            pl.col("segment_id").cast(pl.Int32),
            pl.when(pl.col("base_mean") != 0)
            .then(100 * pl.col("segment_mean") / pl.col("base_mean"))
            .alias("index"),
        )
        .sort("segment_id", maintain_order=True)
    )
