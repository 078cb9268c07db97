"""Dagster's SQLite event log, made quick for the time of one run in this process.

Belongs here: how events reach the disk. Does not belong here: which events there are.

Dagster opens a connection for each of some 1,500 statements of a run, compiles each statement anew and waits for
the disk at each event: up to 20 s of a run. One connection to each database file, not waiting, takes half a second.
A killed process loses nothing by it; a power cut may cost the record of the run in the Dagster UI, never data of
the warehouse.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from threading import Lock

import dagster as dg
import sqlalchemy
from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS


@contextmanager
def quick_event_log(instance: dg.DagsterInstance) -> Iterator[None]:
    """Keep the connections of the instance's event log open; an event log that is not SQLite's stays as it is."""
    storage = instance.event_log_storage
    if not isinstance(storage, SqliteEventLogStorage):
        yield
        return
    lock = Lock()
    opened: dict[str, sqlalchemy.Connection] = {}
    with ExitStack() as stack:

        def open_database(shard: str) -> sqlalchemy.Connection:
            engine = sqlalchemy.create_engine(
                storage.conn_string_for_shard(shard),
                poolclass=sqlalchemy.NullPool,
                connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS, "check_same_thread": False},
            )
            stack.callback(engine.dispose)
            storage._initdb(engine)
            connection = stack.enter_context(engine.connect())
            connection.execute(sqlalchemy.text("PRAGMA synchronous = OFF"))
            connection.commit()
            return connection

        @contextmanager
        def connect(shard: str) -> Iterator[sqlalchemy.Connection]:
            with lock:
                if shard not in opened:
                    opened[shard] = open_database(shard)
                with opened[shard].begin():
                    yield opened[shard]

        storage._connect = connect  # type: ignore[method-assign]
        stack.callback(storage.__dict__.pop, "_connect")
        yield
