"""The published set as something to ask: resolved once, read through DuckDB in memory over its Parquet.

Belongs here: finding the set, connecting, asking, and what can be wrong with a set in words. Does not belong here:
which question a page asks (`dashboard.queries`), Streamlit.

A run switches the link `published` to a new folder and removes old folders after a while. So a page resolves the link
once and asks one folder only: it never mixes two sets, never waits for a run and never makes one wait.
"""

import atexit
import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
from polars import selectors

_MOST_ANSWERS = 256
"""Answers kept per set; a page asks a dozen questions."""
_MOST_ROWS_KEPT = 50_000
"""Larger answers, such as a list of members for a download, are asked anew."""


class PublishedError(RuntimeError):
    """The published set cannot be read; the message says what to do."""


class NothingPublishedError(PublishedError):
    """No run has published anything here yet."""


class SetVanishedError(PublishedError):
    """The folder was removed while it was read, because newer sets were published: resolve the link again."""


class TableError(PublishedError):
    """One table of the set is absent, older than this program or damaged; the others can be read."""


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
    """

    folder: Path
    published_at: datetime
    columns: Mapping[str, frozenset[str]]
    damaged: Mapping[str, str]
    _connection: duckdb.DuckDBPyConnection = field(repr=False, compare=False)
    _answers: _Answers = field(default_factory=_Answers, repr=False, compare=False)

    def has(self, table: str, *columns: str) -> bool:
        """Return whether a table can be read and has the columns, and a row at least."""
        if table not in self.columns or not self.columns[table].issuperset(columns):
            return False
        return len(self.ask(f"select 1 from {table} limit 1")) > 0

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

    def _ask(self, sql: str, values: Mapping[str, Any]) -> pl.DataFrame:
        try:
            with self._connection.cursor() as cursor:
                answer = cursor.sql(sql, params=dict(values) or None).pl()
                # DuckDB sums and literals may be decimals, which numpy does not know.
                return answer.cast({selectors.decimal(): pl.Float64})
        except duckdb.CatalogException as error:
            raise TableError(self._why_absent(str(error))) from error
        except duckdb.BinderException as error:
            msg = (
                "This set was published by an older Matinee and lacks a column that is shown here. "
                "`matinee run` publishes a new one."
            )
            raise TableError(msg) from error
        except duckdb.Error as error:
            if not all((self.folder / f"{table}.parquet").exists() for table in self.columns):
                msg = f"the set {self.folder.name} was removed; a newer one is published"
                raise SetVanishedError(msg) from error
            if isinstance(
                error, duckdb.IOException | duckdb.InvalidInputException | duckdb.SerializationException
            ):
                msg = f"A published file cannot be read ({_first_line(error)}). `matinee run` publishes it anew."
                raise TableError(msg) from error
            raise

    def _why_absent(self, said: str) -> str:
        for table, reason in self.damaged.items():
            if table in said:
                return (
                    f"The published table {table} cannot be read ({reason}). `matinee run` publishes it anew."
                )
        return (
            "This set was published by an older Matinee and lacks a table that is shown here. "
            "`matinee run` publishes a new one."
        )


def current_set(warehouse: Path) -> PublishedSet:
    """Return the set that is published now.

    Raises
    ------
    NothingPublishedError
        When there is none; the message says which command publishes one.
    """
    link = warehouse / "published"
    for _ in range(10):  # between resolving and reading, the link may move on and the folder go
        folder = link.resolve()
        try:
            return _read_set(folder, folder.stat().st_mtime_ns)
        except FileNotFoundError:
            continue
    if not warehouse.is_dir():
        msg = f"There is no warehouse at {warehouse}."
    elif (warehouse / ".run.json").exists():
        msg = f"The first run on {warehouse} has not published its results yet. This page shows them once it has."
    else:
        msg = f"Nothing is published in {warehouse} yet."
    raise NothingPublishedError(msg)


@lru_cache(maxsize=3)
def _read_set(folder: Path, modified: int) -> PublishedSet:
    """Open the files of a folder; `modified` tells when somebody changed what never changes."""
    files = sorted(folder.glob("*.parquet"))
    if not files:
        raise FileNotFoundError(folder)
    connection = duckdb.connect()
    connection.execute(f"set allowed_directories = [{_literal(str(folder))}]")
    # From here on it reads this folder and nothing else, whatever it is asked.
    connection.execute("set enable_external_access = false")
    columns, damaged = {}, {}
    for file in files:
        try:
            connection.execute(
                f"create view {_identifier(file.stem)} as select * from read_parquet({_literal(str(file))})"
            )
            described = connection.execute(f"describe {_identifier(file.stem)}").fetchall()
            columns[file.stem] = frozenset(name for name, *_ in described)
        except duckdb.Error as error:
            if not file.exists():  # the set is being removed
                raise FileNotFoundError(file) from error
            damaged[file.stem] = _first_line(error)
    connection.execute("set lock_configuration = true")
    return PublishedSet(folder, _published_at(folder, modified), columns, damaged, connection)


# A connection that outlives the interpreter makes DuckDB complain at its end.
atexit.register(_read_set.cache_clear)


def _published_at(folder: Path, modified: int) -> datetime:
    """Return the time in the folder's name, or that of the folder where somebody named it otherwise."""
    try:
        return datetime.strptime(folder.name.partition("-")[0], "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return datetime.fromtimestamp(modified / 1e9, UTC)


def age_in_words(published_at: datetime, now: datetime) -> str:
    """Return how long ago something was published: `4 minutes ago`, `3 days ago`."""
    seconds = max((now - published_at).total_seconds(), 0)
    for unit, length in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= length:
            count = int(seconds // length)
            return f"{count:,} {unit}{'s' if count > 1 else ''} ago"
    return "just now"


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n")[0][:200]
