"""How a declared column becomes SQL: reading a cell as its type, and finding the rows that break the contract.

Here: SQL text for DuckDB, made from `ingest.contracts`.
Not here: running it (`ingest.landing`).

Every cell arrives as text. DuckDB's own cast is too friendly for ids and ratings: it reads '1.5' as the integer
2, '1_000' as 1000, '0x10' as 16 and 'nan' as a number, so the casts here are guarded. The guards cost more than
all the rest of reading; cells known to be plain (digits, and in numbers one point) do without.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from ingest.contracts import Column, Contract, Kind

_LAST_EPOCH_SECOND = 253_402_300_799  # 9999-12-31T23:59:59

# Stands for "there was something, but not readable as this type" in a nullable required column, where NULL means
# "empty". Rows that hold it are always rejected, so that it never lands.
_UNREADABLE: Mapping[Kind, str] = {
    Kind.INTEGER: "(-9223372036854775808)::BIGINT",
    Kind.NUMBER: "'-infinity'::DOUBLE",
    Kind.DATE: "'-infinity'::DATE",
    Kind.EPOCH_SECONDS: "'-infinity'::TIMESTAMP",
    Kind.LOCAL_TIME: "'-infinity'::TIMESTAMP",
}


def text_literal(text: str) -> str:
    """Return `text` as an SQL string literal."""
    return "'" + text.replace("'", "''") + "'"


def identifier(name: str) -> str:
    """Return `name` as a quoted SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def path_literal(path: Path) -> str:
    """Return a file path as an SQL string literal for a reader, with its glob characters made harmless."""
    return text_literal(re.sub(r"([*?\[])", r"[\1]", str(path)))


def plain_type(kind: Kind) -> str:
    """Return the DuckDB type as which the CSV reader may read plain cells of a kind."""
    match kind:
        case Kind.INTEGER | Kind.EPOCH_SECONDS:
            return "BIGINT"
        case Kind.NUMBER:
            return "DOUBLE"
        case _:
            return "VARCHAR"


def typed_cell(column: Column, cell: str | None, *, is_plain: bool = False) -> str:
    """Return the SQL expression of the landing column.

    Parameters
    ----------
    column
        The declared column.
    cell
        SQL expression of the raw text, NULL where empty; None where the file lacks the column.
    is_plain
        Whether `cell` is not text but has its `plain_type` already.
    """
    if cell is None:
        return f"NULL::{column.kind.value} AS {identifier(column.name)}"
    value = _checked(column.kind, cell) if is_plain else _cast(column.kind, cell)
    if column.required and column.nullable and column.kind in _UNREADABLE:
        value = f"CASE WHEN {cell} IS NOT NULL THEN coalesce({value}, {_UNREADABLE[column.kind]}) END"
    return f"{value} AS {identifier(column.name)}"


def fault(contract: Contract) -> str:
    """Return the SQL expression of the position in `contract.columns` of the first fault in a row, else NULL."""
    branches = [
        f"WHEN {condition} THEN {position}"
        for position, column in enumerate(contract.columns)
        if (condition := _fault_of(column))
    ]
    return f"CASE {' '.join(branches)} END"


def _fault_of(column: Column) -> str:
    name = identifier(column.name)
    conditions = []
    if column.required and not column.nullable:
        conditions.append(f"{name} IS NULL")
    elif column.required and column.kind in _UNREADABLE:
        conditions.append(f"{name} = {_UNREADABLE[column.kind]}")
    if column.minimum is not None:
        conditions.append(f"{name} < {column.minimum}")
    if column.maximum is not None:
        conditions.append(f"{name} > {column.maximum}")
    if column.required and column.pattern is not None:
        conditions.append(f"NOT regexp_full_match({name}, {text_literal(column.pattern)}, 's')")
    return " OR ".join(conditions)


def _checked(kind: Kind, cell: str) -> str:
    """Return the SQL expression of a landing column whose cells have their `plain_type` already."""
    match kind:
        case Kind.INTEGER:
            return cell
        case Kind.NUMBER:
            return f"CASE WHEN isfinite({cell}) THEN {cell} END"
        case Kind.EPOCH_SECONDS:
            return _timestamp(cell)
        case _:
            return _cast(kind, cell)


def _cast(kind: Kind, cell: str) -> str:
    return _CASTS[kind](cell)


def _text(cell: str) -> str:
    return cell


def _number(cell: str) -> str:
    number = f"TRY_CAST({cell} AS DOUBLE)"
    return f"CASE WHEN NOT contains({cell}, '_') AND isfinite({number}) THEN {number} END"


def _date(cell: str) -> str:
    # The second form names the month, so that no reader can take it for a day.
    return f"try_strptime({cell}, ['%Y-%m-%d', '%d %b %Y'])::DATE"


def _flag(cell: str) -> str:
    return f"TRY_CAST({cell} AS BOOLEAN)"


def _epoch_seconds(cell: str) -> str:
    return _timestamp(_integer(cell))


def _timestamp(seconds: str) -> str:
    return (
        f"CASE WHEN {seconds} BETWEEN 0 AND {_LAST_EPOCH_SECOND} THEN make_timestamp({seconds} * 1000000) END"
    )


def _local_time(cell: str) -> str:
    """Accept 2017-06-05 20:15:00, with T between, without seconds or with parts of them; nothing else.

    The cast alone would turn an offset (20:15:00+02) into UTC and a day into its midnight: neither is a local time.
    As in `_integer`, most rows are spared the pattern.
    """
    text = f"replace({cell}, 'T', ' ')"
    time = f"TRY_CAST({text} AS TIMESTAMP)"
    pattern = r"\s*\d{4}-\d{2}-\d{2} \d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?\s*"
    return (
        f"CASE WHEN {time} >= TIMESTAMP '1970-01-01' AND {time} < TIMESTAMP '2100-01-01' "
        f"AND ({time}::VARCHAR = {text} OR regexp_full_match({text}, '{pattern}')) THEN {time} END"
    )


def _integer(cell: str) -> str:
    """Accept 7, 007, +7 and 7.0; the comparison with the plain spelling spares most rows the slow pattern."""
    number = f"TRY_CAST({cell} AS BIGINT)"
    return (
        f"CASE WHEN {number}::VARCHAR = {cell} THEN {number} "
        rf"WHEN regexp_full_match({cell}, '\s*[+-]?[0-9]+(\.0*)?\s*') THEN {number} END"
    )


_CASTS: Mapping[Kind, Callable[[str], str]] = {
    Kind.TEXT: _text,
    Kind.INTEGER: _integer,
    Kind.NUMBER: _number,
    Kind.DATE: _date,
    Kind.FLAG: _flag,
    Kind.EPOCH_SECONDS: _epoch_seconds,
    Kind.LOCAL_TIME: _local_time,
}
