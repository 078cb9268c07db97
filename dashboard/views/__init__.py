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
    """A page of the sidebar."""

    title: str
    path: str
    icon: str
    show: Callable[[PublishedSet], None]


PAGES = (
    PageEntry("Overview", "overview", ":material/home:", overview.show),
    PageEntry("Segments", "segments", ":material/groups:", segments.show),
    PageEntry("What changed", "changes", ":material/change_history:", changes.show),
    PageEntry("Members", "members", ":material/contact_mail:", members.show),
    PageEntry("Choose k", "choose_k", ":material/tune:", choose_k.show),
    PageEntry("Titles", "titles", ":material/movie:", titles.show),
    PageEntry("Recommend", "recommend", ":material/thumb_up:", recommend.show),
    PageEntry("Customers", "customers", ":material/storefront:", customers.show),
    PageEntry("Viewing", "viewing", ":material/devices:", viewing.show),
    PageEntry("Data health", "data_health", ":material/verified:", data_health.show),
)
