"""Who is about to leave: how many, how surely, who they are, in which segments.

Belongs here: order and words of the page. Does not belong here: queries, charts, the scores (`ml.departure`).
"""

from typing import Any

import polars as pl
import streamlit as st
from streamlit.column_config import NumberColumn

from dashboard import ui
from dashboard.charts import leaving as charts
from dashboard.queries import leaving as queries
from dashboard.settings import minimum_members
from ml.plots import departure_words
from ml.plots.words import decimals
from published.people import hide_emails
from published.questions.audience import interest
from published.sets import PublishedSet

_PREVIEW = 100


def show(data: PublishedSet) -> None:
    """Show the page."""
    figures = queries.figures(data)
    if data.is_empty("departure"):
        ui.tell(ui.plain(f"{departure_words.why_not(figures)}."))
        st.caption(ui.plain(departure_words.judged(figures)))
        return
    ui.part(data, "departure", lambda: _scores(data, figures))


def _scores(data: PublishedSet, figures: departure_words.Figures) -> None:
    scored, auc = queries.scored(data), figures["auc"]
    day = f"{scored['as_of'].day} {scored['as_of']:%B %Y}"
    st.markdown(
        f"**{ui.plain(departure_words.expected(scored))}; AUC {ui.plain(decimals(auc['value']))}, recency alone "
        f"{ui.plain(decimals(auc['beside']))}.**"
    )
    st.caption(
        ui.plain(
            f"To leave is to show no view and no rating in the {scored['horizon_days']} days after {day}, the day of "
            "the newest event, or to end the subscription in them. AUC: how surely a user who left had a higher score "
            f"than one who stayed. {departure_words.judged(figures)}"
        )
    )
    own = pl.DataFrame({"segmentation": []})
    if data.has("departure_groups"):
        own = ui.choose_segmentation_of(data, queries.groups(data), key="leaving")
    st.header("Users with the highest scores")
    _users(data, own["segmentation"][0] if len(own) else None, scored["users"])
    if len(own):
        st.header("By segment")
        _segments(data, own)
    else:
        ui.part(data, "departure_groups", lambda: None)


def _users(data: PublishedSet, segmentation: str | None, found: int) -> None:
    least = minimum_members()
    if found < least:
        st.info(ui.too_few("users"), icon=":material/visibility_off:")
        return
    rows = queries.users(data, segmentation, minimum=least, most=_PREVIEW)
    shown = rows.with_columns(pl.col("user_id").map_elements(hide_emails, return_dtype=pl.String))
    labels: dict[str, Any] = {
        "user_id": "User",
        "decile": NumberColumn("Tenth", help="1 is the tenth with the highest scores"),
        "score": NumberColumn("Chance to leave", format="percent"),
        "reason": "Reason",
        "segment": ui.title_of(segmentation) if segmentation else "",
    }
    st.dataframe(
        shown,
        hide_index=True,
        column_order=[column for column in labels if column != "segment" or segmentation],
        column_config=labels,
        height=280,
        placeholder="",
        alt="Table: users with the highest scores",
    )
    hidden = "" if shown.equals(rows) else " Addresses are hidden on this page; the files have them."
    st.caption(f"{len(rows):,} of {found:,} are shown; the files have all.{hidden}")
    ui.download_buttons(lambda: queries.users(data, segmentation, minimum=least), name="departure", data=data)


def _segments(data: PublishedSet, own: pl.DataFrame) -> None:
    if own["scored"].sum():
        ui.chart(charts.scores(own, least=interest(data).least_raters), key="leaving_scores")
    ui.table(
        own,
        name="departure_groups",
        data=data,
        labels={
            "group_name": "Segment",
            "members": NumberColumn("Members", format="localized"),
            "scored": NumberColumn("Active of late", format="localized"),
            "mean_score": NumberColumn("Expected to leave", format="percent"),
            "base_score": NumberColumn("Of everybody", format="percent"),
            "top_decile": NumberColumn("In the first tenth", format="localized"),
        },
        groups=("scored", "segmentation", "group_name"),
        folded=True,
    )
