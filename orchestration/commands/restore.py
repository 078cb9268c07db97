"""`matinee restore`: a warehouse from the file of a backup.

Belongs here: its options and what it says. Does not belong here: how it is put in place (`tasks.backup`).
"""

from pathlib import Path
from typing import Annotated

import typer

from orchestration.commands.shared import WarehouseOption, answer, failing, read_settings, say


def restore(
    file: Annotated[Path, typer.Argument(help="What `matinee backup` wrote.", dir_okay=False)],
    warehouse: WarehouseOption = None,
) -> None:
    """Make a warehouse from the file of a backup, where there is none."""
    settings = read_settings(warehouse=warehouse)

    from orchestration.stores.archive import ArchiveError
    from orchestration.stores.layout import WarehouseLayout
    from orchestration.tasks.backup import BackupError
    from orchestration.tasks.backup import restore as put_back
    from orchestration.tools.engines import dagster_home

    with failing(BackupError, ArchiveError):
        backup, has_history = put_back(file.absolute(), WarehouseLayout(settings.warehouse), dagster_home())
    say(
        f"The published set {backup.published} is in force again. The next `matinee run` makes the database anew."
    )
    if has_history:
        say(f"Run history: {backup.databases:,} databases in {dagster_home()}.")
    elif backup.databases:
        say(f"Run history: {dagster_home()} has its own, which stays.")
    answer(str(settings.warehouse))
