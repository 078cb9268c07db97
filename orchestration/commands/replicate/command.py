"""`matinee replicate` at the command line.

Belongs here: its options. Does not belong here: what it does (`analyses`).
"""

from typing import Annotated

import typer

from orchestration.commands.shared import USAGE, WarehouseOption, failing, read_settings


def replicate(
    source: Annotated[
        str | None, typer.Option("--source", help="kaggle, or a folder or archive of the real files.")
    ] = None,
    warehouse: WarehouseOption = None,
) -> None:
    """Repeat the published analysis, faults included, and print every published figure beside ours."""
    settings = read_settings(source=source, warehouse=warehouse)

    from orchestration.commands.replicate.analyses import replicate_source
    from orchestration.settings import SettingsError
    from orchestration.tools.engines import check_memory_limit

    with failing(SettingsError, code=USAGE):
        check_memory_limit(settings.memory_limit)

    raise typer.Exit(replicate_source(settings))
