"""What Dagster shows that no segmentation declares: landing, dbt, the recommender, tables of ML output, publishing.

Belongs here: keys, order, checks, metadata. Does not belong here: the work behind an asset (`tasks`), the tools that it
is done with (`tools`).
"""
