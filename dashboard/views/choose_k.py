"""How many segments: every index of every candidate, and how sure the published fit is.

Belongs here: order and words of the page. Does not belong here: queries, charts.
"""

from collections.abc import Mapping
from typing import Any

import streamlit as st
from streamlit.column_config import CheckboxColumn, NumberColumn

from dashboard import ui
from dashboard.charts import choose_k as charts
from dashboard.charts import segments as segment_charts
from dashboard.queries import segments as queries
from ml.plots.choice_words import candidates, choice
from published.questions import segments as questions
from published.sets import PublishedSet

_MOST_POINTS = 2_000
"""Members on each of several maps, so that a page of them answers at once."""


def show(data: PublishedSet) -> None:
    """Show the page."""
    segmentation = ui.choose_segmentation(data)
    unit = ui.unit(questions.segments(data, segmentation))
    metrics = questions.k_metrics(data, segmentation)
    starts = questions.start_agreement(data, segmentation) if data.has("start_agreement") else None
    said = choice(
        candidates(metrics),
        ward_k=starts["ward_k"] if starts else None,
        is_anchored=bool(starts and starts["is_anchored"]),
    )
    ui.sentences(said)
    if trained := questions.trained_at(data, segmentation):
        st.caption(
            f"Every k was fitted and judged at {trained:%Y-%m-%d %H:%M} UTC, when the segments in force were trained, "
            "which serve until much changes."
        )
    drawn = [charts.index_over_k(metrics, index) for index in charts.INDICES]
    drawn.append(charts.sizes_over_k(metrics, unit))
    for start in range(0, len(drawn), 3):
        for place, column in enumerate(st.columns(3, gap="medium")[: len(drawn) - start]):
            with column:
                ui.chart(drawn[start + place], key=f"index_{start + place}")
    ui.table(
        metrics,
        name=f"k_metrics_{segmentation}",
        data=data,
        labels={
            "k": NumberColumn("k"),
            "inertia": NumberColumn("Inertia", format="localized"),
            "silhouette": NumberColumn("Silhouette", format="%.3f"),
            "calinski_harabasz": NumberColumn("Calinski–Harabasz", format="%.1f"),
            "davies_bouldin": NumberColumn("Davies–Bouldin", format="%.3f"),
            "size_min": NumberColumn("Smallest", format="localized"),
            "size_max": NumberColumn("Largest", format="localized"),
            "is_elbow": CheckboxColumn("Elbow"),
            "is_published": CheckboxColumn("Published"),
            "lift": NumberColumn("Held-out lift", format="%.2f"),
            "bootstrap_ari": NumberColumn("Stability", format="%.2f"),
        },
    )
    st.header("Explored k side by side")
    ui.part(data, "segment_map", lambda: _side_by_side(data, segmentation, unit))
    if starts:
        _starts(data, segmentation, starts)


def _side_by_side(data: PublishedSet, segmentation: str, unit: str) -> None:
    explored = queries.explored(data, segmentation)
    if len(explored) == 1:
        st.caption(
            f"Only k = {explored[0]} was explored; `explore` in the segmentation's declaration names more."
        )
    ratios = queries.explained(data, segmentation)
    for start in range(0, len(explored), 2):
        for column, k in zip(st.columns(2, gap="large"), explored[start : start + 2], strict=False):
            with column:
                st.subheader(f"k = {k}")
                points = queries.points(data, segmentation, k, _MOST_POINTS)
                ui.chart(
                    segment_charts.segment_map(points, ratios, unit=unit, theme=ui.theme(), height=420),
                    key=f"map_{k}",
                )


def _starts(data: PublishedSet, segmentation: str, starts: Mapping[str, Any]) -> None:
    st.header("How much hangs on where it started")
    with st.container(horizontal=True, gap="medium"):
        st.metric("Starts tried", f"{starts['starts']:,}", width="content")
        st.metric("Reached the best fit", f"{starts['best_start_share']:.0%}", width="content")
        st.metric(
            "Agreement between starts",
            f"{starts['start_agreement']:.2f}",
            width="content",
            help="Adjusted Rand index: 1 is the same segments, 0 is chance.",
        )
        if starts["is_anchored"]:
            st.metric("Agreement with the best free fit", f"{starts['free_agreement']:.2f}", width="content")
    if data.has("free_segments"):
        free = questions.free_segments(data, segmentation)
        if len(free) and starts["is_anchored"]:
            st.subheader("What K-Means finds without declared groups")
            st.markdown(ui.plain(charts.free_overlap(free)))
            ui.table(
                free,
                name=f"free_segments_{segmentation}",
                data=data,
                labels={
                    "members": NumberColumn("Members", format="localized"),
                    "nearest_segment_name": "Shares most with",
                    "shared_members": NumberColumn("Shared members", format="localized"),
                    "shared_share": NumberColumn("Share", format="percent"),
                },
                groups=("members", "group_id"),
            )
