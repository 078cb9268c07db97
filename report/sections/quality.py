"""What the report says about the data: steps from raw rows to users, files, rejected lines.

Belongs here: choosing and summing up rows of the marts. Does not belong here: reading them, the page.

Every function takes None for a mart that is absent and then says nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from ml.plots import changes
from ml.plots.words import short_name
from published.people import hide_emails, hide_folders
from published.questions.quality import checks_in_words

_MOST_REASONS = 20
_STANDINGS = {
    "set aside": "Labels too rare to be taken for genres",
    "other": "Genres that count together as other, for others are more frequent",
    "missing": "Genres of the published analysis that no title has",
}
_MOST_LABELS = 20
_MOST_UNLISTED = 10


@dataclass(frozen=True)
class Checks:
    """How many checks passed, failed and had nothing to check, in words; table, rule and finding of the failed."""

    said: str
    failed: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True)
class FunnelStep:
    """Rows left after a step, and as a share of the first step for the same entity."""

    step: str
    row_count: int
    share: float


@dataclass(frozen=True)
class Funnel:
    """The steps of one entity."""

    entity: str
    steps: tuple[FunnelStep, ...]


@dataclass(frozen=True)
class LandedFile:
    """One raw file and what became of its rows."""

    table_name: str
    source: str
    size_bytes: int
    rows_read: int
    rows_landed: int
    rows_rejected: int
    sha256: str


@dataclass(frozen=True)
class RejectReason:
    """Rejected lines that share table and reason."""

    table_name: str
    reason: str
    line_count: int
    is_known_quirk: bool


@dataclass(frozen=True)
class UnlistedTitles:
    """Ids in ratings and views without a title with a genre, for one reason: how many, their rows, the first."""

    reason: str
    ids: int
    rows: int
    first: tuple[str, ...]


def headlines(
    data_funnel: pl.DataFrame | None, manifest: pl.DataFrame | None, titles: pl.DataFrame | None = None
) -> tuple[tuple[str, int], ...]:
    """Return label and count of the figures at the top of the page.

    A source of catalogues alone has none of the steps that are shown: then its titles are counted.
    """
    found = changes.headlines(data_funnel, manifest)
    counted = any(label != changes.REJECTED for label, _ in found)
    return found if counted or titles is None or not len(titles) else (("titles", len(titles)), *found)


def funnels(data_funnel: pl.DataFrame | None) -> tuple[Funnel, ...]:
    """Return the steps of each entity, in order."""
    if data_funnel is None:
        return ()
    found = []
    for (entity,), rows in data_funnel.group_by("entity", maintain_order=True):
        steps = (
            FunnelStep(row["step"], row["row_count"], row["share"] or 0.0)
            for row in rows.iter_rows(named=True)
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
        for row in manifest.iter_rows(named=True)
    )


def reject_reasons(counted: pl.DataFrame | None) -> tuple[RejectReason, ...]:
    """Return the most frequent reasons for rejection."""
    if counted is None:
        return ()
    rows = counted.head(_MOST_REASONS).rename({"lines": "line_count"})
    return tuple(RejectReason(**row) for row in rows.iter_rows(named=True))


def genres_left_out(genres: pl.DataFrame | None) -> tuple[str, ...]:
    """Return which labels have no columns of their own, in a sentence for each reason."""
    if genres is None:
        return ()
    said = []
    for standing, words in _STANDINGS.items():
        labels = genres.filter(standing=standing)["genre_label"].unique().sort().to_list()
        more = f" and {len(labels) - _MOST_LABELS:,} more" if len(labels) > _MOST_LABELS else ""
        if labels:
            said.append(f"{words}: {', '.join(labels[:_MOST_LABELS])}{more}.")
    return tuple(said)


def unlisted(titles: pl.DataFrame | None) -> tuple[UnlistedTitles, ...]:
    """Return the ids in ratings and views that lead to no title with a genre, by reason."""
    if titles is None:
        return ()
    return tuple(
        UnlistedTitles(
            reason=str(reason),
            ids=len(rows),
            rows=int((rows["ratings"] + rows["views"]).sum()),
            first=tuple(short_name(title_id) for title_id in rows["title_id"].head(_MOST_UNLISTED)),
        )
        for (reason,), rows in titles.group_by("reason", maintain_order=True)
    )


def checks(counts: Mapping[str, int] | None, failed: pl.DataFrame | None) -> Checks | None:
    """Return what became of the checks before publishing; None where there were none."""
    if not counts or not any(counts.values()) or failed is None:
        return None
    rows = failed.select("table_name", "rule", pl.col("found").map_elements(_shown, pl.String)).rows()
    return Checks(checks_in_words(counts), tuple(rows))


def _shown(text: str) -> str:
    return hide_folders(hide_emails(text))
