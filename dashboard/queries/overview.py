"""What is asked at a glance.

Belongs here: SQL for the first page. Does not belong here: charts, pages.
"""

import polars as pl

from dashboard.published import PublishedSet

_HEADLINES = {
    "distinct titles": "Titles with a genre",
    "ratings joined to a title": "Ratings of these titles",
    "streaming titles": "Streaming titles",
    "users with features": "Viewers",
    "customers with features": "Customers",
}


def headlines(data: PublishedSet) -> dict[str, int]:
    """Return label and count, in reading order."""
    found = {}
    if data.has("data_funnel"):
        counts = dict(data.ask("select step, row_count from data_funnel").iter_rows())
        found = {label: counts[step] for step, label in _HEADLINES.items() if step in counts}
    if data.has("landing_manifest"):
        rejected = data.ask("select cast(sum(rows_rejected) as bigint) as lines from landing_manifest")
        found["Rejected lines"] = rejected["lines"].item()
    return found


def strategic_recommendations(data: PublishedSet) -> pl.DataFrame:
    """Return what the figures advise, in words, the most important first."""
    return data.ask("select rank, topic, sentence, source from strategic_recommendations order by rank")
