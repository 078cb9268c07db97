"""What is being done, and how much of how much, for a person who waits longer than two seconds.

Belongs here: keeping what is under way, and showing it on standard error: a bar at a terminal, now and then a line
elsewhere. Does not belong here: what finished (`orchestration.tools.step_lines`), any work.

Who works says so with `doing` or `counting` and never draws. What is shown is looked at twice a second, so it costs the
same however often a count changes. Nothing is shown outside `shown`: not in `dagster dev`, nor in the worker
process, which sends what `under_way` gives to the run (`orchestration.tasks.worker`).
"""

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TextIO

TICK = 0.5
"""Seconds between two looks at what is under way."""
_PATIENCE = 2.0
"""Seconds of which nobody wants to hear."""
_BETWEEN_LINES = 5.0
"""Seconds between two lines where the output is no terminal."""
_LONGEST = 44
"""Letters of what is done; names of tests are longer."""


class Progress(NamedTuple):
    """What is being done, how much of it is done, and of how much; `total` is 0 where nobody knows."""

    what: str = ""
    done: float = 0
    total: float = 0
    unit: str = ""


Look = Callable[[], Progress]
Tell = Callable[[float, float], None]
"""Takes how much is done, and of how much."""


@dataclass(frozen=True, eq=False)
class _Activity:
    look: Look
    thread: int = field(default_factory=threading.get_ident)
    began: float = field(default_factory=time.monotonic)


_activities: list[_Activity] = []
"""The oldest first."""
_lock = threading.RLock()
_shown: list["_Display"] = []


@contextmanager
def doing(what: str | Look) -> Iterator[None]:
    """Say what is done in the `with` block: in words, or with a function that is asked for it now and then.

    The function is never called once the block is left. What has no words is not shown: it shows itself.
    """
    activity = _Activity((lambda: Progress(what)) if isinstance(what, str) else what)
    with _lock:
        _activities.append(activity)
    try:
        yield
    finally:
        with _lock:
            _activities.remove(activity)
            for display in _shown:
                display.tidy()


@contextmanager
def counting(what: str, unit: str) -> Iterator[Tell]:
    """Say what is done in the `with` block; what it gives takes how much is done and of how much, from any thread."""
    now = Progress(what, unit=unit)

    def tell(done: float, total: float) -> None:
        nonlocal now
        now = Progress(what, done, total, unit)

    with doing(lambda: now):
        yield tell


def under_way(thread: int) -> Progress | None:
    """Return the innermost that a thread is doing."""
    with _lock:
        return next(
            (activity.look() for activity in reversed(_activities) if activity.thread == thread), None
        )


@contextmanager
def shown(stream: TextIO | None) -> Iterator[None]:
    """Show on a stream what lasts, as long as the `with` block; without one, nothing."""
    if stream is None:
        yield
        return
    display, over = _Display(stream), threading.Event()

    def watch() -> None:
        while not over.wait(TICK):
            with _lock:
                display.draw()

    with _lock:
        _shown.append(display)
    threading.Thread(target=watch, daemon=True).start()
    try:
        yield
    finally:
        over.set()
        with _lock:
            _shown.remove(display)
            display.close()


def say(line: str) -> None:
    """Write a line where progress is shown, above the bar where there is one; else on standard error."""
    with _lock:
        if _shown:
            _shown[-1].write(line)
        else:
            sys.stderr.write(f"{line}\n")
            sys.stderr.flush()


class _Display:
    """One line: of the thread that has been at work longest, best one that knows how far it is."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._can_redraw = stream.isatty() and os.environ.get("TERM") != "dumb"
        self._bar: Any = None
        self._last_line = 0.0

    def draw(self) -> None:
        """Show how far it is."""
        now = time.monotonic()
        if not _activities or now - _activities[0].began < _PATIENCE:
            self.close()
            return
        nests = [
            [activity for activity in _activities if activity.thread == thread]
            for thread in dict.fromkeys(activity.thread for activity in _activities)
        ]
        nest = next((nest for nest in nests if nest[-1].look().total), nests[0])
        outer, inner = nest[0].look(), nest[-1].look()
        what = _short(": ".join(dict.fromkeys(filter(None, (outer.what, inner.what)))))
        if not what:
            self.close()
            return
        words = ", ".join([*_how_far(inner, now - nest[-1].began), f"{now - nest[0].began:.0f} s"])
        if self._can_redraw:
            if not self._bar:
                self._bar = _new_bar(self._stream)
                self._columns = self._bar.columns
            spinner, title, share, more = self._columns
            self._bar.columns = (spinner, title, share, more) if inner.total else (spinner, title, more)
            at = {"total": inner.total or None, "completed": inner.done, "description": what, "words": words}
            self._bar.update(self._bar.task_ids[0], **at)
            self._bar.start()
            self._bar.refresh()
        elif now - self._last_line >= _BETWEEN_LINES:
            self._last_line = now
            self.write(f"  … {what}: {words}")

    def write(self, line: str) -> None:
        """Write a line of its own."""
        if self._bar:
            self._bar.console.print(line, markup=False, highlight=False, soft_wrap=True)
        else:
            self._stream.write(f"{line}\n")
            self._stream.flush()

    def tidy(self) -> None:
        """Take the bar away where what it showed has ended, so that whoever writes next finds a clean line."""
        if not _activities:
            self.close()

    def close(self) -> None:
        """Take the bar away."""
        if self._bar:
            self._bar.stop()
            self._bar = None


def _new_bar(stream: TextIO) -> Any:
    from rich import progress  # noqa: PLC0415 - only for those who wait
    from rich.console import Console  # noqa: PLC0415

    columns = (
        progress.SpinnerColumn(),
        progress.TextColumn("{task.description}", markup=False),
        progress.BarColumn(24),
        progress.TextColumn("{task.fields[words]}", markup=False),
    )
    width = os.get_terminal_size(stream.fileno()).columns or None
    # Standard output may be a pipe to a program, which must get what is printed there.
    bar = progress.Progress(
        *columns,
        console=Console(file=stream, width=width),
        auto_refresh=False,
        transient=True,
        redirect_stdout=False,
    )
    bar.add_task("", words="")
    return bar


def _how_far(progress: Progress, seconds: float) -> list[str]:
    if not progress.total:
        return []
    rate = progress.done / seconds
    if progress.unit == "bytes":
        of, per_second = (
            f"{progress.done / 1e6:,.1f} of {progress.total / 1e6:,.1f} MB",
            f"{rate / 1e6:,.1f} MB/s",
        )
    else:
        of = f"{progress.done:,.0f} of {progress.total:,.0f} {progress.unit}"
        per_second = f"{rate:,.0f}/s" if rate >= 10 else f"{rate:,.1f}/s"
    return [of, per_second] if progress.done else [of]


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
