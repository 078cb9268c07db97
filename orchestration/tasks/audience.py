"""The work behind the pictures of audience and catalogue, on snapshots of the rows they are drawn from.

Belongs here: what the worker process does for them (`worker`). Does not belong here: Dagster, DuckDB, any one
picture.
"""

from pathlib import Path

import polars as pl

from orchestration.stores.plots import PlotStore
from orchestration.tasks.audience_plots import LeftOut, draw
from orchestration.tasks.segmentation import one_at_a_time


def draw_audience(store: PlotStore, snapshots: dict[str, Path]) -> tuple[dict[str, str], dict[str, str]]:
    """Draw every picture into the store, from files of rows by query.

    Returns
    -------
    Thumbnails as Markdown, and reasons for the pictures that are left out, by name.
    """
    rows = {query: pl.read_parquet(file) for query, file in snapshots.items()}
    pngs: dict[str, bytes] = {}
    thumbnails: dict[str, str] = {}
    left_out: dict[str, str] = {}
    with one_at_a_time:
        for result in draw(rows):
            if isinstance(result, LeftOut):
                left_out[result.name] = result.reason
            else:
                pngs[result.name] = result.png
                thumbnails[result.name] = result.thumbnail_markdown()
    if pngs:
        store.save_candidate(pngs)
    else:
        store.skip("the source has no data for any of these pictures")
    return thumbnails, left_out
