"""An audience's YAML file turned into an asset.

Belongs here: the asset of an audience, its check and metadata. Does not belong here: the schema and what a rule means
(`ml.audiences`), all audiences together (`orchestration.assets.audience_tables`).
"""

from functools import partial

import dagster as dg
import duckdb

from ml.audiences.compile import DEPARTURE, SEGMENT_MEMBERS, Compiled, Tables, compile_audience, names_of
from ml.audiences.members import waterfall
from ml.audiences.spec import AudienceError, AudienceSpec, LackingError
from ml.segmentation.errors import UntrainableError
from orchestration.components.declared import DeclaredComponent
from orchestration.stores.versions import VersionedStore
from orchestration.tasks.audiences import (
    GROUP,
    doubts,
    find_members,
    lack,
    read_audiences,
    read_entities,
    show_made,
    store_members,
    store_of,
    tables_of,
)
from orchestration.tools.dbt import ml_table_definitions
from orchestration.tools.shown import COLUMNS, markdown, parquet_columns
from orchestration.tools.steps import Step, build_step

SOME = "somebody_is_in_it_and_not_everybody"


class AudienceComponent(DeclaredComponent[AudienceSpec]):
    """Find the members of one declared audience."""

    schema, called = AudienceSpec, "an audience"

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:  # noqa: ARG002
        """Return the asset of the audience."""
        spec, key = self.spec, dg.AssetKey([GROUP, self.spec.name])
        step = build_step(
            key,
            partial(_find, spec),
            stage="place",
            store=lambda warehouse: store_of(warehouse.layout, spec.name),
            lacks=lambda _: None,  # which only compiling tells
            description=spec.description,
            deps=_made_of(spec),
            group_name=GROUP,
            kinds={"duckdb", "parquet"},
            checks=[
                dg.AssetCheckSpec(
                    SOME,
                    asset=key,
                    description="The rule finds somebody and leaves somebody out, and names nothing that nobody has.",
                )
            ],
        )
        return dg.Definitions(assets=[step])


def _made_of(spec: AudienceSpec) -> list[dg.AssetKey]:
    """Return what an audience is made of: of ML the steps themselves, whose tables are filled after all audiences."""
    tables = names_of(spec)
    return [
        *(dg.AssetKey(table.split(".")) for table in sorted(tables - {SEGMENT_MEMBERS, DEPARTURE})),
        *(dg.AssetKey([name, "members"]) for name in sorted(spec.segmentations)),
        *([dg.AssetKey(["departure", "scores"])] if DEPARTURE in tables else []),
        *(dg.AssetKey([GROUP, other]) for other in sorted(spec.audiences)),
    ]


def _compile(
    spec: AudienceSpec, here: Step[VersionedStore], connection: duckdb.DuckDBPyConnection
) -> tuple[Compiled, str]:
    """Return the audience as it is asked of this run, and its SQL over the tables that the run fills."""
    shown = show_made(connection, here.warehouse.layout, read_entities(), ml_table_definitions)
    tables, others = tables_of(connection, shown), read_audiences()
    return compile_audience(spec, tables, others), compile_audience(spec, Tables(tables.columns), others).sql


def _find(spec: AudienceSpec, here: Step[VersionedStore]) -> dg.MaterializeResult:
    with here.warehouse.connect() as connection:
        try:
            compiled, sql = _compile(spec, here, connection)
        except LackingError as error:  # what the rule asks for is not there, in this data
            raise UntrainableError(str(error)) from error
        except AudienceError as error:  # a name of the rule is wrong, which stops nothing else
            here.store.skip(str(error))
            return dg.MaterializeResult(metadata={"skipped": str(error)}, check_results=[_warned(str(error))])
        members, kept = find_members(connection, compiled)
    if lacking := lack(compiled, kept):
        raise UntrainableError(lacking)
    warning = doubts(compiled, kept)
    facts = {"everybody": kept[0], "warning": warning, "sql": sql}
    store_members(here.store, here.run_id, members, waterfall(compiled.steps, kept), facts)
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": len(members),
            COLUMNS: parquet_columns(here.store.table_path("members")),
            "waterfall": markdown(here.store.read_table("waterfall")),
            "sql": dg.MetadataValue.md(f"```sql\n{sql}\n```"),
        },
        check_results=[_warned(warning)],
    )


def _warned(warning: str | None) -> dg.AssetCheckResult:
    """Return what the check found: a warning, or None."""
    return dg.AssetCheckResult(
        check_name=SOME,
        passed=warning is None,
        severity=dg.AssetCheckSeverity.WARN,
        description=warning,
    )
