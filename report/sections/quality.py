"""What the report says about the data: steps from raw rows to users, files, rejected lines.

Belongs here: choosing and summing up rows of the marts. Does not belong here: reading them, the page.

Every function takes None for a mart that is absent and then says nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from ml.plots import changes
from published.people import hide_emails, hide_folders
from published.questions.quality import checks_in_words
from report.reading import Rows, rows_of

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


def headlines(
    data_funnel: pl.DataFrame | None, manifest: pl.DataFrame | None, titles: pl.DataFrame | None = None
) -> tuple[tuple[str, int], ...]:
    """Return label and count of the figures at the top of the page.

    A source of catalogues alone has none of the steps that are shown: then its titles are counted.
    """
    found = changes.headlines(data_funnel, manifest)
    counted = any(label != changes.REJECTED for label, _ in found)
    return found if counted or titles is None or not len(titles) else (("titles", len(titles)), *found)


def funnels(data_funnel: pl.DataFrame | None) -> tuple[tuple[str, Rows], ...]:
    """Return the steps of each entity, in order."""
    if data_funnel is None:
        return ()
    steps = data_funnel.with_columns(pl.col("share").fill_null(0.0))
    entities = steps.group_by("entity", maintain_order=True)
    return tuple((str(entity), rows.rows(named=True)) for (entity,), rows in entities)


def reject_reasons(counted: pl.DataFrame | None) -> Rows:
    """Return the most frequent reasons for rejection."""
    return rows_of(counted)[:_MOST_REASONS]


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


def unlisted(titles: pl.DataFrame | None) -> Rows:
    """Return how many ids in ratings and views lead to no title with a genre, their rows and the first, by reason."""
    if titles is None:
        return ()
    by_reason = titles.group_by("reason", maintain_order=True).agg(
        ids=pl.len(), rows=pl.sum("ratings") + pl.sum("views"), first=pl.col("title_id").head(_MOST_UNLISTED)
    )
    return by_reason.rows(named=True)


def checks(counts: Mapping[str, int] | None, failed: pl.DataFrame | None) -> Checks | None:
    """Return what became of the checks before publishing; None where there were none."""
    if not counts or not any(counts.values()) or failed is None:
        return None
    hidden = pl.col("found").map_elements(lambda text: hide_folders(hide_emails(text)), pl.String)
    rows = failed.select("table_name", "rule", hidden).rows()
    return Checks(checks_in_words(counts), tuple(rows))
