"""Nodes of dbt that would give again what they gave, so that a run leaves them as they are.

Belongs here: what a node is made of, and what became of it when it was built of that. Does not belong here: how dbt is
run (`orchestration.tools.dbt`), what Dagster is told (`orchestration.tools.dbt_assets`).

A node is made of the text of the project and of landed files and tables of ML, at whatever distance. What it was made
of stands in the database beside it (`state.nodes`), from the moment it is built until a run begins to build it again:
a run that is killed in between leaves it to be built. `dbt build` by hand forgets all of it.
"""

import hashlib
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import duckdb

from ingest.store import key_in
from orchestration.stores.layout import WarehouseLayout
from orchestration.tools import dbt, spark_tables
from orchestration.tools.spark import end_session
from orchestration.tools.warehouse import WarehouseResource

_OF_DBT_ALONE = ("staging", "intermediate", "advice")
"""Schemas of views that only models read: they may be in words of Spark's."""
_IS_WELL = ("success", "pass")
_NODES = """
    create schema if not exists state;
    create table if not exists state.nodes (
        unique_id varchar, made_of varchar, status varchar, message varchar, failures bigint, seconds double,
        compiled varchar, built_at timestamp
    )
"""


@dataclass(frozen=True)
class Kept:
    """A node that stays as it is: what dbt's own result says of one that was built, and when that was."""

    node: Any
    status: str
    message: str | None
    failures: int | None
    execution_time: float
    built_at: datetime


def build(
    warehouse: WarehouseResource, unique_ids: Collection[str], *, is_whole: bool, full_refresh: bool = False
) -> tuple[list[Any], list[Kept]]:
    """Run `dbt build` for nodes that would not give again what they gave; return dbt's results, and the other nodes.

    Parameters
    ----------
    warehouse
        The warehouse.
    unique_ids
        The nodes.
    is_whole
        Whether what these nodes are made of was built before them; otherwise all are built, and nothing is remembered.
    full_refresh
        Whether all of them are built, and tables that dbt could carry on made anew.
    """
    project = dbt.project()
    with warehouse.connect(read_only=False) as connection:
        connection.execute(_NODES)
        if warehouse.engine == "duckdb":
            spark_tables.leave(connection, warehouse.layout)
        now = _made_of(connection, project, _landed(warehouse.layout)) if is_whole else {}
        there = spark_tables.known(warehouse.layout) if warehouse.engine == "spark" else _tables(connection)
        kept = [] if full_refresh else _kept(connection, project, unique_ids, now, there)
        wanted = set(unique_ids) - {one.node.unique_id for one in kept}
        _forget(connection, wanted)
    if not wanted:
        return [], kept
    try:
        results = dbt.run_nodes(wanted, warehouse.layout, full_refresh=full_refresh)
    finally:
        end_session()
    with warehouse.connect(read_only=False) as connection:
        if warehouse.engine == "spark":
            built = [result.node for result in results if result.status == "success"]
            views = {
                f"{node.schema}.{node.alias}": node.compiled_code
                for node in built
                if node.resource_type == "model"
                and node.config.materialized == "view"
                and node.schema not in _OF_DBT_ALONE
            }
            spark_tables.show(connection, warehouse.layout, views)
        _remember(connection, project, results, now)
    return results, kept


def remember_tables(connection: duckdb.DuckDBPyConnection, now: Mapping[str, str]) -> set[str]:
    """Write down what tables are filled from (`ml.segments`) and return those that were filled from something else.

    Belongs to the transaction that fills these.
    """
    connection.execute(_NODES)
    before = dict(connection.execute("select unique_id, made_of from state.nodes").fetchall())
    changed = {table for table, made in now.items() if before.get(table) != made}
    _forget(connection, changed)
    for table in sorted(changed):
        connection.execute("insert into state.nodes (unique_id, made_of) values (?, ?)", [table, now[table]])
    return changed


def _made_of(
    connection: duckdb.DuckDBPyConnection, project: Any, landed: Mapping[str, list[str]]
) -> dict[str, str]:
    """Return, by the id of each node, a hash of what it is made of; no node that hangs on anything else."""
    nodes, sources = project.nodes, project.sources
    gathered = dict(
        connection.execute(
            "select unique_id, made_of from state.nodes where starts_with(unique_id, 'ml.')"
        ).fetchall()
    )
    # Macros ask which tables hold anything at all.
    text = f"{dbt.project_hash()} {sorted(landed)}"
    known = {
        unique_id: " ".join(landed[source.name])
        if source.schema == "landing"
        else gathered[f"ml.{source.name}"]
        for unique_id, source in sources.items()
        if source.schema == "landing" or f"{source.schema}.{source.name}" in gathered
    }
    found: dict[str, set[str] | None] = {}

    def behind(unique_id: str) -> set[str] | None:
        if unique_id in sources:
            return {unique_id} if unique_id in known else None
        if unique_id not in found:
            parts = [behind(parent) for parent in nodes[unique_id].depends_on_nodes]
            found[unique_id] = None if None in parts else set().union(*parts)  # type: ignore[arg-type]
        return found[unique_id]

    return {
        unique_id: _hash(text, *(f"{source} {known[source]}" for source in sorted(parts)))
        for unique_id in nodes
        if (parts := behind(unique_id)) is not None
    }


def _tables(connection: duckdb.DuckDBPyConnection) -> set[tuple[str, str]]:
    """Return tables and views, by (schema, name)."""
    return set(
        connection.execute(
            "select schema_name, table_name from duckdb_tables() "
            "union all select schema_name, view_name from duckdb_views()"
        ).fetchall()
    )


def _kept(
    connection: duckdb.DuckDBPyConnection,
    project: Any,
    wanted: Collection[str],
    now: Mapping[str, str],
    there: Collection[tuple[str, str]],
) -> list[Kept]:
    """Return those of the wanted nodes that were built of the same, and whose table is there."""
    rows = connection.execute(
        "select unique_id, made_of, status, message, failures, seconds, compiled, built_at from state.nodes "
        "where status is not null"
    ).fetchall()
    found = []
    for unique_id, was_made_of, status, message, failures, seconds, compiled, built_at in rows:
        if unique_id not in wanted or now.get(unique_id) != was_made_of:
            continue
        node = project.nodes[unique_id]
        if node.resource_type == "test" or (node.schema, node.alias) in there:
            node.compiled_code = compiled
            found.append(Kept(node, status, message, failures, seconds, built_at))
    return found


def _remember(
    connection: duckdb.DuckDBPyConnection, project: Any, results: Sequence[Any], now: Mapping[str, str]
) -> None:
    """Write down what nodes were built of that are well: what failed or warned is asked again.

    Of a node whose parents were not built of what there is now nobody knows what it was built of: a step was run alone.
    """
    at = datetime.now(UTC).replace(tzinfo=None)
    built = dict(
        connection.execute("select unique_id, made_of from state.nodes where status is not null").fetchall()
    )
    rows = []
    for result in results:  # in the order in which they were built
        unique_id = result.node.unique_id
        parents = [parent for parent in result.node.depends_on_nodes if parent in project.nodes]
        if (
            result.status in _IS_WELL
            and unique_id in now
            and all(built.get(parent) == now.get(parent) for parent in parents)
        ):
            built[unique_id] = now[unique_id]
            compiled = getattr(result.node, "compiled_code", None)
            told = (str(result.status), result.message, result.failures, result.execution_time)
            rows.append((unique_id, now[unique_id], *told, compiled, at))
    if rows:
        connection.executemany("insert into state.nodes values (?, ?, ?, ?, ?, ?, ?, ?)", rows)


def _landed(layout: WarehouseLayout) -> dict[str, list[str]]:
    """Return of each table the keys of the landed files, in the order of arrival, and when each was written.

    A file that was written again under its name is another: numbers of ids, and files without who was forgotten.
    """
    landed: dict[str, list[str]] = defaultdict(list)
    for file in sorted((layout.landing / "candidate").glob("*/*.parquet")):
        landed[file.parent.name].append(f"{key_in(file)} {file.stat().st_mtime_ns}")
    return landed


def _forget(connection: duckdb.DuckDBPyConnection, unique_ids: Collection[str]) -> None:
    connection.execute("delete from state.nodes where list_contains(?, unique_id)", [list(unique_ids)])


def _hash(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
