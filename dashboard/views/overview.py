"""The first page: how much there is, who the audience is, what to do first.

Belongs here: order and words of the page. Does not belong here: queries, charts.
"""

import polars as pl
import streamlit as st

from dashboard import ui
from dashboard.charts import segments as charts
from dashboard.published import PublishedSet
from dashboard.queries import overview as queries
from dashboard.queries import segments as segment_queries


def show(data: PublishedSet) -> None:
    """Show the page."""
    st.title("Overview")
    headlines = queries.headlines(data)
    with st.container(horizontal=True, gap="large"):
        for label, count in headlines.items():
            st.metric(label, f"{count:,}", width="content")
    ui.part(data, "segments", "viewers or customers to divide", lambda: _segments(data))


def _segments(data: PublishedSet) -> None:
    chosen = ui.choose_segmentation(data)
    segments = segment_queries.segments(data, chosen)
    unit = ui.unit(segments)
    st.header(ui.title_of(chosen))
    ui.chart(charts.sizes(segments, unit), key="sizes")
    _playbook(segments)


def _playbook(segments: pl.DataFrame) -> None:
    advised = [row for row in segments.iter_rows(named=True) if row["audience"]]
    if not advised:
        return
    st.subheader("What to do with them")
    for start in range(0, len(advised), 2):
        for column, row in zip(st.columns(2), advised[start : start + 2], strict=False):
            with column, st.container(border=True, height="stretch"):
                ui.segment_name(row)
                st.markdown(ui.plain(row["audience"]))
                st.markdown(f"**Content:** {ui.plain(row['content_strategy'])}")
                st.markdown(f"**Marketing:** {ui.plain(row['marketing_strategy'])}")
