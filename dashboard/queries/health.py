"""What is asked of runs and checks.

Belongs here: SQL over the published tables about runs. Does not belong here: raw files
(`published.questions.quality`), charts, pages.
"""

import polars as pl

from published.sets import PublishedSet


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
            not_applicable_checks,
            models,
            run_id
        from runs
        order by started_at desc nulls last
        """
    )


def checks(data: PublishedSet) -> pl.DataFrame:
    """Return the checks of the run that published, those that failed first, in words."""
    return data.ask(
        """
        select
            replace(outcome, '_', ' ') as outcome,
            layer || '.' || table_name as table_name,
            replace(check_name, '_', ' ') as rule,
            severity,
            is_blocking,
            description
        from checks
        order by list_position(['failed', 'passed', 'not_applicable'], checks.outcome), severity, table_name, rule
        """
    )
