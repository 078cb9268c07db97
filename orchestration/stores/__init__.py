"""What lies in the warehouse: names, versions and atomic switches.

Belongs here: where a file is, which version is in force, writing so that readers never see half. Does not belong here:
what the files say (`tasks`), DuckDB's tables (dbt), Dagster.
"""
