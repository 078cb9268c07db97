"""The pages, in the order of the sidebar.

Belongs here: which pages there are; each is a module. Does not belong here: what a page asks (`dashboard.queries`) and
draws (`dashboard.charts`).

Not in a folder `pages/`: Streamlit would take each of its files for a page of its own.
"""

from collections.abc import Callable
from dataclasses import dataclass

from dashboard.views import (
    changes,
    choose_k,
    customers,
    data_health,
    members,
    overview,
    recommend,
    segments,
    titles,
    viewing,
)
from published.sets import PublishedSet


@dataclass(frozen=True)
class PageEntry:
    """A page of the sidebar; it is left out where its tables are empty."""

    title: str
    path: str
    icon: str
    show: Callable[[PublishedSet], None]
    tables: tuple[str, ...]

    def is_empty(self, data: PublishedSet) -> bool:
        """Return whether the source gave nothing that the page shows."""
        return bool(self.tables) and data.is_empty(*self.tables)


PAGES = (
    PageEntry("Overview", "overview", ":material/home:", overview.show, ()),
    PageEntry("Segments", "segments", ":material/groups:", segments.show, ("segments",)),
    PageEntry("What changed", "changes", ":material/change_history:", changes.show, ("runs",)),
    PageEntry("Members", "members", ":material/contact_mail:", members.show, ("segment_members",)),
    PageEntry("Choose k", "choose_k", ":material/tune:", choose_k.show, ("k_metrics",)),
    PageEntry("Titles", "titles", ":material/movie:", titles.show, ("titles",)),
    PageEntry(
        "Recommend",
        "recommend",
        ":material/thumb_up:",
        recommend.show,
        ("recommendations", "recommender_metrics"),
    ),
    PageEntry(
        "Customers",
        "customers",
        ":material/storefront:",
        customers.show,
        ("customer_discovery", "customer_channels"),
    ),
    PageEntry("Viewing", "viewing", ":material/devices:", viewing.show, viewing.TABLES),
    PageEntry("Data health", "data_health", ":material/verified:", data_health.show, ()),
)
