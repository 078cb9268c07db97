"""`matinee remove`: a file taken out of what counts, because a person says so.

Belongs here: its options and what it says. Does not belong here: the account (`ingest.arrivals`), forgetting a person.
"""

from typing import Annotated

import typer

from orchestration.commands.shared import WarehouseOption, answer, failing, read_settings


def remove(
    table: Annotated[str, typer.Argument(help="Table whose rows the file brought, e.g. ratings.")],
    file: Annotated[
        str,
        typer.Argument(help="Its name, or its path in processed/ where two have the name."),
    ],
    warehouse: WarehouseOption = None,
) -> None:
    """Take a file that arrived, or that its source has no more, out of what counts.

    The tables follow with the next run.
    """
    from ingest.errors import IngestError
    from orchestration.stores.layout import WarehouseLayout
    from orchestration.stores.lock import WarehouseError, lock_warehouse
    from orchestration.tasks.landing import remove_file

    layout = WarehouseLayout(read_settings(warehouse=warehouse).warehouse)
    with failing(IngestError, WarehouseError), lock_warehouse(layout, "matinee remove"):
        removed = remove_file(layout, table, file)
    answer(
        f"{removed} Tables, plots and report follow with the next `matinee run`; until then they hold its rows."
    )
