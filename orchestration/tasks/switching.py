"""Putting a night in force: the published set, then the landing, models and pictures that it was made of.

Belongs here: switching all of it, and finishing what a run had begun to switch that was killed. Does not belong here:
the switch of each (`ingest.store`, `orchestration.stores`), making a set (`orchestration.assets.publish`).

What is about to be switched is written down first, in `<warehouse>/.switching.json`: else the next run would compare
its segments with models of two nights.
"""

import json
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from ingest import store
from orchestration.stores.layout import WarehouseLayout, switch_symlink, write_atomically
from orchestration.stores.lock import switching
from orchestration.stores.plots import PlotStore
from orchestration.stores.segmentations import ModelStore
from orchestration.stores.versions import VersionedStore
from orchestration.tasks.audience_queries import AUDIENCE


def put_in_force(
    layout: WarehouseLayout, unfinished: Path, finished: Path, segmentations: Sequence[str]
) -> None:
    """Give a set that is written its name, and put it and what it was made of in force.

    Belongs into a block of `orchestration.stores.lock.switching`.
    """
    facts = {"published": finished.name, "segmentations": list(segmentations)}
    write_atomically(layout.switching, json.dumps(facts) + "\n")
    unfinished.rename(finished)
    _switch(layout, finished, segmentations)


def finish_switch(layout: WarehouseLayout) -> None:
    """Finish what a run began to put in force that was killed then; nothing where none was."""
    try:
        facts = json.loads(layout.switching.read_text(encoding="utf-8"))
        finished, segmentations = layout.published_sets / facts["published"], facts["segmentations"]
    except FileNotFoundError:
        return
    except (ValueError, LookupError, TypeError):  # a disk that was full: nothing had been switched yet
        layout.switching.unlink()
        return
    if not finished.is_dir():
        layout.switching.unlink()
        return
    with switching(layout):
        _switch(layout, finished, segmentations)


def _switch(layout: WarehouseLayout, finished: Path, segmentations: Sequence[str]) -> None:
    # The published set first: who reads it needs nothing else.
    switch_symlink(layout.published, finished)
    if is_made_of_the_candidate(layout, finished):
        store.switch(layout.landing)
    _promote_candidates(layout, segmentations)
    layout.switching.unlink()


def is_made_of_the_candidate(layout: WarehouseLayout, published: Path) -> bool:
    """Whether the marts were built from the files landed last: who materialises single assets may have left dbt out."""
    files = [pl.read_parquet(file) for file in (layout.landing / "candidate" / "manifest").glob("*.parquet")]
    told = [pl.read_parquet(published / "landing_manifest.parquet"), *files]
    made_of, *landed = [set(frame.select("table_name", "sha256", "landed_at").rows()) for frame in told]
    return made_of == set().union(*landed)


def _promote_candidates(layout: WarehouseLayout, segmentations: Sequence[str]) -> None:
    """Put in force what the run trained and drew; a skipped segmentation has no plots, but keeps its model."""
    layout.plots.mkdir(exist_ok=True)
    for name in segmentations:
        store = ModelStore(layout.models / name)
        if store.skipped:
            (layout.plots / name).unlink(missing_ok=True)
            continue
        store.promote_candidate()
        store.prune()
        switch_symlink(layout.plots / name, store.home / "plots")
    for folder in (layout.recommender, layout.catalogue_similarity, layout.departure):
        trained = VersionedStore(folder)
        if trained.has_candidate:
            trained.promote_candidate()
            trained.prune()
    PlotStore(layout, AUDIENCE).promote_candidate()
