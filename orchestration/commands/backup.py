"""`matinee backup`: what is in force as one file, also while a run goes on.

Belongs here: its options and what it says. Does not belong here: what a backup holds (`tasks.backup`).
"""

from pathlib import Path
from typing import Annotated

import typer

from ingest.errors import counted
from orchestration.commands.shared import WarehouseOption, answer, failing, read_settings, say


def backup(
    to: Annotated[
        Path,
        typer.Option("--to", help="New file to write; it ends in .tar, .tar.gz or .tar.zst.", dir_okay=False),
    ],
    warehouse: WarehouseOption = None,
) -> None:
    """Write what is in force and the run history to one file; runs go on beside it.

    The database is left out, because the next run makes it anew.
    """
    settings = read_settings(warehouse=warehouse)

    from orchestration.stores.archive import ArchiveError
    from orchestration.stores.layout import WarehouseLayout
    from orchestration.stores.lock import WarehouseError
    from orchestration.tasks.backup import BackupError, back_up
    from orchestration.tools.engines import dagster_home

    with failing(BackupError, ArchiveError, WarehouseError):
        made = back_up(WarehouseLayout(settings.warehouse), dagster_home(), to.absolute())
    say(f"The published set {made.published} and what it was made of: {counted(made.files, 'file')}.")
    say(
        f"Run history: {made.databases:,} databases from {dagster_home()}."
        if made.databases
        else f"Run history: none, for {dagster_home()} has none."
    )
    say(
        "Left out: matinee.duckdb, which the next run makes anew; raw files and what a run has not published yet."
    )
    answer(str(to.absolute()))
