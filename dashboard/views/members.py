"""A list of people to take elsewhere: who is on it, what is told of them, in one file or one per segment.

Belongs here: order and words of the page. Does not belong here: queries, what a file may hold (`exports`).
"""

from collections.abc import Sequence
from datetime import date

import polars as pl
import streamlit as st
from streamlit.column_config import NumberColumn

from dashboard import exports, ui
from dashboard.queries import members as queries
from dashboard.settings import MINIMUM, minimum_members
from published.people import hide_emails
from published.questions import segments as questions
from published.sets import PublishedSet

_PREVIEW = 100
_ONE, _EACH = "One file", "One file per segment"


def show(data: PublishedSet) -> None:
    """Show the page."""
    divided = queries.segmentations(data)
    if not divided:
        ui.tell("Nobody is divided here: the segments of this source are of titles.")
        return
    units = {entity: ui.unit_of(entity) for entity in divided}
    entity = ui.choose_view("List of", units, key="list_of") if len(units) > 1 else next(iter(units))
    unit, segmentations = units[entity].lower(), divided[entity]
    memberships = _choose_segments(data, segmentations)
    known = queries.attributes(data) if entity == queries.USERS else []
    among, least = _choose_attributes(data, known) if known else ({}, {})
    choice = queries.Choice(entity, memberships, among, least)
    found, everybody = queries.count(data, choice), queries.count(data, queries.Choice(entity))
    st.header("The list")
    if 0 < found < minimum_members():
        st.info(f"{ui.too_few(unit)} {_why()}", icon=":material/visibility_off:")
        return
    st.metric(
        unit.capitalize(), f"{found:,}", delta=f"of {everybody:,}", delta_color="off", delta_arrow="off"
    )
    if not found:
        st.info("Nobody meets all of this.", icon=":material/person_off:")
        return
    st.caption(f"A list of fewer than {minimum_members()} would not be given out. {_why()}")
    _give_out(data, choice, segmentations, known)


def _why() -> str:
    return f"Whoever runs the dashboard sets that number ({ui.plain(MINIMUM)})."


def _choose_segments(data: PublishedSet, segmentations: Sequence[str]) -> list[queries.Membership]:
    """Let the reader choose segments and levels of each segmentation; one without a choice leaves everybody in."""
    chosen = []
    st.caption(
        "Any of the segments chosen in one field, and all of the fields together; an empty field asks nothing."
    )
    columns = st.columns(2)
    for i, segmentation in enumerate(segmentations):
        segments = questions.segments(data, segmentation)
        labels = {
            row["segment_id"]: f"{row['segment_name']} ({row['members']:,})"
            for row in segments.iter_rows(named=True)
        }
        with columns[i % 2]:
            ids = st.multiselect(
                ui.title_of(segmentation),
                list(labels),
                format_func=labels.__getitem__,
                key=f"in_{segmentation}",
                bind="query-params",
                placeholder="All segments",
            )
            levels = queries.levels(data, segmentation)
            wanted = (
                st.pills(
                    f"How much ({ui.title_of(segmentation).lower()})",
                    levels,
                    selection_mode="multi",
                    format_func=str.capitalize,
                    key=f"level_{segmentation}",
                    bind="query-params",
                )
                if levels
                else []
            )
        if ids or wanted:
            chosen.append(queries.Membership(segmentation, ids, wanted))
    return chosen


def _choose_attributes(
    data: PublishedSet, known: Sequence[str]
) -> tuple[dict[str, Sequence[str]], dict[str, float | date]]:
    """Let the reader narrow the list by what is known of users."""
    among: dict[str, Sequence[str]] = {}
    least: dict[str, float | date] = {}
    with st.expander("What is known of them"):
        columns = st.columns(2)
        for i, attribute in enumerate(known):
            label, key = queries.ATTRIBUTES[attribute], f"known_{attribute}"
            with columns[i % 2]:
                if attribute in queries.AT_LEAST:
                    if number := st.number_input(f"{label}, at least", min_value=0.0, value=None, key=key):
                        least[attribute] = number
                elif attribute in queries.SINCE:
                    if day := st.date_input(f"{label} or after", value=None, key=key):
                        least[attribute] = day
                elif some := st.multiselect(
                    label, queries.values(data, attribute), key=key, placeholder="Any"
                ):
                    among[attribute] = some
    return among, least


def _give_out(
    data: PublishedSet, choice: queries.Choice, segmentations: Sequence[str], known: Sequence[str]
) -> None:
    labels = {name: ui.title_of(name) for name in segmentations} | {
        name: queries.ATTRIBUTES[name] for name in known
    }
    asked = [membership.segmentation for membership in choice.memberships]
    columns = st.multiselect(
        "Columns beside the id",
        list(labels),
        default=asked or segmentations[:1],
        format_func=labels.__getitem__,
        key=f"columns_{choice.entity}_{'_'.join(asked)}",
        placeholder="The id alone",
    )
    told = [name for name in segmentations if name in columns]

    def members(of: Sequence[str], most: int | None = None) -> pl.DataFrame:
        return queries.members(
            data,
            choice,
            segmentations=of,
            attributes=[name for name in known if name in columns],
            minimum=minimum_members(),
            most=most,
        )

    small = [name for of in told for name in _small(data, of)]
    if small:
        st.caption(
            f"Not named in the list, for fewer than {minimum_members()} are in them: {ui.plain('; '.join(small))}."
        )
    _preview(members(told, _PREVIEW), choice.entity, labels)
    files = st.segmented_control("Files", [_ONE, _EACH], default=_ONE, required=True, key="files")
    if files == _ONE:
        ui.download_buttons(lambda: members(told), name="members", data=data, file=_called(data, choice))
        return
    options = asked or list(segmentations)
    by = options[0]
    if len(options) > 1:
        by = st.selectbox("One file per segment of", options, format_func=ui.title_of, key="files_by")
    _per_segment(data, members(list(dict.fromkeys([*told, by]))), by, _called(data, choice))


def _small(data: PublishedSet, segmentation: str) -> list[str]:
    rows = questions.segments(data, segmentation)
    return rows.filter(pl.col("members") < minimum_members())["segment_name"].to_list()


def _preview(rows: pl.DataFrame, entity: str, labels: dict[str, str]) -> None:
    shown = rows.with_columns(pl.col(entity).map_elements(hide_emails, return_dtype=pl.String))
    st.dataframe(
        shown,
        hide_index=True,
        column_config={
            entity: ui.unit_of(entity)[:-1],
            **labels,
            **{f"{name}_level": f"{label}: how much" for name, label in labels.items()},
            "minutes": NumberColumn(labels.get("minutes"), format="%.0f"),
            "mean_rating": NumberColumn(labels.get("mean_rating"), format="%.2f"),
        },
        height=280,
        placeholder="",
        alt="Table: the first on the list",
    )
    if not shown.equals(rows):
        st.caption("Addresses are hidden on this page; the file has them.")


def _per_segment(data: PublishedSet, rows: pl.DataFrame, by: str, called: str) -> None:
    """Offer an archive with a file per segment that is large enough on this list, and name those that are not."""
    parts = {str(name): own for (name,), own in rows.drop_nulls(by).group_by(by, maintain_order=True)}
    large = {name: parts[name] for name in sorted(parts) if len(parts[name]) >= minimum_members()}
    small = len(rows) - sum(map(len, large.values()))
    if small:
        st.caption(
            f"{small:,} of the list are in no file: their segment has fewer than {minimum_members()} of them, or they "
            "are in none."
        )
    if not large:
        return
    st.caption(
        f"{len(large)} files: {ui.plain('; '.join(f'{name} ({len(own):,})' for name, own in large.items()))}"
    )
    st.download_button(
        "ZIP of CSV",
        data=lambda: exports.to_zip(large),
        file_name=ui.dated(called, data, "zip"),
        mime="application/zip",
        key="members-zip",
        on_click="ignore",
        icon=":material/folder_zip:",
        type="tertiary",
    )


def _called(data: PublishedSet, choice: queries.Choice) -> str:
    """Return the name of a file after the segments and levels that were chosen."""
    words = []
    for membership in choice.memberships:
        names = dict(
            questions.segments(data, membership.segmentation).select("segment_id", "segment_name").iter_rows()
        )
        words += [*(names[segment_id] for segment_id in membership.segment_ids), *membership.levels]
    return exports.plain_name(" ".join(words) or ui.unit_of(choice.entity))
