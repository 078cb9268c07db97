"""Known layouts: declarations with a name, one YAML file each.

Belongs here: reading them. Does not belong here: recognising one.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from ingest.declarations import Declaration, read_declaration

MOVIES = "movies_dataset"
OWN = "matinee"


@cache
def known_layouts() -> Mapping[str, Declaration]:
    """Return every known layout by the name of its file."""
    paths = sorted(Path(__file__).parent.glob("*.yaml"))
    return {path.stem: read_declaration(path) for path in paths}
