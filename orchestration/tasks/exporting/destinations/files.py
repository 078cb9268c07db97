"""A folder, of this machine or of storage, that gets files.

Belongs here: writing so that a reader sees a whole file or none. Does not belong here: which rows.

    <export>-<number>-<hash>.csv              (.jsonl, .parquet; of ads -added.csv and -removed.csv)
    <export>-<number>-<hash>.manifest.json    comes last: what it names is complete
"""

import hashlib
import io
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
from pyarrow import fs

from ingest.buckets import SCHEME, explained, storage
from ingest.errors import IngestError
from orchestration.tasks.exporting.delivery import Delivery
from orchestration.tasks.exporting.errors import DestinationError
from published.spreadsheets import to_csv


class Files:
    """A folder.

    Parameters
    ----------
    address
        A path, or an address with a scheme that fsspec knows.
    export, form
        Name of the export, and what its files are.
    """

    def __init__(self, address: str, export: str, form: str) -> None:
        self._export, self._form, self._address = export, form, address
        self._scheme = address.partition("://")[0] if "://" in address else ""
        with self._in_words():
            self._there, self._root = self._opened()

    def last(self) -> str | None:
        """Return the id of the last delivery whose manifest is there."""
        with self._in_words():
            listed = self._there.get_file_info(fs.FileSelector(self._root, allow_not_found=True))
        pattern = re.compile(rf"{re.escape(self._export)}-(\d{{6,}}-[0-9a-f]{{8}})\.manifest\.json")
        found = [match[1] for one in listed if (match := pattern.fullmatch(one.base_name))]
        return max(found, default=None)

    def send(self, delivery: Delivery) -> Mapping[str, Any]:
        """Write the files, then the manifest that names them."""
        name = f"{self._export}-{delivery.manifest['id']}"
        files = {f"{name}{end}": content for end, content in self._contents(delivery.rows)}
        told = {
            "files": [
                {"name": file, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
                for file, content in files.items()
            ]
        }
        manifest = json.dumps({**delivery.manifest, **told}, indent=1, ensure_ascii=False) + "\n"
        with self._in_words():
            if self._scheme != "s3":  # there a folder is nothing but the beginning of a key
                self._there.create_dir(self._root)
            for file, content in {**files, f"{name}.manifest.json": manifest.encode()}.items():
                self._write(file, content)
        return told

    def _contents(self, rows: pl.DataFrame) -> Iterator[tuple[str, bytes]]:
        if self._form == "ads":
            for change in ("added", "removed"):
                part = rows.filter(pl.col("change") == change).drop("change")
                if len(part):
                    yield f"-{change}.csv", to_csv(part, mark=False)
        elif self._form == "csv":
            yield ".csv", to_csv(rows, mark=False)
        else:
            buffer = io.BytesIO()
            rows.write_parquet(buffer) if self._form == "parquet" else rows.write_ndjson(buffer)
            yield f".{self._form}", buffer.getvalue()

    def _write(self, name: str, content: bytes) -> None:
        """Write under another name, then switch: what is there under its name is whole."""
        draft = f"{self._root}/.{name}.unfinished"
        try:
            with self._there.open_output_stream(draft, compression=None) as stream:
                stream.write(content)
        except OSError:  # a disk that is full keeps a part of it
            with suppress(OSError):
                self._there.delete_file(draft)
            raise
        self._there.move(draft, f"{self._root}/{name}")

    def _opened(self) -> tuple[fs.FileSystem, str]:
        if not self._scheme:
            return fs.LocalFileSystem(), self._address
        if self._scheme == "s3":
            return storage(), self._address.removeprefix(SCHEME).strip("/")
        import fsspec  # noqa: PLC0415 - only for those who have such storage

        there, root = fsspec.url_to_fs(self._address)
        return fs.PyFileSystem(fs.FSSpecHandler(there)), root.rstrip("/")

    @contextmanager
    def _in_words(self) -> Iterator[None]:
        """Say what went wrong; of other storage than S3 only what kind of error, for its words may hold a password."""
        try:
            if self._scheme == "s3":
                with explained(self._address, "write"):
                    yield
            else:
                yield
        except IngestError as error:
            raise DestinationError(str(error)) from None
        except (OSError, ImportError, ValueError, pa.ArrowException) as error:
            kind = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
            if isinstance(error, ImportError):
                kind = f"{self._scheme}:// needs a package ({str(error).rstrip('.')})"
            shown = Path(self._address) if not self._scheme else f"the {self._scheme} storage"
            raise DestinationError(
                f"{shown}: {kind}. Nothing is lost; call it again when that is mended."
            ) from None
