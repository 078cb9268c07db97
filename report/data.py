"""What the report says about the data: steps from raw rows to users, files, rejected lines.

Belongs here: choosing and summing up rows of the marts. Does not belong here: reading them, the page.

Every function takes None for a mart that is absent and then says nothing.
"""

import polars as pl

from report.context import Funnel, FunnelStep, LandedFile, Reject, RejectReason

_HEADLINE_STEPS = {
    "distinct titles": "titles with a genre",
    "ratings joined to a title": "ratings of these titles",
    "users with features": "users",
    "customers with features": "customers",
    "watch events joined to a title": "watch events of titles",
}
_MOST_REASONS, _MOST_REJECTS, _RAW_TEXT_LENGTH = 20, 10, 160


def headlines(
    data_funnel: pl.DataFrame | None, manifest: pl.DataFrame | None, titles: pl.DataFrame | None = None
) -> tuple[tuple[str, int], ...]:
    """Return label and count of the figures at the top of the page.

    A source of catalogues alone has none of the steps that are shown: then its titles are counted.
    """
    found = []
    if data_funnel is not None:
        counts = dict(data_funnel.select("step", "row_count").iter_rows())
        found = [(label, counts[step]) for step, label in _HEADLINE_STEPS.items() if step in counts]
    if not found and titles is not None and len(titles):
        found.append(("titles", len(titles)))
    if manifest is not None:
        found.append(("lines rejected", int(manifest["rows_rejected"].sum())))
    return tuple(found)


def funnels(data_funnel: pl.DataFrame | None) -> tuple[Funnel, ...]:
    """Return the steps of each entity, in order."""
    if data_funnel is None:
        return ()
    found = []
    for (entity,), rows in data_funnel.sort("step_order").group_by("entity", maintain_order=True):
        first = max(rows["row_count"][0], 1)
        steps = (
            FunnelStep(step, count, count / first) for step, count in rows["step", "row_count"].iter_rows()
        )
        found.append(Funnel(str(entity), tuple(steps)))
    return tuple(found)


def files(manifest: pl.DataFrame | None) -> tuple[LandedFile, ...]:
    """Return the landed files by table and name."""
    if manifest is None:
        return ()
    return tuple(
        LandedFile(
            table_name=row["table_name"],
            source=row["source"],
            size_bytes=row["bytes"],
            rows_read=row["rows_read"],
            rows_landed=row["rows_landed"],
            rows_rejected=row["rows_rejected"],
            sha256=row["sha256"],
        )
        for row in manifest.sort("table_name", "source").iter_rows(named=True)
    )


def reject_reasons(rejects: pl.DataFrame | None) -> tuple[RejectReason, ...]:
    """Return the reasons for rejection, the most frequent first; quoted values are left out of them."""
    if rejects is None:
        return ()
    counted = (
        rejects.with_columns(
            pl.col("reason").str.replace_all(r"'[^']*'", "…"), pl.col("is_known_quirk").fill_null(value=False)
        )
        .group_by("table_name", "reason", "is_known_quirk")
        .agg(pl.len().alias("line_count"))
        .sort("line_count", "table_name", "reason", descending=[True, False, False])
        .head(_MOST_REASONS)
    )
    return tuple(RejectReason(**row) for row in counted.iter_rows(named=True))


def first_rejects(rejects: pl.DataFrame | None) -> tuple[Reject, ...]:
    """Return the first rejected lines by file and line, their raw text cut to a readable length."""
    if rejects is None:
        return ()
    first = rejects.sort("source", "line", nulls_last=True).head(_MOST_REJECTS)
    return tuple(
        Reject(row["source"], row["line"], row["reason"], _cut(row["raw_text"] or ""))
        for row in first.iter_rows(named=True)
    )


def _cut(text: str) -> str:
    return text if len(text) <= _RAW_TEXT_LENGTH else f"{text[:_RAW_TEXT_LENGTH]}…"
