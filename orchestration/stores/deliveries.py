"""What was delivered of each export, so that the next delivery tells what is new.

Belongs here: names below `deliveries/`, and writing them so that a kill leaves a delivery pending or finished. Does not
belong here: what a delivery holds, sending it (`orchestration.tasks.exporting`).

    deliveries/<export>/000002/manifest.json    of each finished delivery
                              /sent.parquet     of the last one: what the destination has
                              /treated.parquet  of the last one: who was ever sent or held out, and since when
    deliveries/<export>/pending/                of a delivery that is being sent: these, and
                              /changes.parquet  its rows in their order
                              /acknowledged     how many of them a webhook has taken
"""

import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import filelock
import polars as pl

from orchestration.stores.layout import WarehouseLayout, write_atomically
from orchestration.stores.lock import WarehouseError, switching
from orchestration.stores.versions import parquet_bytes

TREATED = {
    "audience": pl.String(),
    "entity_id": pl.String(),
    "held_out": pl.Boolean(),
    "first_on": pl.Date(),
    "horizon_days": pl.Int32(),
}
"""Columns of `treated.parquet`; while a delivery is pending, nobody knows yet since when its new rows count."""


@contextmanager
def delivering(layout: WarehouseLayout, seconds: float = 0) -> Iterator[None]:
    """Keep deliveries for one process, who sends or who forgets people; wait some seconds for another one.

    Raises
    ------
    WarehouseError
        When another process has them.
    """
    lock = filelock.FileLock(layout.deliveries_lock, timeout=seconds)
    try:
        lock.acquire()
    except filelock.Timeout:
        raise WarehouseError("another export is being sent. Wait for it to end, and try again.") from None
    try:
        yield
    finally:
        lock.release()


class DeliveryStore:
    """The deliveries of one export.

    Parameters
    ----------
    layout
        The warehouse.
    export
        Its name.
    """

    def __init__(self, layout: WarehouseLayout, export: str) -> None:
        self._layout = layout
        self.folder = layout.deliveries / export
        self.pending = self.folder / "pending"

    @property
    def manifests(self) -> list[dict[str, Any]]:
        """What is kept of every finished delivery, the last one last."""
        files = sorted(self.folder.glob("[0-9]*/manifest.json"))
        return [self._facts(file) for file in files]

    @property
    def begun(self) -> dict[str, Any] | None:
        """The manifest of the delivery that is pending; None where none is."""
        file = self.pending / "manifest.json"
        return self._facts(file) if file.exists() else None

    def sent(self) -> pl.DataFrame | None:
        """Return what the destination has; None before the first delivery."""
        file = self._last / "sent.parquet"
        return self._rows(file) if file.exists() else None

    def treated(self) -> pl.DataFrame:
        """Return who was ever sent or held out, and since when."""
        file = self._last / "treated.parquet"
        return self._rows(file) if file.exists() else pl.DataFrame(schema=TREATED)

    def changes(self) -> pl.DataFrame:
        """Return the rows of the delivery that is pending."""
        return self._rows(self.pending / "changes.parquet")

    @property
    def acknowledged(self) -> int:
        """How many rows of the pending delivery the destination has taken."""
        file = self.pending / "acknowledged"
        return int(file.read_text(encoding="ascii")) if file.exists() else 0

    def acknowledge(self, rows: int) -> None:
        """Remember how many rows of the pending delivery the destination has taken."""
        write_atomically(self.pending / "acknowledged", str(rows))

    def begin(self, manifest: Mapping[str, Any], **frames: pl.DataFrame) -> None:
        """Keep a delivery before anything of it is sent: `changes`, `sent`, `treated`."""
        self._drop_drafts()
        draft = self.folder / f".pending.{os.getpid()}"
        draft.mkdir(parents=True)
        for name, frame in frames.items():
            frame.write_parquet(draft / f"{name}.parquet", compression="zstd")
        (draft / "manifest.json").write_text(_written(manifest), encoding="utf-8")
        with switching(self._layout):
            self.drop()
            draft.rename(self.pending)

    def drop(self) -> None:
        """Leave the pending delivery out; the next one begins with everything anew."""
        shutil.rmtree(self.pending, ignore_errors=True)

    def finish(self, told: Mapping[str, Any], today: date) -> dict[str, Any]:
        """Remember that the pending delivery is at its destination, with what else its manifest says; return that."""
        manifest = {**(self.begun or {}), **told}
        treated = self._rows(self.pending / "treated.parquet").with_columns(
            pl.col("first_on").fill_null(today)
        )
        write_atomically(self.pending / "treated.parquet", parquet_bytes(treated))
        write_atomically(self.pending / "manifest.json", _written(manifest))
        with switching(self._layout):
            self.pending.rename(self.folder / f"{manifest['number']:06d}")
            (self._last / "changes.parquet").unlink()
            (self._last / "acknowledged").unlink(missing_ok=True)
            for file in self.folder.glob("[0-9]*/*.parquet"):
                if file.parent != self._last:
                    file.unlink()
        return manifest

    def forget(self, ids: Sequence[str]) -> int:
        """Take people out, and return how many rows held them.

        Of who is at the destination stays what tells it whom to remove, until the next delivery has done so. Rows that
        are being sent become removals in their places: how many were taken still counts. Files of a folder of ours are
        removed, and the next delivery is everybody anew.
        """
        self._drop_drafts()
        rows = 0
        told = [*self.manifests, *filter(None, [self.begun])]
        for folder in {one["below"] for one in told if one["below"]} if self._knows(ids) else ():
            there = self._layout.root / folder
            for file in (
                *there.glob(f"{self.folder.name}-[0-9]*"),
                *there.glob(f".{self.folder.name}-[0-9]*"),
            ):
                file.unlink()
                rows += 1
            self.drop()
            (self._last / "sent.parquet").unlink(missing_ok=True)
        for file in sorted(self.folder.glob("*/*.parquet")):
            frame = self._rows(file)
            theirs = pl.col("entity_id").is_in(ids)
            if not (found := len(frame.filter(theirs))):
                continue
            if file.stem == "treated":
                frame = frame.filter(~theirs)
            else:
                keys = self._facts(file.parent / "manifest.json")["keys"]
                blank = {name: pl.lit(None) for name in frame.columns if name not in {*keys, "audience"}}
                marks = {"forgotten": pl.lit(True), "change": pl.lit("removed")}
                blank |= {name: value for name, value in marks.items() if name in frame.columns}
                frame = frame.with_columns(
                    pl.when(theirs).then(value).otherwise(name).alias(name) for name, value in blank.items()
                )
            write_atomically(file, parquet_bytes(frame))
            rows += found
        return rows

    def _drop_drafts(self) -> None:
        """Remove what a kill left half written: rows of people that nobody reads."""
        for path in list(self.folder.rglob(".*")):
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)

    def _knows(self, ids: Sequence[str]) -> bool:
        files = self.folder.glob("*/*.parquet")
        return any(self._rows(file)["entity_id"].is_in(ids).any() for file in files)

    def _facts(self, file: Path) -> dict[str, Any]:
        try:
            return dict(json.loads(file.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            raise self._damaged(file) from None

    def _rows(self, file: Path) -> pl.DataFrame:
        try:
            return pl.read_parquet(file)
        except (OSError, pl.exceptions.PolarsError):
            raise self._damaged(file) from None

    def _damaged(self, file: Path) -> WarehouseError:
        return WarehouseError(
            f"{file} is damaged. Put it back from a backup, or remove {self.folder}: everybody is sent anew then."
        )

    @property
    def _last(self) -> Path:
        return max(self.folder.glob("[0-9]*"), default=self.folder)


def _written(manifest: Mapping[str, Any]) -> str:
    return json.dumps(manifest, indent=1, ensure_ascii=False) + "\n"
