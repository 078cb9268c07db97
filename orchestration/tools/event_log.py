"""Dagster's SQLite event log, made quick for the time of one run in this process.

Belongs here: how events reach the disk. Does not belong here: which events there are.

Dagster opens a connection for each of some 1,500 statements of a run, compiles each statement anew and waits for
the disk at each event: up to 20 s of a run. One connection to each database file, not waiting, takes half a second.
A killed process loses nothing by it; a power cut may cost the record of the run in the Dagster UI, never data of
the warehouse.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from threading import Lock
from typing import Any

import dagster as dg
import sqlalchemy
from dagster._core.storage.event_log import SqliteEventLogStorage

_BUSY_SECONDS = 15
"""How long SQLite waits for another process that writes to the same file."""


@contextmanager
def quick_event_log(instance: dg.DagsterInstance) -> Iterator[None]:
    """Keep the connections of the instance's event log open; an event log that is not SQLite's stays as it is."""
    storage: Any = instance.event_log_storage
    if not isinstance(storage, SqliteEventLogStorage):
        yield
        return
    with ExitStack() as stack:
        lock = Lock()  # one for both: they may open the same file
        for opening in ("run_connection", "index_connection"):
            setattr(storage, opening, _kept_open(getattr(storage, opening), lock, stack))
            stack.callback(delattr, storage, opening)
        yield


def _kept_open(
    connect: Callable[..., AbstractContextManager[sqlalchemy.Connection]], lock: Lock, stack: ExitStack
) -> Callable[..., AbstractContextManager[sqlalchemy.Connection]]:
    """Return a function like `connect`, a method of the storage, that connects to each file once."""
    opened: dict[str | None, sqlalchemy.Connection] = {}

    @contextmanager
    def connect_once(run_id: str | None = None) -> Iterator[sqlalchemy.Connection]:
        with lock:
            if run_id not in opened:
                # The storage's own connection makes the tables of a new file, and knows where the file is.
                with connect(*[run_id] if run_id else []) as first:
                    address = first.engine.url
                opened[run_id] = _open(address, stack)
            with opened[run_id].begin():
                yield opened[run_id]

    return connect_once


def _open(address: sqlalchemy.URL, stack: ExitStack) -> sqlalchemy.Connection:
    engine = sqlalchemy.create_engine(
        address,
        poolclass=sqlalchemy.NullPool,
        connect_args={"timeout": _BUSY_SECONDS, "check_same_thread": False},
    )
    stack.callback(engine.dispose)
    connection = stack.enter_context(engine.connect())
    connection.execute(sqlalchemy.text("PRAGMA synchronous = OFF"))
    connection.commit()
    return connection
