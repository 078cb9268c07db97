"""Which shape a published set or a warehouse has, as one number, and which shapes this Matinee reads.

Belongs here: the number, its file, what is said of a number that cannot be read. Does not belong here: what lies in a
set (`published.contract`) or a warehouse (`orchestration.stores.layout`).

    <set>/schema.json, <warehouse>/schema.json      {"version": 2}

What has no such file is older than numbers and is version 1; a table that it lacks, a reader is told of by itself.
Raise `SCHEMA` with a change that an older Matinee would misread, and `OLDEST` with one after which what is older can be
read no longer.
"""

import json
import os
from pathlib import Path

SCHEMA = 2
OLDEST = 1
FILE = "schema.json"
_UNNUMBERED = 1


def write_schema(folder: Path) -> None:
    """Write the number of this Matinee into a set or a warehouse; a reader sees the old number or this one."""
    unfinished = folder / f".{FILE}.{os.getpid()}"
    unfinished.write_text(json.dumps({"version": SCHEMA}) + "\n", encoding="utf-8")
    unfinished.replace(folder / FILE)


def is_current(folder: Path) -> bool:
    """Whether a set or a warehouse has the number of this Matinee."""
    return _read(folder) == SCHEMA


def why_unreadable(folder: Path) -> str | None:
    """Return why a set or warehouse cannot be read here and what to do; None where it can."""
    version = _read(folder)
    if version is None:
        return f"{folder / FILE} is damaged: it must hold the schema version, as in {json.dumps({'version': SCHEMA})}."
    return why_refused(str(folder), version)


def why_refused(name: str, version: int) -> str | None:
    """Return why something of a version cannot be read here and what to do; None where it can."""
    if version > SCHEMA:
        return (
            f"{name} was made by a newer Matinee (schema version {version}; this one knows {SCHEMA}). "
            "Update Matinee, and try again."
        )
    if version < OLDEST:
        return (
            f"{name} was made by an older Matinee (schema version {version}; this one reads {OLDEST} to {SCHEMA}). "
            "Choose another folder with --warehouse: `matinee run` makes everything anew there from the raw files."
        )
    return None


def _read(folder: Path) -> int | None:
    """Return the number; None where its file is damaged."""
    try:
        version = json.loads((folder / FILE).read_text(encoding="utf-8"))["version"]
    except FileNotFoundError:
        return _UNNUMBERED
    except (OSError, ValueError, LookupError, TypeError):
        return None
    return version if isinstance(version, int) else None
