"""A backup: what is in force in a warehouse and Dagster's run history, in one archive, and back from it.

Belongs here: what a backup holds, and putting it back. Does not belong here: the archive's file
(`orchestration.stores.archive`), what a command says.

    warehouse/…     the published set, the landing, models and pictures in force, the report, deliveries of exports
    dagster/…       the databases of Dagster's run history
    manifest.json   `links`: where links of the warehouse lead; `schema`; `made_at`, UTC

A set never changes once it is in force, and links say which one is. So a backup keeps each file by a second name (a
hard link) while nobody may switch, which takes moments, and packs these while runs go on: what a run removes meanwhile
stays for the backup. `matinee.duckdb` and `spark` are left out: a run changes them in place and makes them anew from
the landing, and nobody reads results from them.
"""

import json
import os
import shutil
import sqlite3
from collections.abc import Collection, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any

import filelock

from ingest import ids
from ingest.arrivals import Account, account_file
from ingest.errors import IngestError
from ingest.store import slot
from ingest.suppressing import list_of
from orchestration.stores import runs
from orchestration.stores.archive import ArchiveError, is_inside, pack, unpack
from orchestration.stores.layout import ModelNotFoundError, WarehouseLayout, switch_symlink, write_atomically
from orchestration.stores.lock import switching
from orchestration.stores.versions import VersionedStore
from published.schema import FILE as SCHEMA_FILE
from published.schema import SCHEMA, why_refused, why_unreadable

_HISTORY = ("history", "schedules")
"""Folders of a Dagster instance that hold its databases; beside them are only logs."""
_BUSY_SECONDS = 60
"""How long SQLite waits for a run that writes to the same file."""
_README = "README.md"
"""Comes with the repository's own warehouse, which is empty all the same."""


class BackupError(RuntimeError):
    """No backup can be made or restored; the message says why and what to do."""


@dataclass(frozen=True)
class Backup:
    """What is in an archive.

    Attributes
    ----------
    published : name of the published set.
    files : how many of the warehouse.
    databases : how many of Dagster's run history.
    """

    published: str
    files: int
    databases: int


def back_up(layout: WarehouseLayout, dagster_home: Path, to: Path) -> Backup:
    """Write what is in force, and Dagster's run history, to a new archive; runs may go on meanwhile.

    Raises
    ------
    BackupError
        When nothing is published, another backup is being made, or files cannot be kept by a second name.
    ArchiveError
        When the archive cannot be written.
    WarehouseError
        When another process keeps runs and backups from switching.
    """
    if why := why_unreadable(layout.root):
        raise BackupError(why)
    if not layout.published.exists():
        raise BackupError(f"nothing is published in {layout.root} yet: run `matinee run` first.")
    with _workspace(layout) as work:
        links = _pin(layout, work / "warehouse")
        _copy_history(dagster_home, work / "dagster")
        files = {str(path.relative_to(work)): path for path in work.rglob("*") if path.is_file()}
        made_at = datetime.now(UTC).isoformat(timespec="seconds")
        pack(files, {"schema": SCHEMA, "made_at": made_at, "links": links}, to)
        return _described(files, links)


def _described(files: Collection[str], links: Mapping[str, str]) -> Backup:
    of_history = sum(name.startswith("dagster/") for name in files)
    return Backup(PurePosixPath(links["published"]).name, len(files) - of_history, of_history)


@contextmanager
def _workspace(layout: WarehouseLayout) -> Iterator[Path]:
    """Give an empty folder in the warehouse to one backup at a time, and remove it, or what a dead one left."""
    lock = filelock.FileLock(layout.backup_lock, timeout=0)
    try:
        lock.acquire()
        shutil.rmtree(layout.backup, ignore_errors=True)
        layout.backup.mkdir()
    except filelock.Timeout:
        raise BackupError(f"another backup of {layout.root} is being made. Wait for it to end.") from None
    except OSError as error:
        raise BackupError(_unkept(layout, error)) from None
    try:
        yield layout.backup
    finally:
        shutil.rmtree(layout.backup, ignore_errors=True)
        lock.release()


def _unkept(layout: WarehouseLayout, error: OSError) -> str:
    return (
        f"what is in force in {layout.root} cannot be kept for the time of a backup ({_said(error)}). "
        "Call it as the user whose runs write there, on a file system that has hard links, and try again."
    )


def _said(error: OSError) -> str:
    return f"{error.filename}: {error.strerror}" if error.filename else str(error)


def _accounts(layout: WarehouseLayout) -> list[Path]:
    """Return the files that tell of what was done: of runs, of people who were forgotten, of the warehouse's shape."""
    folders = (layout.ledger, layout.receipts)
    accounts = [path for folder in folders for path in sorted(folder.glob("[!.]*"))]
    of_landing = [list_of(layout.landing), account_file(layout.landing)]
    return [*accounts, *of_landing, layout.run_records, layout.root / SCHEMA_FILE]


def _arrived(layout: WarehouseLayout, account: Account) -> list[Path]:
    """Return what landed of files that came by themselves: of the last of them no set in force need know yet."""
    slots = [slot(layout.landing, one.table, one.key) for one in account.arrivals]
    files = [file for each in slots for file in (each.path, each.rejects_path, each.manifest_path)]
    return [*files, *ids.segments(layout.landing)]


def _pin(layout: WarehouseLayout, to: Path) -> dict[str, str]:
    """Keep everything in force below `to`, and return where links lead, both as names in the warehouse."""
    pinning = _Pinning(layout.root, to, {})
    try:
        with switching(layout):
            pinning.keep(layout.published)
            if (layout.landing / "current").exists():
                pinning.keep(layout.landing / "current")
                # What a run has landed and not published is no part of a backup.
                pinning.links["landing/candidate"] = pinning.links["landing/current"]
            for folder in sorted(layout.models.glob("*/")):
                _keep_model(pinning, VersionedStore(folder))
            for link in sorted(layout.plots.glob("[!.]*")):
                pinning.keep(link)
            for folder in sorted(layout.plot_sets.glob("*/")):
                shown = layout.plots / folder.name
                version = shown.resolve().name if shown.exists() else None
                _keep_candidate(pinning, VersionedStore(folder), version)
            for folder in sorted(layout.deliveries.glob("*/")):
                pinning.keep(folder)
            pinned = sorted(layout.audience_snapshots.glob("*/[!.]*"))
            for file in (*sorted(layout.report.glob("[!.]*")), *pinned, *_accounts(layout)):
                if file.exists():
                    pinning.keep(file)
            # By the account that was kept: a run may be writing the next one.
            for file in _arrived(layout, Account.read(to / layout.landing.name)):
                if file.exists():
                    pinning.keep(file)
    except IngestError as error:
        raise BackupError(str(error)) from None
    except OSError as error:
        raise BackupError(_unkept(layout, error)) from None
    except ModelNotFoundError as error:
        raise BackupError(str(error)) from None
    return pinning.links


@dataclass(frozen=True)
class _Pinning:
    """Files of a warehouse that are being kept by a second name."""

    root: Path
    to: Path
    links: dict[str, str]

    def keep(self, path: Path) -> None:
        """Keep a file, everything in a folder, or a link and what it leads to."""
        name = self._name(path)
        if path.is_symlink():
            target = Path(os.path.normpath(path.parent / path.readlink()))
            self.links[name] = self._name(target)
            self.keep(target)
        elif path.is_dir():
            for inner in sorted(path.glob("[!.]*")):  # what is half written begins with a dot
                self.keep(inner)
        elif not (kept := self.to / name).exists():  # several links may lead to one file
            kept.parent.mkdir(parents=True, exist_ok=True)
            kept.hardlink_to(path)

    def write(self, path: Path, facts: Mapping[str, Any]) -> None:
        """Put a file of our own where one of the warehouse would be."""
        write_atomically(self.to / self._name(path), json.dumps(facts) + "\n")

    def _name(self, path: Path) -> str:
        if not path.is_relative_to(self.root):
            msg = f"{path} is outside of the warehouse {self.root}, and no part of a backup. Move it into it."
            raise BackupError(msg)
        return path.relative_to(self.root).as_posix()


def _keep_model(pinning: _Pinning, store: VersionedStore) -> None:
    """Keep the version in force; candidates and what was refused are the next run's to make."""
    pointer = store.folder / "current.json"
    version = VersionedStore(store.folder, "current").home.name if pointer.exists() else None
    if version is not None:
        pinning.keep(pointer)
        pinning.keep(store.folder / version)
    _keep_candidate(pinning, store, version)


def _keep_candidate(pinning: _Pinning, store: VersionedStore, in_force: str | None) -> None:
    """Make the version in force the candidate too, as after a run that ended, or say why the last run had none."""
    pointer = store.folder / "candidate.json"
    if pointer.exists() and (why := store.skipped):
        pinning.write(pointer, {"version": None, "skipped": why})
    elif in_force is not None:
        pinning.write(pointer, {"version": in_force})


def _copy_history(home: Path, to: Path) -> None:
    """Copy Dagster's databases as they are between two transactions."""
    # The list of runs first: a run that begins after it was copied is not told of without its events.
    for database in sorted(file for part in _HISTORY for file in (home / part).rglob("*.db")):
        copy = to / database.relative_to(home)
        copy.parent.mkdir(parents=True, exist_ok=True)
        try:
            with (
                closing(
                    sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True, timeout=_BUSY_SECONDS)
                ) as source,
                closing(sqlite3.connect(copy)) as target,
            ):
                source.backup(target)
        except sqlite3.Error as error:
            raise BackupError(f"Dagster's run history {database} cannot be read: {error}.") from None


def restore(archive: Path, layout: WarehouseLayout, dagster_home: Path) -> tuple[Backup, bool]:
    """Put the warehouse of an archive where there is none, as a whole or not at all.

    Returns
    -------
    What was in the archive, and whether the run history was put into the Dagster instance, too: one that has a history
    keeps its own.

    Raises
    ------
    BackupError
        When the warehouse is not empty, or something cannot be written.
    ArchiveError
        When the archive is not whole, or of another Matinee.
    """
    root = layout.root
    _require_empty(root)
    work = root.with_name(f".{root.name}.restoring-{os.getpid()}")
    try:
        work.mkdir(parents=True)
        manifest = unpack(archive, work)
        backup = _checked(archive, manifest)
        _link(archive, work / "warehouse", manifest["links"])
        runs.leave_out_going(WarehouseLayout(work / "warehouse"))
        _put_warehouse(work / "warehouse", root)
        has_history = _put_history(work / "dagster", dagster_home)
    except OSError as error:
        done = (
            "the warehouse is restored, the run history is not"
            if layout.published.exists()
            else "nothing is restored"
        )
        raise BackupError(f"cannot restore {archive} to {root} ({_said(error)}); {done}.") from None
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return backup, has_history


def _require_empty(root: Path) -> None:
    if root.exists() and (not root.is_dir() or {path.name for path in root.iterdir()} - {_README}):
        raise BackupError(
            f"{root} is not empty. Restore to a folder that is: matinee restore FILE --warehouse DIR."
        )
    if root.is_mount():
        raise BackupError(
            f"{root} is the root of a disk, which cannot be put in place whole. Name a folder inside it."
        )


def _checked(archive: Path, manifest: Mapping[str, Any]) -> Backup:
    """Return what an archive holds; refuse one that is of another Matinee, or no backup at all."""
    try:
        if why := why_refused(str(archive), manifest["schema"]):
            raise ArchiveError(why)
        return _described(manifest["files"], manifest["links"])
    except (LookupError, TypeError):
        raise ArchiveError(f"{archive} is no backup of a warehouse; `matinee backup` makes one.") from None


def _link(archive: Path, root: Path, links: Mapping[str, str]) -> None:
    """Make the links of an archive; none may lead out of the warehouse, or nowhere."""
    for name, target in links.items():
        link = root / name
        if is_inside(name) and is_inside(target) and not link.exists():
            link.parent.mkdir(parents=True, exist_ok=True)
            switch_symlink(link, root / target)
    for name in links:
        if not (
            is_inside(name)
            and (root / name).exists()
            and (root / name).resolve().is_relative_to(root.resolve())
        ):
            raise ArchiveError(
                f"{archive} cannot be restored: its link {name!r} leads nowhere in the warehouse."
            )


def _put_warehouse(unpacked: Path, root: Path) -> None:
    readme = root / _README
    moved = readme.rename(unpacked / _README) if readme.exists() else None
    try:
        unpacked.rename(root)
    except OSError:
        if moved:
            moved.rename(readme)
        raise


def _put_history(unpacked: Path, home: Path) -> bool:
    if not unpacked.exists() or any((home / part).exists() for part in _HISTORY):
        return False
    for part in unpacked.iterdir():
        unfinished = home / f".{part.name}.{os.getpid()}"
        shutil.copytree(part, unfinished)  # the instance may be on another disk
        unfinished.rename(home / part.name)
    return True
