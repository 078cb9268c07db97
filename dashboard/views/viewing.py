"""How people watch and rate: devices, weeks, hours, ratings by genre, subscriptions by region.

Belongs here: order and words of the page. Does not belong here: queries, charts.
"""

import streamlit as st
from streamlit.column_config import DateColumn, NumberColumn

from dashboard import ui
from dashboard.charts import viewing as charts
from dashboard.queries import viewing as queries
from published.questions import audience
from published.questions import segments as segment_questions
from published.sets import PublishedSet

_VIEWS = {"weeks": "Weeks and hours", "devices": "Devices", "ratings": "Ratings", "plans": "Subscriptions"}
_TABLES = {
    "weeks": ("weekly_activity", "viewing_hours"),
    "devices": ("segment_devices", "user_devices"),
    "ratings": ("genre_rating_counts",),
    "plans": ("subscription_regions",),
}
TABLES = tuple(table for tables in _TABLES.values() for table in tables)
_MEASURES = {"users": "Users", "mean_minutes": "Minutes per user", "mean_ratings": "Ratings per user"}


def show(data: PublishedSet) -> None:
    """Show the page."""
    view = ui.choose_view("View", ui.with_data(data, _VIEWS, _TABLES), key="viewing")
    if view == "weeks":
        ui.part(data, "weekly_activity", lambda: _weeks(data))
        ui.part(data, "viewing_hours", lambda: _hours(data))
    elif view == "devices":
        ui.part(data, "segment_devices", lambda: _segment_devices(data))
        ui.part(data, "user_devices", lambda: _user_devices(data))
    elif view == "ratings":
        ui.part(data, "genre_rating_counts", lambda: _ratings(data))
    else:
        ui.part(data, "subscription_regions", lambda: _subscriptions(data))


def _weeks(data: PublishedSet) -> None:
    activity, devices = queries.weeks(data), queries.devices(data)
    ui.chart(charts.weeks(activity, devices["device"].to_list()), key="weeks")
    ui.table(
        activity,
        name="weekly_activity",
        data=data,
        labels={
            "week": DateColumn("Week of"),
            "device": "Device",
            "events": NumberColumn("Views", format="localized"),
            "minutes": NumberColumn("Minutes", format="localized"),
            "users": NumberColumn("Users", format="localized"),
        },
        groups=("users", "week", "device"),
        folded=True,
    )


def _hours(data: PublishedSet) -> None:
    hours = queries.hours(data)
    ui.chart(charts.hours(hours, theme=ui.theme()), key="hours")
    ui.table(
        hours,
        name="viewing_hours",
        data=data,
        labels={
            "weekday": NumberColumn("Weekday (1 = Monday)"),
            "hour": NumberColumn("Hour"),
            "events": NumberColumn("Views", format="localized"),
        },
        folded=True,
    )


def _segment_devices(data: PublishedSet) -> None:
    shown = ui.choose_segmentation_of(data, segment_questions.devices(data), key="devices_of")
    ui.chart(charts.segment_devices(shown, theme=ui.theme()), key="segment_devices")
    ui.table(
        segment_questions.with_badges(data, shown),
        name=f"segment_devices_{shown['segmentation'][0]}",
        data=data,
        labels={
            "segment_name": "Segment",
            "badge": "How sure it is",
            "device": "Device",
            "events": NumberColumn("Views", format="localized"),
            "share": NumberColumn("Share", format="percent"),
            "index": NumberColumn("Index", format="%.0f"),
        },
        groups=ui.OF_SEGMENT,
        folded=True,
    )


def _user_devices(data: PublishedSet) -> None:
    st.header("The busiest users")
    rows = queries.users_by_device(data)
    if not len(rows):
        ui.tell("Nobody of the known users watched anything.")
        return
    ui.chart(charts.user_devices(rows, theme=ui.theme()), key="user_devices")
    ui.offer(rows, name="busiest_users", data=data)


def _ratings(data: PublishedSet) -> None:
    boxes = queries.rating_boxes(data)
    ui.chart(charts.rating_boxes(boxes), key="boxes")
    ui.table(
        boxes,
        name="ratings_by_genre",
        data=data,
        labels={
            "genre_label": "Genre",
            "ratings": NumberColumn("Ratings", format="localized"),
            "mean": NumberColumn("Mean", format="%.2f"),
            "q1": NumberColumn("Lower quartile", format="%.1f"),
            "median": NumberColumn("Median", format="%.1f"),
            "q3": NumberColumn("Upper quartile", format="%.1f"),
        },
        folded=True,
    )


def _subscriptions(data: PublishedSet) -> None:
    rows = audience.subscription_regions(data)
    rated = rows["mean_ratings"].sum() > 0
    measures = _MEASURES if rated else {key: _MEASURES[key] for key in _MEASURES if key != "mean_ratings"}
    measure = ui.choose_view("Measure", measures, key="plans_by")
    ui.chart(charts.subscriptions(rows, measure, theme=ui.theme()), key="subscriptions")
    ui.table(
        rows,
        name="subscription_regions",
        data=data,
        labels={
            "region": "Region",
            "subscription": "Subscription",
            "users": NumberColumn("Users", format="localized"),
            **({"mean_ratings": NumberColumn("Ratings per user", format="%.1f")} if rated else {}),
            "mean_minutes": NumberColumn("Minutes per user", format="%.0f"),
        },
        groups=("users", "region", "subscription"),
        folded=True,
    )
