"""What knows Dagster, in wings, each importing only those to its right.

commands → definitions → assets, components, checks → tasks, tools → stores, settings
"""
