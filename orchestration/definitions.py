"""The whole graph: raw files, landing, dbt, segmentations, audiences, publishing, jobs and what starts them.

Belongs here: putting the parts together. Does not belong here: any part.
"""

import re
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import dagster as dg

from ml.audiences.spec import AudienceError
from orchestration.alarms import build_alarms
from orchestration.assets.audience_plots import build_audience_plots
from orchestration.assets.dbt_models import build_dbt_assets
from orchestration.assets.departure import build_departure
from orchestration.assets.exports import GROUP as EXPORTS
from orchestration.assets.exports import build_exports, build_lift
from orchestration.assets.landing import ARRIVALS, build_arrivals, build_landing, build_raw_specs
from orchestration.assets.ml_tables import build_ml_tables
from orchestration.assets.publish import build_published
from orchestration.assets.recommender import GROUP as RECOMMENDER
from orchestration.assets.recommender import build_recommender
from orchestration.assets.report import build_report
from orchestration.automation import build_schedules, build_sensor
from orchestration.checks import build_checks
from orchestration.components.segmentation import SPEC_DESCRIPTION
from orchestration.settings import Settings, load_holdout_settings, load_settings
from orchestration.stores.layout import WarehouseLayout
from orchestration.tasks.audiences import check_salt, read_audiences
from orchestration.tasks.exporting.declaration import read_exports
from orchestration.tasks.exporting.errors import ExportError
from orchestration.tasks.nothing_new import code_in_use
from orchestration.tools.engines import check_engines, fresh_for
from orchestration.tools.run_history import WAREHOUSE_TAG
from orchestration.tools.run_tags import SERVES_TAG
from orchestration.tools.spark import check_spark
from orchestration.tools.step_lines import progress_logger
from orchestration.tools.warehouse import WarehouseResource

REFRESH, UPDATE = "refresh", "update"
SQL_LAYERS = ("landing", "seeds", "staging", "intermediate", "features")


class DeclarationError(ValueError):
    """The YAML file of a segmentation, audience or export is wrong; the message names file, field and what may be."""


def build_defs(settings: Settings | None = None) -> dg.Definitions:
    """Return fresh definitions for the given settings (those of the environment when left out).

    Raises
    ------
    SettingsError
        When Dagster, DuckDB or Spark would not take a setting, or the salt of those held out is another.
    DeclarationError
        When a segmentation, an audience or an export is declared wrongly.
    """
    settings = settings or load_settings()
    check_engines(settings)
    check_spark(settings)
    code_in_use()  # as it is before anything of it is loaded
    check_salt(WarehouseLayout(settings.warehouse), load_holdout_settings())
    segmentations, audiences = _load_declarations()
    try:
        exports = read_exports(settings.exports)
    except ExportError as error:
        raise DeclarationError(str(error)) from None
    scheduled = {name for name, export in exports.items() if export.schedule}
    described = _declared(segmentations)
    dbt_assets = build_dbt_assets()
    marts = [spec.key for stage in dbt_assets for spec in stage.specs if spec.key.path[0] == "marts"]
    return dg.Definitions.merge(
        segmentations,
        dg.Definitions(
            assets=[
                *_watched(build_raw_specs(), settings),
                *_watched([build_landing()], settings),
                build_arrivals(),  # comes when files do, which nobody can be late with
                *dbt_assets,
                build_ml_tables(list(described), audiences),
                *build_recommender(),
                build_lift(),
                build_departure(),
                build_audience_plots(marts),
                *_watched([build_published(marts, list(described)), build_report(described)], settings),
                *build_exports(exports),
            ],
            asset_checks=build_checks(),
            jobs=_jobs(settings, [name for name in exports if name not in scheduled]),
            schedules=build_schedules(settings, nightly_job=REFRESH, hourly_job=UPDATE),
            sensors=[*build_alarms(), build_sensor(settings, job=UPDATE)],
            resources={
                "warehouse": WarehouseResource(
                    path=str(settings.warehouse),
                    engine=settings.engine,
                    memory_limit=settings.memory_limit,
                    threads=settings.threads,
                )
            },
            loggers={"progress": progress_logger},
            # One process: a process start costs seconds, and DuckDB allows one writer anyway.
            executor=dg.in_process_executor,
        ),
    )


def _watched(assets: Sequence[Any], settings: Settings) -> Sequence[Any]:
    """Return assets with how fresh they must be: what a run makes by the schedule, raw files by their own setting."""
    late, stale = fresh_for(settings)
    made = dg.FreshnessPolicy.time_window(fail_window=stale, warn_window=late)
    hours = settings.source_stale_hours
    raw = dg.FreshnessPolicy.time_window(fail_window=timedelta(hours=hours)) if hours else None
    return dg.map_asset_specs(
        lambda spec: spec.replace_attributes(freshness_policy=raw if spec.group_name == "raw" else made),
        assets,
    )


def _jobs(settings: Settings, on_demand: Sequence[str]) -> list[Any]:
    """Return the jobs; exports on demand are in none of them."""
    arrivals = dg.AssetSelection.assets(ARRIVALS)
    everything = dg.AssetSelection.all() - arrivals
    if on_demand:
        everything -= dg.AssetSelection.assets(*(dg.AssetKey([EXPORTS, name]) for name in on_demand))
    serving = {SERVES_TAG: "true"}
    jobs = {
        REFRESH: (everything, "From the raw files to published tables and the report.", {}),
        UPDATE: (
            everything,
            "New data to published tables and the report by the models in force; trains only what has none.",
            serving,
        ),
        "segments": (
            everything - dg.AssetSelection.groups(RECOMMENDER),
            "Everything but training the recommender; its last lists stay.",
            {},
        ),
        "sql_layer": (
            dg.AssetSelection.groups(*SQL_LAYERS),
            "Landing, cleaning and features; no machine learning.",
            {},
        ),
        "arrivals": (arrivals, "Files that came through the drop folder on a day, read again.", {}),
    }
    # A run that died is begun anew as a whole: what it had made is told of in the record of another run.
    tags = {WAREHOUSE_TAG: str(settings.warehouse), "dagster/retry_strategy": "ALL_STEPS"}
    return [
        dg.define_asset_job(name, selection, tags=tags | own, description=description)
        for name, (selection, description, own) in jobs.items()
    ]


def _load_declarations() -> tuple[dg.Definitions, list[str]]:
    """Return what YAML files declare as Dagster has it, and the names of the audiences among it."""
    try:
        audiences = list(read_audiences())  # in words of its own
        return dg.load_from_defs_folder(path_within_project=Path(__file__).parent), audiences
    except AudienceError as error:
        raise DeclarationError(str(error)) from error
    except (
        Exception
    ) as error:  # Dagster has no public class for what a declaration breaks; nothing else happens here
        said = re.sub(r" \[type=.*?\]|\n\s*For further information.*", "", str(error.__cause__ or error))
        raise DeclarationError(said) from error


def _declared(segmentations: dg.Definitions) -> dict[str, Any]:
    """Return the declared segmentations with their descriptions, in the order of their names."""
    specs = [spec for assets in segmentations.assets or () for spec in getattr(assets, "specs", ())]
    found = {
        spec.key.path[0]: _plain(spec.metadata[SPEC_DESCRIPTION])
        for spec in specs
        if SPEC_DESCRIPTION in spec.metadata
    }
    return dict(sorted(found.items()))


def _plain(value: Any) -> Any:
    return value.value if isinstance(value, dg.MetadataValue) else value


@dg.definitions
def defs() -> dg.Definitions:
    """Return the definitions that `dagster dev` loads."""
    return build_defs()
