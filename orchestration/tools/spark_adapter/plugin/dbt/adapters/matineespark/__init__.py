"""Where dbt looks for the adapter of a profile's `type: matineespark`."""

from pathlib import Path
from typing import Any, cast

from dbt.adapters.base import AdapterPlugin

from orchestration.tools import spark_adapter
from orchestration.tools.spark_adapter.adapter import MatineeSparkAdapter, MatineeSparkCredentials

Plugin = AdapterPlugin(
    adapter=cast(Any, MatineeSparkAdapter),
    credentials=MatineeSparkCredentials,
    include_path=str(Path(spark_adapter.__path__[0]) / "include"),
    dependencies=["spark"],
)
