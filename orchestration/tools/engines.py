"""Settings judged by the programs that will use them, before anything starts.

Belongs here: asking Dagster and DuckDB whether they take a setting. Does not belong here: asking Spark
(`orchestration.tools.spark`), whom only runs need, what a setting means and what can be told without them
(`orchestration.settings`).
"""

import os
import time
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from pathlib import Path

import duckdb

from orchestration.settings import PROJECT_ROOT, Settings, SettingsError, load_alarm_settings, refusal

_LEAST_MEMORY = 128 * 10**6
"""Bytes. DuckDB asks for about this much for each thread of a join; with less, not even the demo world fits."""


def check_engines(settings: Settings) -> None:
    """Refuse what Dagster or DuckDB would stumble over later, or take and ignore.

    Raises
    ------
    SettingsError
        Names the setting and what is accepted.
    """
    load_alarm_settings()
    check_memory_limit(settings.memory_limit)
    for name in ("schedule", "hourly_schedule"):
        if (cron := getattr(settings, name)) != Settings.model_fields[name].default:
            _check_schedule(name, cron)
    if "DAGSTER_HOME" in os.environ:
        _check_dagster_home(os.environ["DAGSTER_HOME"])


def dagster_home() -> Path:
    """Return the folder of the Dagster instance, the repository's own where the environment names none."""
    return Path(os.environ.get("DAGSTER_HOME", PROJECT_ROOT / ".dagster"))


def choose_dagster_home() -> None:
    """Make the environment name the folder of the Dagster instance."""
    os.environ["DAGSTER_HOME"] = str(dagster_home())


def check_memory_limit(limit: str) -> None:
    """Refuse a memory limit that DuckDB cannot read or work within, or that this machine does not have.

    Raises
    ------
    SettingsError
        Names the setting and what is accepted.
    """
    if limit == Settings.model_fields["memory_limit"].default:
        return
    most = _bytes_of("100%")
    given = _bytes_of(limit)
    if given is None or most is None or not _LEAST_MEMORY <= given <= most:
        accepted = f"an amount from 128MB to this machine's {(most or 0) / 2**30:.1f}GiB, or a share of it such as 50%"
        raise SettingsError(refusal("MATINEE_MEMORY_LIMIT", limit, f"expected {accepted}"))


def _bytes_of(limit: str) -> int | None:
    """Return how many bytes DuckDB takes a memory limit for; None where it cannot be read, or one cannot work in it."""
    with duckdb.connect() as connection:
        try:
            connection.execute("set memory_limit = ?", [limit])
            found = connection.execute(
                "select parse_formatted_bytes(current_setting('memory_limit'))"
            ).fetchone()
        except duckdb.Error:
            return None
    return found[0] if found else None


def next_time(cron: str, after: datetime) -> datetime:
    """Return the first time (UTC) at or after a moment that a cron expression of Dagster names."""
    from dagster._utils.schedules import (  # noqa: PLC0415 - a second to import; most keep the default
        schedule_execution_time_iterator,
    )

    return next(schedule_execution_time_iterator(after.timestamp(), cron, "UTC", True))


def _check_schedule(name: str, cron: str) -> None:
    from dagster._utils.schedules import is_valid_cron_string  # noqa: PLC0415

    try:
        # Dagster also admits days that never come, such as 31 April, and fails when it looks for the next one.
        comes = is_valid_cron_string(cron) and next_time(cron, datetime.now(UTC))
    except Exception:
        comes = False
    if not comes:
        accepted = (
            "expected a time that comes, as five fields of cron (minute, hour, day, month, weekday) such as "
            "'0 3 * * *', or @hourly, @daily, @weekly, @monthly or @yearly"
        )
        raise SettingsError(refusal(f"MATINEE_{name.upper()}", cron, accepted))


def longest_wait(cron: str) -> timedelta:
    """Return the longest time between two nights of a schedule, of the next 60."""
    if cron == Settings.model_fields["schedule"].default:
        return timedelta(days=1)
    from dagster._utils.schedules import schedule_execution_time_iterator  # noqa: PLC0415 - as above

    ticks = list(islice(schedule_execution_time_iterator(time.time(), cron, "UTC", True), 60))
    return max(later - earlier for earlier, later in pairwise(ticks))


def fresh_for(settings: Settings) -> tuple[timedelta, timedelta]:
    """Return how old results may be before they are late, a night having failed to come, and stale, two having."""
    wait, grace = longest_wait(settings.schedule), timedelta(hours=settings.late_hours)
    return wait + grace, 2 * wait + grace


def _check_dagster_home(home: str) -> None:
    if not Path(home).is_absolute() or not (Path(home) / "dagster.yaml").is_file():
        accepted = (
            "expected the absolute path of a folder that holds dagster.yaml, without which runs are not kept from each "
            f"other; copy {PROJECT_ROOT / '.dagster' / 'dagster.yaml'} there"
        )
        raise SettingsError(refusal("DAGSTER_HOME", home, accepted))
