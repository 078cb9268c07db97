"""What several files of one table show together that one of them alone may not: whether days or months come first.

Belongs here: looking at the head of each file. Does not belong here: what a column shows (`ingest.cells`).
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import duckdb

from ingest.buckets import StoredFile
from ingest.cells import Form
from ingest.contracts import CONTRACTS, Contract, Kind
from ingest.declarations import ColumnRule, TableRule
from ingest.errors import IngestError
from ingest.heads import cut_head
from ingest.opening import Opened, Opening
from ingest.rawfiles import Format, RawFile, format_of
from ingest.running import RunEach, in_turn
from ingest.staging import stage_of

_ROWS = 20_000
_BYTES = 1 << 25
_DATES = (Kind.DATE, Kind.MOMENT, Kind.LOCAL_TIME)


@contextmanager
def opened_head(
    file: RawFile | StoredFile, rule: TableRule, contract: Contract, *, is_whole: bool = False
) -> Iterator[tuple[Opened, bool, duckdb.DuckDBPyConnection]]:
    """Open the first rows of a file, and tell whether they are all; of a packed one no more is unpacked."""
    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        work = Path(folder)
        shown = file.fetch(work) if is_whole and isinstance(file, StoredFile) else file
        if isinstance(shown, StoredFile) or (
            not is_whole and format_of(shown.path, name=file.name) is not Format.PARQUET
        ):
            head = cut_head(file, work / "head", rows=_ROWS, most_bytes=_BYTES)
            shown, is_whole = head.file, head.is_whole
        yield Opening(shown, file.name, rule, contract, work, connection).open(), is_whole, connection


def agreed(
    table: str, rule: TableRule, files: Sequence[RawFile | StoredFile], run_each: RunEach = in_turn
) -> TableRule:
    """Return the rule with the order of dates that one of several files shows, declared for all of them.

    `run_each` looks at the files.

    Raises
    ------
    IngestError
        When one file shows another order than another one, naming both.
    """
    contract = CONTRACTS[table]
    said = {name for name, column in rule.columns.items() if column.order}
    dates = {c.name for c in contract.columns if c.kind in _DATES} - said
    if len(files) < 2 or not dates:
        return rule
    columns = dict(rule.columns)
    look = partial(_forms, rule=rule, table=table, dates=dates)
    forms = dict(zip(files, run_each(look, files), strict=True))
    for column in sorted(dates):
        shown = {found[column].order: file for file, found in forms.items() if column in found}
        orders = [order for order in shown if order]
        if len(orders) > 1:
            both = " and ".join(f"{shown[order].name} {order}" for order in orders)
            raise IngestError(
                f"{table}: {column}: its files write dates in two ways: {both}.",
                next_step="Write all files of a table in one way, and run again.",
                where=shown[orders[0]].name,
            )
        if orders and (column in columns or all(column in found for found in forms.values())):
            own = columns.get(column) or ColumnRule(value=(column,))
            columns[column] = own.model_copy(update={"order": orders[0]})
    return rule.model_copy(update={"columns": columns})


def _forms(file: RawFile | StoredFile, rule: TableRule, table: str, dates: set[str]) -> Mapping[str, Form]:
    """Return how the dates of a file are written, by its head; by all of it where the head leaves the order open."""
    contract = CONTRACTS[table]
    for whole in (False, True):
        with opened_head(file, rule, contract, is_whole=whole) as (opened, is_whole, connection):
            found, _ = stage_of(contract, rule, opened.raw, connection, file.name).forms(
                connection, sample=not whole
            )
            found = {name: form for name, form in found.items() if name in dates}
        if is_whole or not any(form.is_open for form in found.values()):
            break
    return found
