"""`matinee status`: whether all is well, for people and for programs that watch.

Belongs here: its options, what it says, its exit codes. Does not belong here: finding out how a run went (each says so
itself: `orchestration.stores.runs`), alarms. It imports no Dagster, so that a monitor may ask every minute.
"""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from ingest.errors import counted
from orchestration.commands.shared import DONE, FAILED, USAGE, WarehouseOption, answer, failing, read_settings

if TYPE_CHECKING:
    from datetime import datetime

    from orchestration.settings import Settings
    from orchestration.stores.layout import WarehouseLayout
    from orchestration.stores.runs import Run


def status(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    warehouse: WarehouseOption = None,
) -> None:
    """Tell the last good run, what failed since and why, and what is stale."""
    from orchestration.settings import SettingsError
    from orchestration.stores.layout import WarehouseLayout
    from orchestration.tools.engines import check_engines

    settings = read_settings(warehouse=warehouse)
    with failing(SettingsError, code=USAGE):
        check_engines(settings)
    facts = facts_of(settings, WarehouseLayout(settings.warehouse))
    if as_json:
        import json

        answer(json.dumps(facts, indent=1, ensure_ascii=False))
    else:
        answer("\n".join(in_words(facts)))
    raise typer.Exit(DONE if facts["is_well"] else FAILED)


def facts_of(settings: "Settings", layout: "WarehouseLayout") -> dict[str, Any]:
    """Return what there is to tell, as plain JSON; times are UTC.

    `is_well` is false where a run failed since the last good one, something is stale, or people who were to be
    forgotten are still there.
    """
    from datetime import UTC, datetime

    from ingest.suppressing import read_suppressed
    from orchestration.stores.lock import held_by
    from orchestration.stores.runs import last_runs

    now = datetime.now(UTC)
    going, runs = held_by(layout), last_runs(layout)
    if going and runs and runs[-1].outcome == "running":
        going["run"] = _run(runs.pop())
    good = next((run for run in reversed(runs) if run.is_good), None)
    since = runs[runs.index(good) + 1 :] if good else runs
    failed = [_run(run) for run in since if run.outcome in ("failed", "running")]
    stale, late = _ages(settings, layout, good, now)
    is_forgetting = read_suppressed(layout.landing).is_pending and not going
    return {
        "is_well": not failed and not stale and not is_forgetting,
        "last_good_run": _run(good) if good else None,
        "going": going,
        "failed": failed,
        "stale": stale,
        "late": late,
        "is_forgetting": is_forgetting,
        "warnings": _warnings(layout),
        "warehouse": {"folder": str(layout.root), **_room(layout)},
    }


def in_words(facts: dict[str, Any]) -> list[str]:
    """Return the same as lines for people."""
    good, going, room = facts["last_good_run"], facts["going"], facts["warehouse"]
    if good:
        what = "nothing was new" if good["outcome"] == "unchanged" else "published"
        lines = [f"Last good run: {good['began_at']}, {good['seconds']:,} s, {good['job']}: {what}."]
    else:
        lines = ["Last good run: none is recorded."]
    if going:
        lines.append(f"Going: {going['holder']}, process {going['pid']}, since {going['since']}.")
    for run in facts["failed"]:
        lines.append(f"Failed since: {run['began_at']}, {run['job']}: {' '.join(run['problems'])}")
    lines += [f"Stale: {said}" for said in facts["stale"]] + [f"Late: {said}" for said in facts["late"]]
    if facts["is_forgetting"]:
        lines.append("Unfinished: `matinee forget` ended before all was done. Give the command again.")
    lines += [f"Warning: {said}" for said in facts["warnings"]]
    lines.append(
        f"Warehouse: {room['folder']}, {room['bytes'] / 10**9:,.2f} GB; {room['free_bytes'] / 10**9:,.1f} GB are free."
    )
    return [*lines, _verdict(facts)]


def _verdict(facts: dict[str, Any]) -> str:
    if not facts["is_well"]:
        return "Something is wrong."
    warned = [counted(len(facts["warnings"]), "warning")] if facts["warnings"] else []
    warned += ["results are late"] if facts["late"] else []
    return f"No run failed and nothing is stale, but: {', '.join(warned)}." if warned else "All is well."


def _run(run: "Run") -> dict[str, Any]:
    from orchestration.stores.runs import DIED

    problems = [DIED] if run.outcome == "running" else list(run.problems)
    seconds = None if run.ended_at is None else round(run.ended_at - run.began_at)
    return {
        "run_id": run.run_id,
        "job": run.job,
        "began_at": _moment(run.began_at),
        "seconds": seconds,
        "outcome": run.outcome,
        "problems": problems,
    }


def _ages(
    settings: "Settings", layout: "WarehouseLayout", good: "Run | None", now: "datetime"
) -> tuple[list[str], list[str]]:
    """Say what is stale, and what is late."""
    from datetime import UTC, datetime

    from orchestration.tools.engines import fresh_for
    from published.errors import NothingPublishedError
    from published.finding import age_in_words, current_set

    try:
        confirmed = current_set(layout.root).published_at
    except NothingPublishedError as error:
        return [str(error)], []
    if good and good.ended_at:
        confirmed = max(confirmed, datetime.fromtimestamp(good.ended_at, UTC))
    stale: list[str] = []
    late: list[str] = []
    late_after, stale_after = fresh_for(settings)
    for after, said in ((stale_after, stale), (late_after, late)):
        if now - confirmed >= after and not stale:
            hours = after.total_seconds() / 3600
            said.append(f"what is published is of {age_in_words(confirmed, now)}; {hours:g} hours may pass.")
    newest, most = _newest_file(layout), settings.source_stale_hours
    if most and newest and (now - newest).total_seconds() > most * 3600:
        stale.append(f"the newest raw file came {age_in_words(newest, now)}; {most:g} hours may pass.")
    return stale, late


def _newest_file(layout: "WarehouseLayout") -> "datetime | None":
    from datetime import UTC

    import polars as pl

    files = sorted((layout.landing / "current" / "manifest").glob("*.parquet"))
    landed = [pl.read_parquet(file, columns=["landed_at"]).item() for file in files]
    return max(landed).replace(tzinfo=UTC) if landed else None


def _warnings(layout: "WarehouseLayout") -> list[str]:
    """Return what the checks of the published run warned of, and which files of the drop folder wait to be mended."""
    from contextlib import suppress

    from ingest.arrivals import files_that_failed
    from published.errors import PublishedError
    from published.finding import current_set
    from published.questions.quality import failures_in_words

    said = []
    with suppress(PublishedError):  # said as stale, where nothing is published
        said = [words for _, words in failures_in_words(current_set(layout.root))]
    waiting = files_that_failed(layout.failed)
    if waiting:
        said.append(
            f"{counted(len(waiting), 'file')} in failed/ could not be used, {waiting[-1]} the last: put "
            f"{'it' if len(waiting) == 1 else 'them'} into incoming/ again once mended, or remove what is settled."
        )
    return said


def _room(layout: "WarehouseLayout") -> dict[str, int]:
    """Return what the warehouse takes and what its disk has left, in bytes."""
    import os
    import shutil

    taken = 0
    for folder, _, files in os.walk(layout.root):
        for name in files:
            try:
                taken += os.lstat(os.path.join(folder, name)).st_size  # noqa: PTH118 - of thousands of files
            except FileNotFoundError:  # a run is going
                continue
    there = next(folder for folder in (layout.root, *layout.root.parents) if folder.exists())
    return {"bytes": taken, "free_bytes": shutil.disk_usage(there).free}


def _moment(seconds: float) -> str:
    from datetime import UTC, datetime

    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M} UTC"
