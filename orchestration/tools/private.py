"""What we use of other people's packages although they do not promise it, each with the versions it was tested with.

Belongs here: that list. Does not belong here: the use, which is one function behind the seam that the list names.
A test holds the source to the list, the list to what is installed, and its versions to those of `pyproject.toml`: who
widens a range there comes by here.
"""

import inspect
from dataclasses import dataclass
from importlib import import_module, metadata
from operator import attrgetter


@dataclass(frozen=True)
class Private:
    """A class, function, method or attribute that its package may change without a word."""

    used_by: str
    """Our module."""
    package: str
    """As it is called on PyPI."""
    tested: str
    """The versions it was tested with."""
    module: str
    name: str
    parameters: tuple[str, ...] = ()
    """Names of the parameters that we give, in their order."""

    def problem(self) -> str | None:
        """Return what is wrong with the installed package, in words; None when all is as tested."""
        try:
            found = attrgetter(self.name)(import_module(self.module))
            # A property or a field has no parameters.
            signature = inspect.signature(found).parameters if callable(found) else ()
            given = [name for name in signature if name != "self"]
            fits = given[: len(self.parameters)] == list(self.parameters)
        except (ImportError, AttributeError):
            fits = False
        if fits:
            return None
        return (
            f"{self.package} {metadata.version(self.package)} has no {self.name}({', '.join(self.parameters)}): "
            f"{self.used_by} was tested with {self.package} {self.tested}"
        )


_DAGSTER = ("dagster", ">=1.13,<1.14")
_EVENT_LOG = ("orchestration.tools.event_log", *_DAGSTER, "dagster._core.storage.event_log")
_STORAGE = ("orchestration.tools.dead_runs", *_DAGSTER, "dagster._core.storage.event_log")
_LAUNCHER = ("orchestration.tools.dead_runs", *_DAGSTER, "dagster._core.launcher.base")
_DBT_CORE = ("orchestration.tools.dbt", "dbt-core", ">=1.11,<1.12")
_DBT_DUCKDB = ("orchestration.tools.dbt", "dbt-duckdb", ">=1.11,<1.12", "dbt.adapters.duckdb")
_SCHEDULES = ("orchestration.tools.engines", *_DAGSTER, "dagster._utils.schedules")
_PLACE = ("orchestration.tools.run_place", *_DAGSTER)
_SPARK = ("orchestration.tools.spark", "pyspark", ">=4.3,<4.4", "pyspark")
_LLOYD = ("ml.segmentation.lloyd", "scikit-learn", ">=1.9,<1.10")

PRIVATE = (
    Private(*_EVENT_LOG, "SqliteEventLogStorage"),
    Private(*_EVENT_LOG, "SqliteEventLogStorage.run_connection", ("run_id",)),
    Private(*_EVENT_LOG, "SqliteEventLogStorage.index_connection"),
    Private(*_STORAGE, "EventLogStorage.free_concurrency_slots_for_run", ("run_id",)),
    Private(*_STORAGE, "EventLogStorage.get_logs_for_run", ("run_id",)),
    # Dagster exports the class and marks these members of it as not public.
    Private("orchestration.tools.event_log", *_DAGSTER, "dagster", "DagsterInstance.event_log_storage"),
    Private("orchestration.tools.dead_runs", *_DAGSTER, "dagster", "DagsterInstance.event_log_storage"),
    Private("orchestration.tools.dead_runs", *_DAGSTER, "dagster", "DagsterInstance.get_runs", ("filters",)),
    Private(
        "orchestration.tools.dead_runs",
        *_DAGSTER,
        "dagster",
        "DagsterInstance.report_run_failed",
        ("dagster_run", "message"),
    ),
    Private(
        "orchestration.tools.run_history",
        *_DAGSTER,
        "dagster",
        "DagsterInstance.get_records_for_run",
        ("run_id", "cursor", "of_type", "limit"),
    ),
    Private(
        "orchestration.tools.run_ends",
        *_DAGSTER,
        "dagster",
        "DagsterInstance.get_records_for_run",
        ("run_id", "cursor", "of_type", "limit"),
    ),
    Private(
        "orchestration.tools.dbt_assets",
        *_DAGSTER,
        "dagster",
        "AssetsDefinition.get_spec_for_check_key",
        ("asset_check_key",),
    ),
    Private("orchestration.tools.events", *_DAGSTER, "dagster", "DagsterEvent.event_specific_data"),
    Private("orchestration.tools.steps", *_DAGSTER, "dagster", "JobDefinition.asset_layer"),
    Private(*_PLACE, "dagster._core.remote_origin", "RegisteredCodeLocationOrigin"),
    Private(*_PLACE, "dagster._core.remote_origin", "RemoteRepositoryOrigin"),
    Private(*_PLACE, "dagster._core.remote_origin", "RemoteRepositoryOrigin.get_job_origin", ("job_name",)),
    Private(*_PLACE, "dagster", "DagsterInstance.create_run_for_job"),
    Private(*_DBT_CORE, "dbt.contracts.graph.manifest", "Manifest"),
    Private(*_DBT_CORE, "dbt.contracts.graph.manifest", "Manifest.from_msgpack", ("d",)),
    Private(*_DBT_CORE, "dbt.contracts.graph.manifest", "Manifest.build_flat_graph"),
    Private(*_DBT_CORE, "dbt.parser.manifest", "extended_mashumuro_decoder", ("data",)),
    Private(*_DBT_DUCKDB, "DuckDBConnectionManager.env"),
    Private(*_DBT_DUCKDB, "DuckDBConnectionManager.close_all_connections"),
    Private(*_LAUNCHER, "CheckRunHealthResult", ("status", "msg")),
    Private(*_LAUNCHER, "WorkerStatus"),
    Private(*_SCHEDULES, "is_valid_cron_string", ("cron_string",)),
    Private(
        *_SCHEDULES,
        "schedule_execution_time_iterator",
        ("start_timestamp", "cron_schedule", "execution_timezone"),
    ),
    Private(*_SPARK, "SparkContext._gateway"),
    Private(*_SPARK, "SparkContext._jvm"),
    # `ml` is pure and imports no tools: the inner step of K-Means stays behind its own `converge`.
    Private(
        *_LLOYD,
        "sklearn.cluster._k_means_lloyd",
        "lloyd_iter_chunked_dense",
        (
            "X",
            "sample_weight",
            "centers_old",
            "centers_new",
            "weight_in_clusters",
            "labels",
            "center_shift",
            "n_threads",
            "update_centers",
        ),
    ),
    Private(
        *_LLOYD,
        "sklearn.cluster._k_means_common",
        "_inertia_dense",
        ("X", "sample_weight", "centers", "labels", "n_threads"),
    ),
)
