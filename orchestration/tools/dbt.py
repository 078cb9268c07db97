"""dbt inside this process.

Belongs here: the parsed project, and commands that run on it. Does not belong here: SQL, which models there are, what
Dagster is told of them (`orchestration.tools.dbt_assets`).

A dbt build through dagster-dbt's own resource starts a subprocess and costs 8-10 s over its work; in this
process it costs one import (3 s) and then next to nothing, and the DuckDB file is free again afterwards.
"""

import json
import os
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

from filelock import FileLock

from orchestration.progress import Progress, doing
from orchestration.settings import PROJECT_ROOT, load_settings
from orchestration.stores.file_hashes import hash_of_files
from orchestration.stores.layout import WarehouseLayout
from published.contract import Column, Table

PROJECT_DIR = PROJECT_ROOT / "dbt_project"
_ADAPTER_DIR = PROJECT_ROOT / "orchestration" / "tools" / "spark_adapter"
OWNER = "team:audience"
_ON_SPARK = ("dbt-spark", "pyspark", "sqlglot")
_WANTED = "wanted"
_PROJECT_FILES = (".sql", ".yml", ".yaml", ".csv", ".md")


class DbtError(RuntimeError):
    """dbt refused or failed; the message holds what dbt said."""


def ensure_manifest() -> Path:
    """Return the manifest, parsed anew only when a file of the project, or dbt, is another than it was made of.

    Raises
    ------
    DbtError
        When the project does not parse.
    """
    manifest = _manifest_file()
    manifest.parent.mkdir(parents=True, exist_ok=True)
    with _alone():
        remembered, made_of = manifest.with_name("made_of"), project_hash()
        if not (manifest.exists() and remembered.exists() and remembered.read_text() == made_of):
            remembered.unlink(missing_ok=True)
            # What dbt keeps of a project that was another loses what YAML says of data tests, their severity too.
            manifest.with_name("partial_parse.msgpack").unlink(missing_ok=True)
            _parse()
            remembered.write_text(made_of)
    return manifest


def _manifest_file() -> Path:
    """Return where the manifest of the engine in use lies.

    In a folder of its own: a plain `dbt build` parses for one warehouse, and each would undo what the other remembers.
    """
    return PROJECT_DIR / "target" / "parsed" / load_settings().engine / "manifest.json"


@cache
def _parsed_project(_of: str) -> Any:
    """Return dbt's own form of the manifest, which parsing leaves beside it: read in 0.2 s, parsed again in 1.4."""
    from dbt.contracts.graph.manifest import Manifest  # noqa: PLC0415 - comes with dbt
    from dbt.parser.manifest import extended_mashumuro_decoder  # noqa: PLC0415

    with _alone():
        try:
            kept = _manifest_file().with_name("partial_parse.msgpack").read_bytes()
            project = Manifest.from_msgpack(kept, decoder=extended_mashumuro_decoder)
        except Exception:  # of whatever class, a damaged file raises
            return _parse("--no-write-json").result
        project.build_flat_graph()
        return project


def _parse(*args: str) -> Any:
    """Parse the project for no warehouse: dbt would begin anew (6 s) for each other one, and needs none to parse."""
    # Its log, too: of the code's folder an installation may write to this one alone.
    place, engine = str(_manifest_file().parent), load_settings().engine
    settings = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith("MATINEE_")}
    try:
        return invoke(["parse", *args, "--target", engine, "--target-path", place, "--log-path", place])
    finally:
        os.environ.update(settings)


@contextmanager
def _alone() -> Iterator[None]:
    """Keep other processes from parsing."""
    with FileLock(_manifest_file().with_name(".parse.lock")):
        yield


def project_hash() -> str:
    """Return what a manifest and what is built by it are made of: versions, and a hash of the project's files."""
    is_on_spark = load_settings().engine == "spark"
    versions = map(version, ("dbt-core", *(_ON_SPARK if is_on_spark else ("dbt-duckdb", "duckdb"))))
    translated_by = [hash_of_files(_ADAPTER_DIR, (".py",))] if is_on_spark else []
    return " ".join([*versions, *translated_by, hash_of_files(PROJECT_DIR, _PROJECT_FILES)])


def invoke(args: Sequence[str], *, manifest: Any = None) -> Any:
    """Run one dbt command in this process and return its result.

    Parameters
    ----------
    args
        The command and its arguments.
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
    now = Progress(f"dbt {args[0]}")

    def follow(event: Any) -> None:
        nonlocal now
        if event.info.name == "LogStartLine":
            node = event.data
            now = Progress(node.node_info.node_name, node.index - 1, node.total, "models and tests")

    try:
        with doing(lambda: now):
            result = dbtRunner(manifest=manifest, callbacks=[follow]).invoke([*quietly, *args, *places])
    finally:
        free_database()
    if result.exception is not None:
        msg = f"dbt {args[0]}: {_short(str(result.exception))}"
        raise DbtError(msg) from result.exception
    if not result.success and result.result is None:
        msg = f"dbt {args[0]} failed"
        raise DbtError(msg)
    return result


def free_database() -> None:
    """Close what dbt-duckdb leaves open after a failed node, so that this process can open the file itself."""
    from dbt.adapters.duckdb import DuckDBConnectionManager  # noqa: PLC0415 - comes with dbt

    environment, forget = DuckDBConnectionManager.env, DuckDBConnectionManager.close_all_connections
    try:
        opened = environment()
    except Exception:  # of no class of its own: dbt has opened nothing
        return
    opened.close()
    forget()


def run_build(
    selection: Sequence[str],
    layout: WarehouseLayout,
    *,
    indirectly: Literal["buildable", "empty"] = "buildable",
    full_refresh: bool = False,
) -> list[Any]:
    """Run `dbt build` on a warehouse and return the result of each node.

    Unit tests are left out: they test the SQL, not the data, and run with a plain `dbt build` and `make test`.

    Parameters
    ----------
    selection
        dbt's arguments that select nodes.
    layout
        The warehouse.
    indirectly
        Which tests run beside the selected nodes: `buildable` those all of whose tables have been built, `empty` none.
    full_refresh
        Whether tables that dbt could carry on are made anew.
    """
    layout.temporary.mkdir(parents=True, exist_ok=True)
    target = ["--target-path", str(layout.dbt_target), "--log-path", str(layout.dbt_target)]
    left_out = [part for kind in ("unit_test", "exposure") for part in ("--exclude-resource-type", kind)]
    tests = ["--indirect-selection", indirectly, *left_out]
    # A table that was built of another text is not added to (`macros/growing.sql`).
    os.environ["MATINEE_SQL_HASH"] = project_hash()
    anew = ["--full-refresh"] if full_refresh else []
    return invoke(
        ["build", *selection, *tests, *anew, "--no-write-json", *target], manifest=project()
    ).result.results


def run_nodes(
    unique_ids: Collection[str], layout: WarehouseLayout, *, full_refresh: bool = False
) -> list[Any]:
    """Run `dbt build` for these nodes and no other."""
    # By a tag that they get for it: asked for by name, dbt takes seconds to find hundreds.
    for unique_id, node in project().nodes.items():
        own = [tag for tag in node.tags if tag != _WANTED]
        node.tags = [*own, _WANTED] if unique_id in unique_ids else own
    return run_build(["--select", f"tag:{_WANTED}"], layout, indirectly="empty", full_refresh=full_refresh)


def project() -> Any:
    """Return dbt's own form of the project: nodes and sources, each by its unique id."""
    return _parsed_project(ensure_manifest().with_name("made_of").read_text())


def depths() -> dict[str, int]:
    """Return, by the id of each node, how many nodes are on the longest way that leads to it."""
    nodes, found = project().nodes, dict[str, int]()

    def of(unique_id: str) -> int:
        if unique_id not in found:
            parents = (parent for parent in nodes[unique_id].depends_on_nodes if parent in nodes)
            found[unique_id] = 1 + max(map(of, parents), default=0)
        return found[unique_id]

    return {unique_id: of(unique_id) for unique_id in nodes}


def _manifest() -> dict[str, Any]:
    read: dict[str, Any] = json.loads(ensure_manifest().read_text(encoding="utf-8"))
    return read


def failures(results: Sequence[Any]) -> list[str]:
    """Return what failed, each with dbt's words; empty when all is well."""
    return [_failure(node) for node in results if node.status in ("error", "fail", "runtime error")]


def _failure(node: Any) -> str:
    said = _short(node.message)
    meaning = " ".join((node.node.description or "").split())
    is_test = node.node.resource_type == "test"
    return f"{node.node.name}: {said}. {meaning}".strip() if is_test else f"{node.node.name}: {said}"


def landing_tables_behind(table: str) -> set[str]:
    """Return the landing tables that a model (`schema.name`) is built from, at whatever distance."""
    manifest = _manifest()
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


def ml_table_definitions() -> dict[str, str]:
    """Return the columns of each table of ML output, with the constraints of dbt's contract, as DuckDB defines them."""
    return {
        source["name"]: ", ".join(map(_definition, source["columns"].values()))
        for source in _manifest()["sources"].values()
        if source["schema"] == "ml"
    }


def _definition(column: dict[str, Any]) -> str:
    constraints = [
        "not null" if constraint["type"] == "not_null" else f"check ({constraint['expression']})"
        for constraint in column["constraints"]
    ]
    return " ".join([f'"{column["name"]}"', column["data_type"], *constraints])


def mart_contracts() -> dict[str, Table]:
    """Return what dbt's contract of the marts says of each: its description, its columns with type and description."""
    return {
        node["name"]: Table(
            _on_one_line(node["description"]),
            tuple(
                Column(column["name"], column["data_type"], _on_one_line(column["description"]))
                for column in node["columns"].values()
            ),
        )
        for node in _manifest()["nodes"].values()
        if node["resource_type"] == "model" and node["schema"] == "marts"
    }


def _on_one_line(text: str) -> str:
    return " ".join(text.split())


def _short(message: str | None, limit: int = 600) -> str:
    text = " ".join((message or "failed").partition("> in macro")[0].split())
    return text if len(text) <= limit else text[: limit - 1] + "…"
