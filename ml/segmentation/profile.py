"""What the members of each segment are like, beside everybody.

Belongs here: means per segment, the base and the index. Does not belong here: names, plots.
"""

import numpy as np
import polars as pl

from ml.segmentation.resampling import mean_intervals

_PARTS = 200
"""Each mean is resampled in this many parts: there are as many means as segments times columns."""


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


def over_index(
    frame: pl.DataFrame, segment_ids: np.ndarray, k: int, *, rng: np.random.Generator
) -> pl.DataFrame:
    """Profile segments with how sure each index is.

    The base is taken as known. It holds the segment's own members and so moves with them, which makes the interval of
    a large segment wider than it need be, never narrower. Each interval stands for itself: of twenty columns in which
    a segment is like all, one will seem to differ.

    Parameters
    ----------
    frame : n rows of numeric columns
    segment_ids : (n,) int from 0 to k - 1
    k
        Number of segments.
    rng
        Draws the resamples, the same for all columns.

    Returns
    -------
    What `profile` does, with index_low and index_high (95 %; null for a base of 0 or below, fewer than 10 members or
    nearly all of one value) and is_apart (whether the interval leaves out 100: only then anything is to be said).
    """
    profiles = profile(frame, segment_ids, k)
    known = frame.select(pl.all().cast(pl.Float64).fill_null(0))
    members = (known.filter(segment_ids == segment_id).to_numpy() for segment_id in range(k))
    # One row per segment and column, as they come in the profiles.
    intervals = np.vstack([mean_intervals(values, rng, most_parts=_PARTS) for values in members])
    ends = pl.DataFrame(intervals, {"index_low": pl.Float64, "index_high": pl.Float64}).fill_nan(None)
    base = profiles["base_mean"]
    ends = ends.select(pl.when(base > 0).then(100 * pl.col(end) / base).alias(end) for end in ends.columns)
    apart = ~pl.lit(100.0).is_between("index_low", "index_high")
    return pl.concat([profiles, ends], how="horizontal").with_columns(is_apart=apart.fill_null(value=False))
