"""dbt's adapter for Spark that takes the project's SQL as it is (`type: matineespark` in the profile).

Belongs here: what dbt must know of Spark beside what dbt-spark tells it. Does not belong here: the session
(`orchestration.tools.spark`), what differs between models (macros).

The folder `plugin` is installed as `dbt.adapters.matineespark`, which is where dbt looks for it.
"""
