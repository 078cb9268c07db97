"""What to watch: for a user, or for somebody who likes a few titles, with the reason for each.

Belongs here: order and words of the page. Does not belong here: queries, charts, recommending.
"""

import re

import polars as pl
import streamlit as st
from streamlit.column_config import CheckboxColumn, NumberColumn

from dashboard import ui
from dashboard.charts import recommend as charts
from dashboard.queries import recommend as queries
from dashboard.queries import titles as title_queries
from ml.plots.words import clean, number, within_sentence
from published.errors import PublishedError
from published.people import hide_emails
from published.questions import audience
from published.questions import segments as segment_questions
from published.questions import users as questions
from published.sets import PublishedSet

TABLES = ("recommendations", "recommender_metrics")
_FOR = {"user": "For a user", "liked": "For liked titles"}
_ANY = "Any genre"
_LONGEST_ID = 320
_MOST_LIKED = 50
"""Titles taken from an address, which anybody may write."""


def show(data: PublishedSet) -> None:
    """Show the page."""
    wanted = _for_user if ui.choose_view("Recommend", _FOR, key="for") == "user" else _for_liked
    ui.part(data, "recommendations", lambda: wanted(data))
    ui.part(data, "recommender_metrics", lambda: _quality(data))


def _for_user(data: PublishedSet) -> None:
    left, right = st.columns(2)
    first = queries.first_user(data) or ""
    with left:
        user_id = (
            st.text_input(
                "User",
                # An address stands in no field, and so in no address of a page, before somebody types it.
                value=first if hide_emails(first) == first else "",
                key="user",
                bind="query-params",
                max_chars=_LONGEST_ID,
            )
            .replace("\0", "")
            .strip()
        )
    with right:
        genre = _choose_genre(data)
    if not user_id:
        st.warning(_how_ids_look(first), icon=":material/person_off:")
        return
    advised = questions.recommendations(data, user_id)
    if not len(advised):
        _stranger(data, user_id, first)
        return
    _facts(data, user_id)
    shown = questions.recommendations(data, user_id, genre)
    if not len(shown):
        ui.tell(f"None of the {len(advised)} titles for this user has this genre.")
    else:
        _list(data, shown, name="recommendations_" + re.sub(r"[^\w-]+", "_", hide_emails(user_id)))
    if data.has("user_genres"):
        genres = queries.genres_of_user(data, user_id)
        if len(genres):
            ui.chart(
                charts.user_genre_sankey(
                    f"User {hide_emails(user_id)}", genres, shown, audience.interest(data).acted
                ),
                key="sankey",
            )


def _how_ids_look(example: str) -> str:
    return f"A user is known by an id such as {ui.plain(hide_emails(example))}."


def _stranger(data: PublishedSet, user_id: str, first: str) -> None:
    known = data.has("users")
    if known and questions.user(data, user_id):
        ui.tell(
            f"User {ui.plain(hide_emails(user_id))} has {audience.interest(data).acted} nothing yet, so nothing is"
            " recommended by taste. Choose liked titles instead."
        )
        return
    near = ", ".join(queries.users_near(data, user_id)) if known else ""
    st.warning(
        f"There is no user {ui.plain(hide_emails(user_id))}. "
        + (f"The nearest numbers are {near}." if near else _how_ids_look(first)),
        icon=":material/person_off:",
    )


def _facts(data: PublishedSet, user_id: str) -> None:
    user = questions.user(data, user_id) if data.has("users") else None
    if user is not None:
        facts = (
            ("Subscription", user["subscription"]),
            ("Region", user["region"]),
            ("Ratings", number(user["total_ratings"]) if user["total_ratings"] else None),
            ("Views", number(user["events"]) if user["events"] else None),
            ("Minutes", number(user["minutes"]) if user["minutes"] else None),
            ("Favourite genres", user["favourite_genres"]),
            ("Mostly on", user["favourite_device"]),
        )
        st.markdown(" · ".join(f"{label}: **{ui.plain(value)}**" for label, value in facts if value))
    if data.has("segment_members"):
        members = segment_questions.with_badges(data, queries.segments_of_user(data, user_id))
        if len(members):
            st.caption("In the segments")
            ui.sentences(
                [
                    f"{row['segment_name']} ({ui.title_of(row['segmentation'])})"
                    + (f": {within_sentence(row['badge'])}" if row["badge"] else "")
                    for row in members.iter_rows(named=True)
                ]
            )


def _for_liked(data: PublishedSet) -> None:
    left, right = st.columns(2)
    with left:
        text = st.text_input(
            "Find a title", placeholder="Words of a title", key="find", max_chars=200
        ).replace("\0", "")
    with right:
        genre = _choose_genre(data)
    hits = title_queries.search(data, text)
    if not len(hits):
        st.info("No title has all of these words, or words spelt like them.", icon=":material/search_off:")
    _liked_in_address(data)
    before = [
        title_id for title_id in st.session_state.get("liked", []) if title_id not in set(hits["title_id"])
    ]
    labels = title_queries.named(data, [*before, *hits["title_id"].to_list()])
    options = [title_id for title_id in [*before, *hits["title_id"].to_list()] if title_id in labels]
    liked = st.multiselect(
        "Liked titles",
        options,
        format_func=lambda title_id: clean(labels[title_id]),
        key="liked",
        placeholder="Choose among the titles found",
        # One place to type in: the field above finds titles whatever their accents, this one only lists them.
        filter_mode=None,
        select_all=False,
        persist_state="session",
    )
    if liked != st.query_params.get_all("liked"):
        st.query_params["liked"] = liked
    if not liked:
        st.info("Choose one title or a few that somebody likes.", icon=":material/thumb_up:")
        return
    try:
        stored = queries.recommender(data)
    except PublishedError as error:
        st.warning(ui.plain(error), icon=":material/warning:")
        return
    advised, unknown = queries.liked_recommendations(stored, liked, genre)
    if unknown:
        names = ", ".join(ui.plain(labels[title_id]) for title_id in unknown)
        ui.tell(f"Nobody {audience.interest(data).acted} {names}, so it says nothing of taste here.")
    if not len(advised):
        ui.tell("No title of this genre is left to recommend.")
        return
    _list(data, advised, name="recommendations_liked")


def _liked_in_address(data: PublishedSet) -> None:
    """Choose the liked titles that stand in the address, when the page is opened by it.

    The list is not bound to the address: what it offers hangs on the search, and a bound list forgets other titles.
    """
    if "liked" in st.session_state:
        return
    asked = list(dict.fromkeys(st.query_params.get_all("liked")))[:_MOST_LIKED]
    known = title_queries.named(data, asked) if asked else {}
    if known:
        st.session_state["liked"] = [title_id for title_id in asked if title_id in known]


def _choose_genre(data: PublishedSet) -> str | None:
    options = [_ANY, *queries.genres(data)] if data.has("titles") else [_ANY]
    chosen = st.selectbox("Genre", options, key="genre", bind="query-params", persist_state="session")
    return None if chosen in (None, _ANY) else chosen


def _list(data: PublishedSet, advised: pl.DataFrame, *, name: str) -> None:
    # A list and no table: a reason is a sentence, and a phone shows no second column of them. Nor does it scroll of its
    # own, which no keyboard could.
    with st.container(border=True):
        for row in advised.iter_rows(named=True):
            genres = f" · {ui.plain(row['genres'])}" if row["genres"] else ""
            st.markdown(
                f"{row['rank']}\\. **{ui.plain(row['title'])}**{genres}  \n:small[{ui.plain(row['reason'])}]"
            )
    ui.offer(advised, name=name, data=data)


def _quality(data: PublishedSet) -> None:
    st.header("How good the lists are")
    metrics = queries.metrics(data)
    shown = [metric for metric in ("ndcg", "genre_match") if metric in metrics.columns]
    for column, metric in zip(st.columns(2, gap="large"), shown, strict=False):
        with column:
            ui.chart(charts.model_quality(metrics, metric), key=f"quality_{metric}")
    with st.expander("All figures"):
        known = [name for name in metrics.columns if name not in ("model", "is_default", "is_baseline")]
        ui.table(
            metrics,
            name="recommender_metrics",
            data=data,
            labels={
                "model": "Model",
                "is_default": CheckboxColumn("Used"),
                "is_baseline": CheckboxColumn("Baseline"),
                **{metric: NumberColumn(metric, format="%.3f") for metric in known},
            },
        )
