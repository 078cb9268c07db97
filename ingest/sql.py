"""How names, texts and paths become SQL, and rows Parquet: the one way, for every module that builds a statement.

Belongs here: quoting, writing a file. Does not belong here: what the statements say.
"""

from __future__ import annotations

import re
import secrets
from pathlib import Path

import duckdb

# With a million rows in a row group the bytes came out the same in every run; DuckDB's default of 122,880 let
# threads shift the boundaries by a few rows. LZ4 takes 2 % more room than Snappy and less time both ways.
_PARQUET_OPTIONS = "FORMAT parquet, ROW_GROUP_SIZE 1000000, COMPRESSION lz4"


def text_literal(text: str) -> str:
    """Return `text` as an SQL string literal."""
    return "'" + text.replace("'", "''") + "'"


def identifier(name: str) -> str:
    """Return `name` as a quoted SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def path_literal(path: Path) -> str:
    """Return a file path as an SQL string literal for a reader, with its glob characters made harmless."""
    return text_literal(re.sub(r"([*?\[])", r"[\1]", str(path)))


def copy(connection: duckdb.DuckDBPyConnection, select: str, to: Path) -> int:
    """Write the rows of a query to a Parquet file, in their order, and return how many they were."""
    # Under a name of its own: a COPY that failed may remove its file when the next one has written it again.
    draft = to.with_name(f"{to.name}.{secrets.token_hex(4)}")
    row = connection.execute(f"COPY ({select}) TO {text_literal(str(draft))} ({_PARQUET_OPTIONS})").fetchone()
    draft.replace(to)
    return int(row[0]) if row else 0
