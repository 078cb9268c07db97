"""What is asked at a glance.

Belongs here: the counts of the first page. Does not belong here: charts, pages.
"""

from published.questions import quality
from published.sets import PublishedSet

_HEADLINES = {
    "distinct titles": "Titles",
    "ratings joined to a title": "Ratings of these titles",
    "streaming titles": "Streaming titles",
    "users with features": "Viewers",
    "customers with features": "Customers",
}


def headlines(data: PublishedSet) -> dict[str, int]:
    """Return label and count, in reading order."""
    found = {}
    if data.has("data_funnel"):
        counts = dict(quality.funnel(data).select("step", "row_count").iter_rows())
        found = {label: counts[step] for step, label in _HEADLINES.items() if step in counts}
    if data.has("landing_manifest"):
        found["Rejected lines"] = int(quality.files(data)["rows_rejected"].sum())
    return found
