"""Where dbt looks for the adapter of a profile's `type: matineespark`."""

from orchestration.tools.spark_adapter import Plugin

__all__ = ["Plugin"]
