"""Everything that knows Dagster: assets, checks, jobs, schedules, the command line."""
