"""The pages, in the order of the sidebar.

Belongs here: which pages there are; each is a module. Does not belong here: what a page asks (`dashboard.queries`) and
draws (`dashboard.charts`).

Not in a folder `pages/`: Streamlit would take each of its files for a page of its own.
"""

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from dashboard import ui
from dashboard.views import (
    audiences,
    changes,
    choose_k,
    customers,
    data_health,
    leaving,
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
    draw: Callable[[PublishedSet], None]
    tables: tuple[str, ...]

    def show(self, data: PublishedSet) -> None:
        """Show the page; of one that hangs on a single table that cannot be read, why."""
        st.title(self.title)
        if len(self.tables) == 1:
            ui.part(data, *self.tables, lambda: self.draw(data))
        else:
            self.draw(data)

    def is_empty(self, data: PublishedSet) -> bool:
        """Return whether the source gave nothing that the page shows."""
        return bool(self.tables) and data.is_empty(*self.tables)


PAGES = (
    PageEntry("Overview", "overview", ":material/home:", overview.show, ()),
    PageEntry("Segments", "segments", ":material/groups:", segments.show, ("segments",)),
    PageEntry("What changed", "changes", ":material/change_history:", changes.show, ("runs",)),
    PageEntry("Members", "members", ":material/contact_mail:", members.show, ("segment_members",)),
    PageEntry("Audiences", "audiences", ":material/filter_alt:", audiences.show, audiences.TABLES),
    PageEntry("Leaving", "leaving", ":material/logout:", leaving.show, ("departure_quality",)),
    PageEntry("Choose k", "choose_k", ":material/tune:", choose_k.show, ("k_metrics",)),
    PageEntry("Titles", "titles", ":material/movie:", titles.show, ("titles",)),
    PageEntry("Recommend", "recommend", ":material/thumb_up:", recommend.show, recommend.TABLES),
    PageEntry("Customers", "customers", ":material/storefront:", customers.show, customers.TABLES),
    PageEntry("Viewing", "viewing", ":material/devices:", viewing.show, viewing.TABLES),
    PageEntry("Data health", "data_health", ":material/verified:", data_health.show, ()),
)
