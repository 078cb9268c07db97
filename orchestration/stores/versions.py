"""Versioned folders of what was trained, and the pointers to them.

Belongs here: which version is a candidate and which one is in force, tables of a version.
Does not belong here: what a version holds beside them (`segmentations`, `recommender`).

    models/<name>/<version>/            never changed after its run
    models/<name>/candidate.json        the version trained last; the steps of a run work on it; or why the last run
                                        trained none
    models/<name>/current.json          the version in force; switched when its tables are published
    models/<name>/refused.json          the version that was refused last, kept for whoever promotes it all the same
"""

import io
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import polars as pl

from orchestration.stores.layout import ModelNotFoundError, write_atomically
from published.schema import why_unreadable

Pointer = Literal["candidate", "current", "refused"]
POINTERS: tuple[Pointer, ...] = ("candidate", "current", "refused")


def made_as(version: str) -> str:
    """Return the name under which a version was made; one that goes on under another is `<name>-<which>`."""
    return version.partition("-")[0]


@dataclass(frozen=True)
class VersionedStore:
    """The versions of one trained thing."""

    folder: Path
    pointer: Pointer = "candidate"
    """Which version is read and written."""

    @property
    def name(self) -> str:
        """What was trained: a segmentation, the recommender."""
        return self.folder.name

    @property
    def home(self) -> Path:
        """The folder of the version."""
        return self.folder / self._pointed(self.pointer)

    def skip(self, reason: str) -> None:
        """Say that this run has no candidate, and why; the version in force stays."""
        write_atomically(self.folder / "candidate.json", json.dumps({"version": None, "skipped": reason}))

    @property
    def skipped(self) -> str | None:
        """Why the last run trained nothing; None when it did."""
        return self._read_pointer("candidate").get("skipped")

    @property
    def has_candidate(self) -> bool:
        """Whether the last run trained something; false, too, where none ever ran."""
        return self._has("candidate") and self.skipped is None

    def point(self, pointer: Pointer, version: str) -> None:
        """Make a version the candidate, the one in force or the one refused last."""
        write_atomically(self.folder / f"{pointer}.json", json.dumps({"version": version}) + "\n")

    def rename(self, version: str, name: str) -> None:
        """Let every pointer to a version lead to another that is the same under another name."""
        for pointer in POINTERS:
            if self._has(pointer) and self._read_pointer(pointer)["version"] == version:
                self.point(pointer, name)

    def drop_refused(self) -> None:
        """Keep no refused version any longer: what it was compared with is not in force any more."""
        (self.folder / "refused.json").unlink(missing_ok=True)

    @property
    def versions(self) -> dict[str, str]:
        """Every version that is kept, and what it is: in force, refused last, a candidate, or nothing of these."""
        words = {"candidate": "candidate", "refused": "refused last", "current": "in force"}
        known = {self._read_pointer(name)["version"]: word for name, word in words.items() if self._has(name)}
        folders = sorted(path.parent.name for path in self.folder.glob("*/model.json"))
        return {name: known.get(name, "") for name in folders}

    def begin_candidate(self, version: str) -> None:
        """Make a version, new or known, the candidate."""
        (self.folder / version).mkdir(parents=True, exist_ok=True)
        self.point("candidate", version)

    def has(self, name: str) -> bool:
        """Whether the version already holds a file: it was made before, of the same input."""
        return (self.home / name).exists()

    def promote_candidate(self) -> str:
        """Put the candidate in force and return its version."""
        version = self._pointed("candidate")
        self.point("current", version)
        return version

    @property
    def kept(self) -> set[str | None]:
        """The versions that a pointer names."""
        return {self._read_pointer(name)["version"] for name in POINTERS if self._has(name)}

    def prune(self) -> None:
        """Remove versions that are neither candidate nor in force."""
        kept = self.kept
        for folder in self.folder.iterdir():
            if folder.is_dir() and folder.name not in kept:
                shutil.rmtree(folder, ignore_errors=True)

    def write_table(self, table: str, frame: pl.DataFrame) -> None:
        """Store a table of the version."""
        write_atomically(self.table_path(table), parquet_bytes(frame))

    def read_table(self, table: str) -> pl.DataFrame:
        """Return a table of the version."""
        return pl.read_parquet(self.table_path(table))

    def table_path(self, table: str) -> Path:
        """Return the file of a table of the version."""
        return self.home / f"{table}.parquet"

    def _has(self, pointer: str) -> bool:
        return (self.folder / f"{pointer}.json").exists()

    def _pointed(self, pointer: str) -> str:
        facts = self._read_pointer(pointer)
        if facts["version"] is None:
            msg = f"{self.name} was not trained in the last run: {facts['skipped']}"
            raise ModelNotFoundError(msg)
        return facts["version"]

    def _read_pointer(self, pointer: str) -> dict[str, Any]:
        file = self.folder / f"{pointer}.json"
        if why := why_unreadable(self.folder.parent.parent):
            raise ModelNotFoundError(why)
        try:
            facts: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
            return facts if facts["version"] else {**facts, "skipped": facts["skipped"]}
        except (ValueError, LookupError, TypeError):
            there_are = ", ".join(sorted(path.name for path in self.folder.glob("*/"))) or "none"
            msg = (
                f"{file} is damaged: it must name the version of {self.name}, as in "
                f'{{"version": "…"}}; there are: {there_are}. What is published stays as it is'
            )
            raise ModelNotFoundError(msg) from None
        except FileNotFoundError:
            if pointer == "current" and self._has("candidate") and self.skipped:
                msg = f"{self.name} was not trained in the last run: {self.skipped}"
                raise ModelNotFoundError(msg) from None
            msg = f"{self.name} has no trained model in {self.folder.parent.parent}: run `matinee run` first"
            raise ModelNotFoundError(msg) from None


def parquet_bytes(frame: pl.DataFrame) -> bytes:
    """Return a frame as a Parquet file."""
    buffer = io.BytesIO()
    frame.write_parquet(buffer, compression="zstd", compression_level=1)
    return buffer.getvalue()
