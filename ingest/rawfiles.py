"""Raw files as bytes: telling what a file is, hashing it, and unpacking it where it is compressed.

Belongs here: everything that looks at a file's bytes without knowing which table it holds.
Does not belong here: finding the files of a source (`ingest.sources`), reading their cells (`ingest.landing`).
"""

from __future__ import annotations

import codecs
import gzip
import hashlib
import os
import re
import shutil
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from io import BufferedIOBase
from pathlib import Path
from typing import IO

import pyarrow as pa

from ingest.errors import IngestError

CHUNK_BYTES = 1 << 20
_NOT_WINDOWS = re.compile(rb"[\x81\x8d\x8f\x90\x9d]")
_SPARE_BYTES = 1 << 28  # stay clear of filling the disk while unpacking


class Format(Enum):
    """What the first bytes of a file say it is; the ending of its name is not asked."""

    CSV = "CSV"
    JSON_LINES = "JSON lines"
    JSON_LIST = "JSON"
    PARQUET = "Parquet"
    GZIP = "gzip"
    ZIP = "zip"
    ZSTD = "zstd"

    @property
    def is_packed(self) -> bool:
        """Whether the file has to be unpacked before it can be read."""
        return self in (Format.GZIP, Format.ZIP, Format.ZSTD)


@dataclass(frozen=True)
class RawFile:
    """A raw file, or a member of a zip archive.

    Parameters
    ----------
    path
        The file or the archive.
    member
        Name within the archive; None for a file of its own and for an archive with a single member.
    label
        What a person calls it where its name is not enough: its path below the folder of the source.
    """

    path: Path
    member: str | None = None
    label: str = ""

    def __str__(self) -> str:
        """Return its name."""
        return self.name

    @property
    def name(self) -> str:
        """The name that errors, rejects and the manifest give: ``ratings.csv``, ``archive.zip/ratings.csv``."""
        return (
            f"{self.path.name}/{self.member.rsplit('/', 1)[-1]}"
            if self.member
            else self.label or self.path.name
        )

    @property
    def partition(self) -> dict[str, str]:
        """Values that folders of its path give all its rows: ``day=2024-01-31`` above it."""
        folders = (part.partition("=") for part in Path(self.label).parent.parts)
        return {name: value for name, sign, value in folders if sign and name}


@dataclass(frozen=True)
class Digest:
    """What one pass over the bytes of a file tells.

    Parameters
    ----------
    sha256
        Hash of the content, 64 hex digits.
    size_bytes
        Size of the content.
    is_utf8
        Whether the content is UTF-8 text.
    longest_line
        Bytes of its longest line, of lines longer than `CHUNK_BYTES`; 0 where there is none.
    """

    sha256: str
    size_bytes: int
    is_utf8: bool
    longest_line: int


def digest(path: Path) -> Digest:
    """Read a file once and hash it (about 1 GB/s; the interpreter is free for other threads meanwhile)."""
    sha256 = hashlib.sha256()
    decoder = codecs.getincrementaldecoder("utf-8")()
    size = line = longest = 0
    is_utf8 = is_ascii = True
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK_BYTES):
            sha256.update(chunk)
            size += len(chunk)
            end = chunk.find(b"\n")
            longest = max(longest, line + (len(chunk) if end < 0 else end))
            line = line + len(chunk) if end < 0 else len(chunk) - 1 - chunk.rfind(b"\n")
            # Decoding starts at the first chunk that is not ASCII: plain number files never pay for it.
            is_ascii = is_ascii and chunk.isascii()
            if is_utf8 and not is_ascii:
                is_utf8 = _decodes(decoder, chunk)
    is_utf8 = is_utf8 and _decodes(decoder, b"", final=True)
    return Digest(sha256.hexdigest(), size, is_utf8, longest if longest > CHUNK_BYTES else 0)


def format_of(path: Path, *, name: str) -> Format:
    """Tell what a file is by its first bytes.

    Parameters
    ----------
    path
        The file.
    name
        How to call it in an error.

    Raises
    ------
    IngestError
        When the file is empty or is nothing that could hold a table.
    """
    with path.open("rb") as stream:
        head = stream.read(4096)
    if not head.strip():
        raise IngestError(
            "the file is empty.", next_step="Download or export it again, and run again.", where=name
        )
    if head.startswith(b"\x1f\x8b"):
        return Format.GZIP
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return Format.ZIP
    if head.startswith(b"PAR1"):
        return Format.PARQUET
    if head.startswith(b"\x28\xb5\x2f\xfd"):
        return Format.ZSTD
    _refuse_other_formats(head, name)
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if re.match(rb"\[\s*(\{|\])", start):
        return Format.JSON_LIST
    return Format.JSON_LINES if re.match(rb'\{\s*("|\})', start) else Format.CSV


def unpack(file: RawFile, to: Path) -> Path:
    """Decompress a gzip file or one member of a zip archive into the file `to`.

    The member's own path is never used, so an archive cannot write anywhere else.

    Returns
    -------
    Path
        `to`.

    Raises
    ------
    IngestError
        When the archive is cut off, damaged, locked, holds several files, or is larger than the disk.
    """
    with open_packed(file) as packed, to.open("wb") as target:
        _copy(packed, target, room=shutil.disk_usage(to.parent).free - _SPARE_BYTES, name=file.name)
    return to


@contextmanager
def open_packed(file: RawFile) -> Iterator[BufferedIOBase | IO[bytes]]:
    """Open a compressed file for reading what it holds.

    Raises
    ------
    IngestError
        When the archive is cut off, damaged, locked or holds several files, also while it is being read.
    """
    try:
        with _unpacked(file) as stream:
            yield stream
    except (EOFError, zlib.error, zipfile.BadZipFile, gzip.BadGzipFile, pa.ArrowException) as error:
        raise IngestError(
            "the compressed file is cut off or damaged.",
            next_step="Download it again, and run again.",
            where=file.name,
        ) from error
    except (RuntimeError, NotImplementedError) as error:  # how zipfile reports a password or a rare method
        raise IngestError(
            "the archive is locked by a password or packed in a way that cannot be read here.",
            next_step="Unpack it by hand and point --source at the folder.",
            where=file.name,
        ) from error


@contextmanager
def _unpacked(file: RawFile) -> Iterator[BufferedIOBase | IO[bytes]]:
    kind = format_of(file.path, name=file.name)
    if kind is Format.GZIP:
        with gzip.open(file.path, "rb") as stream:
            yield stream
        return
    if kind is Format.ZSTD:
        with pa.CompressedInputStream(str(file.path), "zstd") as stream:
            yield stream
        return
    with zipfile.ZipFile(file.path) as archive:
        member = file.member or _only_member(archive, file.name)
        with archive.open(member) as stream:
            yield stream


def _only_member(archive: zipfile.ZipFile, name: str) -> str:
    members = data_members(archive)
    if any(member.startswith(("xl/", "word/", "ppt/")) or member == "mimetype" for member in members):
        raise IngestError(
            "this is an Excel workbook or another office document, not a table of text.",
            next_step="Open it, save the sheet as CSV (UTF-8), and run again.",
            where=name,
        )
    if len(members) != 1:
        raise IngestError(
            f"expected one file in the archive, found {len(members)}.",
            next_step="Point --source at the archive or its folder, so that files are found by name.",
            where=name,
        )
    return members[0]


def data_members(archive: zipfile.ZipFile) -> list[str]:
    """Return the names of the archive's files, leaving out folders and hidden bookkeeping."""
    return [
        info.filename
        for info in archive.infolist()
        if not info.is_dir()
        and not info.filename.startswith("__MACOSX/")
        and not info.filename.rsplit("/", 1)[-1].startswith(".")
    ]


def _copy(source: BufferedIOBase | IO[bytes], target: IO[bytes], *, room: int, name: str) -> None:
    while chunk := source.read(CHUNK_BYTES):
        room -= len(chunk)
        if room < 0:
            raise IngestError(
                "the file is larger unpacked than the room left on the disk.",
                next_step="Free some space or choose another warehouse, and run again.",
                where=name,
            )
        target.write(chunk)


def _decodes(decoder: codecs.IncrementalDecoder, chunk: bytes, *, final: bool = False) -> bool:
    try:
        decoder.decode(chunk, final)
    except UnicodeDecodeError:
        return False
    return True


def _refuse_other_formats(head: bytes, name: str) -> None:
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return  # UTF-16
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        raise IngestError(
            "this is an Excel workbook of the old kind, not a table of text.",
            next_step="Open it, save the sheet as CSV (UTF-8), and run again.",
            where=name,
        )
    if head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        raise IngestError(
            "this is a web page or XML, not a table (often a sign-in page saved under the file's name).",
            next_step="Download the file again, and run again.",
            where=name,
        )
    database = (
        "SQLite" if head.startswith(b"SQLite format 3") else "DuckDB" if head[8:12] == b"DUCK" else None
    )
    if database:
        raise IngestError(
            f"this is a {database} database, not a table.",
            next_step=f"Name it in a declaration: `database: {database.lower()}:PATH`, with `table` or `query`.",
            where=name,
        )
    # In one of the lines below, a byte of zero is a fault of that line.
    if b"\x00" in head.partition(b"\n")[0]:
        raise IngestError(
            "this is a binary file, not CSV or Parquet.",
            next_step="Check that it is the right file, and run again.",
            where=name,
        )


def is_utf16(path: Path) -> bool:
    """Whether a file begins as UTF-16 does."""
    with path.open("rb") as stream:
        return stream.read(2) in (b"\xff\xfe", b"\xfe\xff")


def encoding_of(path: Path) -> str | None:
    """Return the encoding of a text file that is not UTF-8; None for one that is UTF-8 but for single lines.

    Text of Windows-1252 has, in practice, no line with a letter beyond ASCII that is UTF-8 too, and none of the five
    bytes that mean nothing there.
    """
    with path.open("rb") as stream:
        odd = 0
        for line in stream:
            if line.isascii():
                continue
            try:
                line.decode("utf-8")
            except UnicodeDecodeError:
                odd += 1
                if _NOT_WINDOWS.search(line):
                    return None
            else:
                return None
    return "cp1252" if odd else None


def to_utf8(path: Path, encoding: str, to: Path, *, name: str) -> Path:
    """Write a text file as UTF-8; half a character of UTF-16 becomes bytes that are not, which reject their line.

    Raises
    ------
    IngestError
        When its bytes are not of that encoding, or there is no such encoding.
    """
    try:
        halves = "surrogatepass" if codecs.lookup(encoding).name.startswith("utf-16") else "strict"
        with (
            path.open(encoding=encoding, errors=halves, newline="") as source,
            to.open("w", encoding="utf-8", errors=halves, newline="") as target,
        ):
            shutil.copyfileobj(source, target, CHUNK_BYTES)
    except (UnicodeError, LookupError) as error:
        raise IngestError(
            f"the text is not {encoding} ({error}).",
            next_step="Save it as UTF-8, or say its encoding in a declaration, and run again.",
            where=name,
        ) from error
    return to


STRAY_RETURN = b"\x81\x8d\x8f"
"""What stands for a carriage return within a line: no text of any encoding read here, so that it rejects the line."""


def to_line_feeds(path: Path, to: Path) -> bool:
    """Write a file with line feeds alone, and tell whether there was anything to change.

    A carriage return before a line feed is taken away; any other that is not in quotes becomes `STRAY_RETURN`.
    """
    changed = False
    with path.open("rb") as source, to.open("wb") as target:
        for line in source:
            if b"\r" in line:
                body = line.rstrip(b"\r\n")
                unquoted = body.split(b'"')
                unquoted[::2] = [part.replace(b"\r", STRAY_RETURN) for part in unquoted[::2]]
                mended = b'"'.join(unquoted) + (b"\n" if line.endswith(b"\n") else b"")
                changed = changed or mended != line
                target.write(mended)
            else:
                target.write(line)
    return changed


def without_mark(path: Path, to: Path) -> Path:
    """Write a file without the mark of UTF-8 at its start, and return it; the same file where there is none."""
    with path.open("rb") as source:
        if source.read(len(codecs.BOM_UTF8)) != codecs.BOM_UTF8:
            return path
        with to.open("wb") as target:
            shutil.copyfileobj(source, target, CHUNK_BYTES)
    return to


def ended(path: Path, to: Path) -> Path:
    """Write a file with a line feed at its end, and return it; the same file where it has one."""
    with path.open("rb") as source:
        source.seek(-1, os.SEEK_END)
        if source.read() == b"\n":
            return path
    shutil.copyfile(path, to)
    with to.open("ab") as target:
        target.write(b"\n")
    return to
