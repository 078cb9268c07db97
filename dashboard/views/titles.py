"""One title: how it was received, who watches it, what is like it; and titles by genre.

Belongs here: order and words of the page. Does not belong here: queries, charts.
"""

import polars as pl
import streamlit as st
from streamlit.column_config import NumberColumn, ProgressColumn, TextColumn

from dashboard import ui
from dashboard.charts import titles as charts
from dashboard.queries import recommend as recommending
from dashboard.queries import titles as queries
from dashboard.settings import minimum_members
from ml.plots.words import clean, number
from published.errors import PublishedError
from published.people import hide_emails
from published.questions import audience
from published.questions import segments as segment_questions
from published.sets import PublishedSet

_VIEWS = {"one": "One title", "genres": "By genre"}
_MOST_ALIKE = 12
_CATALOGUES = {"movies": "the films and series here", "streaming": "the streaming catalogue"}


def show(data: PublishedSet) -> None:
    """Show the page."""
    rated = len(queries.by_genre(data)) > 0
    if rated and ui.choose_view("View", _VIEWS, key="titles") == "genres":
        _by_genre(data)
        return
    text = st.text_input(
        "Search", placeholder="Words of a title", key="search", bind="query-params", max_chars=200
    ).replace("\0", "")
    hits = queries.search(data, text)
    if not len(hits):
        st.info("No title has all of these words, or words spelt like them.", icon=":material/search_off:")
        return
    labels = dict(zip(hits["title_id"], map(queries.label, hits.iter_rows(named=True)), strict=True))
    # The most rated come first, and where nobody rated, those with the most votes, if there are any.
    voted = "The titles with the most votes" if hits["votes"].sum() else "Titles"
    first = "The most rated titles" if hits["rating_count"].sum() else voted
    found = first if not text.strip() else f"{len(hits):,} found"
    chosen = st.selectbox(
        found if len(hits) < 50 or not text.strip() else "The first 50 found",
        list(labels),
        format_func=lambda title_id: clean(labels[title_id]),
        key=f"title_{text}",
    )
    with st.expander("All of them as a table"):
        _hits(data, hits)
    _title(data, chosen)


def _hits(data: PublishedSet, hits: pl.DataFrame) -> None:
    ui.table(
        hits,
        name="titles_found",
        data=data,
        labels={
            "title": TextColumn("Title", width="large"),
            "release_year": NumberColumn("Year", format="%d"),
            "genres": "Genres",
            "rating_count": NumberColumn("Ratings", format="localized"),
            "mean_rating": NumberColumn("Mean rating", format="%.2f"),
            "weighted_score": NumberColumn("Weighted score", format="%.1f"),
            "catalogue": "Catalogue",
        },
    )


def _title(data: PublishedSet, title_id: str) -> None:
    title = queries.title(data, title_id)
    if title is None:
        return
    st.header(ui.plain(queries.label(title)), anchor=False)
    facts = [title["kind"], title["runtime"], title["genres"], title["languages"], title["countries"]]
    if (
        title["runtime_minutes"] and title["catalogue"] == "movies"
    ):  # elsewhere minutes are guessed from the bucket
        facts[1] = f"{title['runtime_minutes']:.0f} minutes"
    known = [ui.plain(fact) for fact in facts if fact]
    where = _CATALOGUES.get(title["catalogue"], title["catalogue"])
    st.markdown(" · ".join([*known, f"in {ui.plain(where)}"]))
    _scores(title)
    if data.has("segment_members"):
        _reception(data, title_id)
    ui.part(data, "title_audience", lambda: _audience(data, title))
    if data.has("recommendations"):
        _likeliest(data, title)
    ui.part(data, "similar_titles", lambda: _similar(data, title))


def _scores(title: dict) -> None:
    scores = (
        ("Audience score", title["audience_score"], "0 to 100"),
        ("Critics' score", title["critic_score"], "0 to 100"),
        (
            "Weighted score",
            title["weighted_score"],
            "The audience score, drawn to the mean where votes are few",
        ),
        ("Votes", title["votes"] or None, None),
        ("Ratings here", title["rating_count"] or None, None),
        ("Mean rating here", title["mean_rating"], "Stars"),
    )
    with st.container(horizontal=True, gap="medium"):
        for label, value, meaning in scores:
            if value is not None:
                st.metric(label, number(value), help=meaning, width="content")


def _reception(data: PublishedSet, title_id: str) -> None:
    cluster = queries.reception(data, title_id)
    if cluster is None:
        return
    st.subheader("Received like")
    with st.container(border=True):
        ui.segment_name(cluster)
        if cluster["audience"]:
            st.markdown(ui.plain(cluster["audience"]))


def _audience(data: PublishedSet, title: dict) -> None:
    st.subheader("Audience by segment")
    words = audience.interest(data)
    rows = queries.audience(data, title["title_id"])
    if not len(rows):
        st.caption(f"Nobody in a segment {words.acted} this title.")
        return
    shown = ui.choose_segmentation_of(data, rows, key="audience")
    ui.chart(charts.audience(shown, title["title"], words), key="audience_chart")
    ui.table(
        segment_questions.with_badges(data, shown),
        name=f"audience_{title['title_id']}",
        data=data,
        labels={
            "segment_name": "Segment",
            "badge": "How sure it is",
            "members": NumberColumn("Members", format="localized"),
            "raters": NumberColumn(words.people.capitalize(), format="localized"),
            "rater_share": NumberColumn(f"Share who {words.acted} it", format="percent"),
            "index": NumberColumn("Index", format="%.0f"),
            "index_low": NumberColumn("From", format="%.0f"),
            "index_high": NumberColumn("To", format="%.0f"),
            "raw_index": NumberColumn(
                "Raw index",
                format="%.0f",
                help="Beside everybody, how much they rate not taken into account",
            ),
            "mean_rating": NumberColumn("Mean rating", format="%.2f"),
        },
        groups=ui.OF_SEGMENT,
        folded=True,
    )


def _likeliest(data: PublishedSet, title: dict) -> None:
    """List who will most likely watch the title, when asked: all users are scored for it."""
    words = audience.interest(data)
    st.subheader("Who is likely to watch it next")
    if not st.toggle(f"List users who have not {words.acted} it", key="likeliest"):
        return
    most = st.number_input(
        "Users", min_value=minimum_members(), max_value=100_000, value=max(500, minimum_members()), step=100
    )
    try:
        stored = recommending.recommender(data)
    except PublishedError as error:
        st.warning(ui.plain(error), icon=":material/warning:")
        return
    found = recommending.likeliest(data, stored, title["title_id"], int(most))
    if found is None:
        ui.tell(f"Nobody {words.acted} this title, so nothing is known of who would.")
        return
    if len(found) < minimum_members():
        st.info(
            f"Fewer than {minimum_members()} users have not {words.acted} it: their list is not given out.",
            icon=":material/visibility_off:",
        )
        return
    st.caption(
        f"Those come first of whom what they have {words.acted} speaks most for it, by the recommender's score."
    )
    ui.table(
        found.with_columns(pl.col("user_id").map_elements(hide_emails, return_dtype=pl.String)),
        name=f"likely_to_watch_{title['title_id']}",
        data=data,
        labels={
            "rank": NumberColumn("#", width=50),
            "user_id": "User",
            "score": NumberColumn("Score", format="%.2f"),
            "segment_name": "Segment",
        },
        height=280,
        downloads=found,
    )


def _similar(data: PublishedSet, title: dict) -> None:
    st.subheader("Similar titles")
    near = queries.similar(data, title["title_id"])
    if not len(near):
        st.caption("Nothing is known to be like this title.")
        return
    ui.table(
        near.with_columns(basis=pl.col("basis").replace("ratings", audience.interest(data).given)),
        name=f"similar_{title['title_id']}",
        data=data,
        labels={
            "rank": NumberColumn("#", width=50),
            "similar_title": TextColumn("Title", width="medium"),
            "release_year": NumberColumn("Year", format="%d"),
            "genres": "Genres",
            "similarity": ProgressColumn("Similarity", format="%.2f", min_value=0, max_value=1),
            "basis": "By",
            "rating_count": NumberColumn("Ratings", format="localized"),
        },
        height=280,
    )
    first = near.head(_MOST_ALIKE)
    titles = [
        (title["title_id"], title["title"]),
        *first.select("similar_title_id", "similar_title").iter_rows(),
    ]
    pairs = queries.similarities(data, [title_id for title_id, _ in titles])
    ui.chart(charts.similarity_heatmap(titles, pairs, theme=ui.theme()), key="similarity")


def _by_genre(data: PublishedSet) -> None:
    titles = queries.by_genre(data)
    ui.chart(charts.genre_strip(titles), key="strip")
    ui.table(
        titles,
        name="titles_by_genre",
        data=data,
        labels={
            "genre_label": "Genre",
            "title": TextColumn("Title", width="large"),
            "rating_count": NumberColumn("Ratings", format="localized"),
            "mean_rating": NumberColumn("Mean rating", format="%.2f"),
        },
        folded=True,
    )
