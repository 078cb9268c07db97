"""`matinee forget`: people taken out of the warehouse and kept out.

Belongs here: its options and what it says. Does not belong here: what it does (`tasks.forgetting`, `tools.records`).
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from orchestration.commands.shared import USAGE, WarehouseOption, answer, fail, failing, read_settings

if TYPE_CHECKING:
    from ingest.suppressing import Kind
    from orchestration.tasks.forgetting import Receipt


def forget(
    user: Annotated[
        list[str] | None,
        typer.Option(
            "--user", metavar="ID", help="A user of ratings, views or users, as the source writes the id."
        ),
    ] = None,
    customer: Annotated[
        list[str] | None,
        typer.Option(
            "--customer", metavar="ID", help="A customer: the id, or the row of a file without ids."
        ),
    ] = None,
    file: Annotated[
        Path | None, typer.Option("--file", exists=True, dir_okay=False, help="Ids of users, one a line.")
    ] = None,
    customer_file: Annotated[
        Path | None,
        typer.Option("--customer-file", exists=True, dir_okay=False, help="Ids of customers, one a line."),
    ] = None,
    warehouse: WarehouseOption = None,
) -> None:
    """Remove people from the warehouse, keep them out, and write a receipt.

    The database is built anew by the next `matinee run`, which also trains the models anew.
    """
    named: list[tuple[Kind, str]] = [
        *(("user", written) for written in [*(user or []), *_ids_of(file)]),
        *(("customer", written) for written in [*(customer or []), *_ids_of(customer_file)]),
    ]
    if not named:
        fail("nobody was named. Give --user, --customer, --file or --customer-file.", USAGE)

    from ingest.errors import IngestError
    from orchestration.progress import doing
    from orchestration.stores.layout import ModelNotFoundError, WarehouseLayout
    from orchestration.stores.lock import WarehouseError, lock_warehouse

    layout = WarehouseLayout(read_settings(warehouse=warehouse).warehouse)
    if not layout.root.is_dir():
        fail(f"there is no warehouse at {layout.root}.")
    known = (WarehouseError, IngestError, ModelNotFoundError)
    with failing(*known), lock_warehouse(layout, "matinee forget"), doing("forgetting"):
        from orchestration.tasks.forgetting import forget as forget_people
        from orchestration.tools.records import forget_in_records

        receipt = forget_people(layout, named, forget_in_records)
    _show(receipt)


def _ids_of(file: Path | None) -> list[str]:
    """Return the lines of a file that are not empty; blanks belong to an id, as landing reads it."""
    if file is None:
        return []
    with failing(OSError, UnicodeDecodeError):
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    return [line for line in lines if line.strip()]


def _show(receipt: "Receipt") -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    table = Table("where", "what", "how many")
    table.columns[2].justify = "right"
    for each in receipt.touched:
        table.add_row(Text(each.file), each.what, f"{each.rows:,}")
    count = len(receipt.people)
    people = "1 person is" if count == 1 else f"{count:,} people are"
    if receipt.found_nobody:
        console.print(f"{people} nowhere in this warehouse, and kept out from now on.")
    else:
        console.print(f"{people} forgotten, and kept out from now on.")
    console.print(table)
    if receipt.models_to_refit:
        names = ", ".join(receipt.models_to_refit)
        learned = f"May have learned from them, and trained anew by `matinee run`: {names}."
        console.print(Text(learned), soft_wrap=True)
    for sentence in receipt.by_hand:
        console.print(Text(sentence), soft_wrap=True)
    answer(f"Receipt: {receipt.file}")
