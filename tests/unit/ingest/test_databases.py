"""A table or a query of a database is a source like a file."""

import sqlite3
from datetime import datetime

import duckdb
import pytest

from ingest.errors import IngestError
from tests.postgres import served

PLAYS = """
    create table plays (account text, content text, started timestamp, minutes double precision);
    insert into plays values ('u', 'c', '2017-06-05 20:15:00', 90.5), ('v', 'c', '2017-06-06 20:15:00', 2);
"""
DECLARED = """
    views:
      database: {address}
      {what}
      columns: {{user_id: account, title_id: content, watched_at: started, minutes_watched: minutes}}
"""


@pytest.fixture(scope="module")
def postgres(tmp_path_factory):
    with served(tmp_path_factory.mktemp("postgres")) as address:
        yield address


@pytest.fixture
def land(folder, rows):
    def landed(address: str, what: str = "table: plays"):
        folder.declare(DECLARED.format(address=address, what=what))
        return folder.land_all(folder.root / "raw")["views"]

    return landed


def minutes(rows, landed) -> list[tuple[datetime, float]]:
    return sorted((row["watched_at"], row["minutes_watched"]) for row in rows(landed))


EXPECTED = [(datetime(2017, 6, 5, 20, 15), 90.5), (datetime(2017, 6, 6, 20, 15), 2.0)]


def test_a_table_of_sqlite_lands(folder, rows, land):
    path = folder.write("service.db", b"")
    path.unlink()
    with sqlite3.connect(path) as connection:
        connection.executescript(PLAYS)
    landed = land("sqlite:service.db")
    assert minutes(rows, landed) == EXPECTED
    assert landed.source == "sqlite:service.db plays"
    assert (
        minutes(rows, land("sqlite:service.db", 'query: "select * from plays where minutes > 9"'))
        == EXPECTED[:1]
    )


def test_a_table_of_another_duckdb_file_lands(folder, rows, land):
    path = folder.write("service.duckdb", b"")
    path.unlink()
    with duckdb.connect(path) as connection:
        connection.execute(PLAYS)
    assert minutes(rows, land("duckdb:service.duckdb")) == EXPECTED


def test_a_table_of_postgresql_lands_and_its_password_is_never_said(rows, land, postgres, monkeypatch):
    import psycopg  # noqa: PLC0415 - for this test alone

    with psycopg.connect(postgres) as connection:
        connection.execute("drop table if exists plays")
        for statement in PLAYS.strip().split(";")[:-1]:
            connection.execute(statement)
    monkeypatch.setenv("SERVICE", postgres)
    landed = land("${SERVICE}")
    assert minutes(rows, landed) == EXPECTED
    assert landed.source == "postgresql:127.0.0.1/postgres plays"
    with pytest.raises(IngestError) as caught:
        land("${SERVICE}", "table: players")
    assert 'relation "players" does not exist' in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_database_that_is_not_there_is_named(land):
    with pytest.raises(IngestError, match="there is no database file"):
        land("sqlite:nowhere.db")
