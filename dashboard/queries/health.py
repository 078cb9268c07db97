"""What is asked of the data itself: files, steps, rejected lines, runs, checks.

Belongs here: SQL over the published tables about runs and raw files. Does not belong here: charts, pages.
"""

import polars as pl

from dashboard.published import PublishedSet


def runs(data: PublishedSet) -> pl.DataFrame:
    """Return the last runs, the newest first."""
    return data.ask(
        """
        select
            started_at,
            status,
            source,
            epoch(ended_at - started_at) as seconds,
            checks,
            failed_checks,
            models,
            run_id
        from runs
        order by started_at desc nulls last
        """
    )


def checks(data: PublishedSet) -> pl.DataFrame:
    """Return the checks of the run that published, those that did not pass first, in words."""
    return data.ask(
        """
        select
            passed,
            layer || '.' || table_name as table_name,
            replace(check_name, '_', ' ') as rule,
            severity,
            is_blocking,
            description
        from checks
        order by passed, severity, table_name, rule
        """
    )


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
