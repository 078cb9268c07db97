"""What files hold, as one hash: whether code or declarations are those that something was made of.

Belongs here: the hash. Does not belong here: which files matter for what.
"""

import hashlib
from collections.abc import Collection
from pathlib import Path

_MADE = {"target", "logs", "__pycache__"}
"""Folders of what is made of the files, by dbt and Python."""


def hash_of_files(folder: Path, suffixes: Collection[str]) -> str:
    """Return a hash of the names and the content of files below a folder: times do not tell of one that was copied."""
    digest = hashlib.sha256()
    for file in sorted(folder.rglob("*")):
        place = file.relative_to(folder)
        if file.suffix in suffixes and not _MADE & set(place.parts):
            digest.update(str(place).encode() + file.read_bytes())
    return digest.hexdigest()
