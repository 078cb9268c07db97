"""What is asked of the data itself: files, steps, rejected lines.

Belongs here: SQL over the published tables about raw files. Does not belong here: what one page alone asks.
"""

from collections.abc import Mapping

import polars as pl

from published.people import hide_emails
from published.sets import PublishedSet


def files(data: PublishedSet) -> pl.DataFrame:
    """Return one row per landed file."""
    return data.ask("select * from landing_manifest order by table_name, source")


def funnel(data: PublishedSet) -> pl.DataFrame:
    """Return the rows left after each step, and as a share of the first step of the same entity."""
    return data.ask(
        """
        select
            *,
            row_count / nullif(first(row_count) over (partition by entity order by step_order), 0) as share
        from data_funnel
        order by step_order
        """
    )


def unlisted_titles(data: PublishedSet) -> pl.DataFrame:
    """Return the ids in ratings and views that lead to no title with a genre, those with most rows first."""
    return data.ask("select * from unlisted_titles order by ratings + views desc, title_id")


def check_counts(data: PublishedSet) -> dict[str, int]:
    """Return how many checks of the publishing run `passed`, `failed` and were `not_applicable`."""
    found = dict(data.ask("select outcome, count(*) as checks from checks group by outcome").iter_rows())
    return {outcome: found.get(outcome, 0) for outcome in ("passed", "failed", "not_applicable")}


def checks_in_words(counts: Mapping[str, int]) -> str:
    """Return `231 passed, 2 failed, 34 not applicable`; what had nothing to check counts as neither."""
    return ", ".join(f"{count:,} {outcome.replace('_', ' ')}" for outcome, count in counts.items())


def failed_checks(data: PublishedSet) -> pl.DataFrame:
    """Return table, rule, severity and what was found of each check that failed."""
    return data.ask(
        """
        select
            layer || '.' || table_name as table_name,
            replace(check_name, '_', ' ') as rule,
            severity,
            coalesce(description, '') as found
        from checks
        where outcome = 'failed'
        order by severity, table_name, rule
        """
    )


def failures_in_words(data: PublishedSet) -> list[tuple[str, str]]:
    """Return of each check that failed its severity, and what it found as a sentence without addresses."""
    return [
        (severity, hide_emails(f'{table} fails "{rule}"{f": {found}" if found else ""}'))
        for table, rule, severity, found in failed_checks(data).iter_rows()
    ]


def reject_reasons(data: PublishedSet) -> pl.DataFrame:
    """Return rejected lines by table and reason, most frequent first; quoted values are left out of a reason."""
    return data.ask(
        """
        select
            table_name,
            regexp_replace(reason, '''[^'']*''', '…', 'g') as reason,
            coalesce(is_known_quirk, false) as is_known_quirk,
            count(*) as lines
        from rejects
        group by all
        order by lines desc, table_name, reason
        """
    )


def rejects(data: PublishedSet, most: int) -> pl.DataFrame:
    """Return the first rejected lines by file and line."""
    return data.ask(
        "select source, table_name, line, reason, raw_text, is_known_quirk from rejects"
        " order by source, line nulls last limit $most",
        most=most,
    )
