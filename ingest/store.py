"""The landing folder: where files land, which set of them is current, and how one set replaces another.

Belongs here: names, the append-only store of landed files, the atomic switch.
Does not belong here: how a file becomes Parquet (`ingest.landing`), when a set is good enough to be switched to.

Layout::

    files/<table>-<key>.parquet, .rejects.parquet, .manifest.parquet     append-only
    sets/<set id>/<table>/<place>-<key>.parquet                          relative links into files/
    sets/<set id>/rejects/<table>-<key>.parquet
    sets/<set id>/manifest/<table>-<key>.parquet
    sets/<set id>/source.json                                            where the files came from
    files/ids-<first number>.parquet, sets/<set id>/ids/                 see `ingest.ids`
    candidate -> sets/<set id>                                           landed last
    current -> sets/<set id>                                             in force
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from ingest import ids
from ingest.errors import IngestError
from ingest.sql import path_literal, text_literal
from ingest.suppressing import LEFT_OUT
from ingest.writing import writing_to


@dataclass(frozen=True)
class LandedFile:
    """One raw file in the landing.

    Parameters
    ----------
    table
        Name of the landing table.
    source
        Name of the raw file.
    key
        Hash of the content followed by the fingerprint of contract and declaration: 24 hex digits.
    sha256
        Hash of the raw file, 64 hex digits.
    size_bytes
        Size of the raw file.
    rows_read, rows_landed, rows_rejected, rows_left_out
        Counts of lines; read = landed + rejected + left out by the declaration's condition.
    unreadable
        Cells of landed rows that were not empty, could not be read and became NULL, by column.
    notes
        What else a person should know of how the file was read, as sentences.
    layout
        Name of the known layout or declaration that it was read by.
    known_quirks
        Rejected lines that the contract expects in the public file.
    raw_columns
        The raw file's own columns in their order, each with its DuckDB type; empty of a file that had landed before.
    landed_at
        When it landed (UTC, without zone).
    path, rejects_path, manifest_path
        The three Parquet files in ``files/``.
    seconds
        Time that this call took.
    was_already_landed
        Whether the file had landed before and nothing was read again.
    """

    table: str
    source: str
    key: str
    sha256: str
    size_bytes: int
    rows_read: int
    rows_landed: int
    rows_rejected: int
    rows_left_out: int
    unreadable: Mapping[str, int]
    notes: tuple[str, ...]
    layout: str
    known_quirks: int
    landed_at: datetime
    path: Path
    rejects_path: Path
    manifest_path: Path
    seconds: float = 0.0
    was_already_landed: bool = False
    raw_columns: Mapping[str, str] = field(default_factory=dict)

    @property
    def has_left_out_people(self) -> bool:
        """Whether rows of people who were forgotten are in the raw file."""
        return any(note.endswith(LEFT_OUT) for note in self.notes)


@dataclass(frozen=True)
class Slot:
    """The three names in ``files/`` that belong to one raw file under one contract."""

    table: str
    key: str
    path: Path
    rejects_path: Path
    manifest_path: Path


def key_of(sha256: str, fingerprint: str) -> str:
    """Return the key of a raw file with this hash, read in a way with this fingerprint."""
    return sha256[:16] + fingerprint


def key_in(link: Path) -> str:
    """Return the key of the landed file that a link of a set leads to."""
    return link.stem.rpartition("-")[2]


def slot(landing_dir: Path, table: str, key: str) -> Slot:
    """Return the place of a raw file with this key."""
    stem = landing_dir / "files" / f"{table}-{key}"
    return Slot(
        table=table,
        key=key,
        path=stem.with_name(f"{stem.name}.parquet"),
        rejects_path=stem.with_name(f"{stem.name}.rejects.parquet"),
        manifest_path=stem.with_name(f"{stem.name}.manifest.parquet"),
    )


def read_slot(place: Slot, last_id: int) -> LandedFile | None:
    """Return what has landed in a slot, or None where nothing has, or not completely.

    `last_id` is the highest number of an id that is known: a file that holds higher ones has outlived its ids.
    """
    if not (place.path.exists() and place.rejects_path.exists() and place.manifest_path.exists()):
        return None
    try:
        (facts,) = pq.read_table(place.manifest_path).to_pylist()
        quirks = pq.read_table(place.rejects_path, columns=["is_known_quirk"])["is_known_quirk"].to_pylist()
        rows_landed = pq.read_metadata(place.path).num_rows
        if facts["last_id"] > last_id:
            return None
        if (rows_landed, len(quirks)) != (facts["rows_landed"], facts["rows_rejected"]):
            return None
        unreadable = json.loads(facts["unreadable_cells"])
        # Of a file that landed before hashes were kept, the counts must do.
        if (known := facts.get("landed_sha256")) and known != hash_of(place.path, place.rejects_path):
            return None
    except (pa.ArrowException, OSError, LookupError, ValueError):  # damaged: land it again
        return None
    return LandedFile(
        table=place.table,
        source=facts["source"],
        key=place.key,
        sha256=facts["sha256"],
        size_bytes=facts["bytes"],
        rows_read=facts["rows_read"],
        rows_landed=rows_landed,
        rows_rejected=len(quirks),
        rows_left_out=facts["rows_left_out"],
        unreadable=unreadable,
        notes=tuple(facts["notes"]),
        layout=facts["layout"],
        known_quirks=sum(quirks),
        landed_at=facts["landed_at"],
        path=place.path,
        rejects_path=place.rejects_path,
        manifest_path=place.manifest_path,
        was_already_landed=True,
    )


def hash_of(*files: Path) -> str:
    """Return one hash of what landed: a byte that flips within a page leaves every count as it was."""
    digest = hashlib.sha256()
    for file in files:
        with file.open("rb") as stream:
            hashlib.file_digest(stream, lambda: digest)
    return digest.hexdigest()


def may_have_landed(landing_dir: Path, table: str, fingerprint: str, size_bytes: int) -> bool:
    """Whether some file of this size has landed in this way, so that hashing it first may spare reading it."""
    manifests = list((landing_dir / "files").glob(f"{table}-*{fingerprint}.manifest.parquet"))
    if not manifests:
        return False
    try:
        with duckdb.connect() as connection:
            queries = [f"SELECT bytes FROM {_parquet(path)}" for path in manifests]
            return any((size_bytes,) in connection.execute(query).fetchall() for query in queries)
    except duckdb.Error:  # damaged: reading the file again is the safe answer
        return False


def _parquet(path: Path) -> str:
    return f"read_parquet({path_literal(path)})"


def write_manifest(connection: duckdb.DuckDBPyConnection, landed: LandedFile, last_id: int, to: Path) -> None:
    """Write the one row that tells where a landed table comes from."""
    connection.execute(
        "COPY (SELECT $table_name::VARCHAR AS table_name, $source::VARCHAR AS source, $sha256::VARCHAR AS sha256, "
        "$bytes::BIGINT AS bytes, $rows_read::BIGINT AS rows_read, $rows_landed::BIGINT AS rows_landed, "
        "$rows_rejected::BIGINT AS rows_rejected, $landed_at::TIMESTAMP AS landed_at, "
        "$rows_left_out::BIGINT AS rows_left_out, $unreadable::VARCHAR AS unreadable_cells, "
        "$notes::VARCHAR[] AS notes, $layout::VARCHAR AS layout, $last_id::BIGINT AS last_id, "
        "$raw_columns::VARCHAR AS raw_columns, $landed_sha256::VARCHAR AS landed_sha256) "
        f"TO {text_literal(str(to))} (FORMAT parquet)",
        {
            "table_name": landed.table,
            "source": landed.source,
            "sha256": landed.sha256,
            "bytes": landed.size_bytes,
            "rows_read": landed.rows_read,
            "rows_landed": landed.rows_landed,
            "rows_rejected": landed.rows_rejected,
            "landed_at": landed.landed_at,
            "rows_left_out": landed.rows_left_out,
            "unreadable": json.dumps(dict(landed.unreadable)),
            "notes": list(landed.notes),
            "layout": landed.layout,
            "last_id": last_id,
            "raw_columns": json.dumps(dict(landed.raw_columns), ensure_ascii=False),
            "landed_sha256": hash_of(landed.path, landed.rejects_path),
        },
    )


@contextmanager
def workspace(landing_dir: Path) -> Iterator[Path]:
    """Give a folder for temporary files on the same file system, and remove it and those of dead processes."""
    home = landing_dir / ".tmp"
    home.mkdir(parents=True, exist_ok=True)
    (landing_dir / "files").mkdir(exist_ok=True)
    for left_over in home.iterdir():
        owner = re.fullmatch(r"(\d+)-[0-9a-f]{8}", left_over.name)
        if owner and not _is_alive(int(owner[1])):
            shutil.rmtree(left_over, ignore_errors=True)
    folder = home / f"{os.getpid()}-{secrets.token_hex(4)}"
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def kept(landing_dir: Path, tables: Iterable[str]) -> tuple[LandedFile, ...]:
    """Return the files of these tables in the current set; none where one of them is damaged."""
    last_id = ids.last_number(landing_dir)
    paths = [path for table in tables for path in sorted((landing_dir / "current" / table).glob("*.parquet"))]
    found = [read_slot(slot(landing_dir, path.parent.name, key_in(path)), last_id) for path in paths]
    return tuple(file for file in found if file) if all(found) else ()


def stage(landing_dir: Path, landed: Sequence[LandedFile], source: Mapping[str, Any]) -> Path:
    """Make these files, and no others, the candidate: the set that `switch` puts in force.

    Parameters
    ----------
    landing_dir
        The landing folder.
    landed
        Files that `ingest.landing.land_file` returned. Their order is the one in which they arrived: of two rows
        that say the same of different worth, the one that arrived later counts.
    source
        What to remember of where they came from; anything that JSON can hold.

    Returns
    -------
    Path
        ``<landing_dir>/sets/<set id>``; the id depends on the files and the source alone.

    Raises
    ------
    IngestError
        When a file is not complete, or the folder cannot be written.
    """
    for file in landed:
        if not (file.path.exists() and file.rejects_path.exists() and file.manifest_path.exists()):
            raise IngestError(
                f"the landed file {file.path.name} is gone.",
                next_step="Run again: it will land again.",
                where=str(landing_dir),
            )
    numbers = ids.segments(landing_dir)
    names = [*(f"{file.table}-{file.key}" for file in landed), *sorted(path.name for path in numbers)]
    facts = json.dumps(source)
    folder = landing_dir / "sets" / hashlib.sha256("\n".join([*names, facts]).encode()).hexdigest()[:16]
    with writing_to(landing_dir):
        if not folder.exists():
            _build_set(folder, landed, numbers, facts)
        _point(landing_dir / "candidate", folder)
    return folder


def switch(landing_dir: Path) -> None:
    """Put the candidate in force.

    A reader sees the set before or this one, never a mixture. The set before stays until the next switch;
    older ones, and those that were never in force, are removed. What stands in ``files/`` is never removed.
    """
    current, candidate = landing_dir / "current", (landing_dir / "candidate").resolve()
    before = current.resolve()
    if before != candidate:
        _point(current, candidate)
        for old in candidate.parent.iterdir():
            if old not in (candidate, before):
                shutil.rmtree(old, ignore_errors=True)


def source_of(landing_dir: Path, which: Literal["candidate", "current"]) -> dict[str, Any] | None:
    """Return what was remembered of the source of a set; None where there is no such set."""
    try:
        return json.loads((landing_dir / which / "source.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None


def _point(link: Path, folder: Path) -> None:
    draft = link.with_name(f".{link.name}-{secrets.token_hex(4)}")
    draft.symlink_to(Path("sets") / folder.name)
    draft.replace(link)


def _build_set(folder: Path, landed: Sequence[LandedFile], numbers: Sequence[Path], facts: str) -> None:
    draft = folder.with_name(f".{folder.name}-{secrets.token_hex(4)}")
    every = {draft / "ids" / path.name: path for path in numbers}
    for place, file in enumerate(landed):
        every |= {
            # By name they lie in the order of their arrival, in which DuckDB numbers them.
            draft / file.table / f"{place:05}-{file.key}.parquet": file.path,
            draft / "rejects" / f"{file.table}-{file.key}.parquet": file.rejects_path,
            draft / "manifest" / f"{file.table}-{file.key}.parquet": file.manifest_path,
        }
    for link, target in every.items():
        link.parent.mkdir(parents=True, exist_ok=True)
        # Relative, so that a warehouse can be moved as a whole.
        link.symlink_to(Path("..", "..", "..", "files", target.name))
    (draft / "source.json").write_text(facts + "\n", encoding="utf-8")
    draft.replace(folder)


def _is_alive(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
