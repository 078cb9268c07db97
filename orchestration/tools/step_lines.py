"""One line per finished step while a run works, for people at a terminal, and the step that is under way.

Belongs here: turning Dagster's events into lines. Does not belong here: running anything, showing what is
under way (`orchestration.progress`).
"""

import logging
from contextlib import ExitStack
from typing import Any

import dagster as dg

from orchestration.progress import doing, say
from orchestration.tools.events import details

_MOST_COUNTS = 4


class _ProgressHandler(logging.Handler):
    """Writes each finished step with its seconds and the rows of the tables it made, to standard error."""

    def __init__(self) -> None:
        super().__init__()
        self._rows: dict[str, list[str]] = {}
        self._skipped: dict[str, str] = {}
        self._under_way = ExitStack()

    def emit(self, record: logging.LogRecord) -> None:
        event: Any = getattr(record, "dagster_event", None)
        if event is None or event.step_key is None:
            return
        kind, data = event.event_type_value, details(event)
        if kind == "ASSET_MATERIALIZATION":
            metadata = data.materialization.metadata
            rows, skipped = metadata.get("dagster/row_count"), metadata.get("skipped")
            if skipped is not None:
                self._skipped[event.step_key] = str(skipped.value)
            if rows is not None and skipped is None:
                table = data.materialization.asset_key.path[-1]
                self._rows.setdefault(event.step_key, []).append(f"{table} {rows.value:,}")
        elif kind == "STEP_START":
            self._under_way.enter_context(doing(step_title(event.step_key)))
        elif kind == "STEP_SUCCESS":
            self._say(*self._ended(event.step_key, data.duration_ms / 1000))
        elif kind == "STEP_FAILURE":
            self._say("✗", event.step_key, "failed")

    def _ended(self, step_key: str, seconds: float) -> tuple[str, str, str]:
        reason = self._skipped.get(step_key)
        if reason and not self._rows.get(step_key):
            return "–", step_key, f"skipped: {reason}"
        return "✓", step_key, f"{seconds:6.1f} s  {self._counts(step_key)}"

    def _say(self, mark: str, step_key: str, what: str) -> None:
        self._under_way.close()
        say(f"  {mark} {step_title(step_key):<44}{what}")

    def _counts(self, step_key: str) -> str:
        rows = self._rows.get(step_key, [])
        more = f", and {len(rows) - _MOST_COUNTS} more" if len(rows) > _MOST_COUNTS else ""
        return ", ".join(rows[:_MOST_COUNTS]) + more


def step_title(step_key: str) -> str:
    """Return the asset a step makes, written as people write it: `user_ratings/members`."""
    return step_key.replace("__", "/")


@dg.logger(None, "One line per finished step, on standard error.")
def progress_logger(_context: dg.InitLoggerContext) -> logging.Logger:
    """Return a logger for `matinee run`."""
    logger = logging.getLogger("matinee.progress")
    logger.handlers = [_ProgressHandler()]
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    return logger
