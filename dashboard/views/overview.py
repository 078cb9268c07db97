"""The first page: how much there is, who the audience is, what to do first.

Belongs here: order and words of the page. Does not belong here: queries, charts.
"""

import polars as pl
import streamlit as st
from streamlit.column_config import NumberColumn

from dashboard import ui
from dashboard.charts import segments as charts
from dashboard.charts.cloud import genre_cloud
from ml.plots.changes import headlines
from published.questions import audience, changes
from published.questions import segments as segment_questions
from published.sets import PublishedSet

_FIRST_ADVICE = 6
_OF_RATINGS = {
    "ratings": NumberColumn("Ratings", format="localized"),
    "raters": NumberColumn("Raters", format="localized"),
    "mean_rating": NumberColumn("Mean rating", format="%.2f"),
}
_OF_VIEWS = {
    "events": NumberColumn("Views", format="localized"),
    "viewers": NumberColumn("Viewers", format="localized"),
}


def show(data: PublishedSet) -> None:
    """Show the page."""
    marts = changes.compared(data)["marts"]
    with st.container(horizontal=True, gap="medium"):
        for label, count in headlines(marts.get("data_funnel"), marts.get("landing_manifest")):
            st.metric(label.capitalize(), f"{count:,}", width="content")
    if data.is_empty("segments"):
        st.warning(
            "This run made no segments: the source holds nobody and nothing that can be divided.",
            icon=":material/group_off:",
        )
    ui.part(data, "segments", lambda: _segments(data))
    ui.part(data, "genre_popularity", lambda: _genres(data))


def _advice(data: PublishedSet) -> None:
    st.header("What the figures advise")
    rows = audience.strategic_recommendations(data).select("rank", "topic", "sentence", "source")
    _advice_list(rows.head(_FIRST_ADVICE))
    if len(rows) > _FIRST_ADVICE:
        with st.expander(f"{len(rows) - _FIRST_ADVICE} more"):
            _advice_list(rows[_FIRST_ADVICE:])
    ui.offer(rows, name="strategic_recommendations", data=data)


def _advice_list(rows: pl.DataFrame) -> None:
    for row in rows.iter_rows(named=True):
        topic = row["topic"][:1].upper() + row["topic"][1:]
        st.markdown(f"{row['rank']}. **{ui.plain(topic)}:** {ui.plain(row['sentence'])}")


def _genres(data: PublishedSet) -> None:
    popularity = audience.genre_popularity(data)
    counted = next((column for column in ("ratings", "events") if popularity[column].sum()), None)
    if counted is None:
        return
    st.header("Genres")
    left, right = st.columns(2, gap="large")
    with left:
        ui.chart(genre_cloud(popularity, counted=counted, theme=ui.theme()), key="cloud")
    with right:
        ui.table(
            popularity,
            name="genre_popularity",
            data=data,
            labels={
                "genre_label": "Genre",
                **(_OF_RATINGS if counted == "ratings" else _OF_VIEWS),
                "minutes": NumberColumn("Minutes", format="localized"),
            },
        )


def _segments(data: PublishedSet) -> None:
    chosen = ui.choose_segmentation(data)
    segments = segment_questions.segments(data, chosen)
    unit = ui.unit(segments)
    st.header(ui.title_of(chosen))
    ui.chart(charts.sizes(segments, unit), key="sizes")
    _playbook(segments)
    if data.has("strategic_recommendations"):
        _advice(data)


def _playbook(segments: pl.DataFrame) -> None:
    sayings = ("audience", "content_strategy", "marketing_strategy")
    advised = [row for row in segments.iter_rows(named=True) if any(row[column] for column in sayings)]
    if not advised:
        return
    st.subheader("What to do with them")
    for start in range(0, len(advised), 2):
        for column, row in zip(st.columns(2), advised[start : start + 2], strict=False):
            with column, st.container(border=True, height="stretch"):
                ui.segment_name(row)
                ui.playbook(row)
                ui.link(
                    "segments",
                    "More of it",
                    segmentation=ui.title_of(row["segmentation"]),
                    view="One segment",
                    segment=row["segment_name"],
                )
