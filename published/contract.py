"""What a set promises: its tables, what a row of each is, and every column with its type and meaning.

Belongs here: the shape of the contract, and its file in a set. Does not belong here: any table's words; they stand with
who makes the table, in dbt's contract of the marts and in `orchestration.tools.run_history`.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

FILE = "contract.json"


@dataclass(frozen=True)
class Column:
    """One column: its type as DuckDB calls it, in lower case, and what it means."""

    name: str
    type: str
    description: str


@dataclass(frozen=True)
class Table:
    """One table; its description begins with what a row is."""

    description: str
    columns: tuple[Column, ...]


def write_contract(tables: Mapping[str, Table], folder: Path) -> None:
    """Write the contract beside the tables of a set that nobody reads yet."""
    written = json.dumps({name: asdict(table) for name, table in sorted(tables.items())}, ensure_ascii=False)
    (folder / FILE).write_text(f"{written}\n", encoding="utf-8")


def read_contract(folder: Path) -> dict[str, Table]:
    """Return table to what it promises; nothing where the set is older than contracts, or its file is damaged."""
    try:
        found = json.loads((folder / FILE).read_text(encoding="utf-8"))
        return {
            name: Table(table["description"], tuple(Column(**column) for column in table["columns"]))
            for name, table in found.items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}
