"""`matinee replicate` at the command line.

Belongs here: its options. Does not belong here: what it does (`analyses`).
"""

import typer

from orchestration.commands.shared import USAGE, SourceOption, WarehouseOption, failing, read_settings


def replicate(
    source: SourceOption = None,
    warehouse: WarehouseOption = None,
) -> None:
    """Repeat the published analysis, and print every published figure beside ours.

    Faults are repeated too.
    """
    settings = read_settings(source=source, warehouse=warehouse)

    from orchestration.commands.replicate.analyses import replicate_source
    from orchestration.settings import SettingsError
    from orchestration.tools.engines import check_memory_limit

    with failing(SettingsError, code=USAGE):
        check_memory_limit(settings.memory_limit)

    raise typer.Exit(replicate_source(settings))
