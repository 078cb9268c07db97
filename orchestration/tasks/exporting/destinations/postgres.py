"""A table of PostgreSQL that is always what the audience is.

Belongs here: one transaction for rows and manifest. Does not belong here: which rows.

Beside the table stands `matinee_deliveries`, a row for each delivery: what is there has arrived, rows and all.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import polars as pl

from ingest.sql import identifier
from orchestration.tasks.exporting.delivery import Delivery
from orchestration.tasks.exporting.errors import DestinationError

_SECONDS_TO_CONNECT = 10
_TYPES = (
    (pl.Boolean, "boolean"),
    (pl.Date, "date"),
    (pl.Datetime, "timestamp"),
)
_OTHER_KEY = "the table has the key of an earlier declaration; remove it, or name another"
_CALLED = {
    "23502": _OTHER_KEY,
    "23505": _OTHER_KEY,
    "28P01": "it refused the user or the password",
    "28000": "it refused the user or the password",
    "3D000": "there is no such database",
    "53100": "its disk is full",
    "53300": "it has too many connections",
    "42501": "the user may not write there",
}
"""States of SQL by which a server says why it refused; its own words may hold rows or the address."""


class Table:
    """A table.

    Parameters
    ----------
    address
        Of the database.
    table
        Its name, `schema.table` where it is not in the first schema.
    export
        Name of the export.
    """

    def __init__(self, address: str, table: str, export: str) -> None:
        self._address, self._export, self._name = address, export, table
        *schema, last = table.split(".")
        self._table = ".".join(map(identifier, [*schema, last]))
        self._told = ".".join(map(identifier, [*schema, "matinee_deliveries"]))

    def last(self) -> str | None:
        """Return the id of the last delivery in the table's account."""
        with self._connected() as connection:
            return self._last(connection)

    def send(self, delivery: Delivery) -> Mapping[str, Any]:
        """Put a delivery into the table and its account, both or neither."""
        with self._connected() as connection, connection.cursor() as cursor:
            if self._last(connection) == delivery.manifest["id"]:
                return {}
            self._require_ours(connection)
            names = delivery.rows.columns
            defined = [f"{identifier(name)} {_type(kind)}" for name, kind in delivery.rows.schema.items()]
            cursor.execute(f"create temp table incoming ({', '.join(defined)}) on commit drop")
            with cursor.copy(f"copy incoming ({_listed(names)}) from stdin") as copy:
                for row in delivery.rows.iter_rows():
                    copy.write_row(row)
            keys = " and ".join(
                f"kept.{identifier(key)} = incoming.{identifier(key)}" for key in delivery.keys
            )
            columns = dict(zip(names[1:], defined[1:], strict=True))
            self._define(cursor, columns, delivery)
            cursor.execute(
                f"delete from {self._table}"
                if delivery.is_full
                else f"delete from {self._table} as kept using incoming where {keys}"
            )
            listed = _listed(columns)
            cursor.execute(
                f"insert into {self._table} ({listed}) select {listed} from incoming where change <> 'removed'"
            )
            said = [delivery.manifest[fact] for fact in ("export", "id", "kind", "sha256")]
            cursor.execute(
                f"insert into {self._told} values (%s, %s, %s, %s, %s, now())",
                [self._name, *said],
            )
        return {}

    def _define(self, cursor: Any, columns: Mapping[str, str], delivery: Delivery) -> None:
        cursor.execute(
            f"create table if not exists {self._told} (table_name text, export text, id text, kind text, sha256 text,"
            " delivered_at timestamptz, primary key (table_name, export, id))"
        )
        if not delivery.is_full:
            return
        defined = ", ".join(columns.values())
        keys = _listed(delivery.keys)
        cursor.execute(f"create table if not exists {self._table} ({defined}, primary key ({keys}))")
        for column in columns.values():
            cursor.execute(f"alter table {self._table} add column if not exists {column}")

    def _last(self, connection: Any) -> str | None:
        if not self._is_there(connection, self._told):
            return None
        told = f"select max(id) from {self._told} where table_name = %s and export = %s"
        return connection.execute(told, [self._name, self._export]).fetchone()[0]

    def _require_ours(self, connection: Any) -> None:
        """Refuse a table that somebody else filled: a first delivery takes the place of all that is in it."""
        if self._is_there(connection, self._table) and self._last(connection) is None:
            msg = (
                f"the table {self._name} is there already and not of this export. Name another, or remove it."
            )
            raise DestinationError(msg)

    def _is_there(self, connection: Any, table: str) -> bool:
        return connection.execute("select to_regclass(%s) is not null", [table]).fetchone()[0]

    @contextmanager
    def _connected(self) -> Iterator[Any]:
        """Open a transaction; it is undone where anything goes wrong."""
        try:
            import psycopg  # noqa: PLC0415 - only for those who have such a database
        except ImportError:
            msg = "sending to PostgreSQL needs the package psycopg: pip install 'psycopg[binary]'."
            raise DestinationError(msg) from None
        try:
            with psycopg.connect(self._address, connect_timeout=_SECONDS_TO_CONNECT) as connection:
                yield connection
        except psycopg.Error as error:
            state = error.sqlstate or ""
            if state in _CALLED:
                why = _CALLED[state]
            elif state.startswith("42"):
                why = f"the table is not as its last delivery left it (SQL state {state})"
            elif isinstance(error, psycopg.DataError):
                why = "it cannot keep a value of the list"
            else:
                why = (
                    f"it answered with SQL state {state}"
                    if state
                    else "it cannot be reached, or ended the connection"
                )
            msg = f"the database of the table {self._name}: {why}. Nothing of the delivery is there; call it again."
            raise DestinationError(msg) from None


def _type(kind: pl.DataType) -> str:
    for known, called in _TYPES:
        if kind == known:
            return called
    return "bigint" if kind.is_integer() else "double precision" if kind.is_numeric() else "text"


def _listed(names: Any) -> str:
    return ", ".join(map(identifier, names))
