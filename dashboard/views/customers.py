"""Where customers come from, what they are worth, how much they watch.

Belongs here: order and words of the page. Does not belong here: queries, charts.
"""

import streamlit as st
from streamlit.column_config import NumberColumn

from dashboard import ui
from dashboard.charts import customers as charts
from dashboard.queries import customers as queries
from published.sets import PublishedSet

TABLES = ("customer_discovery", "customer_channels")
_MEASURES = {"index": "Index", "region_share": "Share of the region", "customers": "Customers"}


def show(data: PublishedSet) -> None:
    """Show the page."""
    ui.part(data, "customer_discovery", lambda: _discovery(data))
    ui.part(data, "customer_channels", lambda: _channels(data))


def _discovery(data: PublishedSet) -> None:
    discovery = queries.discovery(data)
    st.header("Channel by region")
    measure = ui.choose_view("Measure", _MEASURES, key="discovery")
    ui.chart(charts.channels_by_region(discovery, measure, theme=ui.theme()), key="discovery_chart")
    ui.table(
        discovery,
        name="customer_discovery",
        data=data,
        labels={
            "region_label": "Region",
            "channel_label": "Channel",
            "customers": NumberColumn("Customers", format="localized"),
            "region_share": NumberColumn("Share of the region", format="percent"),
            "base_share": NumberColumn("Share of all regions", format="percent"),
            "index": NumberColumn("Index", format="%.0f"),
        },
        groups=("customers", "region", "region_label", "channel", "channel_label"),
        folded=True,
    )


def _channels(data: PublishedSet) -> None:
    channels = queries.channels(data)
    st.header("Lifetime value and minutes")
    left, right = st.columns(2, gap="large")
    with left:
        ui.chart(charts.value_by_channel(channels), key="value")
    with right:
        ui.chart(charts.minutes_by_channel(channels), key="minutes")
    ui.table(
        channels,
        name="customer_channels",
        data=data,
        labels={
            "channel_label": "Channel",
            "customers": NumberColumn("Customers", format="localized"),
            "share": NumberColumn("Share", format="percent"),
            "mean_clv": NumberColumn("Mean CLV", format="%.2f"),
            "median_clv": NumberColumn("Median CLV", format="%.2f"),
            "mean_minutes_watched": NumberColumn("Mean minutes", format="%.0f"),
            "mean_minutes_without_largest": NumberColumn("Without the largest", format="%.0f"),
            "median_minutes_watched": NumberColumn("Median minutes", format="%.0f"),
            "never_watched_share": NumberColumn("Never watched", format="percent"),
        },
        groups=("customers", "channel", "channel_label"),
    )
