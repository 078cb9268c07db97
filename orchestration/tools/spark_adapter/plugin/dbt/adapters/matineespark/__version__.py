"""The version that dbt says of the adapter: Matinee's."""

from importlib.metadata import version as _version

version = _version("matinee")
