"""What became of the last runs on a warehouse, for those who ask without Dagster: `<warehouse>/.runs.json`.

Belongs here: the file and what it says. Does not belong here: how a run went (`orchestration.tools.run_ends` asks
Dagster), who may ask (`orchestration.commands.status`).

A run writes it when it begins and when it ends, both while it holds the warehouse's lock. A run that began, has not
ended and holds no lock any more was killed.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from re import Pattern
from typing import Literal

from orchestration.stores.layout import WarehouseLayout, write_atomically

Outcome = Literal["running", "published", "unchanged", "done", "failed"]
DIED = "Its process ended without a word."
"""What is said of a run that was killed."""
_MOST_RUNS = 20


@dataclass(frozen=True)
class Run:
    """One run.

    Attributes
    ----------
    run_id, job : as Dagster calls them.
    began_at, ended_at : seconds since 1970-01-01; None while it has not ended.
    outcome : `published`, or `unchanged` where nothing was new; `done` where it was not to publish.
    problems : why it failed, as sentences.
    """

    run_id: str
    job: str
    began_at: float
    ended_at: float | None = None
    outcome: Outcome = "running"
    problems: tuple[str, ...] = ()

    @property
    def is_good(self) -> bool:
        """Whether what is published is, since this run, all that the source gives."""
        return self.outcome in ("published", "unchanged")


def last_runs(layout: WarehouseLayout) -> list[Run]:
    """Return the last runs, the oldest first; none where none was recorded, or the file is damaged."""
    try:
        found = json.loads(layout.run_records.read_text(encoding="utf-8"))
        return [Run(**{**run, "problems": tuple(run["problems"])}) for run in found]
    except (OSError, ValueError, LookupError, TypeError):
        return []


def begin(layout: WarehouseLayout, run_id: str, job: str) -> None:
    """Write down that a run begins."""
    _write(layout, [*last_runs(layout), Run(run_id, job, datetime.now(UTC).timestamp())])


def end(layout: WarehouseLayout, run_id: str, outcome: Outcome, problems: Sequence[str]) -> None:
    """Write down how a run that began has ended."""
    now = datetime.now(UTC).timestamp()
    runs = [
        replace(run, ended_at=now, outcome=outcome, problems=tuple(problems)) if run.run_id == run_id else run
        for run in last_runs(layout)
    ]
    _write(layout, runs)


def leave_out_going(layout: WarehouseLayout) -> None:
    """Forget the run that was going: in a copy of the warehouse none is."""
    runs = last_runs(layout)
    if any(run.outcome == "running" for run in runs):
        _write(layout, [run for run in runs if run.outcome != "running"])


def blank(layout: WarehouseLayout, says: Pattern[str], words: str) -> int:
    """Put words in the place of each problem in which a pattern is found; return how many these were."""
    runs = last_runs(layout)
    found = sum(1 for run in runs for problem in run.problems if says.search(problem))
    if found:
        blanked = [tuple(words if says.search(said) else said for said in run.problems) for run in runs]
        _write(layout, [replace(run, problems=said) for run, said in zip(runs, blanked, strict=True)])
    return found


def _write(layout: WarehouseLayout, runs: Sequence[Run]) -> None:
    """Write the last runs, and the last good one, however long ago it was."""
    kept = [*[run for run in runs[:-_MOST_RUNS] if run.is_good][-1:], *runs[-_MOST_RUNS:]]
    write_atomically(layout.run_records, json.dumps([asdict(run) for run in kept], indent=1) + "\n")
