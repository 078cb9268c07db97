"""dbt inside this process: manifest, translator and a runner that yields Dagster events.

Belongs here: the seam between dbt and Dagster. Does not belong here: SQL, and which models there are.

A dbt build through dagster-dbt's own resource starts a subprocess and costs 8-10 s over its work; in this
process it costs one import (3 s) and then next to nothing, and the DuckDB file is free again afterwards.
"""

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import dagster as dg
import dagster_dbt
from dagster_dbt.asset_utils import get_updated_cli_invocation_params_for_context
from dagster_dbt.core.dbt_cli_event import DbtCoreCliEventMessage
from filelock import FileLock

from orchestration.settings import PROJECT_ROOT
from orchestration.stores.layout import WarehouseLayout
from orchestration.tools.warehouse import WarehouseResource
from published.contract import Column, Table

PROJECT_DIR = PROJECT_ROOT / "dbt_project"
MANIFEST = PROJECT_DIR / "target" / "manifest.json"
OWNER = "team:audience"
_PARSED = MANIFEST.with_name("partial_parse.msgpack")
_PROJECT_FILES = (".sql", ".yml", ".yaml", ".csv", ".md")


class DbtError(RuntimeError):
    """dbt refused or failed; the message holds what dbt said."""


def ensure_manifest() -> Path:
    """Return the manifest, parsed anew only when a file of the project is newer than it.

    Raises
    ------
    DbtError
        When the project does not parse.
    """
    (PROJECT_DIR / "target").mkdir(exist_ok=True)
    with FileLock(PROJECT_DIR / "target" / ".parse.lock"):
        newest = max(_project_times())
        if not (MANIFEST.exists() and _PARSED.exists()) or MANIFEST.stat().st_mtime < newest:
            invoke(["parse", "--target-path", str(MANIFEST.parent)])
    return MANIFEST


def _project_times() -> Iterator[float]:
    """Yield when each file and folder of the project changed; a folder tells of a deleted file."""
    for path in (PROJECT_DIR, *PROJECT_DIR.rglob("*")):
        made_by_dbt = {"target", "logs"} & set(path.relative_to(PROJECT_DIR).parts)
        # dbt itself changes the time of the top folder when it makes its target and logs there.
        if not made_by_dbt and path != PROJECT_DIR and (path.is_dir() or path.suffix in _PROJECT_FILES):
            yield path.stat().st_mtime


def invoke(args: Sequence[str], *, callbacks: Sequence[Any] = (), manifest: Any = None) -> Any:
    """Run one dbt command in this process and return its result.

    Parameters
    ----------
    args
        The command and its arguments.
    callbacks
        Called with each event of dbt.
    manifest
        A parsed project; dbt parses the project itself when left out.

    Raises
    ------
    DbtError
        When dbt fails before it runs any node; failures of nodes are in the result.
    """
    from dbt.cli.main import dbtRunner  # noqa: PLC0415 - seconds to import, only for those who run dbt

    os.environ.setdefault("DBT_SEND_ANONYMOUS_USAGE_STATS", "false")
    quietly = ["--log-level", "none", "--log-level-file", "info"]
    places = ["--project-dir", str(PROJECT_DIR), "--profiles-dir", str(PROJECT_DIR)]
    try:
        result = dbtRunner(manifest=manifest, callbacks=list(callbacks)).invoke([*quietly, *args, *places])
    finally:
        _free_database()
    if result.exception is not None:
        msg = f"dbt {args[0]}: {_short(str(result.exception))}"
        raise DbtError(msg) from result.exception
    if not result.success and result.result is None:
        msg = f"dbt {args[0]} failed"
        raise DbtError(msg)
    return result


@cache
def _parsed_project(_written: int) -> Any:
    """Return dbt's own form of the manifest: parsing costs 2 s, and no path of a warehouse is baked into it."""
    from dbt.contracts.graph.manifest import Manifest  # noqa: PLC0415 - comes with dbt

    manifest = Manifest.from_msgpack(_PARSED.read_bytes())
    manifest.build_flat_graph()
    manifest.build_parent_and_child_maps()
    return manifest


def _free_database() -> None:
    """Close what dbt-duckdb leaves open after a failed node, so that this process can open the file itself."""
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager  # noqa: PLC0415 - comes with dbt

    environment = DuckDBConnectionManager._ENV
    if environment is not None:
        environment.close()
        DuckDBConnectionManager._ENV = None


class MatineeTranslator(dagster_dbt.DagsterDbtTranslator):
    """Asset key = [layer, table]; group and owner stand in `dbt_project.yml`."""

    def __init__(self) -> None:
        # The contract of landing and of ML output stands as tests of dbt's sources: they are checks like all others.
        super().__init__(dagster_dbt.DagsterDbtTranslatorSettings(enable_source_tests_as_checks=True))

    def get_asset_spec(
        self, manifest: Mapping[str, Any], unique_id: str, project: dagster_dbt.DbtProject | None
    ) -> dg.AssetSpec:
        """Name a dbt node as an asset."""
        node = self.get_resource_props(manifest, unique_id)
        spec = super().get_asset_spec(manifest, unique_id, project)
        if node["resource_type"] == "source":
            return spec
        if node["resource_type"] == "seed":
            # A seed reads nothing; loaded after the landing it shares an invocation of dbt with the first models.
            after_landing = [dg.AssetDep(dg.AssetKey(["landing", "manifest"]))]
            return spec.replace_attributes(
                key=dg.AssetKey(["seeds", node["name"]]), deps=after_landing, kinds={"dbt", "duckdb", "csv"}
            )
        return spec.replace_attributes(
            key=dg.AssetKey([node["fqn"][1], node["name"]]), kinds={"dbt", "duckdb"}
        )


def build(
    context: dg.AssetExecutionContext,
    warehouse: WarehouseResource,
    *,
    once_built: Callable[[], None] = lambda: None,
) -> Iterator[Any]:
    """Run `dbt build` for the assets and checks of a step and yield their Dagster events.

    Parameters
    ----------
    context, warehouse
        Of the step.
    once_built
        Called when all went well, before the events are yielded: Dagster takes a second to write them down.

    Raises
    ------
    dagster.Failure
        When a model or a test with severity error fails, after the events of what succeeded.
    """
    params = get_updated_cli_invocation_params_for_context(
        context=context, manifest={}, dagster_dbt_translator=MatineeTranslator()
    )
    selection = list(params.selection_args)
    if params.indirect_selection:
        selection += ["--indirect-selection", params.indirect_selection]
    messages: list[dict[str, Any]] = []
    failures = run_build(selection, warehouse.layout, callbacks=[lambda event: _collect(event, messages)])
    # One message: each would be an event of its own in Dagster's log, and those are slow to write.
    context.log.info("\n".join(message["info"]["msg"] for message in messages))
    if not failures:
        once_built()
    yield from _dagster_events(messages, context, params, table_metadata(warehouse))
    if failures:
        raise dg.Failure(description=f"dbt build: {'; '.join(failures)}", allow_retries=False)


def run_build(
    selection: Sequence[str], layout: WarehouseLayout, *, callbacks: Sequence[Any] = ()
) -> list[str]:
    """Run `dbt build` on a warehouse and return what failed, each with dbt's words; empty when all is well.

    Unit tests are left out: they test the SQL, not the data, and run with a plain `dbt build` and `make test`.
    """
    layout.temporary.mkdir(parents=True, exist_ok=True)
    target = ["--target-path", str(layout.dbt_target), "--log-path", str(layout.dbt_target)]
    # buildable: a test runs once all it reads has been built, i.e. not in the stage before its last parent.
    indirect = () if "--indirect-selection" in selection else ("--indirect-selection", "buildable")
    ensure_manifest()
    result = invoke(
        ["build", *selection, *indirect, "--exclude-resource-type", "unit_test", "--no-write-json", *target],
        callbacks=callbacks,
        manifest=_parsed_project(_PARSED.stat().st_mtime_ns),
    )
    return [_failure(node) for node in result.result if node.status in ("error", "fail", "runtime error")]


def _failure(node: Any) -> str:
    said = _short(node.message)
    meaning = " ".join((node.node.description or "").split())
    is_test = node.node.resource_type == "test"
    return f"{node.node.name}: {said}. {meaning}".strip() if is_test else f"{node.node.name}: {said}"


def _collect(event: Any, messages: list[dict[str, Any]]) -> None:
    from google.protobuf.json_format import MessageToDict  # noqa: PLC0415 - comes with dbt

    if not event.info.name.startswith("Log") or not event.info.name.endswith("Result"):
        return
    message = MessageToDict(event, preserving_proto_field_name=True)
    if "node_info" in message.get("data", {}):
        messages.append(message)


def _dagster_events(
    messages: list[dict[str, Any]],
    context: dg.AssetExecutionContext,
    params: Any,
    tables: Mapping[tuple[str, str], dict[str, Any]],
) -> Iterator[Any]:
    for message in messages:
        event = DbtCoreCliEventMessage(raw_event=message, event_history_metadata={})
        relation = message["data"]["node_info"].get("node_relation", {})
        for dagster_event in event.to_default_asset_events(
            manifest=params.manifest,
            dagster_dbt_translator=params.dagster_dbt_translator,
            context=context,
            project=params.dbt_project,
        ):
            if isinstance(dagster_event, dg.Output):
                metadata = tables.get((relation.get("schema", ""), relation.get("alias", "")), {})
                yield dagster_event.with_metadata({**dagster_event.metadata, **metadata})
            else:
                yield dagster_event


def landing_tables_behind(table: str) -> set[str]:
    """Return the landing tables that a model (`schema.name`) is built from, at whatever distance."""
    manifest = json.loads(ensure_manifest().read_text(encoding="utf-8"))
    parents, nodes = manifest["parent_map"], {**manifest["nodes"], **manifest["sources"]}
    found: set[str] = set()
    waiting = [key for key, node in nodes.items() if f"{node['schema']}.{node['name']}" == table]
    seen = set(waiting)
    while waiting:
        key = waiting.pop()
        if key.startswith("source.") and nodes[key]["schema"] == "landing":
            found.add(nodes[key]["name"])
        fresh = set(parents.get(key, ())) - seen
        seen |= fresh
        waiting += fresh
    return found


def mart_contracts() -> dict[str, Table]:
    """Return what dbt's contract of the marts says of each: its description, its columns with type and description."""
    manifest = json.loads(ensure_manifest().read_text(encoding="utf-8"))
    return {
        node["name"]: Table(
            _on_one_line(node["description"]),
            tuple(
                Column(column["name"], column["data_type"], _on_one_line(column["description"]))
                for column in node["columns"].values()
            ),
        )
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model" and node["schema"] == "marts"
    }


def _on_one_line(text: str) -> str:
    return " ".join(text.split())


def table_metadata(warehouse: WarehouseResource) -> dict[tuple[str, str], dict[str, Any]]:
    """Return columns and row counts of every table, and columns of every view, by (schema, name)."""
    if not warehouse.layout.database.exists():
        return {}
    with warehouse.connect(read_only=True) as connection:
        columns = connection.execute(
            "select schema_name, table_name, list({'name': column_name, 'type': data_type} order by column_index)"
            " from duckdb_columns() where not internal group by all"
        ).fetchall()
        # DuckDB keeps the exact count of a table's rows as metadata; a view would have to be run.
        rows = {
            (schema, table): count
            for schema, table, count in connection.execute(
                "select schema_name, table_name, estimated_size from duckdb_tables() where not internal"
            ).fetchall()
        }
    metadata: dict[tuple[str, str], dict[str, Any]] = {}
    for schema, table, fields in columns:
        entry: dict[str, Any] = {
            "dagster/column_schema": dg.TableSchema(
                [dg.TableColumn(name=field["name"], type=field["type"]) for field in fields]
            )
        }
        if (schema, table) in rows:
            entry["dagster/row_count"] = rows[schema, table]
        metadata[schema, table] = entry
    return metadata


def _short(message: str | None, limit: int = 600) -> str:
    text = " ".join((message or "failed").partition("> in macro")[0].split())
    return text if len(text) <= limit else text[: limit - 1] + "…"
