"""The command line `matinee`: which commands there are, and how the process ends.

Belongs here: a command's name, its module and the sentence the list of commands says of it. Does not belong here: any
command; only the module of the one that is called is imported, so that help and a typo are answered at once.
"""

import atexit
import io
import os
import sys
from importlib import import_module
from typing import Annotated, Any, TextIO

import typer
from typer.core import TyperCommand, TyperGroup

from orchestration import progress
from orchestration.commands.shared import DONE, FAILED, answer

COMMANDS = {
    "run": ("run.command", "Run the whole graph: land, clean, segment, publish, report."),
    "status": ("status", "Tell the last good run, what failed since and why, and what is stale."),
    "inspect": (
        "inspect",
        "Tell what files hold, what Matinee would make of them, and what is wrong with them.",
    ),
    "demo-data": (
        "demo_data",
        "Write the demo world as raw files, in the shape of the public ones or a service's.",
    ),
    "score": (
        "score.command",
        "Tell the segment of new entities with the stored model; nothing is refitted.",
    ),
    "promote": ("promote", "Put segments in force that fell short of their thresholds."),
    "remove": ("remove", "Take a file that arrived, or that its source has no more, out of what counts."),
    "replicate": (
        "replicate.command",
        "Repeat the published analysis, and print every published figure beside ours.",
    ),
    "evaluate": ("evaluate.command", "Judge a recommender on held-out ratings, beside popularity."),
    "recommend": ("recommend.command", "Recommend titles to a user, or to somebody who likes a few titles."),
    "audience": ("audience", "Check an audience by rule, list all of them, or pin one to the day."),
    "export": ("export", "Send the members of audiences to where a declared export goes, or what changed."),
    "forget": ("forget", "Remove people from the warehouse, keep them out, and write a receipt."),
    "prune": ("prune", "Remove what is older than the retention and no longer used."),
    "dashboard": ("dashboard", "Open the dashboard over the published results; runs go on beside it."),
    "backup": ("backup", "Write what is in force and the run history to one file; runs go on beside it."),
    "restore": ("restore", "Make a warehouse from the file of a backup, where there is none."),
}
"""Name to its module below `orchestration.commands`, which has a function of the same name, and what it does."""
_PLAIN: dict[str, Any] = {
    "rich_markup_mode": None,
    "pretty_exceptions_enable": False,
    "add_completion": False,
}


class Commands(TyperGroup):
    """The commands by name and sentence; one is imported when it is called."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = {name: TyperCommand(name, help=said) for name, (_, said) in COMMANDS.items()} | dict(
            self.commands
        )

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return the command itself, imported."""
        if cmd_name not in COMMANDS:
            return super().get_command(ctx, cmd_name)
        module = import_module(f"orchestration.commands.{COMMANDS[cmd_name][0]}")
        alone = typer.Typer(**_PLAIN)
        alone.command(cmd_name)(getattr(module, cmd_name.replace("-", "_")))
        return typer.main.get_command(alone)

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002 - Click's signature
        """Write each command with its whole sentence."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, command.help or "") for name, command in self.commands.items()])


app = typer.Typer(cls=Commands, no_args_is_help=True, **_PLAIN)


def _show_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version  # noqa: PLC0415 - only this option needs it

        answer(f"matinee {version('matinee')}")
        raise typer.Exit(DONE)


@app.callback()
def matinee(
    *,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit."),
    ] = False,
) -> None:
    """Audience segments for a streaming service, from raw files to a report."""


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
    # Of its own: while Dagster runs, the other one leads to the log of the run, and is no terminal.
    for_people = sys.stderr and _forgiving(sys.stderr, os.dup(sys.stderr.fileno()))
    try:
        with progress.shown(for_people):
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


def _forgiving(stream: TextIO, descriptor: int | None = None) -> TextIO:
    """Return the stream so that neither a closed pipe nor a letter that its encoding lacks ends a command."""
    if stream is None:  # closed by who called
        return stream
    file = io.BufferedWriter(_Pipe(descriptor or stream.fileno(), "wb", closefd=False))
    line_buffering = stream.isatty() or stream is sys.stderr
    return io.TextIOWrapper(file, stream.encoding, "replace", line_buffering=line_buffering)
