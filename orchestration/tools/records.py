"""What Dagster and dbt wrote down of runs, when it is to go: a person in it, or its age.

Belongs here: deleting runs with all their events and logs. Does not belong here: who and when
(`orchestration.tasks.forgetting`, `orchestration.tasks.pruning`), what is told of runs (`run_history`).

Events of a run lie in a file of its own and in `index.db`; rows that are deleted there leave their bytes in free pages,
until the file is written anew (VACUUM).
"""

import re
import shutil
import sqlite3
from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from re import Pattern
from typing import NamedTuple

import dagster as dg

from orchestration.stores.layout import WarehouseLayout
from orchestration.tools.dbt import PROJECT_DIR
from orchestration.tools.engines import choose_dagster_home
from orchestration.tools.run_history import WAREHOUSE_TAG

_ENDED = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]
_BUSY_SECONDS = 15


class Gone(NamedTuple):
    """Something that named somebody: how many of what are gone from where."""

    where: str
    rows: int
    what: str


def forget_in_records(says: Pattern[str]) -> tuple[list[Gone], list[str]]:
    """Delete the runs whose events or logs name somebody; return what was touched, and what a person must do."""
    choose_dagster_home()
    touched: list[Gone] = []
    by_hand: list[str] = []
    with dg.DagsterInstance.get() as instance:
        home = Path(instance.root_directory)
        named = {run_id for run_id in _runs_of(home) if _names_somebody(home, run_id, says)}
        for run_id in sorted(named):
            _delete_run(instance, home, run_id)
            touched.append(Gone(f"Dagster's run {run_id[:8]}", 1, "events and logs removed"))
    for database in sorted(home.rglob("*.db")):
        try:
            rows = _scrub(database, says)
        except sqlite3.Error as error:
            by_hand.append(
                f"{database} could not be written anew ({error}). Stop the Dagster UI, and type the command again."
            )
            continue
        touched += [Gone(f"Dagster's {database.name}", rows, "rows removed")] if rows else []
    for path in _logs_of_dbt():
        if says.search(path.read_text(encoding="utf-8", errors="replace")):
            path.unlink()
            touched.append(Gone(f"dbt_project/{path.relative_to(PROJECT_DIR)}", 1, "file removed"))
    return touched, by_hand


def old_runs(layout: WarehouseLayout, before: datetime, kept: Collection[str]) -> list[str]:
    """Return the ids of this warehouse's runs that were made before a time and have ended.

    `kept` are beginnings of ids that stay: those of runs whose tables are published.
    """
    choose_dagster_home()
    with dg.DagsterInstance.get() as instance:
        filters = dg.RunsFilter(
            tags={WAREHOUSE_TAG: str(layout.root)}, created_before=before, statuses=_ENDED
        )
        found = [record.dagster_run.run_id for record in instance.get_run_records(filters)]
    return [run_id for run_id in found if not run_id.startswith(tuple(kept) or ("-",))]


def size_of_run(run_id: str) -> int:
    """Return how many bytes the events and logs of a run take."""
    with dg.DagsterInstance.get() as instance:
        home = Path(instance.root_directory)
    files = [*_event_files(home, run_id), *(home / "storage" / run_id).rglob("*")]
    return sum(file.stat().st_size for file in files if file.is_file())


def delete_runs(run_ids: Collection[str]) -> None:
    """Delete runs with their events and logs."""
    with dg.DagsterInstance.get() as instance:
        home = Path(instance.root_directory)
        for run_id in run_ids:
            _delete_run(instance, home, run_id)
    index = home / "history" / "runs" / "index.db"
    if run_ids and index.exists():
        with _opened(index) as connection:
            connection.execute("VACUUM")


def _delete_run(instance: dg.DagsterInstance, home: Path, run_id: str) -> None:
    instance.delete_run(run_id)
    for file in _event_files(home, run_id):
        file.unlink(missing_ok=True)
    shutil.rmtree(home / "storage" / run_id, ignore_errors=True)


def _event_files(home: Path, run_id: str) -> list[Path]:
    return sorted((home / "history" / "runs").glob(f"{run_id}.db*"))


def _runs_of(home: Path) -> set[str]:
    """Return every run that has left events or logs."""
    events = {path.stem for path in (home / "history" / "runs").glob("*.db") if path.stem != "index"}
    return events | {path.parent.name for path in (home / "storage").glob("*/compute_logs")}


def _names_somebody(home: Path, run_id: str, says: Pattern[str]) -> bool:
    logs = (home / "storage" / run_id).rglob("*.*")
    if any(says.search(log.read_text(encoding="utf-8", errors="replace")) for log in logs if log.is_file()):
        return True
    events = home / "history" / "runs" / f"{run_id}.db"
    if not events.exists():
        return False
    with _opened(events) as connection:
        return any(says.search(text) for text in _texts(connection))


def _texts(connection: sqlite3.Connection) -> Iterator[str]:
    for table, column in _text_columns(connection):
        for (value,) in connection.execute(f'SELECT "{column}" FROM "{table}"'):
            if isinstance(value, str):
                yield value


def _scrub(database: Path, says: Pattern[str]) -> int:
    """Take out of a database what names somebody, and write it anew where anything was ever deleted in it."""
    rows = 0
    with _opened(database) as connection:
        connection.create_function(
            "names_somebody", 1, lambda text: isinstance(text, str) and bool(says.search(text))
        )
        for table, column in _text_columns(connection):
            # An asset stays known; what was last told of it goes.
            change = (
                f'UPDATE "{table}" SET "{column}" = NULL'
                if table == "asset_keys"
                else f'DELETE FROM "{table}"'
            )
            rows += connection.execute(f'{change} WHERE names_somebody("{column}")').rowcount
        connection.commit()
        (free,) = connection.execute("PRAGMA freelist_count").fetchone()
        if rows or free:
            connection.execute("VACUUM")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return rows


def _text_columns(connection: sqlite3.Connection) -> list[tuple[str, str]]:
    tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    return [
        (table, column)
        for (table,) in tables
        for _, column, kind, *_ in connection.execute(f'PRAGMA table_info("{table}")')
        if re.match(r"(VAR)?CHAR|TEXT", kind, re.IGNORECASE)
    ]


def _logs_of_dbt() -> list[Path]:
    """Return what dbt leaves in its project when somebody calls it; the parsed project holds no data."""
    folders = (PROJECT_DIR / "logs", PROJECT_DIR / "target")
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    return [path for path in files if "parsed" not in path.relative_to(PROJECT_DIR).parts]


@contextmanager
def _opened(database: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(database, timeout=_BUSY_SECONDS)) as connection:
        yield connection
