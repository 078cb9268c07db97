"""The first rows of a file as a small file of the same kind, so that a look at it costs the same whatever its size.

Belongs here: cutting a head that holds whole records. Does not belong here: what is done with it (`ingest.inspect`).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from io import BufferedIOBase
from pathlib import Path
from typing import IO

import duckdb

from ingest.buckets import StoredFile
from ingest.rawfiles import Format, RawFile, format_of, open_packed, unpack
from ingest.sql import path_literal, text_literal

_LONGEST_LINE = 1 << 24


@dataclass(frozen=True)
class Head:
    """The first rows of a file.

    Parameters
    ----------
    file
        The small file; its name is that of the file it was cut from.
    kind
        What it is, unpacked.
    packed
        How the file it was cut from is packed, if it is.
    is_whole
        Whether it holds all there is.
    """

    file: RawFile
    kind: Format
    packed: Format | None
    is_whole: bool


def cut_head(file: RawFile | StoredFile, folder: Path, *, rows: int, most_bytes: int) -> Head:
    """Write at most so many rows and about so many bytes of a file into a new folder.

    Raises
    ------
    IngestError
        When it is empty, damaged, or nothing that holds a table.
    """
    folder.mkdir()
    if isinstance(file, StoredFile):
        begun, is_all = file.beginning(folder, rows + 1, most_bytes)
        head = cut_head(begun, folder / "begun", rows=rows, most_bytes=most_bytes)
        return replace(head, is_whole=head.is_whole and is_all)
    to = folder / "head"
    kind, packed = format_of(file.path, name=file.name), None
    if kind.is_packed:
        packed = kind
        with open_packed(file) as stream:
            is_whole = _cut_lines(stream, to, rows, most_bytes)
        kind = format_of(to, name=file.name)
    elif kind is not Format.PARQUET:
        with file.path.open("rb") as stream:
            is_whole = _cut_lines(stream, to, rows, most_bytes)
    if kind is Format.PARQUET:
        path = unpack(file, folder / "unpacked") if packed else file.path
        is_whole = _cut_parquet(path, to, rows)
    elif kind is Format.JSON_LIST:
        is_whole = _cut_list(to, rows) and is_whole
    return Head(RawFile(to, label=file.name), kind, packed, is_whole)


def _cut_lines(stream: BufferedIOBase | IO[bytes], to: Path, rows: int, most_bytes: int) -> bool:
    """Write the first lines, and tell whether they are all; what follows the last closed quote is left off."""
    lines: list[bytes] = []
    size, is_open, closed = 0, False, 0
    while len(lines) <= rows and size < most_bytes:
        line = stream.readline(_LONGEST_LINE)
        if not line:
            to.write_bytes(b"".join(lines))
            return True
        lines.append(line)
        size += len(line)
        is_open ^= line.count(b'"') % 2 == 1
        closed = closed if is_open else len(lines)
    # Quotes that never close divide nothing: then the lines are the records.
    kept = lines[:closed] if closed > len(lines) // 2 else lines
    is_little_endian = lines[0].startswith(b"\xff\xfe")
    to.write_bytes(b"".join(kept) + (b"\0" if is_little_endian else b""))
    return False


def _cut_list(path: Path, rows: int) -> bool:
    """Rewrite a JSON list that may break off with its first whole parts, and tell whether they are all."""
    text = path.read_text(encoding="utf-8-sig", errors="replace")
    decoder, parts, at = json.JSONDecoder(), list[str](), text.index("[") + 1
    try:
        while len(parts) < rows:
            start = at + len(text[at : at + 4096]) - len(text[at : at + 4096].lstrip(", \t\r\n"))
            if text[start : start + 1] == "]":
                return True
            _, at = decoder.raw_decode(text, start)
            parts.append(text[start:at])
    except ValueError:
        pass
    if parts:  # else it is damaged, and reading it says so
        path.write_text(f"[{','.join(parts)}]", encoding="utf-8")
    return False


def _cut_parquet(path: Path, to: Path, rows: int) -> bool:
    with duckdb.connect() as connection:
        source = f"read_parquet({path_literal(path)})"
        connection.execute(
            f"COPY (SELECT * FROM {source} LIMIT {rows}) TO {text_literal(str(to))} (FORMAT parquet)"
        )
        row = connection.execute(f"SELECT count(*) <= {rows} FROM {source}").fetchone()
    return bool(row and row[0])
