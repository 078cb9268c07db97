"""How far the data can be trusted: how fresh it is, what was rejected, what was checked, what the last runs did.

Belongs here: order and words of the page. Does not belong here: queries, charts.
"""

from datetime import UTC, datetime

import polars as pl
import streamlit as st
from streamlit.column_config import CheckboxColumn, DatetimeColumn, NumberColumn, TextColumn

from dashboard import ui
from dashboard.charts import health as charts
from dashboard.queries import health as queries
from published.finding import age_in_words
from published.people import hide_emails
from published.questions import quality
from published.sets import PublishedSet

_MOST_REJECTS = 500


def show(data: PublishedSet) -> None:
    """Show the page."""
    st.header("Freshness")
    with st.container(horizontal=True, gap="medium"):
        age = age_in_words(data.published_at, datetime.now(UTC))
        st.metric("Published", age, help=f"{data.published_at:%Y-%m-%d %H:%M} UTC", width="content")
        st.metric("Tables", f"{len(data.columns):,}", width="content")
    for table in data.damaged:
        st.warning(ui.plain(data.why_damaged(table)), icon=":material/warning:")
    st.header("Checks")
    ui.part(data, "checks", lambda: _checks(data))
    st.header("Last runs")
    ui.part(data, "runs", lambda: _runs(data))
    st.header("Where the time goes")
    ui.part(data, "run_ledger", lambda: _stages(data))
    st.header("Rejected lines")
    _rejects(data)
    st.header("Files")
    ui.part(data, "landing_manifest", lambda: _files(data))
    st.header("From raw rows to results")
    ui.part(data, "data_funnel", lambda: _funnel(data))


def _checks(data: PublishedSet) -> None:
    counts = quality.check_counts(data)
    said = f"Checks of this set: {quality.checks_in_words(counts)}."
    if counts["failed"]:
        st.warning(f"{said} Those that failed keep no results back.", icon=":material/warning:")
    elif counts["passed"]:
        st.success(said, icon=":material/check_circle:")
    else:
        ui.tell(said)
    if counts["not_applicable"]:
        st.caption("Not applicable: there was nothing to check, such as a table without rows.")
    with st.expander("All checks", expanded=bool(counts["failed"])):
        ui.table(
            queries.checks(data),
            name="checks",
            data=data,
            labels={
                "outcome": "Outcome",
                "table_name": "Table",
                "rule": TextColumn("Rule", width="medium"),
                "description": TextColumn("Found", width="medium"),
                "severity": "Severity",
                "is_blocking": CheckboxColumn("Keeps results back"),
            },
        )


def _runs(data: PublishedSet) -> None:
    ui.table(
        queries.runs(data),
        name="runs",
        data=data,
        labels={
            "started_at": DatetimeColumn("Started at (UTC)", format="YYYY-MM-DD HH:mm"),
            "status": "Outcome",
            "source": "Source",
            "seconds": NumberColumn("Seconds", format="%.0f"),
            "checks": NumberColumn("Checks", format="localized"),
            "failed_checks": NumberColumn("Failed", format="localized"),
            "not_applicable_checks": NumberColumn("Not applicable", format="localized"),
            "models": TextColumn("Models", width="large"),
        },
    )


def _stages(data: PublishedSet) -> None:
    stages = queries.stages(data)
    if nights := charts.nights(stages):
        ui.chart(nights, key="nights")
    else:
        st.caption("Runs are compared as soon as there are two of the same stages.")
    newest = stages.filter(pl.col("run") == stages["run"].last())
    st.caption(
        f"The run that began at {newest['run_started_at'][0]:%Y-%m-%d %H:%M} UTC, up to publishing. Memory is that of "
        "all its processes together; what was done ahead counts in the CPU seconds of the stage that it was done for."
    )
    ui.table(
        newest,
        name="run_ledger",
        data=data,
        labels={
            "stage": "Stage",
            "seconds": NumberColumn("Seconds", format="%.1f"),
            "cpu_seconds": NumberColumn("CPU seconds", format="%.1f"),
            "peak_bytes": NumberColumn("Peak memory", format="bytes"),
            "rows_in": NumberColumn("Rows read", format="localized"),
            "rows_out": NumberColumn("Rows written", format="localized"),
            "bytes_in": NumberColumn("Read", format="bytes"),
            "bytes_out": NumberColumn("Written", format="bytes"),
            "outcome": "Outcome",
        },
    )


def _rejects(data: PublishedSet) -> None:
    if "rejects" in data.columns and not data.has("rejects"):
        st.success("Every line of every file was taken.", icon=":material/check_circle:")
        return
    ui.part(data, "rejects", lambda: _reject_tables(data))


def _reject_tables(data: PublishedSet) -> None:
    reasons = quality.reject_reasons(data)
    ui.table(
        reasons,
        name="reject_reasons",
        data=data,
        labels={
            "table_name": "Table",
            "reason": TextColumn("Reason", width="large"),
            "lines": NumberColumn("Lines", format="localized"),
            "is_known_quirk": CheckboxColumn("Known quirk"),
        },
    )
    with st.expander(f"The first {_MOST_REJECTS} rejected lines"):
        ui.table(
            quality.rejects(data, _MOST_REJECTS).with_columns(
                pl.col("reason", "raw_text").map_elements(hide_emails, return_dtype=pl.String)
            ),
            name="rejects",
            data=data,
            labels={
                "source": "File",
                "line": NumberColumn("Line", format="%d"),
                "reason": TextColumn("Reason", width="large"),
                "raw_text": TextColumn("Raw text", width="large"),
            },
        )


def _files(data: PublishedSet) -> None:
    ui.table(
        quality.files(data),
        name="files",
        data=data,
        labels={
            "table_name": "Table",
            "source": "File",
            "bytes": NumberColumn("Size", format="bytes"),
            "rows_read": NumberColumn("Rows read", format="localized"),
            "rows_landed": NumberColumn("Landed", format="localized"),
            "rows_rejected": NumberColumn("Rejected", format="localized"),
            "landed_at": DatetimeColumn("Landed at (UTC)", format="YYYY-MM-DD HH:mm"),
        },
    )


def _funnel(data: PublishedSet) -> None:
    steps = quality.funnel(data)
    for (entity,), rows in steps.group_by("entity", maintain_order=True):
        ui.chart(charts.funnel(rows), key=f"funnel_{entity}")
