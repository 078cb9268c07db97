"""Where trained segmentations are kept: versioned folders of JSON and Parquet.

Belongs here: reading and writing `models/<segmentation>/`.
Does not belong here: the pointers to versions (`orchestration.stores.versions`), training, scoring, DuckDB.

    models/<segmentation>/<version>/model.json      preparation, centroids and names together
                                    explored.json   the same for the explored k
                                    k_metrics.parquet, segments.parquet, segment_members.parquet,
                                    segment_profiles.parquet, pca_loadings.parquet, segment_map.parquet,
                                    segment_levels.parquet
                                    start_agreement.parquet, free_segments.parquet, segment_separation.parquet,
                                    segment_claims.parquet, segment_quality.parquet, segment_rules.parquet,
                                    segment_words.parquet, segment_exemplars.parquet
                                    segment_promotions.parquet, segment_history.parquet, segment_migration.parquet,
                                    membership_history.parquet
                                    events.parquet  what became of the segments that were in force
                                    ward.npz        Ward's tree, where the method grows one
                                    embedding.npz   the dimensions of taste, where users are placed in some
                                    projection.json the principal components, for maps
                                    reference.json  histograms of the features that were trained on, to tell drift by
                                    trained_on.parquet  hashes of some members and their segments
                                    recovery.json   agreement with planted segments, where there are any
                                    plots/          PNGs
"""

import hashlib
import io
import json
import shutil
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from ml.segmentation.embedding import Embedding
from ml.segmentation.model import SegmentationModel
from ml.segmentation.projection import Projection
from orchestration.stores.layout import write_atomically
from orchestration.stores.versions import VersionedStore, made_as, parquet_bytes

if TYPE_CHECKING:  # its import brings scikit-learn, seconds that only training needs
    from ml.segmentation.train import Training


TRAINED = (
    *("model.json", "explored.json", "ward.npz", "embedding.npz", "segments.parquet", "k_metrics.parquet"),
    *("trained_on.parquet", "reference.json", "segment_quality.parquet"),
    *("start_agreement.parquet", "free_segments.parquet"),
)
"""What training gives: it goes along where a model serves on."""
_UNREADABLE = (ValueError, LookupError, TypeError, AttributeError, OSError, EOFError, zipfile.BadZipFile)


class ModelDamagedError(ValueError):
    """A stored model cannot be read; the message names version and file, and says what to do."""

    @classmethod
    def of(cls, file: Path, why: str) -> "ModelDamagedError":
        """Return the error about a file of a version."""
        return cls(
            f"the model {file.parent.name} of {file.parent.parent.name} is damaged: {file.name}: {why}. "
            "Train it again with `matinee run`; what is published stays as it is."
        )


@dataclass(frozen=True)
class ModelStore(VersionedStore):
    """The versions of one segmentation."""

    def save_candidate(self, training: "Training", embedding: Embedding | None = None) -> str:
        """Store a training as the candidate and return its version, a hash of what was trained."""
        text = training.published.to_json()
        metrics = training.sweep.metrics.insert_column(0, pl.lit(self.name).alias("segmentation"))
        version = hashlib.sha256(text.encode() + metrics.write_json().encode()).hexdigest()[:12]
        home = self.folder / version
        explored = {k: json.loads(model.to_json()) for k, model in training.models.items()}
        write_atomically(home / "model.json", text)
        write_atomically(home / "explored.json", json.dumps(explored, ensure_ascii=False))
        write_atomically(home / "k_metrics.parquet", parquet_bytes(metrics))
        self.point("candidate", version)
        self.write_table("start_agreement", training.start_agreement)
        self.write_table("free_segments", training.free_segments)
        if (tree := training.tree) is not None:
            leaves = {"linkage": tree.linkage, "places": training.places[tree.rows]}
            self._write_arrays("ward", leaves)
        if embedding is not None:
            self._write_arrays("embedding", embedding.to_arrays())
        return version

    def model(self) -> SegmentationModel:
        """Return the model."""
        return self.read_model(self.home)

    @staticmethod
    def read_model(version: Path) -> SegmentationModel:
        """Return the model of a version, given its folder."""
        with _whole(version / "model.json"):
            return SegmentationModel.from_json((version / "model.json").read_text(encoding="utf-8"))

    @property
    def is_whole(self) -> bool:
        """Whether what training gave can be read: models, what they are called and worth, how k was chosen."""
        try:
            self.model()
            self.read_embedding(self.home)
            self.explored()
            self.tree()
            for table in ("segments", "segment_quality", "k_metrics", "start_agreement", "free_segments"):
                self.read_table(table)
        except (ModelDamagedError, FileNotFoundError):
            return False
        return True

    def explored(self) -> dict[int, SegmentationModel]:
        """Return the models of the published and the explored k."""
        with _whole(self.home / "explored.json"):
            states = json.loads((self.home / "explored.json").read_text(encoding="utf-8"))
            return {int(k): SegmentationModel.from_json(json.dumps(state)) for k, state in states.items()}

    def write_projection(self, projection: Projection) -> None:
        """Store the principal components of the version's training rows."""
        write_atomically(self.home / "projection.json", json.dumps(projection.to_dict()) + "\n")

    def projection(self) -> Projection:
        """Return the principal components."""
        return Projection.from_dict(json.loads((self.home / "projection.json").read_text(encoding="utf-8")))

    @property
    def trained_as(self) -> str:
        """The name that the version had when it was trained, whatever it serves on as (`serve`)."""
        return made_as(self.home.name)

    @property
    def in_force(self) -> "ModelStore | None":
        """The same store at the version in force; None before any is."""
        return replace(self, pointer="current") if self._has("current") else None

    @property
    def refused(self) -> "ModelStore | None":
        """The same store at the version that was refused last; None where none is kept."""
        return replace(self, pointer="refused") if self._has("refused") else None

    def serve(self, version: str) -> None:
        """Let the version in force go on serving, as a version of its own that holds today's members."""
        source = self.folder / self._read_pointer("current")["version"]
        home = self.folder / version
        home.mkdir(exist_ok=True)
        for name in TRAINED:
            if (source / name).exists():
                shutil.copyfile(source / name, home / name)
        self.point("candidate", version)

    def write_reference(self, histograms: Mapping[str, Any]) -> None:
        """Store the histograms of the features that the version was trained on."""
        write_atomically(self.home / "reference.json", json.dumps(histograms) + "\n")

    def reference(self) -> dict[str, Any] | None:
        """Return these histograms; None where there are none that can be read."""
        try:
            found: dict[str, Any] = json.loads((self.home / "reference.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):  # nothing but a check hangs on them, and the next training writes them
            return None
        return found

    def _write_arrays(self, name: str, arrays: dict[str, Any]) -> None:
        buffer = io.BytesIO()
        np.savez(buffer, allow_pickle=False, **arrays)
        write_atomically(self.home / f"{name}.npz", buffer.getvalue())

    def tree(self) -> tuple[np.ndarray, np.ndarray] | None:
        """Return the merges of Ward's tree and, of each leaf, the place of its segment when it was trained.

        None where the method grows none, or an earlier Matinee did, which kept no places.
        """
        with _whole(self.home / "ward.npz"):
            arrays = _read_arrays(self.home / "ward.npz")
        return (arrays["linkage"], arrays["places"]) if arrays and "places" in arrays else None

    @staticmethod
    def read_embedding(version: Path) -> Embedding | None:
        """Return the dimensions of taste of a version, given its folder; None where it has none."""
        with _whole(version / "embedding.npz"):
            arrays = _read_arrays(version / "embedding.npz")
            return Embedding.from_arrays(arrays) if arrays else None

    def write_recovery(self, index: float | None) -> None:
        """Store how well planted segments were found again; None where none were planted."""
        write_atomically(self.home / "recovery.json", json.dumps({"adjusted_rand_index": index}) + "\n")

    def recovery(self) -> float | None:
        """Return how well planted segments were found again; None where nobody planted or looked."""
        try:
            return json.loads((self.home / "recovery.json").read_text())["adjusted_rand_index"]
        except FileNotFoundError:
            return None

    def read_table(self, table: str) -> pl.DataFrame:
        """Return a table of the version.

        Raises
        ------
        ModelDamagedError
            When there is such a file and it cannot be read.
        """
        with self._readable(table):
            return super().read_table(table)

    def sizes(self) -> pl.DataFrame:
        """Return segment_id, segment_name and how many members of each segment that has some, counted as they are read.

        Raises
        ------
        ModelDamagedError
            When `segment_members` cannot be read.
        """
        members = pl.scan_parquet(self.table_path("segment_members")).group_by("segment_id", "segment_name")
        with self._readable("segment_members"):
            return members.len("members").sort("segment_id").collect()

    @contextmanager
    def _readable(self, table: str) -> Iterator[None]:
        """Say in words that a table of the version cannot be read."""
        file = self.table_path(table)
        try:
            yield
        except pl.exceptions.PolarsError as error:
            pointer = self.folder / f"{self.pointer}.json"
            msg = (
                f"the version {file.parent.name} of {self.name} is damaged: {file.name}: {error}. Put the file back "
                f"from a copy, or remove {pointer}, and `matinee run` begins with new segments. "
                "What is published stays as it is."
            )
            raise ModelDamagedError(msg) from None

    def write_table(self, table: str, frame: pl.DataFrame) -> None:
        """Store a table of the version, with the segmentation as its first column."""
        super().write_table(table, frame.select(pl.lit(self.name).alias("segmentation"), pl.all()))


@contextmanager
def _whole(file: Path) -> Iterator[None]:
    """Say in words that a file of a version cannot be read."""
    try:
        yield
    except _UNREADABLE as error:
        why = "it is absent" if isinstance(error, FileNotFoundError) else str(error) or type(error).__name__
        raise ModelDamagedError.of(file, why) from None


def _read_arrays(file: Path) -> dict[str, np.ndarray] | None:
    try:
        with np.load(file, allow_pickle=False) as arrays:
            return dict(arrays)
    except FileNotFoundError:
        return None
