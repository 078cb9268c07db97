"""dbt's models, seeds and tests as Dagster's assets and checks.

Belongs here: their names in Dagster, and what Dagster is told of a build. Does not belong here: how dbt is run
(`orchestration.tools.dbt`), SQL.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import dagster as dg
import dagster_dbt

from orchestration import costs
from orchestration.settings import load_settings
from orchestration.tools import dbt, dbt_kept
from orchestration.tools.column_lineage import Table, column_lineage, in_words
from orchestration.tools.run_tags import FULL_REFRESH_TAG, asks_for
from orchestration.tools.shown import COLUMNS, empty_tables, not_applicable, table_metadata
from orchestration.tools.warehouse import WarehouseResource

_NODE = "dagster_dbt/unique_id"
"""Metadata in which dagster-dbt keeps the dbt node that an asset or check was made from."""


class MatineeTranslator(dagster_dbt.DagsterDbtTranslator):
    """Asset key = [layer, table]; group and owner stand in `dbt_project.yml`.

    The contract of landing and of ML output stands as tests of dbt's sources: they are checks like all others, of the
    stage whose sources have the given schema. Models of the other stage read some of these sources, too.
    """

    def __init__(self, sources: str) -> None:
        super().__init__(dagster_dbt.DagsterDbtTranslatorSettings(enable_source_tests_as_checks=True))
        self._sources, self._engine = sources, load_settings().engine

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
                key=dg.AssetKey(["seeds", node["name"]]),
                deps=after_landing,
                kinds={"dbt", self._engine, "csv"},
            )
        # Dagster would show the descriptions of this schema and not those of what was built, which say more.
        metadata = {name: value for name, value in spec.metadata.items() if name != COLUMNS}
        return spec.replace_attributes(
            key=dg.AssetKey([node["fqn"][1], node["name"]]), kinds={"dbt", self._engine}, metadata=metadata
        )

    def get_asset_check_spec(
        self,
        asset_spec: dg.AssetSpec,
        manifest: Mapping[str, Any],
        unique_id: str,
        project: dagster_dbt.DbtProject | None,
    ) -> dg.AssetCheckSpec | None:
        """Name a test as a check; None where the test is another stage's."""
        tested = manifest["sources"].get(asset_spec.metadata[_NODE])
        if tested and tested["schema"] != self._sources:
            return None
        return super().get_asset_check_spec(asset_spec, manifest, unique_id, project)


def build(
    context: dg.AssetExecutionContext,
    warehouse: WarehouseResource,
    *,
    once_built: Callable[[], None] = lambda: None,
) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
    """Run `dbt build` for the assets and checks of a step and yield what became of each.

    In a step that is run as a whole those are left as they are that would give again what they gave (`dbt_kept`).

    Parameters
    ----------
    context, warehouse
        Of the step.
    once_built
        Called when all went well, before the results are yielded: Dagster takes a second to write them down.

    Raises
    ------
    dagster.Failure
        When a model or a test with severity error fails, after the results of what succeeded.
    """
    assets, checks = _selected(context)
    anew = asks_for(context.run, FULL_REFRESH_TAG)
    built_now, kept = dbt_kept.build(
        warehouse, {*assets, *checks}, is_whole=not context.is_subset, full_refresh=anew
    )
    # One message: each would be an event of its own in Dagster's log, and those are slow to write.
    told = [f"{r.status} {r.node.name} in {r.execution_time:.2f} s" for r in built_now]
    told += [f"kept {one.node.name} of {one.built_at:%Y-%m-%d %H:%M}" for one in kept]
    context.log.info("\n".join(told))
    problems = dbt.failures(built_now)
    # Dagster wants to hear of what a table is made of before it hears of the table.
    depths = dbt.depths()
    results = sorted([*built_now, *kept], key=lambda result: depths[result.node.unique_id])
    if not problems:
        once_built()
    tables = table_metadata(warehouse)
    checked = [
        _relation(checks[result.node.unique_id]) for result in results if result.node.unique_id in checks
    ]
    empty = empty_tables(warehouse, checked)
    built = {
        (result.node.schema, result.node.alias): result.node
        for result in results
        if result.node.unique_id in assets and result.status == "success"
    }
    described = tables | _with_lineage(built, tables)
    new = {(result.node.schema, result.node.alias) for result in built_now}
    costs.wrote(
        rows=sum(described.get(table, {}).get("dagster/row_count", 0) for table in new & built.keys())
    )
    for result in results:
        node = result.node
        if (node.schema, node.alias) in built:
            metadata = _metadata(result) | described.get((node.schema, node.alias), {})
            yield dg.MaterializeResult(asset_key=assets[node.unique_id], metadata=metadata)
        elif node.unique_id in checks and result.status != "skipped":
            key = checks[node.unique_id]
            if result.status == "pass" and _relation(key) in empty:
                why = f"{'.'.join(_relation(key))} has no rows"
                yield not_applicable(key.name, why, asset_key=key.asset_key)
            else:
                yield _check_result(key, result)
    if problems:
        raise dg.Failure(description=f"dbt build: {'; '.join(problems)}", allow_retries=False)


def _with_lineage(
    built: Mapping[Table, Any], tables: Mapping[Table, dict[str, Any]]
) -> dict[Table, dict[str, Any]]:
    """Return the metadata of models with what each column is made of, and said in the description of the column.

    The Dagster that anybody can install has no view of the former; it shows the latter.
    """
    columns = {
        table: {column.name: column.type for column in metadata[COLUMNS].columns}
        for table, metadata in tables.items()
    }
    queries = {
        table: node.compiled_code
        for table, node in built.items()
        if node.resource_type == "model" and table in columns
    }
    found = {}
    for table, made_of in column_lineage(queries, columns).items():
        described = [
            dg.TableColumn(
                name, kind, description=_described(built[table], name, made_of.deps_by_column.get(name, ()))
            )
            for name, kind in columns[table].items()
        ]
        found[table] = tables[table] | {COLUMNS: dg.TableSchema(described), "dagster/column_lineage": made_of}
    return found


def _described(node: Any, column: str, made_of: Sequence[dg.TableColumnDep]) -> str:
    declared = node.columns[column].description if column in node.columns else ""
    return "\n\n".join(part for part in (" ".join(declared.split()), in_words(made_of)) if part)


def _selected(
    context: dg.AssetExecutionContext,
) -> tuple[dict[str, dg.AssetKey], dict[str, dg.AssetCheckKey]]:
    """Return the assets and the checks of a step, each by the id of its dbt node."""
    declared = context.assets_def
    assets = {declared.get_asset_spec(key).metadata[_NODE]: key for key in context.selected_asset_keys}
    checks = {
        declared.get_spec_for_check_key(key).metadata[_NODE]: key for key in context.selected_asset_check_keys
    }
    return assets, checks


def _relation(key: dg.AssetCheckKey) -> tuple[str, str]:
    """Return schema and name of the table that a check is about: those are its asset's key."""
    schema, *name = key.asset_key.path
    return schema, "_".join(name)


def _check_result(key: dg.AssetCheckKey, result: Any) -> dg.AssetCheckResult:
    failed = {} if result.failures is None else {"dagster_dbt/failed_row_count": result.failures}
    return dg.AssetCheckResult(
        asset_key=key.asset_key,
        check_name=key.name,
        passed=result.status == "pass",
        severity=dg.AssetCheckSeverity.WARN if result.status == "warn" else dg.AssetCheckSeverity.ERROR,
        metadata=_metadata(result) | {"status": str(result.status)} | failed,
    )


def _metadata(result: Any) -> dict[str, Any]:
    """Return what dagster-dbt's own resource tells of a node, by its names: Dagster plots these over time."""
    told = {"unique_id": result.node.unique_id, "Execution Duration": result.execution_time}
    if isinstance(result, dbt_kept.Kept):
        told["kept_since"] = f"{result.built_at:%Y-%m-%d %H:%M} UTC: nothing that it is made of has changed"
    return told
