"""How names, texts and paths become SQL: the one way, for every module that builds a statement.

Belongs here: quoting. Does not belong here: what the statements say.
"""

from __future__ import annotations

import re
from pathlib import Path


def text_literal(text: str) -> str:
    """Return `text` as an SQL string literal."""
    return "'" + text.replace("'", "''") + "'"


def identifier(name: str) -> str:
    """Return `name` as a quoted SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def path_literal(path: Path) -> str:
    """Return a file path as an SQL string literal for a reader, with its glob characters made harmless."""
    return text_literal(re.sub(r"([*?\[])", r"[\1]", str(path)))
