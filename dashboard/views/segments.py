"""Who the segments are: beside each other, one by one, by genre and on the map.

Belongs here: order and words of the page. Does not belong here: queries, charts.
"""

from collections.abc import Mapping, Sequence

import polars as pl
import streamlit as st
from streamlit.column_config import NumberColumn, TextColumn

from dashboard import exports, ui
from dashboard.charts import segments as charts
from dashboard.queries import members as member_queries
from dashboard.queries import segments as queries
from dashboard.settings import minimum_members
from ml.plots import segment_words as words
from ml.plots.segment_card import Card, Part, card, described
from ml.plots.words import feature_labels, in_kind, percent
from published.people import hide_emails
from published.questions import audience
from published.questions import segments as questions
from published.sets import PublishedSet

_VIEWS = {
    "compare": "Compare",
    "one": "One segment",
    "genres": "Genres",
    "map": "Map",
    "trust": "Can it be trusted?",
}
_TABLES = {
    "genres": ("segment_genre_ratings",),
    "map": ("segment_map",),
    "trust": ("segment_promotions", "segment_quality"),
}
_MEANS = {
    "rater_mean_rating": "Mean rating of raters",
    "published_mean_rating": "Mean rating as published",
}


def show(data: PublishedSet) -> None:
    """Show the page."""
    segmentation = ui.choose_segmentation(data)
    segments = questions.segments(data, segmentation)
    views = dict(ui.with_data(data, _VIEWS, _TABLES))
    if data.has("segment_genre_ratings") and not len(questions.genre_ratings(data, segmentation)):
        views.pop("genres")  # customers and titles rate nothing
    view = ui.choose_view("View", views, key="view")
    everybody = f"all {ui.unit(segments)}"
    if view == "compare":
        _compare(data, segmentation, segments, everybody)
    elif view == "one":
        _drill(data, segmentation, segments, everybody)
    elif view == "genres":
        ui.part(data, "segment_genre_ratings", lambda: _genres(data, segmentation))
    elif view == "map":
        ui.part(data, "segment_map", lambda: _map(data, segmentation, ui.unit(segments)))
    else:
        ui.part(data, "segment_promotions", lambda: _decision(data, segmentation))
        ui.part(data, "segment_quality", lambda: _figures(data, segmentation, ui.unit(segments)))


def _compare(data: PublishedSet, segmentation: str, segments: pl.DataFrame, everybody: str) -> None:
    ui.chart(charts.sizes(segments, ui.unit(segments)), key="sizes")
    ui.table(
        segments.with_columns(pl.col("audience").fill_null("")),
        name=f"segments_{segmentation}",
        data=data,
        downloads=segments,
        labels={
            "segment_name": "Segment",
            "members": NumberColumn(ui.unit(segments).capitalize(), format="localized"),
            "share": NumberColumn("Share", format="percent"),
            "badge": "How sure it is",
            "audience": "Who they are",
        },
        groups=ui.OF_SEGMENT,
    )
    for row in segments.iter_rows(named=True):
        if row.get("name_doubt"):
            st.markdown(f"**{ui.plain(row['segment_name'])}:** {ui.plain(row['name_doubt'])}.")
    ui.part(data, "segment_profiles", lambda: _differences(data, segmentation, segments, everybody))


def _differences(data: PublishedSet, segmentation: str, segments: pl.DataFrame, everybody: str) -> None:
    st.header("How they differ")
    names = segments["segment_name"].to_list()
    chosen = st.pills(
        "Segments to compare",
        names,
        default=names,
        selection_mode="multi",
        format_func=ui.plain,
        key=f"compared_{segmentation}",
    )
    profiles = described(queries.profiles(data, segmentation))
    shown = profiles.filter(pl.col("segment_name").is_in(chosen))
    if not len(shown):
        ui.tell("Choose at least one segment to compare.")
        return
    ui.chart(
        charts.compare(shown, everybody=everybody, called=questions.feature_names(data, segmentation)),
        key="compare",
    )
    with st.expander("All figures"):
        _profile_table(data, shown, name=f"profiles_{segmentation}")


def _profile_table(data: PublishedSet, profiles: pl.DataFrame, *, name: str) -> None:
    shown = described(profiles)
    written = [
        [in_kind(mean, kind, unit) for mean, kind, unit in shown.select(column, "kind", "unit").iter_rows()]
        for column in ("segment_mean", "base_mean")
    ]
    ui.table(
        shown.with_columns(pl.Series("own", written[0]), pl.Series("everybody", written[1])),
        name=name,
        data=data,
        labels={
            "segment_name": "Segment",
            "feature_label": "Feature",
            "own": "Mean",
            "everybody": "Mean of all",
            "index": NumberColumn("Index", format="%.0f"),
        },
        downloads=profiles,
        groups=("members", "segment_id", "segment_name"),
    )


def _drill(data: PublishedSet, segmentation: str, segments: pl.DataFrame, everybody: str) -> None:
    names = segments["segment_name"].to_list()
    chosen = st.selectbox("Segment", names, key="segment", bind="query-params")
    segment = segments.filter(pl.col("segment_name") == chosen).row(0, named=True)
    own = pl.col("segment_id") == segment["segment_id"]
    shown = card(segment, questions.card_rows(data, segmentation))
    with st.container(border=True):
        ui.segment_name(segment)
        ui.playbook(segment)
        _who(shown)
    if data.has("recommendations"):
        _recommended(data, segment)
    if data.has("segment_titles"):
        _titles(data, questions.titles(data, segmentation).filter(own), segment)
    if data.has("segment_unfinished"):
        _unfinished(data, questions.of(data, "segment_unfinished", segmentation).filter(own), segment)
    ui.part(data, "segment_profiles", lambda: _profile(data, segmentation, segment, shown, everybody))
    _sayings("What it does not mean", [f"{sentence}." for sentence in shown.does_not_mean])
    _sayings("How sure it is", shown.badge.why)
    if data.has("segment_claims"):
        _claims(questions.claims(data, segmentation).filter(own), questions.feature_names(data, segmentation))
    _sayings("Titles most like it", shown.examples)
    if shown.members >= minimum_members():
        _exemplars(data, shown)
    _members(data, segmentation, segment)


def _who(shown: Card) -> None:
    """Show what defines a segment, its rule in words, what it likes, and how it watches."""
    if shown.always:
        st.markdown(f"**All of them:** {ui.plain('; '.join(shown.always))}")
    if shown.levels:
        st.markdown(f"**How much:** {ui.plain(shown.levels)}")
    if shown.rule:
        st.markdown(f"**By rule:** {ui.plain(shown.rule)}")
        st.caption(ui.plain(shown.rule_holds))
    elif shown.rule_holds:
        st.markdown(f"**No rule in words:** {ui.plain(shown.rule_holds)}")
    if shown.genres:
        st.markdown(f"**Favourite genres, of all ratings by genre:** {_shares(shown.genres)}")
    if shown.favourites:
        best = ", ".join(f"{label} {mean:.2f}" for label, mean in shown.favourites)
        st.markdown(f"**Rated highest by those who rated it (stars):** {ui.plain(best)}")
    if shown.devices:
        on = ", ".join(f"{row['device']} {percent(row['share'], 0)}" for row in shown.devices)
        st.markdown(f"**Watches on:** {ui.plain(on)}")
    if shown.hours:
        st.markdown(f"**Watches most:** {_shares(shown.hours)}")
    if shown.watched:
        st.markdown(f"**Of a title that they watch, they see on average:** {_shares([shown.watched])}")
    if shown.subscriptions:
        st.markdown(f"**Subscriptions:** {_shares(shown.subscriptions)}")


def _shares(parts: Sequence[Part]) -> str:
    said = []
    for part in parts:
        beside = "" if part.everybody is None else f" (everybody {percent(part.everybody, 0)})"
        said.append(f"{part.name} {percent(part.share, 0)}{beside}")
    return ui.plain(", ".join(said))


def _recommended(data: PublishedSet, segment: dict) -> None:
    """Show what most of a segment are recommended; a handful would be told of one by one."""
    rows = queries.recommended(data, segment["segmentation"], segment["segment_id"])
    if not len(rows) or segment["members"] < minimum_members():
        return
    st.subheader("What to recommend to it")
    st.caption(
        f"What stands among the first ten for most of the {rows['size'][0]:,} members with a list of their own."
    )
    ui.table(
        rows,
        name=f"recommended_{segment['segmentation']}_{segment['segment_id']}",
        data=data,
        labels={
            "title": TextColumn("Title", width="medium"),
            "share": NumberColumn("For members", format="percent"),
            "base_share": NumberColumn("For everybody", format="percent"),
            "genres": "Genres",
        },
    )


def _sayings(head: str, sentences: Sequence[str]) -> None:
    if sentences:
        st.subheader(head)
        ui.sentences(sentences)


def _exemplars(data: PublishedSet, shown: Card) -> None:
    """Show the users most like a segment, by their ids as these may be shown, and what they did last."""
    if not shown.exemplars:
        return
    acted = audience.interest(data).acted
    st.subheader("Users most like it")
    ui.sentences(
        [
            f"User {hide_emails(user['entity_id'])}: {user['titles']:,} titles {acted}; the last: {user['history']}"
            for user in shown.exemplars
        ]
    )


def _unfinished(data: PublishedSet, titles: pl.DataFrame, segment: dict) -> None:
    if not len(titles):
        return
    st.subheader("Titles they begin and leave")
    usual = percent(titles["usual_share"][0], 0)
    st.caption(
        f"Of those who began it, who saw less than half in all; of all that these members begin they leave {usual}."
    )
    ui.table(
        titles,
        name=f"unfinished_{segment['segmentation']}_{segment['segment_id']}",
        data=data,
        labels={
            "rank": NumberColumn("#", width=50),
            "title": TextColumn("Title", width="large"),
            "viewers": NumberColumn("Began it", format="localized"),
            "left_share": NumberColumn("Left it", format="percent"),
        },
        groups=("viewers",),
    )


def _titles(data: PublishedSet, titles: pl.DataFrame, segment: dict) -> None:
    if not len(titles):
        return
    words = audience.interest(data)
    st.subheader(f"Titles they {words.act} more often than how much they {words.act} explains")
    st.caption(
        f"Index: 100 is as many {words.people} as how much these members {words.act} leads one to expect."
    )
    ui.table(
        titles,
        name=f"titles_{segment['segmentation']}_{segment['segment_id']}",
        data=data,
        labels={
            "rank": NumberColumn("#", width=50),
            "title": TextColumn("Title", width="large"),
            "genres": "Genres",
            "raters": NumberColumn(words.people.capitalize(), format="localized"),
            "rater_share": NumberColumn(f"Share who {words.acted} it", format="percent"),
            "index": NumberColumn("Index", format="%.0f"),
        },
        groups=ui.OF_SEGMENT,
    )


def _profile(data: PublishedSet, segmentation: str, segment: dict, shown: Card, everybody: str) -> None:
    with st.container(horizontal=True, gap="medium"):
        for measure in shown.measures:
            st.metric(
                f"{measure.label}, mean",
                measure.own,
                delta=f"{measure.everybody} for {everybody}",
                delta_color="off",
                delta_arrow="off",
                width="content",
            )
    ui.chart(charts.leanings(shown, everybody), key="leanings")
    own = queries.profiles(data, segmentation).filter(pl.col("segment_id") == segment["segment_id"])
    with st.expander("All figures"):
        _profile_table(data, own, name=f"profile_{segmentation}_{segment['segment_id']}")


def _claims(claims: pl.DataFrame, called: Mapping[str, str]) -> None:
    if not len(claims):
        return
    st.subheader("What holds, and what does not")
    for row in claims.iter_rows(named=True):
        icon = ":material/check_circle:" if row["is_supported"] else ":material/help:"
        said = (
            row["text"]
            if row["is_supported"]
            else f"{feature_labels([row['feature']], called)[0]}: no claim, {row['text']}"
        )
        st.markdown(f"{icon} {ui.plain(said)}")


def _members(data: PublishedSet, segmentation: str, segment: dict) -> None:
    unit = ui.unit_of(segment["entity"])
    st.subheader(unit)
    if segment["members"] < minimum_members():
        st.info(ui.too_few(unit.lower()), icon=":material/visibility_off:")
        return
    st.caption("All of them; the page Members narrows a list down and joins several segments.")
    own = member_queries.Membership(segmentation, [segment["segment_id"]])
    ui.download_buttons(
        lambda: member_queries.members(
            data,
            member_queries.Choice(segment["entity"], [own]),
            segmentations=[segmentation],
            minimum=minimum_members(),
        ),
        name=f"members_{segmentation}_{segment['segment_id']}",
        data=data,
        file=exports.plain_name(segment["segment_name"]),
    )


def _genres(data: PublishedSet, segmentation: str) -> None:
    ratings = questions.genre_ratings(data, segmentation)
    words = audience.interest(data)
    means = _MEANS if ratings["published_mean_rating"].count() else {}
    measures = {**means, "rater_share": f"Share who {words.acted} it"}
    measure = ui.choose_view("Measure", measures, key="measure") if means else "rater_share"
    ui.chart(charts.genre_heatmap(ratings, measure, theme=ui.theme(), acted=words.acted), key="genres")
    ui.table(
        ratings,
        name=f"genres_{segmentation}",
        data=data,
        labels={
            "segment_name": "Segment",
            "genre_label": "Genre",
            "raters": NumberColumn(words.people.capitalize(), format="localized"),
            "rater_share": NumberColumn(f"Share who {words.acted} it", format="percent"),
            **{column: NumberColumn(label, format="%.2f") for column, label in means.items()},
        },
        groups=("members", "segment_id", "segment_name"),
    )


def _map(data: PublishedSet, segmentation: str, unit: str) -> None:
    points = queries.points(data, segmentation, len(questions.segments(data, segmentation)))
    ui.chart(
        charts.segment_map(points, queries.explained(data, segmentation), unit=unit, theme=ui.theme()),
        key="map",
    )
    st.subheader("What the two directions are made of")
    loadings = questions.loadings(data, segmentation)
    for column, component in zip(st.columns(2, gap="large"), (1, 2), strict=True):
        rows = loadings.filter(pl.col("component") == component)
        if len(rows):
            with column:
                labels = feature_labels(
                    rows["feature"].to_list(), questions.feature_names(data, segmentation)
                )
                ui.chart(charts.component(rows, labels), key=f"component_{component}")
    ui.offer(loadings.drop("explained_variance_ratio"), name=f"pca_loadings_{segmentation}", data=data)


def _decision(data: PublishedSet, segmentation: str) -> None:
    decisions = questions.of(data, "segment_promotions", segmentation)
    if said := words.decision(decisions):
        show_as = st.success if words.is_sound(decisions) else st.warning
        show_as(ui.plain(said))


def _figures(data: PublishedSet, segmentation: str, unit: str) -> None:
    quality = questions.of(data, "segment_quality", segmentation)
    ui.sentences(words.findings(quality, unit))
    figures = words.figures(quality)
    if not figures:
        return
    heads = {
        "Measure": [row.label for row in figures],
        "Value": [row.value for row in figures],
        "95% interval": [row.interval for row in figures],
        "Asked for": [row.threshold for row in figures],
        "Holds": [{True: "yes", False: "no", None: ""}[row.passed] for row in figures],
        "Random labels": [row.beside[0] for row in figures],
        "Volume alone": [row.beside[1] for row in figures],
        "Shuffled titles": [row.beside[2] for row in figures],
    }
    st.caption(words.AGREEMENT)
    ui.table(
        pl.DataFrame(heads),
        name=f"quality_{segmentation}",
        data=data,
        labels={head: head for head in heads},
        height=35 * (len(figures) + 1) + 3,
        downloads=quality,
    )
