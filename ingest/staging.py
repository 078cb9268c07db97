"""All rows of one raw file, typed, as a draft of the landing table; and what in them could not be read.

Belongs here: the SQL of one file from raw cells to values, and the two ways of running it.
Does not belong here: what becomes of good and bad rows (`ingest.landing`), how one cell is read (`ingest.cells`).

The draft holds, beside the values, `_unreadable` (a bit for each column whose cell is not empty and could not be
read), `_is_left_out` (the declaration's condition) and for ids that are no numbers their text (`<name>#`).

Most files are clean: their rows become the landing table at once. The first row that may not land, or whose id has no
number yet, is an error that ends this way; only then is the draft written.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import duckdb

from ingest import cells, ids
from ingest.binding import Bound, bind, condition, needs_types
from ingest.cells import Form
from ingest.contracts import DELETED, Contract, Kind
from ingest.declarations import TableRule
from ingest.ids import is_own_number, text_of
from ingest.readers import CELL, RawTable
from ingest.sql import copy, identifier, path_literal, text_literal
from ingest.suppressing import PEOPLE, Suppressed

_SAMPLE_ROWS = 10_000
ORDER_ASKED = "no day is above 12, so that nothing shows whether day or month comes first"


@dataclass(frozen=True)
class Staged:
    """What staging found.

    Parameters
    ----------
    rows
        Rows of the draft: all well-formed records.
    malformed
        How many records DuckDB could not read.
    unreadable
        Cells that were not empty and could not be read, by column.
    is_final
        Whether the draft is the landing table: every row lands.
    forms
        How its columns are written.
    """

    rows: int
    malformed: int = 0
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
            notes += [asked] if (asked := self.order_asked(b)) else []
            if form.decimal == "," and b.column.kind is Kind.NUMBER:
                notes.append(f"{b.label}: read with decimal commas.")
        return notes

    def order_asked(self, bound: Bound) -> str:
        """Return how to declare the order of a column's dates, as a sentence; empty where nothing needs it."""
        form = self.forms.get(bound.column.name, Form())
        if not form.asks_order:
            return ""
        said = f"`{bound.column.name}: {{value: {bound.expression or bound.label}, order: day first}}`"
        return (
            f"{bound.label}: {ORDER_ASKED}. Write `order: day first` or `order: month first` into the declaration, as "
            f"in {said}: for files of the drop folder that is incoming/matinee.yaml, and `matinee inspect FILE --write "
            "FILE.yaml` starts one."
        )


@dataclass(frozen=True)
class KeptOut:
    """The people of a file who were forgotten.

    Parameters
    ----------
    where
        SQL condition of their rows in a draft.
    ids
        Their ids, as the file writes them.
    rows
        How many rows they have.
    """

    where: str = "false"
    ids: tuple[str, ...] = ()
    rows: int = 0


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
    kept_out
        The people whose rows do not land, as `find_kept_out` finds them.
    """

    contract: Contract
    rule: TableRule
    raw: RawTable
    bound: list[Bound]
    where: str | None
    types: Mapping[str, str]
    kept_out: KeptOut = KeptOut()

    def find_kept_out(self, connection: duckdb.DuckDBPyConnection, suppressed: Suppressed) -> KeptOut:
        """Return who of the file's people was forgotten; each id is looked at once, and none while nobody was."""
        kind, name = PEOPLE.get(self.contract.table, (None, ""))
        at = next((at for at, bound in enumerate(self.bound) if bound.column.name == name), None)
        if kind is None or at is None or not suppressed.of(kind):
            return KeptOut()
        bound = self.bound[at]
        is_id = bound.column.kind is Kind.ID
        written = (
            self._written("cell", bound) if is_id else cells.value(Kind.TEXT, "cell", bound.native, Form())
        )
        self.raw.forget(connection)
        given = (
            f"SELECT {self._given(at, bound)} AS cell, count(*) AS rows "
            f"FROM (SELECT {self._cells()}{self._computed()} FROM {self._typed()}) GROUP BY ALL"
        )
        found = connection.execute(
            f"SELECT id, rows FROM (SELECT {written} AS id, rows FROM ({given}) WHERE cell IS NOT NULL) "
            f"WHERE {suppressed.hash_sql(kind, 'id')} IN (SELECT unnest(?::VARCHAR[]))",
            [list(suppressed.of(kind))],
        ).fetchall()
        if not found:
            return KeptOut()
        ids = tuple(dict.fromkeys(row[0] for row in found))
        numbers = [int(written) for written in ids if is_id and is_own_number(written)]
        # A table to join, not a list in the statement: each row would be compared with each of the list.
        connection.execute(
            "CREATE OR REPLACE TEMP TABLE kept_out AS SELECT unnest(?::VARCHAR[]) AS id", [list(ids)]
        )
        connection.execute(
            "CREATE OR REPLACE TEMP TABLE kept_out_numbers AS SELECT unnest(?::BIGINT[]) AS number", [numbers]
        )
        texts = f"{identifier(text_of(name) if is_id else name)} IN (SELECT id FROM kept_out)"
        own = f"{identifier(name)} IN (SELECT number FROM kept_out_numbers)" if is_id else "false"
        where = f"coalesce({own}, false) OR coalesce({texts}, false)"
        return KeptOut(f"({where})", ids, sum(row[1] for row in found))

    @staticmethod
    def _written(cell: str, bound: Bound) -> str:
        """Return the SQL expression of an id as the tables that people read have it."""
        whole = cells.whole(Kind.ID, cell, bound.native) or ""
        number = f"({cells.own_number(cell, bound.native, f'({whole})')})::VARCHAR"
        return f"coalesce({number}, {cells.id_text(cell, bound.native)})"

    def run(self, connection: duckdb.DuckDBPyConnection, to: Path, proposal: ids.Proposal) -> Staged:
        """Write the draft to the Parquet file `to`."""
        forms, is_whole = self.forms(connection, sample=True)
        if (rows := self._stage_at_once(connection, to, forms, proposal)) is not None:
            return Staged(rows, is_final=True, forms=forms)
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
        rows = (
            f"SELECT {', '.join(columns)}, ({' + '.join(bits) or '0'})::BIGINT AS _unreadable, "
            f"_is_left_out OR {self._means_nothing()} AS _is_left_out, _is_bad "
            f"FROM (SELECT *, {', '.join(values)} FROM (SELECT *{''.join(wholes)} FROM (SELECT *, {', '.join(given)} "
            f"FROM (SELECT {self._cells()}{self._computed()}, {keeps} AS _is_left_out{bad} FROM {self._typed()}))))"
        )
        if not self.kept_out.ids:
            return rows
        return (
            "SELECT * REPLACE (_is_left_out OR _is_kept_out AS _is_left_out) "
            f"FROM (SELECT *, {self.kept_out.where} AS _is_kept_out FROM ({rows}))"
        )

    def _means_nothing(self) -> str:
        """Return the condition of rows that the contract leaves out; one that tells of a deletion means something."""
        lives = f" AND {DELETED.name} IS NOT TRUE" if _tells_deletions(self.bound) else ""
        return f"(coalesce({self.contract.left_out or 'false'}, false){lives})"

    def _missed(self, at: int, bound: Bound, lost: str) -> str:
        """Return the condition under which a cell that is there came to nothing; `lost` is that of its reading."""
        if bound.expression is None or not bound.inputs:
            return lost
        # An error in the expression, or a value that came out as nothing where that is not meant.
        is_given = " AND ".join(f"{CELL}{place} IS NOT NULL" for place in bound.inputs)
        nothing = [f"_computed_{at} IS NULL", *([] if bound.may_be_nothing else [f"_given_{at} IS NULL"])]
        return f"{is_given} AND ({' OR '.join([*nothing, f'({lost})'])})"

    def _given(self, at: int, bound: Bound) -> str:
        cell = f"_computed_{at}.it" if bound.expression is not None else f"{CELL}{bound.inputs[0]}"
        return cells.given(bound.column.kind, cell, bound.native, (*bound.rule.nulls, *self.rule.nulls))

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
        looked_at = {
            at: bound.column
            for at, bound in enumerate(self.bound)
            if bound.native == "VARCHAR" or bound.column.kind in (Kind.MOMENT, Kind.DATE)
        }
        if not looked_at:
            return {}, True
        given = ", ".join(
            f"({self._given(at, self.bound[at])})::VARCHAR AS {identifier(column.name)}"
            for at, column in looked_at.items()
        )
        limit = f" LIMIT {_SAMPLE_ROWS}" if sample else ""
        rows = f"(SELECT {given} FROM (SELECT {self._cells()}{self._computed()} FROM {self._typed()}{limit}))"
        kinds = {column.name: column.kind for column in looked_at.values()}
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

    def _stage_at_once(
        self,
        connection: duckdb.DuckDBPyConnection,
        to: Path,
        forms: Mapping[str, Form],
        proposal: ids.Proposal,
    ) -> int | None:
        """Write the landing table and return its rows; None where some row may not land as it is."""
        have = {bound.column.name for bound in self.bound}
        if any(column.or_row_number and column.name not in have for column in self.contract.columns):
            return None
        columns = [bound.column.name for bound in self.bound if bound.column.kind is Kind.ID]
        self.raw.forget(connection)
        cells_alone = self._select({})
        written = ids.written(connection, f"({cells_alone} LIMIT {_SAMPLE_ROWS})", columns)
        proposal.make(self._ids(written))
        joins, numbers = ids.numbered(written)
        unnumbered = [
            f"draft.{identifier(text_of(name))} IS NOT NULL AND {number} IS NULL"
            for name in columns
            for number in [numbers.get(name, f"draft.{identifier(name)}")]
        ]
        wrong = " OR ".join(
            [
                "_unreadable <> 0",
                "_is_left_out",
                f"({fault(self.contract, self.bound)}) IS NOT NULL",
                *unnumbered,
            ]
        )
        values = landing_columns(self.contract, have, numbers)
        try:
            self.raw.forget(connection)
            rows = copy(
                connection,
                f"SELECT {values} FROM ({self._select(forms)}) AS draft{joins} "
                f"WHERE CASE WHEN {'_is_kept_out' if self.kept_out.ids else 'false'} THEN false "
                f"WHEN {wrong} THEN error('a row may not land') ELSE true END",
                to,
            )
        except (duckdb.OutOfMemoryException, duckdb.IOException):
            raise
        except duckdb.Error:
            return None
        return rows if not self.raw.malformed(connection) else None

    def _ids(self, columns: Collection[str]) -> str:
        """Return a query of the ids in these columns that are no numbers, each looked at once."""
        rows = f"SELECT {self._cells()}{self._computed()} FROM {self._typed()}"
        queries = []
        _, person = PEOPLE.get(self.contract.table, ("", ""))
        for at, bound in enumerate(self.bound):
            if bound.column.name in columns:
                given = self._given(at, bound)
                if self.kept_out.ids and bound.column.name == person:
                    text = cells.id_text(f"({given})", bound.native)
                    given = f"CASE WHEN {text} NOT IN (SELECT id FROM kept_out) THEN {given} END"
                whole = cells.whole(Kind.ID, "cell", bound.native) or ""
                queries.append(
                    f"SELECT {cells.id_text('cell', bound.native)} AS id "
                    f"FROM (SELECT DISTINCT {given} AS cell FROM ({rows})) "
                    f"WHERE cell IS NOT NULL AND ({cells.own_number('cell', bound.native, f'({whole})')}) IS NULL"
                )
        return " UNION ".join(queries)


def landing_columns(
    contract: Contract, have: Collection[str], numbers: Mapping[str, str], row_number: str = "NULL"
) -> str:
    """Return the columns of the landing table, of those that a draft has and the numbers of its ids."""
    values = []
    for column in contract.columns:
        value = numbers.get(column.name, f"draft.{identifier(column.name)}")
        if column.name not in have:
            value = row_number if column.or_row_number else "NULL"
        values.append(f"({value})::{column.kind.sql_type} AS {identifier(column.name)}")
    return ", ".join(values)


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


def fault(contract: Contract, bound: list[Bound]) -> str:
    """Return the SQL expression of the position in `bound` of the first fault in a row of a draft, -1 for a bad row."""
    lives = f" AND {DELETED.name} IS NOT TRUE" if _tells_deletions(bound) else ""
    branches = [
        f"WHEN ({condition}){'' if b.column.name in contract.key else lives} THEN {at}"
        for at, b in enumerate(bound)
        if (condition := _fault_of(at, b))
    ]
    return f"CASE WHEN _is_left_out THEN NULL WHEN _is_bad THEN -1 {' '.join(branches)} END"


def _tells_deletions(bound: list[Bound]) -> bool:
    return any(b.column.name == DELETED.name for b in bound)


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
