"""What changed since an earlier run: figures at a glance, sizes of segments, who went where, what is new.

Belongs here: order and words of the page, which run is meant. Does not belong here: queries, what a comparison says
(`ml.plots.changes`), charts.
"""

from datetime import datetime, timedelta

import polars as pl
import streamlit as st
from streamlit.column_config import NumberColumn

from dashboard import ui
from dashboard.charts import segments as charts
from ml.plots import segment_words as words
from ml.plots.changes import Changes, ComparedSet, compare
from ml.plots.words import decimals
from published.finding import set_of_run
from published.questions import changes as queries
from published.questions import segments as segment_questions
from published.sets import PublishedSet

_SINCE = {"run": "The last run", "week": "Last week", "any": "Any run"}
_WEEK = timedelta(days=7)


def show(data: PublishedSet) -> None:
    """Show the page."""
    runs = queries.runs_of_source(data)
    if len(runs) < 2:
        ui.tell("This is the first run of this source: there is nothing to compare it with yet.")
        return
    run = _choose_run(runs)
    changes = _compared(data, run)
    st.markdown(ui.plain(changes.sentence))
    _figures(changes)
    if changes.segmentations:
        st.header("Segments")
        ui.sentences([f"{ui.title_of(change.title)}: {change.sentence}" for change in changes.segmentations])
    ui.part(
        data,
        "membership_history",
        lambda: _segmentation(data, run["ended_at"]),
    )


def _choose_run(runs: pl.DataFrame) -> dict:
    """Let the reader choose an earlier run; where none is as old as asked for, the oldest is."""
    since = ui.choose_view("Since", _SINCE, key="since")
    earlier = runs[1:]
    if since == "any":
        place = st.selectbox(
            "Run",
            range(len(earlier)),
            format_func=lambda place: f"{earlier['ended_at'][place]:%d %B %Y, %H:%M} UTC",
            key="since_run",
        )
        return earlier.row(place, named=True)
    if since == "week":
        old = earlier.filter(pl.col("ended_at") <= runs["ended_at"][0] - _WEEK)
        if not len(old):
            st.caption("No run is a week older than this one, so the oldest is compared.")
        return (old if len(old) else earlier[-1:]).row(0, named=True)
    return earlier.row(0, named=True)


def _compared(data: PublishedSet, run: dict) -> Changes:
    """Compare with the set of a run, or with what the history knows of its segments where it is no longer kept."""
    before = set_of_run(data, run["run_id"])
    if before is not None:
        then = ComparedSet(**queries.compared(before))
    else:
        st.caption("The figures of that run are no longer kept; its segments are.")
        marts = (
            {"segments": queries.segments_at(data, run["ended_at"])} if data.has("membership_history") else {}
        )
        then = ComparedSet(run["source"], run["ended_at"], marts)
    now = queries.compared(data)
    if before is None:
        now["marts"] = {table: rows for table, rows in now["marts"].items() if table in then.marts}
    return compare(then, ComparedSet(**now), called="the run")


def _figures(changes: Changes) -> None:
    with st.container(horizontal=True, gap="medium"):
        for figure in changes.figures:
            now = "none" if figure.after is None else decimals(figure.after, figure.digits)
            change = figure.difference
            if change is None:
                delta = "new" if figure.before is None else "no longer there"
            else:
                delta = (
                    f"{'+' if change > 0 else ''}{decimals(change, figure.digits)}" if change else "the same"
                )
            st.metric(
                figure.label[:1].upper() + figure.label[1:],
                now,
                delta=delta,
                delta_color="off",
                delta_arrow="off" if not change else "up" if change > 0 else "down",
                width="content",
            )


def _segmentation(data: PublishedSet, moment: datetime) -> None:
    st.header("Who went where")
    segmentation = ui.choose_segmentation(data)
    unit = ui.unit(segment_questions.segments(data, segmentation))
    if data.has("segment_history"):
        ui.sentences(words.events(segment_questions.of(data, "segment_history", segmentation), moment))
    moves = queries.moves_since(data, segmentation, moment)
    if words.moves(moves, unit):
        ui.chart(charts.moves(moves, unit), key="moves")
        _list(data, moves, segmentation, unit)
    else:
        ui.tell("Nobody was divided like this at the end of that run.")
    sizes = queries.sizes_over_runs(data, segmentation)
    if len(sizes) and sizes["ended_at"].n_unique() > 1:
        st.header("Sizes over all runs")
        ui.chart(charts.sizes_over_runs(sizes, unit), key="sizes_over_runs")


def _list(data: PublishedSet, moves: pl.DataFrame, segmentation: str, unit: str) -> None:
    went = moves.filter(pl.col("from_segment_id").eq_missing(pl.col("to_segment_id")).not_()).sort(
        "entities", "from_segment_id", "to_segment_id", descending=[True, False, False]
    )
    if not len(went):
        return
    ui.table(
        went.with_columns(
            pl.col("from_segment_name").fill_null("(new)"), pl.col("to_segment_name").fill_null("(gone)")
        ),
        name=f"moves_{segmentation}",
        data=data,
        labels={
            "from_segment_name": "From",
            "to_segment_name": "To",
            "entities": NumberColumn(unit.capitalize(), format="localized"),
            "share_of_from": NumberColumn("Share of those there", format="percent"),
        },
        groups=("entities", "from_segment_id", "from_segment_name", "to_segment_id", "to_segment_name"),
    )
