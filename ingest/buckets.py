"""Files in S3-compatible storage: listing them, and fetching one to read it.

Belongs here: addresses such as ``s3://bucket/folder``, the words for what the storage answers.
Does not belong here: what becomes of the files.

Where the storage is and who asks is taken from the environment as everywhere: ``AWS_ENDPOINT_URL``, ``AWS_REGION``,
``AWS_ACCESS_KEY_ID``, ``AWS_SECRET_ACCESS_KEY``, ``AWS_SESSION_TOKEN``, or from the machine's own role.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pyarrow as pa
import pyarrow.parquet as pq

from ingest.errors import IngestError, shorten
from ingest.rawfiles import CHUNK_BYTES, RawFile

SCHEME = "s3://"
_MEMORY = "fetched"
_SECONDS_TO_CONNECT, _SECONDS_TO_ANSWER, _ATTEMPTS = 10, 60, 3
_NO_RIGHT = r"ACCESS_DENIED|INVALID_ACCESS_KEY|SIGNATURE_DOES_NOT_MATCH|INVALID_CLIENT_TOKEN|status 403"
_SETTLED_NS = 2 * 10**9
"""Storage counts whole seconds: of a file as young as this nobody knows whether it stays the same."""


@dataclass(frozen=True)
class StoredFile:
    """A file in S3-compatible storage.

    Parameters
    ----------
    place
        Its bucket and key.
    raw
        The same file as if it lay on a disk, which says what it is called.
    size_bytes, modified_ns
        As the storage lists it.
    """

    place: str
    raw: RawFile
    size_bytes: int
    modified_ns: int

    def __str__(self) -> str:
        """Return its name."""
        return self.name

    @property
    def name(self) -> str:
        """The name that errors, rejects and the manifest give."""
        return self.raw.name

    @property
    def partition(self) -> dict[str, str]:
        """Values that folders of its path give all its rows."""
        return self.raw.partition

    def fetch(self, work: Path) -> RawFile:
        """Write the file into a folder.

        Raises
        ------
        IngestError
            When it cannot be had, or is another one by now.
        """
        to = self._here(work)
        with explained(self.name), to.open("wb") as target:
            there = storage()
            with there.open_input_stream(self.place, compression=None) as stream:
                while chunk := stream.read(8 * CHUNK_BYTES):
                    target.write(chunk)
            now = there.get_file_info(self.place)
        if (now.size, now.mtime_ns) != (self.size_bytes, self.modified_ns) or to.stat().st_size != now.size:
            raise IngestError(
                "the file changed while it was being read.",
                next_step="Wait until it is written completely, and run again.",
                where=self.name,
            )
        return RawFile(to, self.raw.member, self.raw.label or self.raw.path.name)

    def beginning(self, work: Path, rows: int, most_bytes: int) -> tuple[RawFile, bool]:
        """Write the first rows, unpacked, into a folder, and tell whether they are all there are.

        Raises
        ------
        IngestError
            When it cannot be had.
        """
        to = self._here(work)
        with explained(self.name), storage().open_input_file(self.place) as stream:
            magic = stream.read(4)
            stream.seek(0)
            if magic == b"PAR1":
                return RawFile(to, label=self.name), _first_rows(stream, to, rows)
            kind = {b"\x1f\x8b": "gzip", b"\x28\xb5": "zstd"}.get(magic[:2])
            if magic[:2] != b"PK":
                text = pa.CompressedInputStream(stream, kind) if kind else stream
                data = text.read(most_bytes + 1)
                is_whole = len(data) <= most_bytes
                to.write_bytes(data if is_whole else data[: data.rfind(b"\n") + 1] or data)
                return RawFile(to, label=self.name), is_whole
        return self.fetch(work), True

    def _here(self, work: Path) -> Path:
        """Return a place in a folder, below the folders that give values: DuckDB tells their types in Parquet."""
        folder = work.joinpath("fetched", *(f"{name}={value}" for name, value in self.partition.items()))
        folder.mkdir(parents=True, exist_ok=True)
        return folder / f"file{Path(self.place).suffix}"

    def remembered(self, landing_dir: Path) -> str | None:
        """Return the hash of its content, where a landing remembers it as it is listed now."""
        memory = self._memory(landing_dir)
        return memory.read_text(encoding="ascii") if memory.exists() else None

    def remember(self, landing_dir: Path, sha256: str) -> None:
        """Let a landing remember the hash of its content, so that nobody has to fetch it to know that it has landed."""
        if self.modified_ns < time.time_ns() - _SETTLED_NS:
            memory = self._memory(landing_dir)
            memory.parent.mkdir(exist_ok=True)
            memory.write_text(sha256, encoding="ascii")

    def _memory(self, landing_dir: Path) -> Path:
        listed = f"{os.environ.get('AWS_ENDPOINT_URL', '')} {self.place} {self.size_bytes} {self.modified_ns}"
        return landing_dir / _MEMORY / hashlib.sha256(listed.encode()).hexdigest()


def is_stored(address: str | Path) -> bool:
    """Whether an address leads into S3-compatible storage."""
    return str(address).startswith(SCHEME)


def joined(base: str, said: str) -> str:
    """Return the address of what a declaration at `base` names."""
    return said if is_stored(said) else f"{base.rstrip('/')}/{said}"


def stored_files(address: str, base: str) -> list[StoredFile]:
    """Return the files at an address: of a file itself, of a folder all below it, of a pattern those that match.

    They are called by their path below `base`, or by bucket and key where they do not lie there.

    Raises
    ------
    IngestError
        When the storage does not answer, or shows nothing to who asks.
    """
    wanted, below = _place(address), f"{_place(base)}/"
    fixed, pattern = wanted, ""
    if at := re.search(r"[*?]", wanted):
        fixed, pattern = wanted[: at.start()].rpartition("/")[0], wanted
    found = []
    for info in _listed(fixed, address):
        path = info.path
        if info.is_file and (not pattern or _matches(path, pattern)):
            label = path.removeprefix(below)
            found.append(StoredFile(path, RawFile(Path(path), label=label), info.size, info.mtime_ns))
    return sorted(found, key=lambda file: file.place.split("/"))


def _place(address: str) -> str:
    return address.removeprefix(SCHEME).strip("/")


def _matches(path: str, pattern: str) -> bool:
    parts = (
        r"(?:[^/]+/)*"
        if part == "**"
        else re.escape(part).replace(r"\*", "[^/]*").replace(r"\?", "[^/]") + "/"
        for part in pattern.split("/")
    )
    return re.fullmatch("".join(parts), f"{path}/") is not None


def _listed(place: str, address: str) -> list[Any]:
    from pyarrow.fs import FileSelector  # noqa: PLC0415

    with explained(address):
        there = storage()
        if "/" in place and (info := there.get_file_info(place)).is_file:
            return [info]
        try:
            return there.get_file_info(FileSelector(place, recursive=True))
        except FileNotFoundError:
            return []


def _first_rows(stream: Any, to: Path, rows: int) -> bool:
    whole = pq.ParquetFile(stream)
    with pq.ParquetWriter(to, whole.schema_arrow) as writer:
        for batch in whole.iter_batches(rows):
            writer.write_batch(batch)
            break
    return whole.metadata.num_rows <= rows


def storage() -> Any:
    """Return the storage that the environment names, as pyarrow knows it."""
    # Only for those who have such storage: it takes a while to start.
    from pyarrow.fs import AwsStandardS3RetryStrategy, S3FileSystem  # noqa: PLC0415

    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    return S3FileSystem(
        endpoint_override=os.environ.get("AWS_ENDPOINT_URL") or None,
        region=region or None,
        connect_timeout=_SECONDS_TO_CONNECT,
        request_timeout=_SECONDS_TO_ANSWER,
        retry_strategy=AwsStandardS3RetryStrategy(max_attempts=_ATTEMPTS),
    )


@contextmanager
def explained(where: str, act: str = "read") -> Iterator[None]:
    """Turn what the storage says into a sentence for a person who reads or writes there.

    Raises
    ------
    IngestError
        For whatever goes wrong with the storage.
    """
    try:
        yield
    except (OSError, pa.ArrowException) as error:
        said = str(error)
        host = urlsplit(os.environ.get("AWS_ENDPOINT_URL", "")).hostname or "the storage"
        if isinstance(error, OSError) and error.errno not in (None, errno.ENOENT):
            raise  # of this disk
        if "NO_SUCH_BUCKET" in said:
            problem, next_step = "there is no such bucket.", "Correct its name, and run again."
        elif isinstance(error, FileNotFoundError):
            problem, next_step = "it is not there.", "Look whether it was moved, and run again."
        elif re.search(_NO_RIGHT, said):
            problem = f"{host} does not let who asks {act} it."
            next_step = (
                f"Check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and what they may {act}, and run again."
            )
        elif "NETWORK_CONNECTION" in said or "curlCode" in said or "REQUEST_TIMEOUT" in said:
            problem = f"the connection to {host} failed."
            next_step = "Check AWS_ENDPOINT_URL and the network, and run again."
        else:
            problem = f"{host} answered: {shorten(re.sub(r'.*? during ', '', said), 200).rstrip('.')}."
            next_step = "Check AWS_ENDPOINT_URL and AWS_REGION, and run again."
        raise IngestError(problem, next_step=next_step, where=where) from error
