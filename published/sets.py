"""A published set as something to ask: one folder, read through DuckDB in memory over its Parquet.

Belongs here: opening a set, asking it. Does not belong here: finding it (`published.finding`), which question is asked.

DuckDB is imported by who opens a set: to name one costs nothing.
"""

import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
from polars import selectors

from published.contract import Table, read_contract
from published.errors import NothingPublishedError, SchemaError, SetVanishedError, TableError
from published.schema import why_unreadable

if TYPE_CHECKING:
    import duckdb

_MOST_ANSWERS = 256
"""Answers kept per set; a page asks a dozen questions."""
_MOST_ROWS_KEPT = 50_000
"""Larger answers, such as a list of members for a download, are asked anew."""


@dataclass(frozen=True)
class _Answers:
    """The answers of a set, the latest ones."""

    kept: OrderedDict[tuple, pl.DataFrame] = field(default_factory=OrderedDict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def find(self, question: tuple) -> pl.DataFrame | None:
        with self.lock:
            if question in self.kept:
                self.kept.move_to_end(question)
            return self.kept.get(question)

    def keep(self, question: tuple, answer: pl.DataFrame) -> None:
        if len(answer) > _MOST_ROWS_KEPT:
            return
        with self.lock:
            self.kept[question] = answer
            while len(self.kept) > _MOST_ANSWERS:
                self.kept.popitem(last=False)


@dataclass(frozen=True)
class PublishedSet:
    """One published set.

    Attributes
    ----------
    folder : resolved, so that a switch of the link does not change it.
    published_at : UTC.
    columns : table to the names of its columns; tables that can be read.
    damaged : table to why it cannot be read.
    contract : table to what it promises; empty for a set that is older than contracts.
    """

    folder: Path
    published_at: datetime
    columns: Mapping[str, frozenset[str]]
    damaged: Mapping[str, str]
    contract: Mapping[str, Table]
    _connection: "duckdb.DuckDBPyConnection" = field(repr=False, compare=False)
    _answers: _Answers = field(default_factory=_Answers, repr=False, compare=False)

    def has(self, table: str, *columns: str) -> bool:
        """Return whether a table can be read and has the columns, and a row at least."""
        if table not in self.columns or not self.columns[table].issuperset(columns):
            return False
        return len(self.ask(f"select 1 from {table} limit 1")) > 0

    def is_empty(self, *tables: str) -> bool:
        """Return whether the source gave nothing for any of a few tables: each can be read and has no row."""
        return all(table in self.columns and not self.has(table) for table in tables)

    def ask(self, sql: str, **values: Any) -> pl.DataFrame:
        """Return the answer to a question.

        Parameters
        ----------
        sql
            Names tables of the set; every value that comes from a person stands in it as `$name`.
        values
            Those values.

        Raises
        ------
        TableError
            When a table is absent, lacks a column or is damaged.
        SetVanishedError
            When the folder is gone.
        """
        question = (sql, *sorted((name, repr(value)) for name, value in values.items()))
        answer = self._answers.find(question)
        if answer is None:
            answer = self._ask(sql, values)
            self._answers.keep(question, answer)
        return answer

    def why_damaged(self, table: str) -> str:
        """Return why a table cannot be read, and what to do."""
        return f"The published table {table} cannot be read ({self.damaged[table]}). `matinee run` publishes it anew."

    def _ask(self, sql: str, values: Mapping[str, Any]) -> pl.DataFrame:
        import duckdb  # noqa: PLC0415

        try:
            with self._connection.cursor() as cursor:
                answer = cursor.sql(sql, params=dict(values) or None).pl()
                # DuckDB sums and literals may be decimals, which numpy does not know.
                return answer.cast({selectors.decimal(): pl.Float64})
        except duckdb.CatalogException as error:
            self._require_whole(error)  # opened while it was being removed, it lacks what had gone by then
            raise TableError(self._why_absent(str(error))) from error
        except duckdb.BinderException as error:
            msg = (
                "This set was published by an older Matinee and lacks a column that is shown here. "
                "`matinee run` publishes a new one."
            )
            raise TableError(msg) from error
        except duckdb.Error as error:
            self._require_whole(error)
            unreadable = duckdb.IOException | duckdb.InvalidInputException | duckdb.SerializationException
            # A page that is no page any more has no class of error of its own.
            if isinstance(error, unreadable) or type(error) is duckdb.Error:
                msg = f"A published file cannot be read ({_first_line(error)}). `matinee run` publishes it anew."
                raise TableError(msg) from error
            raise

    def _require_whole(self, error: Exception) -> None:
        files = (self.folder / f"{table}.parquet" for table in self.columns)
        if not (self.folder.is_dir() and all(file.exists() for file in files)):
            msg = f"the set {self.folder.name} was removed; a newer one is published"
            raise SetVanishedError(msg) from error

    def _why_absent(self, said: str) -> str:
        for table in self.damaged:
            if table in said:
                return self.why_damaged(table)
        return (
            "This set was published by an older Matinee and lacks a table that is shown here. "
            "`matinee run` publishes a new one."
        )


def open_set(folder: Path) -> PublishedSet:
    """Open the set of a folder; one without tables is a set that answers nothing.

    Raises
    ------
    NothingPublishedError
        When there is no such folder, or it goes while it is opened.
    SchemaError
        When this Matinee does not read sets of its shape.
    """
    import duckdb  # noqa: PLC0415

    gone = f"There is no published set at {folder}."
    if not folder.is_dir():
        raise NothingPublishedError(gone)
    if why := why_unreadable(folder):
        raise SchemaError(why)
    connection = duckdb.connect()
    connection.execute(f"set allowed_directories = [{_literal(str(folder))}]")
    # From here on it reads this folder and nothing else, whatever it is asked.
    connection.execute("set enable_external_access = false")
    columns, damaged = {}, {}
    for file in sorted(folder.glob("*.parquet")):
        try:
            columns[file.stem] = _open_table(connection, file)
        except duckdb.Error as error:
            if not file.exists():  # the set is being removed
                raise NothingPublishedError(gone) from error
            damaged[file.stem] = _first_line(error)
    connection.execute("set lock_configuration = true")
    return PublishedSet(folder, _published_at(folder), columns, damaged, read_contract(folder), connection)


def _open_table(connection: "duckdb.DuckDBPyConnection", file: Path) -> frozenset[str]:
    """Name a file as a table and return the names of its columns."""
    table = _identifier(file.stem)
    connection.execute(f"create view {table} as select * from read_parquet({_literal(str(file))})")
    return frozenset(name for name, *_ in connection.execute(f"describe {table}").fetchall())


def _published_at(folder: Path) -> datetime:
    """Return the time in the folder's name, or that of the folder where somebody named it otherwise."""
    try:
        return datetime.strptime(folder.name.partition("-")[0], "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return datetime.fromtimestamp(folder.stat().st_mtime, UTC)


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n")[0][:200]
