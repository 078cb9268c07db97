"""What every command shares: options, exit codes, and how it speaks and fails.

Belongs here: what two commands would write alike. Does not belong here: work; what is heavy to import is imported by
the function that needs it.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

if TYPE_CHECKING:
    from orchestration.settings import Settings

DONE, FAILED, USAGE, REJECTS = range(4)
"""Exit codes: 1 failed, nothing published was replaced, or nothing of the dataset whose file was refused; 2 wrong usage
or setting; 3 done and published, but raw lines were rejected that are not known faults of the file."""

WarehouseOption = Annotated[
    Path | None,
    typer.Option("--warehouse", help="Folder for everything a run makes [env: MATINEE_WAREHOUSE]."),
]


def _check_source(source: str | None) -> str | None:
    """Refuse a path that does not exist before anything heavy is imported; all else the settings look at."""
    is_path = source and source not in ("demo", "kaggle", "incoming") and not source.startswith("s3://")
    if source and is_path and not Path(source).expanduser().exists():
        msg = (
            f"{source}: there is no such file or folder. Give a folder that holds the raw files, a declaration, "
            "or 'kaggle'."
        )
        raise typer.BadParameter(msg)
    return source


SourceOption = Annotated[
    str | None,
    typer.Option(
        "--source",
        envvar="MATINEE_SOURCE",
        callback=_check_source,
        help="demo, kaggle, incoming, a declaration, a folder or an archive of raw files, or s3://BUCKET/FOLDER.",
    ),
]


def read_settings(*, source: str | None = None, warehouse: Path | None = None) -> "Settings":
    """Return the settings; one that cannot be used ends the command."""
    from orchestration.settings import SettingsError, load_settings

    with failing(SettingsError, code=USAGE):
        return load_settings(source=source, warehouse=warehouse)


@contextmanager
def failing(*errors: type[Exception], code: int = FAILED) -> Iterator[None]:
    """End the command with an error's own words where one of these is raised in the `with` block.

    Whatever the code, a wrong declaration of a source is wrong usage.
    """
    try:
        yield
    except errors as error:
        from ingest.errors import WrongDeclarationError

        fail(str(error), USAGE if isinstance(error, WrongDeclarationError) else code)


def fail(message: str, code: int = FAILED) -> NoReturn:
    """Say what is wrong and end the command."""
    say(f"error: {message}")
    raise typer.Exit(code)


def say(text: str) -> None:
    """Tell people something, beside what other programs read from standard output."""
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - the command line speaks


def answer(text: str) -> None:
    """Print what other programs read."""
    print(text)  # noqa: T201 - the command line answers
