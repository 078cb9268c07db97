"""What a service says of its data: which files or tables become which canonical table, and how they are read.

Belongs here: the shape of a declaration (YAML), and the refusal of one that names what does not exist.
Does not belong here: looking at the files (`ingest.sources`) and at their columns (`ingest.binding`). A known layout is
such a declaration with a name, and nothing else.
"""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from ingest.contracts import CONTRACTS, DELETED
from ingest.errors import WrongDeclarationError


def _several(value: Any) -> Any:
    return value if isinstance(value, (list, tuple)) else (value,)


Several = Annotated[tuple[str, ...], BeforeValidator(_several)]
"""One text, or a list of them."""


_DELETIONS = "deleted"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ColumnRule(_Part):
    """Where a canonical column comes from.

    Parameters
    ----------
    value
        Names of raw columns, the first that is there counts; or an SQL expression over the raw columns.
    minimum, maximum
        Bounds of this source, narrower than the contract's.
    nulls
        Cells that stand for nothing.
    order
        How dates of numbers alone are written; found in the column where it is evident.
    unit
        What a number of time counts since 1970; found in the column where it is evident.
    """

    value: Several
    minimum: float | None = None
    maximum: float | None = None
    nulls: Several = ()
    order: Literal["day first", "month first"] | None = None
    unit: Literal["seconds", "milliseconds", "microseconds"] | None = None

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        return value if isinstance(value, Mapping) else {"value": value}


class Quirk(_Part):
    """A fault that a public file is known to have: it is rejected, but alarms nobody.

    Parameters
    ----------
    column
        Raw column that shows the fault.
    pattern
        Regular expression that its whole text matches then.
    explanation
        What happened to the line, for the reason.
    """

    column: str
    pattern: str
    explanation: str


class TableRule(_Part):
    """Where the rows of a canonical table come from, and how they are read. What is left out is found in the file.

    Parameters
    ----------
    files
        A file, a folder or a glob, or several, relative to the declaration. All of them land.
    named
        In a layout: file names without ending, of which the first that is there counts.
    database, table, query
        An address (``postgresql://…``, ``sqlite:PATH``, ``duckdb:PATH``; ``${NAME}`` is taken from the environment)
        and what to read there.
    format, delimiter, quote, escape, encoding, decimal
        How the files are written.
    header, names
        Whether the first line names the columns; their names where it does not.
    nulls
        Cells that stand for nothing, in every column.
    padded
        Whether a line with too few cells is read as if the missing ones were empty. Only for a file that is known
        to break records in two.
    where
        An SQL condition over the raw columns; rows for which it is false are left out, and counted.
    columns
        Canonical column → where it comes from. One that is not named is looked for by its own name. `deleted: X` is
        short for the column `is_deleted`: which rows say that what their key names is no more.
    proof
        In a layout: raw columns by which a file is known.
    first_line
        In a layout: regular expression for the first line of a file without header.
    quirks
        Known faults.
    """

    files: Several = ()
    named: Several = ()
    database: str | None = None
    table: str | None = None
    query: str | None = None
    format: Literal["csv", "json lines", "json", "parquet"] | None = None
    delimiter: str | None = Field(None, min_length=1, max_length=4)
    quote: str | None = Field(None, max_length=1)
    escape: str | None = Field(None, max_length=1)
    encoding: str | None = None
    decimal: Literal[".", ","] | None = None
    header: bool | None = None
    names: Several = ()
    nulls: Several = ()
    padded: bool = False
    where: str | None = None
    columns: Mapping[str, ColumnRule] = {}
    proof: Several = ()
    first_line: str | None = None
    quirks: tuple[Quirk, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _deletions(cls, value: Any) -> Any:
        if not isinstance(value, Mapping) or _DELETIONS not in value:
            return value
        rest = {name: said for name, said in value.items() if name != _DELETIONS}
        return {**rest, "columns": {**(rest.get("columns") or {}), DELETED.name: value[_DELETIONS]}}

    @model_validator(mode="after")
    def _one_place(self) -> TableRule:
        if self.database and (bool(self.table) == bool(self.query)):
            raise ValueError("give a table or a query of the database")
        if sum(map(bool, (self.files, self.named, self.database))) != 1:
            raise ValueError("give files, or a database with a table or a query")
        return self

    @property
    def fingerprint(self) -> str:
        """Eight hex digits that change when the way to read does; where the files lie does not count."""
        parts = self.model_dump_json(exclude={"files", "named", "database"})
        return hashlib.sha256(parts.encode()).hexdigest()[:8]


class Declaration(_Part):
    """All that one YAML file says.

    Parameters
    ----------
    name, description
        In a layout: what a person calls the product whose files these are, and where it comes from.
    rank
        In a layout: of two that explain as many tables the one with the higher rank counts.
    together
        In a layout: tables that only make sense together.
    tables
        Canonical table → where it comes from.
    """

    name: str = ""
    description: str = ""
    rank: int = 0
    together: Several = ()
    tables: Mapping[str, TableRule]


# The parser in C takes a tenth of the time; both read data and nothing else.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_HEADER = set(Declaration.model_fields) - {"tables"}


def read_declaration(path: Path, *, places_needed: bool = True) -> Declaration:
    """Read a declaration and refuse one that names a table, column or setting there is not.

    With `places_needed` false a table need not say where its files are: in the folder of its name.

    Raises
    ------
    WrongDeclarationError
        Naming the file, the field, and what would be accepted.
    """
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=_LOADER)  # noqa: S506 - a safe one
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise _refused(path, f"it cannot be read as YAML ({str(error).splitlines()[0]})") from error
    if not isinstance(content, Mapping) or not content:
        raise _refused(path, f"expected tables ({', '.join(CONTRACTS)}), each with its files or database")
    tables = {name: rule for name, rule in content.items() if name not in _HEADER}
    for table, rule in tables.items():
        _refuse_unknown(path, str(table), "table", CONTRACTS)
        for column in (rule.get("columns") or {}) if isinstance(rule, Mapping) else ():
            names = [known.name for known in CONTRACTS[table].columns]
            _refuse_unknown(path, str(column), f"{table}: column", names)
        if not places_needed and isinstance(rule, Mapping) and not {"files", "named", "database"} & set(rule):
            tables[table] = {**rule, "files": table}
    header = {name: value for name, value in content.items() if name in _HEADER}
    try:
        return Declaration.model_validate({**header, "tables": tables})
    except ValidationError as error:
        raise _refused(path, _first_fault(error)) from error


def _first_fault(error: ValidationError) -> str:
    fault = error.errors()[0]
    place = [str(part) for part in fault["loc"] if part != "tables"]
    said = fault["msg"].removeprefix("Value error, ").lower()
    if fault["type"] == "extra_forbidden" and place:
        known = list(ColumnRule.model_fields) if "columns" in place else [*TableRule.model_fields, _DELETIONS]
        near = difflib.get_close_matches(place[-1], known, 1)
        said = f"there is no such setting{f'; did you mean {near[0]!r}?' if near else ''}"
        said += f" Known are {', '.join(known)}"
    return f"{': '.join(place)}: {said}"


def _refuse_unknown(path: Path, name: str, what: str, known: Any) -> None:
    if name not in known:
        near = difflib.get_close_matches(name, list(known), 1, cutoff=0.4)
        hint = f" Did you mean '{near[0]}'?" if near else ""
        raise _refused(path, f"{what} '{name}' is not known.{hint} Known are {', '.join(known)}")


def _refused(path: Path, problem: str) -> WrongDeclarationError:
    return WrongDeclarationError(
        f"{problem.rstrip('.')}.", next_step="Correct the declaration, and run again.", where=path.name
    )
