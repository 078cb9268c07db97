"""The command line `matinee`: every command, and how the process ends.

Belongs here: putting the commands together. Does not belong here: any command. None imports anything heavy before it
is called, so that `matinee --help` answers at once.
"""

import atexit
import io
import os
import sys
from typing import Any, TextIO

import typer

from orchestration.commands.dashboard import dashboard
from orchestration.commands.demo_data import demo_data
from orchestration.commands.evaluate.command import evaluate
from orchestration.commands.inspect import inspect
from orchestration.commands.promote import promote
from orchestration.commands.recommend.command import recommend
from orchestration.commands.replicate.command import replicate
from orchestration.commands.run.command import run
from orchestration.commands.score.command import score
from orchestration.commands.shared import DONE, FAILED

app = typer.Typer(
    help="Audience segments for a streaming service, from raw files to a report.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
)
for command in (run, inspect, demo_data, score, promote, replicate, evaluate, recommend, dashboard):
    app.command()(command)


def main() -> None:
    """Entry point."""
    code = FAILED

    def leave() -> None:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
        os._exit(code)

    # What is registered first is called last: all has ended, and only 2 s of taking objects apart are left.
    atexit.register(leave)
    sys.stdout, sys.stderr = _forgiving(sys.stdout), _forgiving(sys.stderr)
    try:
        app()
    except SystemExit as asked:
        code = asked.code if isinstance(asked.code, int) else FAILED if asked.code else DONE


class _Pipe(io.FileIO):
    """Where a reader may have had enough, as `head` has: what is written then is lost, and the work goes on."""

    def write(self, data: Any) -> int:
        try:
            return super().write(data)
        except BrokenPipeError:
            return len(data)


def _forgiving(stream: TextIO) -> TextIO:
    """Return the stream so that neither a closed pipe nor a letter that its encoding lacks ends a command."""
    if stream is None:  # closed by who called
        return stream
    file = io.BufferedWriter(_Pipe(stream.fileno(), "wb", closefd=False))
    line_buffering = stream.isatty() or stream is sys.stderr
    return io.TextIOWrapper(file, stream.encoding, "replace", line_buffering=line_buffering)
