"""The pieces pages are made of: charts with findings, tables with downloads, choices, words on what is missing.

Belongs here: what two pages show alike. Does not belong here: any one page, queries, charts.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from typing import Any

import numpy as np
import polars as pl
import streamlit as st

from dashboard import exports
from dashboard.charts.base import DARK, LIGHT, Chart, Theme, inked
from dashboard.settings import minimum_members
from ml.plots.palette import color_of
from ml.plots.words import clean, feature_label, percent
from published.errors import TableError
from published.questions.segments import segmentations
from published.sets import PublishedSet
from published.spreadsheets import to_csv

_MARKDOWN = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~$:^&=@/])")
_FORMATS = (
    ("CSV", "csv", "text/csv", to_csv),
    ("Parquet", "parquet", "application/vnd.apache.parquet", exports.to_parquet),
)
OF_SEGMENT = ("members", "segmentation", "segment_id", "segment_name")
"""The group of a row about a segment."""
PAGES = "pages"
"""Where the app keeps its pages by their path, for links from one to another."""
_BADGE_COLORS: Mapping[str, Any] = {"sure": "blue", "partly": "gray", "unsure": "orange", "unknown": "gray"}
_PLAYBOOK = (
    ("", "audience"),
    ("**Content:** ", "content_strategy"),
    ("**Marketing:** ", "marketing_strategy"),
)
_PLOTLY_CONFIG = {
    "displaylogo": False,
    "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d", "zoom2d", "pan2d"],
    "scrollZoom": False,
}


def plain(text: object) -> str:
    """Return text that is data for a place that reads Markdown: no link, picture, formula or tag comes of it."""
    return _MARKDOWN.sub(r"\\\1", clean(str(text)))


def tell(text: str) -> None:
    """Tell that there is nothing to show, and why."""
    st.info(text, icon=":material/info:")


def theme() -> Theme:
    """Return the colours of the reader's theme."""
    return DARK if st.context.theme.type == "dark" else LIGHT


def chart(drawn: Chart, *, key: str) -> None:
    """Show a chart under its finding."""
    st.markdown(f"**{plain(drawn.finding)}**")
    if drawn.reading:
        st.caption(plain(drawn.reading))
    st.plotly_chart(
        inked(drawn.figure, theme()),
        key=key,
        config=_PLOTLY_CONFIG,
        alt=f"{clean(drawn.finding)}. {clean(drawn.reading)}".replace("..", "."),
    )


def table(
    frame: pl.DataFrame,
    *,
    name: str,
    data: PublishedSet,
    labels: Mapping[str, Any],
    groups: Sequence[str] = (),
    folded: bool = False,
    height: int | None = None,
    downloads: pl.DataFrame | None = None,
) -> None:
    """Show a table and offer it as CSV and Parquet.

    Parameters
    ----------
    frame
        What is shown, under the names of `labels`.
    name
        In the file's name.
    labels
        Column to its label or its column configuration; a column without one, or without a value, is not shown but is
        in the file.
    groups
        Where rows speak of groups of people: the column with the members of a row's group, and those that name it.
        Groups under the minimum are suppressed in the file.
    folded
        Whether it is folded away.
    height
        Pixels.
    downloads
        What the file holds instead of `frame`.
    """
    with st.expander("All figures") if folded else nullcontext():
        st.dataframe(
            frame,
            hide_index=True,
            column_order=[column for column in labels if _says_anything(frame[column])],
            column_config=dict(labels),
            height=height or "auto",
            placeholder="",
            alt=f"Table: {name.replace('_', ' ')}",
        )
        offer(frame if downloads is None else downloads, name=name, data=data, groups=groups)


def _says_anything(column: pl.Series) -> bool:
    known = column.drop_nulls()
    return not len(column) or bool(len(known) if known.dtype != pl.String else (known != "").any())


def offer(frame: pl.DataFrame, *, name: str, data: PublishedSet, groups: Sequence[str] = ()) -> None:
    """Offer a table as CSV and Parquet; what is in the files is made when somebody asks for one."""
    least = minimum_members()
    if not groups:
        download_buttons(lambda: frame, name=name, data=data)
        return
    size, *keys = groups
    download_buttons(
        lambda: exports.suppress_small(frame, pl.col(size), keys=keys, minimum=least), name=name, data=data
    )
    small = frame.filter((pl.col(size) > 0) & (pl.col(size) < least))
    count = small.select(keys).n_unique() if len(small) else 0
    if count:
        st.caption(
            f"{count} group{'s' if count > 1 else ''} of fewer than {least} {'are' if count > 1 else 'is'} suppressed "
            "and marked in the files."
        )


def download_buttons(
    content: Callable[[], pl.DataFrame], *, name: str, data: PublishedSet, file: str | None = None
) -> None:
    """Show the two buttons; a table that goes out whole says what a row of it is. `file` is what to call the file."""
    promised = data.contract.get(name)
    about = f". {promised.description}" if promised else ""
    with st.container(horizontal=True, gap="small"):
        for label, ending, mime, write in _FORMATS:
            st.download_button(
                label,
                data=_written(write, content),
                file_name=dated(file or f"matinee-{name}", data, ending),
                mime=mime,
                key=f"{name}-{ending}",
                on_click="ignore",
                icon=":material/download:",
                type="tertiary",
                help=f"Download {name.replace('_', ' ')} as {label}{plain(about)}",
            )


def _written(
    write: Callable[[pl.DataFrame], bytes], content: Callable[[], pl.DataFrame]
) -> Callable[[], bytes]:
    return lambda: write(content())


def dated(name: str, data: PublishedSet, ending: str) -> str:
    """Return the name of a file with the day on which its set was published."""
    return f"{name}-{data.published_at:%Y%m%d}.{ending}"


def too_few(unit: str) -> str:
    """Say why a list is not given out."""
    return (
        f"Fewer than {minimum_members()} {unit}: so few are easily recognised, so their list is not given out, neither "
        "here nor as a file."
    )


def part(data: PublishedSet, table: str, show: Callable[[], None]) -> None:
    """Show a part of a page that hangs on one table; of an empty one nothing, of an unreadable one why."""
    try:
        if data.has(table):
            show()
        elif table not in data.columns:
            _unread(data, table)
    except TableError as error:
        st.warning(str(error), icon=":material/warning:")


def _unread(data: PublishedSet, table: str) -> None:
    if table in data.damaged:
        st.warning(plain(data.why_damaged(table)), icon=":material/warning:")
        return
    tell(
        f"This published set has no table `{table}` yet: it was published by an older Matinee. "
        "`matinee run` publishes it."
    )


def with_data(
    data: PublishedSet, options: Mapping[str, str], tables: Mapping[str, Sequence[str]]
) -> Mapping[str, str]:
    """Return the views for which a set has rows; all of them where it has none for any, so that a page says so.

    Parameters
    ----------
    data
        The set.
    options
        View to its name.
    tables
        View to the tables it shows; a view that is not named needs none.
    """
    shown = {
        view: called
        for view, called in options.items()
        if view not in tables or not data.is_empty(*tables[view])
    }
    return shown or options


def choose_view(label: str, options: Mapping[str, str], *, key: str) -> str:
    """Let the reader choose one of a few views, the first one to begin with; the choice stands in the address."""
    chosen = st.segmented_control(
        label,
        list(options),
        default=next(iter(options)),
        format_func=lambda option: options[option],
        required=True,
        key=key,
        bind="query-params",
    )
    return chosen or next(iter(options))


def choose_segmentation(data: PublishedSet) -> str:
    """Let the reader choose a segmentation; the choice stays from page to page and stands in the address."""
    return st.selectbox(
        "Segmentation",
        segmentations(data),
        format_func=title_of,
        key="segmentation",
        bind="query-params",
        persist_state="session",
    )


def choose_segmentation_of(data: PublishedSet, rows: pl.DataFrame, *, key: str) -> pl.DataFrame:
    """Let the reader choose one of the segmentations that rows are about, and return its rows."""
    named = set(rows["segmentation"])
    options = {name: title_of(name) for name in segmentations(data) if name in named}
    return rows.filter(pl.col("segmentation") == choose_view("Segmentation", options, key=key))


def title_of(segmentation: str) -> str:
    """Return the name of a segmentation in words."""
    return clean(feature_label(segmentation))


def unit(segments: pl.DataFrame) -> str:
    """Return what is divided, in the plural: `users` for the entity `user_id`."""
    entity = segments["entity"][0] if len(segments) else None
    return unit_of(entity).lower() if entity else "members"


def unit_of(entity: str) -> str:
    """Return several of an entity: `Users` of `user_id`."""
    return f"{entity.removesuffix('_id').replace('_', ' ').capitalize()}s"


def segment_name(segment: Mapping[str, object]) -> None:
    """Show a segment's name beside its colour, and how large it is."""
    members, share = segment["members"], segment["share"]
    assert isinstance(members, int)  # noqa: S101 - by contract of the table
    with st.container(horizontal=True, vertical_alignment="center", gap="small", wrap=False):
        st.image(_swatch(color_of(int(str(segment["segment_id"])))), width=16, alt="")
        st.markdown(f"#### {plain(segment['segment_name'])}")
    marked = (
        f" · fewer than {minimum_members()}, left out of downloads" if members < minimum_members() else ""
    )
    what = unit_of(str(segment["entity"])).lower()
    st.caption(f"{members:,} {what} · {percent(float(str(share or 0)))}{marked}")
    if segment.get("name_doubt"):
        st.markdown(f":orange[:material/warning: {plain(_sentence(str(segment['name_doubt'])))}]")
    if segment.get("badge"):
        st.badge(plain(segment["badge"]), color=_BADGE_COLORS[str(segment["badge_level"])])


def link(path: str, label: str, **address: str) -> None:
    """Show a link to another page as its address says; none where a page is shown without the app."""
    if page := st.session_state.get(PAGES, {}).get(path):
        st.page_link(page, label=label, icon=":material/arrow_forward:", query_params=address)


def playbook(segment: Mapping[str, object]) -> None:
    """Show what is known of a segment and to be done with it, as far as its figures bear it out."""
    for label, column in _PLAYBOOK:
        if segment[column]:
            st.markdown(f"{label}{plain(_sentence(str(segment[column])))}")


def sentences(said: Sequence[str]) -> None:
    """Show sentences as a list."""
    for sentence in said:
        st.markdown(f"- {plain(sentence)}")


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _swatch(color: str) -> np.ndarray:
    """Return a small square of one colour."""
    channels = [int(color[i : i + 2], 16) for i in (1, 3, 5)]
    return np.full((16, 16, 3), channels, dtype=np.uint8)
