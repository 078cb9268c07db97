"""All rows of one raw file, typed, as a draft of the landing table; and what in them could not be read.

Belongs here: the SQL of one file from raw cells to values, and the two ways of running it.
Does not belong here: what becomes of good and bad rows (`ingest.landing`), how one cell is read (`ingest.cells`).

The draft holds, beside the values, `_unreadable` (a bit for each column whose cell is not empty and could not be
read), `_is_left_out` (the declaration's condition) and for ids that are no numbers their text (`<name>#`).

Where all lines of a CSV file have one shape, of cells that hold digits only (and one point, in columns of numbers),
no friendly cast can misread them: DuckDB's reader makes numbers of them at once, which is three times as fast.
Whether they have is known when the file has been hashed; until then it is read on the word of its first line, and read
again, as text, when that was not true, or when a value turns out that the contract does not allow.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb

from ingest import cells
from ingest.binding import Bound, bind, condition, needs_types
from ingest.cells import FIRST_TEXT_ID, Form
from ingest.contracts import Contract, Kind
from ingest.declarations import TableRule
from ingest.rawfiles import DIGITS, Digest
from ingest.readers import CELL, CsvTable, RawTable
from ingest.sql import identifier, path_literal, text_literal

# With a million rows in a row group the bytes came out the same in every run; DuckDB's default of 122,880 let
# threads shift the boundaries by a few rows. LZ4 takes 2 % more room than Snappy and less time both ways.
_PARQUET_OPTIONS = "FORMAT parquet, ROW_GROUP_SIZE 1000000, COMPRESSION lz4"
_SAMPLE_ROWS = 10_000
_LONGEST_PLAIN_LINE = 10_000


@dataclass(frozen=True)
class Staged:
    """What staging found.

    Parameters
    ----------
    rows
        Rows of the draft: all well-formed records.
    malformed
        What DuckDB could not read, by offset.
    unreadable
        Cells that were not empty and could not be read, by column.
    is_final
        Whether the draft is the landing table: nothing is wrong, and no column is missing in it.
    forms
        How its columns are written.
    """

    rows: int
    malformed: Mapping[int, str] = field(default_factory=dict)
    unreadable: Mapping[str, int] = field(default_factory=dict)
    is_final: bool = False
    forms: Mapping[str, Form] = field(default_factory=dict)

    def told(self, bound: list[Bound]) -> list[str]:
        """Return what its columns showed of how they are written, as sentences."""
        notes = []
        for b in bound:
            form = self.forms.get(b.column.name, Form())
            if form.unit != "seconds" and b.column.kind is Kind.MOMENT:
                notes.append(f"{b.label}: read as {form.unit} since 1970-01-01.")
            if form.order:
                notes.append(f"{b.label}: dates of numbers alone read {form.order}.")
            if form.decimal == ",":
                notes.append(f"{b.label}: read with decimal commas.")
        return notes


def text_of(column: str) -> str:
    """Return the name of the draft's column that holds the ids of `column` that are no numbers."""
    return f"{column}#"


@dataclass(frozen=True)
class Stage:
    """One raw file under a contract.

    Parameters
    ----------
    contract, rule
        What it becomes, and how it is read.
    raw
        The file.
    bound
        Where its columns come from.
    where
        Condition of the rows to keep.
    types
        DuckDB type of the raw columns in expressions, by name.
    """

    contract: Contract
    rule: TableRule
    raw: RawTable
    bound: list[Bound]
    where: str | None
    types: Mapping[str, str]

    def run(self, connection: duckdb.DuckDBPyConnection, to: Path, content: Callable[[], Digest]) -> Staged:
        """Write the draft to the Parquet file `to`; `content` is asked only when DuckDB has read the file."""
        forms, is_whole = self.forms(connection, sample=True)
        if isinstance(self.raw, CsvTable) and self._stage_plain(connection, self.raw, to, forms, content):
            return Staged(self._rows(connection, to), is_final=True, forms=forms)
        staged = self._stage(connection, to, forms)
        if not is_whole and any(name in forms for name in staged.unreadable):
            better, _ = self.forms(connection, sample=False)
            if better != forms:
                staged = self._stage(connection, to, better)
        return staged

    # ------------------------------------------------------------------ the general way

    def _stage(self, connection: duckdb.DuckDBPyConnection, to: Path, forms: Mapping[str, Form]) -> Staged:
        self.raw.forget(connection)
        rows = copy(connection, self._select(forms), to)
        counts = ", ".join(f"count(*) FILTER (_unreadable & {1 << at} <> 0)" for at in range(len(self.bound)))
        found = connection.execute(f"SELECT {counts} FROM read_parquet({path_literal(to)})").fetchone() or ()
        unreadable = {b.column.name: n for b, n in zip(self.bound, found, strict=True) if n}
        return Staged(rows, self.raw.malformed(connection), unreadable, forms=forms)

    def _select(self, forms: Mapping[str, Form]) -> str:
        """Return the draft's rows: cells, then what stands in them, then their values, then which are missed.

        One below the other, for an expression that stands in a query twice is planned twice.
        """
        given, wholes, values, columns, bits = [], [], [], [], []
        for at, bound in enumerate(self.bound):
            name, cell = identifier(bound.column.name), f"_given_{at}"
            given.append(f"{self._given(at, bound)} AS {cell}")
            if whole := cells.whole(bound.column.kind, cell, bound.native):
                wholes.append(f", {whole} AS _whole_{at}")
            number = f"_whole_{at}" if whole else ""
            if bound.column.kind is Kind.ID:
                text = cells.id_text(cell, bound.native)
                values.append(f"{cells.own_number(cell, bound.native, number)} AS {name}")
                columns += [
                    name,
                    f"CASE WHEN {name} IS NULL THEN {text} END AS {identifier(text_of(bound.column.name))}",
                ]
                missed = self._missed(at, bound, "false")
            else:
                form = forms.get(bound.column.name, Form())
                value = cells.value(bound.column.kind, cell, bound.native, form, number)
                values.append(f"({value})::{bound.column.kind.sql_type} AS {name}")
                columns.append(name)
                nothing = cells.is_nothing(cell, bound.native)
                lost = f"{name} IS NULL AND {cell} IS NOT NULL AND NOT {nothing}"
                missed = "false" if bound.column.kind is Kind.TEXT else self._missed(at, bound, lost)
            if missed != "false":
                bits.append(f"CASE WHEN {missed} THEN {1 << at} ELSE 0 END")
        keeps = f"coalesce(TRY(NOT ({self.where})), false)" if self.where else "false"
        bad = "" if self.raw.is_json else ", false AS _is_bad"
        return (
            f"SELECT {', '.join(columns)}, ({' + '.join(bits) or '0'})::BIGINT AS _unreadable, "
            f"_is_left_out OR coalesce({self.contract.left_out or 'false'}, false) AS _is_left_out, _is_bad "
            f"FROM (SELECT *, {', '.join(values)} FROM (SELECT *{''.join(wholes)} FROM (SELECT *, {', '.join(given)} "
            f"FROM (SELECT {self._cells()}{self._computed()}, {keeps} AS _is_left_out{bad} FROM {self._typed()}))))"
        )

    def _missed(self, at: int, bound: Bound, lost: str) -> str:
        """Return the condition under which a cell that is there came to nothing; `lost` is that of its reading."""
        if bound.expression is None or not bound.inputs:
            return lost
        # An error in the expression, or a value that came out as nothing where that is not meant.
        is_given = " AND ".join(f"{CELL}{place} IS NOT NULL" for place in bound.inputs)
        nothing = [f"_computed_{at} IS NULL", *([] if bound.may_be_nothing else [f"_given_{at} IS NULL"])]
        return f"{is_given} AND ({' OR '.join([*nothing, f'({lost})'])})"

    def _given(self, at: int, bound: Bound) -> str:
        nulls = (*bound.rule.nulls, *self.rule.nulls)
        if bound.expression is not None:
            return cells.given(bound.column.kind, f"_computed_{at}.it", bound.native, nulls)
        (place,) = bound.inputs
        return cells.given(bound.column.kind, f"{CELL}{place}", bound.native, nulls)

    def _computed(self) -> str:
        """Return the expressions, each in a struct: an error makes the whole NULL, a value that is NULL does not."""
        return "".join(
            f", TRY({{'it': ({bound.expression})}}) AS _computed_{at}"
            for at, bound in enumerate(self.bound)
            if bound.expression is not None
        )

    def _cells(self) -> str:
        """Return the cells without the raw names, which a canonical column may have too."""
        names = ", ".join(identifier(name) for name in dict.fromkeys(self.raw.names) if name)
        return f"* EXCLUDE ({names})" if self._needs_names else "*"

    def _typed(self) -> str:
        if not self._needs_names:
            return self.raw.relation()
        raw = {name: at for at, name in reversed(list(enumerate(self.raw.names))) if name}
        typed = ", ".join(
            f"{self._as_type(f'{CELL}{at}', self.raw.natives[at], self.types[name])} AS {identifier(name)}"
            for name, at in raw.items()
        )
        return f"(SELECT *, {typed} FROM {self.raw.relation()})"

    def _as_type(self, cell: str, native: str, kind: str) -> str:
        if native == kind:
            return cell
        if self.rule.decimal == "," and kind == "DOUBLE":
            cell = f"replace({cell}, ',', '.')"
        return f"TRY_CAST({cell} AS {kind})"

    @property
    def _needs_names(self) -> bool:
        return self.where is not None or any(bound.expression for bound in self.bound)

    # ------------------------------------------------------------------ how columns are written

    def forms(self, connection: duckdb.DuckDBPyConnection, *, sample: bool) -> tuple[dict[str, Form], bool]:
        """Return the form of every column of text, and whether all rows were looked at."""
        kinds = {
            bound.column.name: bound.column.kind
            for bound in self.bound
            if bound.native == "VARCHAR" or bound.column.kind in (Kind.MOMENT, Kind.DATE)
        }
        given = ", ".join(
            f"(_given_{at})::VARCHAR AS {identifier(bound.column.name)}"
            for at, bound in enumerate(self.bound)
            if bound.column.name in kinds
        )
        if not given:
            return {}, True
        inner = ", ".join(
            f"{self._given(at, bound)} AS _given_{at}"
            for at, bound in enumerate(self.bound)
            if bound.column.name in kinds
        )
        limit = f" LIMIT {_SAMPLE_ROWS}" if sample else ""
        read = f"SELECT {self._cells()}{self._computed()} FROM {self._typed()}{limit}"
        rows = f"(SELECT {given} FROM (SELECT {inner} FROM ({read})))"
        self.raw.forget(connection)
        commas = self.raw.has_decimal_commas and self.rule.decimal is None
        forms = cells.evidence(connection, rows, kinds, may_have_commas=commas)
        counted = connection.execute(f"SELECT count(*) FROM {rows}").fetchone() if sample and forms else (0,)
        return self._declared(forms), not counted or counted[0] < _SAMPLE_ROWS

    def _declared(self, forms: dict[str, Form]) -> dict[str, Form]:
        for bound in self.bound:
            name = bound.column.name
            if name in forms:
                said = {
                    key: getattr(bound.rule, key) for key in ("unit", "order") if getattr(bound.rule, key)
                }
                decimal: dict[str, Any] = {"decimal": self.rule.decimal} if self.rule.decimal else {}
                forms[name] = replace(forms[name], **said, **decimal)
        return forms

    # ------------------------------------------------------------------ the short way

    def _stage_plain(
        self,
        connection: duckdb.DuckDBPyConnection,
        raw: CsvTable,
        to: Path,
        forms: Mapping[str, Form],
        content: Callable[[], Digest],
    ) -> bool:
        """Write the landing table at once, where all lines are plain; false where they are not."""
        with raw.path.open("rb") as stream:
            if raw.dialect.has_header:
                stream.readline(_LONGEST_PLAIN_LINE)
            shape = stream.readline(_LONGEST_PLAIN_LINE).translate(None, DIGITS)
        if not self._is_plain(raw, shape):
            return False
        types = list(raw.natives)
        for bound in self.bound:
            types[bound.inputs[0]] = cells.plain_type(bound.column.kind)
        self.raw.forget(connection)
        values = ", ".join(self._plain_value(forms, name) for name in (c.name for c in self.contract.columns))
        try:
            copy(connection, f"SELECT {values} FROM {raw.relation(types)}", to)
        except (duckdb.OutOfMemoryException, duckdb.IOException):
            raise
        except duckdb.Error:
            return False
        if raw.malformed(connection):
            return False
        found = content()
        return found.is_regular and found.line_shape == shape and not found.has_leading_zeros

    def _is_plain(self, raw: CsvTable, shape: bytes) -> bool:
        """Whether cells of a line of this shape cannot be misread by the CSV reader."""
        simple = {Kind.ID, Kind.INTEGER, Kind.NUMBER, Kind.MOMENT, Kind.TEXT}
        if (
            self._needs_names
            or self.rule.nulls
            or self.contract.left_out
            or any(c.or_row_number for c in self.contract.columns)
        ):
            return False
        if any(bound.column.kind not in simple or bound.rule.nulls for bound in self.bound):
            return False
        parts = shape.rstrip(b"\r\n").split(raw.dialect.delimiter.encode())
        whole = {b.inputs[0] for b in self.bound if cells.plain_type(b.column.kind) == "BIGINT"}
        return len(parts) == len(raw.names) and all(
            part == b"" or (part == b"." and place not in whole) for place, part in enumerate(parts)
        )

    def _plain_value(self, forms: Mapping[str, Form], name: str) -> str:
        """Return the value of a plain cell; one that the contract does not allow is an error: this way ends there."""
        bound = self._by_name.get(name)
        column = self.contract.column(name)
        if bound is None:
            return f"NULL::{column.kind.sql_type} AS {identifier(name)}"
        cell, column = f"{CELL}{bound.inputs[0]}", bound.column
        value, allowed = cell, []
        if column.kind is Kind.ID:
            allowed.append(f"{cell} < {FIRST_TEXT_ID}")
        elif column.kind is Kind.NUMBER:
            allowed.append(f"isfinite({cell})")
        elif column.kind is Kind.MOMENT:
            value = cells.moment_of(cell, forms[name].unit)
            allowed.append(f"({value}) IS NOT NULL")
        if column.pattern:
            allowed.append(f"regexp_full_match({cell}, {text_literal(column.pattern)}, 's')")
        allowed += [f"{cell} >= {column.minimum}"] if column.minimum is not None else []
        allowed += [f"{cell} <= {column.maximum}"] if column.maximum is not None else []
        empty = "" if column.required and not column.nullable else f"WHEN {cell} IS NULL THEN NULL "
        checked = (
            f"CASE {empty}WHEN {' AND '.join(allowed) or 'true'} THEN {value} ELSE error('not plain') END"
        )
        return f"{checked if allowed or not empty else cell} AS {identifier(name)}"

    @cached_property
    def _by_name(self) -> dict[str, Bound]:
        return {bound.column.name: bound for bound in self.bound}

    @staticmethod
    def _rows(connection: duckdb.DuckDBPyConnection, path: Path) -> int:
        row = connection.execute(f"SELECT count(*) FROM read_parquet({path_literal(path)})").fetchone()
        return int(row[0]) if row else 0


def stage_of(
    contract: Contract, rule: TableRule, raw: RawTable, connection: duckdb.DuckDBPyConnection, name: str
) -> Stage:
    """Return a file under a contract, its columns found; `name` is what errors call it.

    Raises
    ------
    IngestError
        When a required column is missing, or an expression of the declaration is none.
    """
    types = raw.sniffed(connection) if needs_types(rule, raw.names) else {}
    bound = bind(contract, rule, raw.names, raw.natives, types, name)
    return Stage(contract, rule, raw, bound, condition(rule, raw.names, types, name), types)


def fault(bound: list[Bound]) -> str:
    """Return the SQL expression of the position in `bound` of the first fault in a row of a draft, -1 for a bad row."""
    branches = [
        f"WHEN {condition} THEN {at}" for at, b in enumerate(bound) if (condition := _fault_of(at, b))
    ]
    return f"CASE WHEN _is_left_out THEN NULL WHEN _is_bad THEN -1 {' '.join(branches)} END"


def _fault_of(at: int, bound: Bound) -> str:
    column, name = bound.column, identifier(bound.column.name)
    conditions = []
    if column.required:
        conditions.append(f"_unreadable & {1 << at} <> 0")
        if not column.nullable:
            text = f" AND {identifier(text_of(column.name))} IS NULL" if column.kind is Kind.ID else ""
            conditions.append(f"({name} IS NULL{text})")
    if column.minimum is not None:
        conditions.append(f"{name} < {column.minimum}")
    if column.maximum is not None:
        conditions.append(f"{name} > {column.maximum}")
    if column.required and column.pattern is not None:
        conditions.append(f"NOT regexp_full_match({name}, {text_literal(column.pattern)}, 's')")
    return " OR ".join(conditions)


def copy(connection: duckdb.DuckDBPyConnection, select: str, to: Path) -> int:
    """Write the rows of a query to a Parquet file, in their order, and return how many they were."""
    row = connection.execute(f"COPY ({select}) TO {text_literal(str(to))} ({_PARQUET_OPTIONS})").fetchone()
    return int(row[0]) if row else 0
