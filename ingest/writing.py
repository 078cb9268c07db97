"""Small files that are replaced as a whole: accounts and lists of the landing.

Belongs here: writing one, and the words for a folder that cannot be written. Does not belong here: what stands in it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ingest.errors import IngestError


def write_whole(path: Path, text: str) -> None:
    """Write a file so that a reader, also after a power cut, sees the old text or the new one; its folder is made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with draft.open("w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    draft.replace(path)


@contextmanager
def writing_to(landing_dir: Path) -> Iterator[None]:
    """Turn what the disk says of the landing folder into a sentence for a person.

    Raises
    ------
    IngestError
        When the folder cannot be written.
    """
    try:
        yield
    except OSError as error:
        raise IngestError(
            f"the landing folder cannot be written ({error.strerror or error}).",
            next_step="Check its permissions and the room on its disk, and run again.",
            where=str(landing_dir),
        ) from error
