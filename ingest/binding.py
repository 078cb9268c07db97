"""Which raw column, or which expression over raw columns, each canonical column of a file comes from.

Belongs here: finding columns by name, and asking DuckDB whether an expression can be one.
Does not belong here: reading the cells (`ingest.cells`), the declarations themselves (`ingest.declarations`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import duckdb

from ingest.contracts import Column, Contract
from ingest.declarations import ColumnRule, TableRule
from ingest.errors import IngestError, shorten
from ingest.sql import identifier


@dataclass(frozen=True)
class Bound:
    """A canonical column and where its cells are in one file.

    Parameters
    ----------
    column
        The column, its bounds narrowed by the declaration.
    rule
        What the declaration says of it.
    label
        How a person calls it: the raw name, or the expression over several.
    inputs
        Places of the raw columns it comes from.
    expression
        SQL over the raw names; None where it is one raw column.
    native
        DuckDB type of the cells, or of the expression.
    may_be_nothing
        Whether the expression makes NULL on purpose (``case``, ``nullif``).
    """

    column: Column
    rule: ColumnRule
    label: str
    inputs: tuple[int, ...]
    expression: str | None = None
    native: str = "VARCHAR"
    may_be_nothing: bool = False


def spelling(name: str) -> str:
    """Return a name without what spellings differ in: case, blanks, underscores."""
    return re.sub(r"[\s_]+", "", name).casefold()


def place_of(name: str, header: Sequence[str]) -> list[int]:
    """Return the places of a raw column in a header: by its name, else by its spelling."""
    wanted = name.strip().casefold()
    exact = [at for at, found in enumerate(header) if found.strip().casefold() == wanted]
    return exact or [at for at, found in enumerate(header) if found and spelling(found) == spelling(name)]


def missing_columns(contract: Contract, rule: TableRule, header: Sequence[str]) -> list[str]:
    """Return the required columns that a header has not, as the declaration calls them; expressions are not asked."""
    missing = []
    for column in contract.required_columns:
        value = _rule(column, rule).value
        if not any(place_of(name, header) for name in value) and not _is_expression(value):
            missing.append(value[0])
    return missing


def bind(  # noqa: PLR0917 - the table, and the file
    contract: Contract,
    rule: TableRule,
    header: Sequence[str],
    natives: Sequence[str],
    types: Mapping[str, str],
    name: str,
) -> list[Bound]:
    """Find every canonical column that a file has.

    Parameters
    ----------
    contract, rule
        The table, and what is declared of it.
    header, natives
        Raw names, in order, and the DuckDB type of each.
    types
        DuckDB type of each raw column in expressions, by name.
    name
        How to call the file in errors.

    Raises
    ------
    IngestError
        When a required column is missing or stands there twice, or an expression cannot be one.
    """
    found = []
    for column in contract.columns:
        said = _rule(column, rule)
        bound = _raw(column, said, header, natives, name) or _computed(
            contract, column, rule, header, types, name
        )
        if bound:
            narrow = {
                key: getattr(said, key) for key in ("minimum", "maximum") if getattr(said, key) is not None
            }
            found.append(replace(bound, column=replace(bound.column, **narrow)))
    have = {bound.column.name for bound in found}
    missing = [
        _rule(column, rule).value[0] for column in contract.required_columns if column.name not in have
    ]
    if missing:
        raise refused_header(contract, rule, header, missing, name)
    return found


def refused_header(  # noqa: PLR0917 - the table, the file, and what they are called
    contract: Contract,
    rule: TableRule,
    header: Sequence[str],
    missing: Sequence[str],
    name: str,
    layout: str = "",
) -> IngestError:
    """Return the error for a file that lacks required columns; of a layout where it is close to one."""
    found = shorten(", ".join(cell.strip() for cell in header), 200)
    columns = f"column {missing[0]!r} is" if len(missing) == 1 else f"columns {', '.join(missing)} are"
    values = [_rule(column, rule).value for column in contract.required_columns]
    needed = [" or ".join(value) for value in values if not _is_expression(value)]
    named = ", ".join(dict.fromkeys([*needed, *rule.proof]))
    return IngestError(
        f"{columns} missing, and {contract.table} cannot do without. The header is: {found}.",
        next_step="Check that this is the right file and that its first line names the columns"
        f"{f' of {layout}' if layout else ''} ({named}), or say in a declaration which columns they are, "
        "and run again.",
        where=name,
    )


def needs_types(rule: TableRule, header: Sequence[str]) -> bool:
    """Whether the declaration has expressions, for which raw columns need types."""
    return rule.where is not None or any(
        not any(place_of(name, header) for name in said.value) and _is_expression(said.value)
        for said in rule.columns.values()
    )


def condition(rule: TableRule, header: Sequence[str], types: Mapping[str, str], name: str) -> str | None:
    """Return the condition of the rows to keep, once DuckDB has taken it."""
    if rule.where is None:
        return None
    _describe(rule.where, header, types, f"where: {rule.where}", name)
    return rule.where


def _rule(column: Column, rule: TableRule) -> ColumnRule:
    return rule.columns.get(column.name) or ColumnRule(value=(column.name,))


def _is_expression(value: Sequence[str]) -> bool:
    return len(value) == 1 and re.search(r"[^\w\s.#-]", value[0]) is not None


def _raw(
    column: Column, said: ColumnRule, header: Sequence[str], natives: Sequence[str], name: str
) -> Bound | None:
    for wanted in said.value:
        places = place_of(wanted, header)
        if len(places) > 1 and column.required:
            raise IngestError(
                f"column '{wanted}' stands in the header {len(places)} times.",
                next_step="Keep one of them, and run again.",
                where=name,
            )
        if places:
            place = places[0]
            return Bound(column, said, header[place].strip(), (place,), None, natives[place])
    return None


def _computed(  # noqa: PLR0917
    contract: Contract,
    column: Column,
    rule: TableRule,
    header: Sequence[str],
    types: Mapping[str, str],
    name: str,
) -> Bound | None:
    said = rule.columns.get(column.name)
    if said is None or (not _is_expression(said.value) and rule.named):
        return None  # not declared, or a name that this copy of a known file lacks
    if len(said.value) > 1:
        if column.required:
            return None
        raise refused_header(contract, rule, header, [" or ".join(said.value)], name)
    expression = said.value[0]
    try:
        native = _describe(expression, header, types, f"{contract.table}: {column.name}: {expression}", name)
    except IngestError as error:
        if not rule.named:
            raise
        if not column.required:
            return None  # this copy of a known file lacks a column of it
        lacking = [proof for proof in rule.proof if not place_of(proof, header)]
        raise refused_header(contract, rule, header, lacking or [column.name], name) from error
    inputs, tree = _inputs(expression, header)
    may_be_nothing = '"CASE"' in tree or '"nullif"' in tree
    label = header[inputs[0]].strip() if len(inputs) == 1 else shorten(expression)
    return Bound(column, said, label, inputs, expression, native, may_be_nothing)


def _describe(expression: str, header: Sequence[str], types: Mapping[str, str], field: str, name: str) -> str:
    columns = [
        f"NULL::{types[raw]} AS {identifier(raw)}" for raw in dict.fromkeys(header) if raw and raw in types
    ]
    try:
        with duckdb.connect() as connection:
            rows = connection.execute(
                f"DESCRIBE SELECT ({expression}) AS it FROM (SELECT {', '.join(columns) or 'NULL AS it'})"
            ).fetchall()
    except duckdb.Error as error:
        said = str(error).split("\n\n")[0]
        raise IngestError(
            f"{field}: this is neither a column nor an expression over the columns: {shorten(said, 200)} "
            f"The columns are: {shorten(', '.join(header), 200)}.",
            next_step="Correct the declaration, and run again.",
            where=name,
        ) from error
    return str(rows[0][1])


def _inputs(expression: str, header: Sequence[str]) -> tuple[tuple[int, ...], str]:
    """Return the places of the raw columns that an expression names, and its parse tree as JSON."""
    with duckdb.connect() as connection:
        row = connection.execute("SELECT json_serialize_sql(?)", [f"SELECT ({expression}) AS it"]).fetchone()
    tree = str(row[0]) if row else "{}"
    named = {part.casefold() for part in _column_names(json.loads(tree))}
    return tuple(at for at, raw in enumerate(header) if raw.casefold() in named), tree


def _column_names(node: Any) -> list[str]:
    if isinstance(node, list):
        return [name for part in node for name in _column_names(part)]
    if isinstance(node, dict):
        own = [str(node["column_names"][-1])] if node.get("column_names") else []
        return own + [name for part in node.values() for name in _column_names(part)]
    return []
