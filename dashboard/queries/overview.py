"""What is asked at a glance.

Belongs here: the counts of the first page. Does not belong here: charts, pages.
"""

from published.sets import PublishedSet

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
