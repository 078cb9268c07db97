"""Refreshes of one small segmentation as a run makes them, without a run: each step on the store and files of rows."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from ml.segmentation.quality.table import Figure, quality_table
from ml.segmentation.spec import SegmentationSpec
from orchestration.stores.layout import WarehouseLayout
from orchestration.stores.segmentations import ModelStore
from orchestration.tasks.promotion import Decision, decide, serve_on
from orchestration.tasks.segmentation import (
    assign_members,
    has_little_changed,
    judge_candidate,
    train_candidate,
)

GROUPS = np.array([[0, 0], [8, 0], [0, 8]])
START = datetime(2026, 1, 1)


def spec(columns: str, *, method: str = "kmeans") -> SegmentationSpec:
    """A segmentation of users in three groups that must come back when it is fitted anew."""
    declared = {
        "name": "habits",
        "description": "Users by two habits",
        "entity": "user_id",
        "features": {"table": "features.habits", "columns": [columns]},
        "clustering": {"candidates": [2, 3], "publish": 3, "restarts": 2, "method": method},
        "naming": {"rank_by": "habit_1"},
        "quality": {"thresholds": {"bootstrap_ari": 0.8}},
    }
    return SegmentationSpec.model_validate(declared)


def habits(groups: np.ndarray, *, seed: int = 0, first: int = 0) -> pl.DataFrame:
    """Features of users around the centres of their groups."""
    X = GROUPS[groups] + np.random.default_rng(seed).normal(size=(len(groups), 2))
    return pl.DataFrame({"user_id": np.arange(len(X)) + first, "habit_1": X[:, 0], "habit_2": X[:, 1]})


def noise(users: int, *, seed: int = 0) -> pl.DataFrame:
    """Features that say nothing of anybody."""
    X = np.random.default_rng(seed).normal(4, 3, size=(users, 2))
    return pl.DataFrame({"user_id": np.arange(users), "habit_1": X[:, 0], "habit_2": X[:, 1]})


@dataclass
class Refreshes:
    """A warehouse in which one segmentation is refreshed."""

    root: Path
    runs: int = 0
    asked: int = 0

    @property
    def layout(self) -> WarehouseLayout:
        return WarehouseLayout(self.root)

    @property
    def store(self) -> ModelStore:
        return ModelStore(self.layout.models / "habits")

    def run(
        self,
        frame: pl.DataFrame,
        *,
        ari: float | None = None,
        is_published: bool = True,
        columns: str = "habit_*",
        method: str = "kmeans",
    ) -> Decision:
        """Train, judge, decide, assign and publish, a month after the time before.

        With `ari` that is taken for the figure, which takes longest to measure.
        """
        declared, self.runs = spec(columns, method=method), self.runs + 1
        at = START + timedelta(days=30 * self.runs)
        file = self.root / f"features-{self.runs}.parquet"
        frame.write_parquet(file)
        train_candidate(declared, self.store, (file,), 1)
        if ari is None:
            judge_candidate(declared, self.store, (file,), (), 1)
        else:
            figures = quality_table([Figure("bootstrap_ari", ari)], declared.quality.bounds)
            self.store.write_table("segment_quality", figures)
        decision = decide(declared, self.store, (file,), f"{self.runs:08d}-run", at)
        assign_members(self.store, (file,), at)
        if is_published:
            self.store.promote_candidate()
            self.store.prune()
        return decision

    def table(self, name: str) -> pl.DataFrame:
        """A table of the version in force."""
        return ModelStore(self.store.folder, "current").read_table(name)

    def has_little_changed(self, frame: pl.DataFrame, *, columns: str = "habit_*") -> bool:
        """Whether a night on these rows would let what is in force serve on."""
        self.asked += 1
        file = self.root / f"asked-{self.asked}.parquet"
        frame.write_parquet(file)
        return has_little_changed(spec(columns), self.store, (file,))

    def serve(self, frame: pl.DataFrame) -> bool:
        """A refresh between two nights, in which what is in force serves on; False where nothing in force can."""
        self.runs += 1
        file = self.root / f"features-{self.runs}.parquet"
        frame.write_parquet(file)
        if not serve_on(self.store, (file,), f"{self.runs:08d}-run"):
            return False
        assign_members(self.store, (file,), START + timedelta(days=30 * self.runs))
        self.store.promote_candidate()
        self.store.prune()
        return True
