"""A table or a query of a database, as a file that the rest reads.

Belongs here: addresses, and one reader for PostgreSQL, SQLite and DuckDB. Does not belong here: what its columns
become.

DuckDB's own extensions for PostgreSQL and SQLite would have to be downloaded while running; a driver and the standard
library do not. PostgreSQL writes CSV itself, which keeps every value as it spells it.
"""

from __future__ import annotations

import csv
import os
import re
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import duckdb

from ingest.errors import IngestError, WrongDeclarationError, shorten
from ingest.sql import identifier, text_literal


@dataclass(frozen=True)
class DatabaseTable:
    """A table or query of a database.

    Parameters
    ----------
    address
        ``postgresql://user:password@host/name``, ``sqlite:PATH`` or ``duckdb:PATH``.
    table, query
        Name of the table (``schema.table``); or a query instead.
    folder
        What paths are relative to.
    limit
        Most rows to read.
    """

    address: str
    table: str | None
    query: str | None
    folder: Path
    limit: int | None = None

    @property
    def scheme(self) -> str:
        """Which kind of database it is."""
        return self.address.partition(":")[0]

    @property
    def name(self) -> str:
        """The name that errors, rejects and the manifest give; never the password."""
        place = self.address.partition(":")[2]
        if self.scheme.startswith("postgres"):
            parts = urlsplit(self.address)
            place = f"{parts.hostname or ''}{parts.path}"
        return f"{self.scheme}:{place} {self.table or shorten(self.query or '', 40)}"

    def export(self, work: Path) -> Path:
        """Write the rows to a file in the folder `work`, and return it.

        Raises
        ------
        IngestError
            When the database cannot be reached or does not know the table.
        """
        try:
            if self.scheme.startswith("postgres"):
                return self._from_postgres(work / "rows.csv")
            if self.scheme == "sqlite":
                return self._from_sqlite(work / "rows.csv")
            return self._from_duckdb(work / "rows.parquet")
        except (sqlite3.Error, duckdb.Error, OSError) as error:
            raise self._refused(error) from error

    def _select(self) -> str:
        table = ".".join(identifier(part) for part in (self.table or "").split("."))
        select = self.query.strip().rstrip(";") if self.query else f"SELECT * FROM {table}"
        return select if self.limit is None else f"SELECT * FROM ({select}) AS rows LIMIT {self.limit}"

    def _from_postgres(self, to: Path) -> Path:
        try:
            import psycopg  # noqa: PLC0415 - only for those who have such a database
        except ImportError as error:
            raise IngestError(
                "reading PostgreSQL needs the package psycopg.",
                next_step="Install it (pip install 'psycopg[binary]'), and run again.",
                where=self.name,
            ) from error
        try:
            with (
                psycopg.connect(self.address, connect_timeout=10, options="-c timezone=UTC") as connection,
                connection.cursor() as cursor,
                to.open("wb") as target,
                cursor.copy(f"COPY ({self._select()}) TO STDOUT (FORMAT csv, HEADER)".encode()) as rows,
            ):
                for part in rows:
                    target.write(part)
        except psycopg.Error as error:
            raise self._refused(error) from error
        return to

    def _from_sqlite(self, to: Path) -> Path:
        path = self._path()
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            rows = connection.execute(self._select())
            with to.open("w", newline="", encoding="utf-8") as target:
                writer = csv.writer(target, lineterminator="\n")
                writer.writerow([column[0] for column in rows.description])
                writer.writerows(rows)
        return to

    def _from_duckdb(self, to: Path) -> Path:
        with duckdb.connect(str(self._path()), read_only=True) as connection:
            connection.execute(f"COPY ({self._select()}) TO {text_literal(str(to))} (FORMAT parquet)")
        return to

    def _path(self) -> Path:
        path = self.folder / Path(re.sub(r"^\w+:(//)?", "", self.address)).expanduser()
        if not path.is_file():
            raise WrongDeclarationError(
                f"there is no database file {path}.",
                next_step="Correct the address in the declaration, and run again.",
                where=self.name,
            )
        return path

    def _refused(self, error: Exception) -> IngestError:
        said = shorten(str(error).strip() or type(error).__name__, 200).rstrip(".")
        return IngestError(
            f"the database answered: {said}.",
            next_step="Check its address, that it runs, and the name of the table, and run again.",
            where=self.name,
        )


def with_environment(address: str, where: str) -> str:
    """Return an address with ``${NAME}`` taken from the environment, so that no password stands in a file.

    Raises
    ------
    WrongDeclarationError
        When a variable is not set, or it is no address we know.
    """
    missing = [name for name in re.findall(r"\$\{(\w+)\}", address) if name not in os.environ]
    if missing:
        raise WrongDeclarationError(
            f"the address of the database needs the environment variable {missing[0]}, which is not set.",
            next_step="Set it, and run again.",
            where=where,
        )
    full = re.sub(r"\$\{(\w+)\}", lambda found: os.environ[found[1]], address)
    if not full.startswith(("postgresql://", "postgres://", "sqlite:", "duckdb:")):
        raise WrongDeclarationError(
            f"'{full.partition(':')[0]}' is no kind of database we read.",
            next_step="Give postgresql://…, sqlite:PATH or duckdb:PATH, and run again.",
            where=where,
        )
    return full
