"""A table or a query of a database is a source like a file."""

import os
import shutil
import socket
import sqlite3
import subprocess
from datetime import datetime
from pathlib import Path

import duckdb
import pytest

from ingest.errors import IngestError

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


def postgres_programs() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb")) or [shutil.which("initdb")]
    return Path(found[-1]).parent if found[-1] else None


@pytest.fixture(scope="module")
def postgres(tmp_path_factory):
    """The address of a server of this test's own."""
    programs = postgres_programs()
    if programs is None:
        pytest.skip("there is no PostgreSQL here (the package postgresql)")
    pytest.importorskip("psycopg", reason="psycopg is not installed")
    folder = tmp_path_factory.mktemp("postgres")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    # The server refuses to run as root.
    other = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
    if other:
        for closed in (one for one in (folder, *folder.parents) if one.stat().st_mode & 0o005 != 0o005):
            closed.chmod(0o755)
        shutil.chown(folder, "postgres")
    data = folder / "data"

    def call(*args: object) -> None:
        subprocess.run([*other, *map(str, args)], check=True, capture_output=True, cwd=folder)

    call(programs / "initdb", "-D", data, "-U", "matinee", "-A", "trust", "-E", "UTF8")
    options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
    call(programs / "pg_ctl", "-D", data, "-o", options, "-l", folder / "log", "-w", "start")
    yield f"postgresql://matinee:secret@127.0.0.1:{port}/postgres"
    call(programs / "pg_ctl", "-D", data, "-m", "immediate", "stop")


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
