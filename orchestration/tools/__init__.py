"""The seams to tools: dbt in this process, DuckDB, Dagster's event log, its records and its metadata.

Belongs here: whatever depends on how a tool works inside, behind a plain function. Does not belong here: which assets
there are (`assets`, `components`), work that needs no tool (`tasks`).
"""
