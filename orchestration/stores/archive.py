"""Archives: files by name with their hashes, so that what is unpacked is whole, or is refused.

Belongs here: packing, unpacking, saying what is wrong with an archive. Does not belong here: which files, and where
they go (`orchestration.tasks.backup`).

    <name> …            regular files, sorted by name
    manifest.json       the facts that were given, and `files`, name to sha256; last, so that what broke off has none

A hash tells damage. It does not tell who wrote an archive: unpack only your own.
"""

import hashlib
import io
import json
import os
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Any

import pyarrow as pa

_MANIFEST = "manifest.json"
_COMPRESSIONS = {".tar": None, ".tar.gz": "gzip", ".tar.zst": "zstd"}
_CHUNK_BYTES = 1 << 20


class ArchiveError(RuntimeError):
    """An archive cannot be written or is not whole; the message names it and says what to do."""


def pack(files: Mapping[str, Path], facts: Mapping[str, Any], to: Path) -> None:
    """Write an archive that only its owner may read; where that fails, nothing is left.

    Parameters
    ----------
    files
        Name in the archive to the file; none may change meanwhile.
    facts
        What the manifest says beside the hashes; anything that JSON can hold.
    to
        A file that does not exist yet, ending in `.tar`, `.tar.gz` or `.tar.zst`.

    Raises
    ------
    ArchiveError
        When the name ends otherwise or is taken, or the file cannot be written.
    """
    compression = _compression_of(to)
    if to.exists():
        raise ArchiveError(f"{to} is there already. Give the name of a new file.")
    unfinished = to.with_name(f".{to.name}.{os.getpid()}")
    try:
        unfinished.touch(mode=0o600, exist_ok=False)
        with pa.output_stream(str(unfinished), compression=compression) as stream:
            _write(stream, files, facts)
        with unfinished.open("rb+") as written:
            os.fsync(written.fileno())
        unfinished.rename(to)
    except OSError as error:
        raise ArchiveError(f"cannot write {to}: {error.strerror or error}.") from None
    finally:
        unfinished.unlink(missing_ok=True)


def unpack(archive: Path, folder: Path) -> dict[str, Any]:
    """Unpack an archive into a folder that is empty, and return its manifest.

    Raises
    ------
    ArchiveError
        When it is no archive of `pack`, or not whole. What was unpacked by then is left in the folder.
    OSError
        When the folder cannot be written.
    """
    compression = _compression_of(archive)
    hashes: dict[str, str] = {}
    manifest = None
    for name, content in _members(archive, compression):
        if name == _MANIFEST:
            manifest = _read_manifest(archive, b"".join(content))
            continue
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        digest = hashlib.sha256()
        with file.open("xb") as out:
            for part in content:
                digest.update(part)
                out.write(part)
        hashes[name] = digest.hexdigest()
    if manifest is None:
        raise _broken(archive, f"it ends before {_MANIFEST}, which comes last")
    for name in sorted(manifest["files"].keys() | hashes.keys()):
        if manifest["files"].get(name) != hashes.get(name):
            missing = "is missing" if name not in hashes else "is not what was packed"
            raise _broken(archive, f"{name} {missing}")
    return manifest


def is_inside(name: object) -> bool:
    """Whether a name is one of a file below the folder that it is put in, written as we write names."""
    if not isinstance(name, str) or "\0" in name:
        return False
    path = PurePosixPath(name)
    return bool(path.parts) and str(path) == name and not path.is_absolute() and ".." not in path.parts


def _compression_of(archive: Path) -> str | None:
    for ending, compression in _COMPRESSIONS.items():
        if archive.name.endswith(ending) and archive.name != ending:
            return compression
    raise ArchiveError(f"{archive}: the name of an archive ends in {', '.join(_COMPRESSIONS)}.")


def _write(stream: Any, files: Mapping[str, Path], facts: Mapping[str, Any]) -> None:
    hashes = {}
    with tarfile.open(fileobj=stream, mode="w|", format=tarfile.PAX_FORMAT) as tar:
        for name, path in sorted(files.items()):
            with path.open("rb") as file:
                reader = _Hashing(file)
                tar.addfile(_member(name, os.fstat(file.fileno()).st_size), reader)
            hashes[name] = reader.digest.hexdigest()
        manifest = json.dumps({**facts, "files": hashes}, indent=1).encode()
        tar.addfile(_member(_MANIFEST, len(manifest)), io.BytesIO(manifest))


def _member(name: str, size_bytes: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size = size_bytes
    return member


class _Hashing:
    """A file that remembers the hash of what was read of it."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        part = self._file.read(size)
        self.digest.update(part)
        return part


def _members(archive: Path, compression: str | None) -> Iterator[tuple[str, Iterator[bytes]]]:
    """Yield name and content of each member, in their order."""
    with _readable(archive):
        stream = pa.input_stream(str(archive), compression=compression)
        tar = tarfile.open(fileobj=stream, mode="r|")  # noqa: SIM115 - closed below
    with stream, tar:
        while True:
            with _readable(archive):
                member = tar.next()
            if member is None:
                return
            if not (member.isreg() and is_inside(member.name)):
                raise _broken(
                    archive, f"{member.name!r} is no plain file inside it, so no backup of Matinee's"
                )
            yield member.name, _content(archive, tar, member)


def _content(archive: Path, tar: tarfile.TarFile, member: tarfile.TarInfo) -> Iterator[bytes]:
    file = tar.extractfile(member)
    while file is not None:
        with _readable(archive):
            part = file.read(_CHUNK_BYTES)
        if not part:
            return
        yield part


def _read_manifest(archive: Path, text: bytes) -> dict[str, Any]:
    try:
        manifest = json.loads(text)
        return {**manifest, "files": dict(manifest["files"])}
    except (ValueError, LookupError, TypeError):
        raise _broken(archive, f"{_MANIFEST} is damaged") from None


@contextmanager
def _readable(archive: Path) -> Iterator[None]:
    """Say in words that an archive cannot be read."""
    try:
        yield
    except FileNotFoundError:
        raise ArchiveError(f"{archive}: there is no such file.") from None
    except (tarfile.TarError, OSError, EOFError, pa.ArrowException) as error:
        raise _broken(archive, str(error) or "it ends too early") from None


def _broken(archive: Path, why: str) -> ArchiveError:
    return ArchiveError(f"{archive} cannot be restored: {why}. Take another backup; nothing was changed.")
