"""The work behind the assets: store and snapshot in, files out.

Belongs here: which computation makes which file, and the worker process that does it. Does not belong here: Dagster and
dbt (`assets`, `tools`), the computation itself (`ml`, `ingest`), names and versions of files (`stores`).
"""
