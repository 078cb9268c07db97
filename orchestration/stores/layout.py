"""The warehouse folder: names inside it, and writing so that readers never see half.

Belongs here: the layout, atomic writes. Does not belong here: who may write (`lock`), what is written, DuckDB, Dagster.
"""

import os
from pathlib import Path

KEPT_SETS = 3
"""A reader that resolved a set before a switch can finish; so a few old ones stay."""


class ModelNotFoundError(LookupError):
    """No trained model; the message says which command trains one."""


class WarehouseLayout:
    """Names inside a warehouse folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.database = root / "matinee.duckdb"
        self.landing = root / "landing"
        self.incoming = root / "incoming"
        self.processed = root / "processed"
        self.failed = root / "failed"
        self.models = root / "models"
        self.recommender = self.models / "recommender"
        self.catalogue_similarity = self.models / "catalogue_similarity"
        self.audiences = root / "audiences"
        self.audience_snapshots = root / "audience_snapshots"
        self.departure = self.models / "departure"
        self.spark = root / "spark"
        self.spark_log = self.spark / "spark.log"
        self.plots = root / "plots"
        self.plot_sets = root / "plots.d"
        self.published = root / "published"
        self.published_sets = root / "published.d"
        self.report = root / "report"
        self.ledger = root / "ledger"
        self.receipts = root / "receipts"
        self.deliveries = root / "deliveries"
        self.lift = root / "lift.parquet"
        self.deliveries_lock = root / ".deliveries.lock"
        self.replica = root / "replicate"
        self.demo = root / "demo"
        self.downloads = root / "downloads"
        self.dbt_target = root / ".dbt"
        self.temporary = root / ".tmp"
        self.lock = root / ".run.lock"
        self.lock_holder = root / ".run.json"
        self.switch_lock = root / ".switch.lock"
        self.switching = root / ".switching.json"
        self.backup = root / ".backup"
        self.backup_lock = root / ".backup.lock"
        self.run_records = root / ".runs.json"

    @property
    def raw_folders(self) -> tuple[Path, ...]:
        """The folders of raw files that are ours: Matinee made or fetched them and may write them anew.

        Not those of the drop folder: they are still somebody's who writes there, and are known by their content.
        """
        return self.demo, self.downloads, self.processed, self.failed

    def trained(self, segmentation: str) -> Path:
        """Return the folder of the versions of a segmentation that is named by a person.

        Raises
        ------
        ModelNotFoundError
            When no such segmentation is trained; the message lists those that are.
        """
        # By a file beside the model, too: where the model itself is gone, it is damaged and not unknown.
        known = sorted(
            {
                path.parents[1].name
                for name in ("model", "explored")
                for path in self.models.glob(f"*/*/{name}.json")
            }
        )
        if segmentation in known:
            return self.models / segmentation
        there_are = (
            f"there are: {', '.join(known)}" if known else "none is trained yet: run `matinee run` first"
        )
        msg = f"no trained segmentation {segmentation!r}; {there_are}"
        raise ModelNotFoundError(msg)


def switch_symlink(link: Path, target: Path) -> None:
    """Point `link` at `target` in one step, so that a reader sees the old folder or the new one."""
    temporary = link.with_name(f".{link.name}.{os.getpid()}")
    temporary.unlink(missing_ok=True)
    temporary.symlink_to(os.path.relpath(target, link.parent))
    temporary.replace(link)


def write_atomically(path: Path, content: bytes | str) -> None:
    """Write a file so that a reader sees the old content or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_bytes(content if isinstance(content, bytes) else content.encode())
    except OSError:  # a disk that is full keeps a part of it
        temporary.unlink(missing_ok=True)
        raise
    temporary.replace(path)
