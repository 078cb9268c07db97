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


def stages(data: PublishedSet, *, runs: int = 60) -> pl.DataFrame:
    """Return what the stages of the last runs took, the oldest run first, with the part of a run they are of."""
    return data.ask(
        """
        with last_runs as (
            select run, min(started_at) as run_started_at
            from run_ledger
            group by run
            order by run_started_at desc
            limit $runs
        )
        select
            run,
            run_started_at,
            stage,
            case split_part(stage, ' ', 1)
                when 'dbt' then 'sql'
                when 'gather' then 'sql'
                when 'list' then 'place'
                when 'report' then 'publish'
                else split_part(stage, ' ', 1)
            end as part,
            outcome,
            seconds,
            cpu_seconds,
            peak_bytes,
            rows_in,
            rows_out,
            bytes_in,
            bytes_out
        from run_ledger
        inner join last_runs using (run)
        order by run_started_at, run, started_at
        """,
        runs=runs,
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
