"""A table of PostgreSQL is always what the audience is, and changes as a whole."""

import polars as pl
import pytest

from orchestration.stores.deliveries import DeliveryStore
from orchestration.tasks.exporting.destinations.postgres import Table
from orchestration.tasks.exporting.errors import DestinationError, ExportError
from tests.postgres import served

psycopg = pytest.importorskip("psycopg")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with served(tmp_path_factory.mktemp("postgres")) as address:
        yield address


@pytest.fixture
def rows(server, monkeypatch):
    monkeypatch.setenv("CRM", server)
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("drop schema if exists crm cascade")
        connection.execute("create schema crm")

    def rows(table: str = "crm.loyal") -> list[tuple]:
        with psycopg.connect(server) as connection:
            return sorted(connection.execute(f"select * from {table}").fetchall())

    return rows


PLACE = {"postgres": "$CRM", "table": "crm.loyal"}


def test_the_table_is_the_audience_after_each_delivery(world, rows):
    export = world.export(destination=PLACE, most_removed=1)
    world.publish([1, 2, 3], regions={"2": "O'Brien\t\\N"})
    world.deliver(export)
    assert rows() == [("1", "North"), ("2", "O'Brien\t\\N"), ("3", "North")]
    world.publish([2, 3, 4], regions={"3": None})
    world.deliver(export)
    assert rows() == [("2", "North"), ("3", None), ("4", "North")]
    world.publish([4])
    world.deliver(world.export(destination=PLACE, columns=[{"segment": "user_taste"}], most_removed=1))
    assert rows() == [("4", None, "Crime")], "another column: everybody anew"
    assert [told[3] for told in rows("crm.matinee_deliveries")] == ["full", "changes", "full"]


def test_a_table_whose_key_has_a_column_that_is_not_declared_any_more_is_told_of(world, rows):
    both = ["loyal", "other"]
    world.publish([1])
    for table, columns in (
        ("audiences", {"audience": both, "entity": ["user_id"] * 2}),
        ("audience_members", {"audience": both, "entity_id": ["1", "2"], "held_out": [False] * 2}),
    ):
        pl.DataFrame(columns).write_parquet(world.root / "published" / f"{table}.parquet")
    world.deliver(world.export(destination=PLACE, audiences=both))
    with pytest.raises(DestinationError, match="key of an earlier declaration; remove it"):
        world.deliver(world.export(destination=PLACE), full=True)


@pytest.mark.parametrize(("where", "method"), [(Table, "_define"), (DeliveryStore, "finish")])
def test_a_killed_delivery_is_there_once(world, rows, killed, where, method):
    export = world.export(destination=PLACE)
    world.publish([1, 2])
    killed(where, method)
    with pytest.raises(KeyboardInterrupt):
        world.deliver(export)
    world.deliver(export)
    assert rows() == [("1", "North"), ("2", "North")]
    assert len(rows("crm.matinee_deliveries")) == 1


def test_a_table_of_somebody_else_is_left_alone(world, rows, server):
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("create table crm.loyal (user_id text)")
    world.publish([1])
    with pytest.raises(DestinationError, match=r"crm\.loyal is there already and not of this export"):
        world.deliver(world.export(destination=PLACE))


def test_a_table_that_was_taken_away_is_said_and_sent_anew_on_demand(world, rows, server):
    export = world.export(destination=PLACE)
    world.publish([1, 2])
    world.deliver(export)
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("drop table crm.loyal")
    world.publish([1, 2, 3])
    with pytest.raises(DestinationError, match="not as its last delivery left it"):
        world.deliver(export)
    world.deliver(export, full=True)
    assert len(rows()) == 3
    world.publish([1, 2, 3, "x\0y"])
    with pytest.raises(DestinationError, match="cannot keep a value of the list"):
        world.deliver(export)
    assert len(rows()) == 3


def test_a_database_that_is_down_loses_nothing_and_its_password_is_never_said(
    world, rows, server, monkeypatch
):
    export = world.export(destination={**PLACE, "postgres": "$CRM"})
    world.publish([1, 2])
    for address in (
        "postgresql://me:hunter2@127.0.0.1:9/crm",
        "postgresql://me:hunter2@",
        "nonsense hunter2",
    ):
        monkeypatch.setenv("CRM", address)
        with pytest.raises(DestinationError, match=r"cannot be reached") as caught:
            world.deliver(export)
        assert "hunter2" not in str(caught.value)
        assert caught.value.__suppress_context__
    monkeypatch.delenv("CRM")
    with pytest.raises(ExportError, match="CRM is not set"):
        world.deliver(export)
    monkeypatch.setenv("CRM", server)
    assert len(world.deliver(export).manifests) == 1
    assert len(rows()) == 2
    kept = [file.read_bytes() for file in (world.root / "deliveries").rglob("*") if file.is_file()]
    assert not any(b"secret" in content for content in kept)
