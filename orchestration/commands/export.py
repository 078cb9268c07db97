"""`matinee export`: members of audiences sent to where they are used.

Belongs here: its options and what it says. Does not belong here: the delivery (`tasks.exporting`).
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from orchestration.commands.shared import (
    DONE,
    FAILED,
    USAGE,
    WarehouseOption,
    answer,
    fail,
    failing,
    read_settings,
)

if TYPE_CHECKING:
    from orchestration.settings import Settings
    from orchestration.tasks.exporting.delivering import Plan

_SHOWN_ROWS = 5


def export(
    name: Annotated[str | None, typer.Argument(help="Name of a declared export.")] = None,
    plan: Annotated[bool, typer.Option("--plan", help="Show what would be sent, and send nothing.")] = False,
    full: Annotated[
        bool, typer.Option("--full", help="Send everybody anew, in the place of all that is there.")
    ] = False,
    list_: Annotated[
        bool, typer.Option("--list", help="List the declared exports and their last deliveries.")
    ] = False,
    warehouse: WarehouseOption = None,
) -> None:
    """Send the members of audiences to where a declared export goes, or what changed."""
    if (name is None) != list_:
        fail("give the name of an export, or --list.", USAGE)
    settings = read_settings(warehouse=warehouse)

    from orchestration.tasks.exporting.declaration import find_export
    from orchestration.tasks.exporting.errors import ExportError

    if name is None:
        with failing(ExportError, code=USAGE):
            _list(settings)
        return
    with failing(ExportError):
        declared = find_export(settings.exports, name)

    from orchestration.progress import doing
    from orchestration.stores.lock import WarehouseError
    from orchestration.tasks.exporting import delivering
    from published.errors import PublishedError

    with failing(ExportError, PublishedError, WarehouseError), doing(f"exporting {name}"):
        if plan:
            planned = delivering.plan(declared, settings, full=full)
        else:
            delivered = delivering.deliver(declared, settings, full=full)
    if plan:
        _show(planned, settings, name)
        raise typer.Exit(FAILED if planned.refused else DONE)
    for manifest in delivered.manifests:
        answer(f"{name}: delivery {manifest['id']} {_counts(manifest)}.")
    if not delivered.manifests:
        _nothing_new(name, delivered.left)


def _nothing_new(name: str, left: int) -> None:
    answer(f"{name}: nothing is new since the last delivery; {left:,} are there.")


def _counts(manifest: Mapping[str, Any]) -> str:
    said = ", ".join(f"{manifest[change]:,} {change}" for change in ("added", "updated", "removed"))
    everybody = "everybody anew: " if manifest["kind"] == "full" else ""
    return f"({everybody}{said}; {manifest['left']:,} there, {manifest['held_out']:,} held out)"


def _show(planned: "Plan", settings: "Settings", name: str) -> None:
    from orchestration.stores.deliveries import DeliveryStore
    from orchestration.stores.layout import WarehouseLayout
    from published.people import hide_emails

    if begun := DeliveryStore(WarehouseLayout(settings.warehouse), name).begun:
        answer(f"{name}: delivery {begun['id']} was begun and goes on first {_counts(begun)}.")
    if planned.refused:
        answer(f"{name}: would be refused {_counts(planned.asked)}: {planned.refused}.")
    if not len(planned.changes):
        if not planned.refused:
            _nothing_new(name, planned.manifest["left"])
        return
    what = "of people who were forgotten alone " if planned.refused else ""
    answer(f"{name}: would send {what}{_counts(planned.manifest)}.")
    told = hide_emails(planned.rows.head(_SHOWN_ROWS).write_csv()).rstrip()
    # Ids and titles are other people's texts: none of them steers the terminal.
    answer("".join(sign if sign.isprintable() or sign == "\n" else ascii(sign)[1:-1] for sign in told))


def _list(settings: "Settings") -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from orchestration.stores.deliveries import DeliveryStore
    from orchestration.stores.layout import WarehouseLayout
    from orchestration.tasks.exporting.declaration import read_exports

    exports = read_exports(settings.exports)
    if not exports:
        answer(f"No export is declared in {settings.exports}.")
        return
    table = Table("export", "audiences", "to", "when", "last delivery", "there")
    for column in table.columns:
        column.overflow = "fold"
    named = [exports, {name for declared in exports.values() for name in declared.audiences}]
    for column, names in zip(table.columns, named, strict=False):
        column.no_wrap, column.min_width = True, max(map(len, names))  # a name is copied
    table.columns[5].justify = "right"
    for declared in exports.values():
        store, place = DeliveryStore(WarehouseLayout(settings.warehouse), declared.name), declared.destination
        last = next(reversed(store.manifests), None)
        sent = f"{last['id']}, {last['sent_at'][:16].replace('T', ' ')}" if last else "none"
        cells = [
            declared.name,
            "\n".join(declared.audiences),
            place.folder or place.table or "webhook",
            "each refresh" if declared.schedule else "on demand",
            f"{sent}; one is begun" if store.begun else sent,
            f"{last['left']:,}" if last else "",
        ]
        table.add_row(*map(Text, cells))
    Console().print(table)
