"""A delivery from its plan to its manifest.

Belongs here: the order of events. Does not belong here: what is new (`changes`), the ways out (`destinations`).

A delivery is kept as pending before anything of it is sent, and finished when all of it is at its destination. So a
kill at any moment leaves one that the next call sends the rest of, before it asks what is new.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl

from ingest.suppressing import read_suppressed
from orchestration.settings import Settings
from orchestration.stores.deliveries import TREATED, DeliveryStore, delivering
from orchestration.stores.layout import WarehouseLayout
from orchestration.tasks.exporting.changes import (
    FORGOTTEN,
    REMOVED,
    UPDATED,
    WHO,
    compare,
    counted,
    why_refused,
)
from orchestration.tasks.exporting.declaration import Export, filled
from orchestration.tasks.exporting.delivery import Delivery, Destination
from orchestration.tasks.exporting.errors import ExportError, ExportRefusedError
from orchestration.tasks.exporting.rows import Members, members_of
from published.finding import current_set, warehouse_of
from published.sets import PublishedSet


@dataclass(frozen=True)
class Plan:
    """What a delivery would send.

    Attributes
    ----------
    manifest : as far as it is known before anything is sent.
    changes : the rows, as `changes.compare` gives them; where it is refused, those of forgotten people.
    sent : what the destination has afterwards.
    treated : who was ever sent or held out.
    refused : why the rest does not go out; None where all does.
    asked : how many rows of each change there would be, were nothing refused.
    """

    manifest: Mapping[str, Any]
    changes: pl.DataFrame
    sent: pl.DataFrame
    treated: pl.DataFrame
    refused: str | None
    asked: Mapping[str, Any]

    @property
    def rows(self) -> pl.DataFrame:
        """The rows as they go out."""
        return outgoing(self.manifest, self.changes)


@dataclass(frozen=True)
class Delivered:
    """What a call sent: the manifest of what was pending, that of what was new, and how many the destination has."""

    manifests: tuple[Mapping[str, Any], ...]
    left: int


def plan(export: Export, settings: Settings, *, full: bool = False) -> Plan:
    """Return what the next delivery would send; nothing is sent, and no destination asked.

    Raises
    ------
    ExportError
        When the published set cannot answer what the declaration asks.
    PublishedError
        When nothing is published.
    """
    layout = WarehouseLayout(settings.warehouse)
    data = current_set(layout.root)
    members = members_of(export, data, read_suppressed(layout.landing))
    return _planned(export, settings, data, members, full=full)


def deliver(export: Export, settings: Settings, *, full: bool = False) -> Delivered:
    """Send the rest of what is pending, then what is new.

    Parameters
    ----------
    export
        The declaration.
    settings
        Name the warehouse; `today` counts as the day of the delivery.
    full
        Send everybody anew, in the place of all that the destination has.

    Raises
    ------
    ExportError
        When it is refused, or the destination does not take it; what was taken is remembered.
    PublishedError
        When nothing is published.
    WarehouseError
        When another export is being sent.
    """
    layout = WarehouseLayout(settings.warehouse)
    today = settings.today or datetime.now(UTC).date()
    with delivering(layout), _keeping_account(layout):
        store = DeliveryStore(layout, export.name)
        destination = open_destination(export, layout.root)
        manifests = []
        if begun := store.begun:
            if full or begun["declared"] != export.fingerprint:
                store.drop()
            else:
                manifests.append(_send(store, destination, today))
        made = plan(export, settings, full=full)
        if len(made.changes):
            manifest = {**made.manifest, **_place(made.manifest, destination.last())}
            store.begin(manifest, changes=made.changes, sent=made.sent, treated=made.treated)
            manifests.append(_send(store, destination, today))
        if made.refused:
            only = (
                "Only people who were forgotten were removed there."
                if len(made.changes)
                else "Nothing was sent."
            )
            raise ExportRefusedError(f"{export.name}: {made.refused}. {only}")
        return Delivered(tuple(manifests), len(made.sent))


@contextmanager
def _keeping_account(layout: WarehouseLayout) -> Iterator[None]:
    """Say that the account of deliveries could not be written: destinations have words of their own."""
    try:
        yield
    except OSError as error:
        msg = f"{layout.deliveries}: {error.strerror or error}. Nothing is lost; call it again when that is mended."
        raise ExportError(msg) from error


def open_destination(export: Export, root: Path) -> Destination:
    """Return the way to where an export goes, with secrets of the environment in it.

    Raises
    ------
    ExportError
        When a variable is not set, or the destination cannot be reached.
    """
    place = export.destination
    if place.webhook is not None:
        from orchestration.tasks.exporting.destinations.webhook import Webhook  # noqa: PLC0415 - what is used

        return Webhook(filled(place.webhook), {name: filled(value) for name, value in place.headers.items()})
    if place.postgres is not None:
        from orchestration.tasks.exporting.destinations.postgres import Table  # noqa: PLC0415

        return Table(filled(place.postgres), place.table or "", export.name)
    from orchestration.tasks.exporting.destinations.files import Files  # noqa: PLC0415

    folder = filled(place.folder or "")
    return Files(
        folder if "://" in folder else str(root / Path(folder).expanduser()), export.name, export.format
    )


def outgoing(manifest: Mapping[str, Any], changes: pl.DataFrame) -> pl.DataFrame:
    """Return changes as they go out: the id called as it is, the audience where there are several."""
    return changes.select("change", *manifest["columns"]).rename(
        {"entity_id": manifest["entity"]}, strict=False
    )


def _planned(export: Export, settings: Settings, data: PublishedSet, members: Members, *, full: bool) -> Plan:
    store = DeliveryStore(WarehouseLayout(settings.warehouse), export.name)
    last = next(reversed(store.manifests), None)
    kept = store.sent()
    now = members.rows
    is_of_others = last is not None and last["entity"] != members.entity  # whose ids may be the same
    goes_on = (
        not full
        and last is not None
        and not is_of_others
        and kept is not None
        and last["declared"] == export.fingerprint
        and kept.drop(FORGOTTEN).schema == now.schema
    )
    before = kept if goes_on else None
    keys = export.value_names if export.is_ads else list(WHO)
    changes = compare(before, now, keys)
    if export.is_ads:  # hashes are added and removed, nothing else
        changes = changes.filter(pl.col("change") != UPDATED)
    least = dict.fromkeys(export.audiences, max(export.least, settings.minimum_members))
    was, told = before, changes
    # What takes the place of a list may not lack half of it either.
    if before is None and kept is not None and not full:
        was, told = kept, compare(kept.select(*WHO, FORGOTTEN), now.select(WHO), WHO)
    refused = why_refused(was, now, told, least=least, most_removed=export.most_removed)
    sent = now.with_columns(pl.lit(False).alias(FORGOTTEN))
    treated = store.treated().clear() if is_of_others else store.treated()
    treated = _treated(treated, members.everybody, export)
    asked = {**counted(told), "left": len(now)}
    if refused:
        changes = changes.filter(pl.col(FORGOTTEN) & (pl.col("change") == REMOVED))
        sent = sent.clear() if before is None else before.filter(~pl.col(FORGOTTEN))
        treated = store.treated()
    number = 1 + (last["number"] if last else 0)
    counts = counted(changes)
    shown = [*(["audience"] if len(export.audiences) > 1 else []), "entity_id"]
    manifest = {
        "export": export.name,
        "number": number,
        "id": _id(number, counts["sha256"]),
        "kind": "changes" if goes_on else "full",
        "before": last["id"] if last else None,
        "set": data.folder.name,
        "run": _run_of(data),
        "planned_at": datetime.now(UTC).isoformat(timespec="seconds"),
        **counts,
        "left": len(sent),
        "held_out": int(members.everybody["held_out"].sum()),
        "entity": members.entity,
        "keys": keys,
        "columns": [*([] if export.is_ads else shown), *export.value_names],
        "declared": export.fingerprint,
        "batch": export.destination.batch,
        "below": _below(export, data),
    }
    return Plan(manifest, changes, sent, treated, refused, {**manifest, **asked})


def _below(export: Export, data: PublishedSet) -> str | None:
    """Return the folder of files, where it is one of the warehouse: who is forgotten is taken out of these, too."""
    root, folder = warehouse_of(data).resolve(), export.destination.folder
    if folder is None or "://" in folder or "$" in folder:
        return None
    there = (root / Path(folder).expanduser()).resolve()
    return str(there.relative_to(root)) if there.is_relative_to(root) else None


def _treated(before: pl.DataFrame, everybody: pl.DataFrame, export: Export) -> pl.DataFrame:
    """Return who was ever sent or held out, with those of today; since when they count is told when they are sent."""
    new = everybody.join(before, on=["audience", "entity_id", "held_out"], how="anti").with_columns(
        pl.lit(None, pl.Date).alias("first_on"), pl.lit(export.horizon_days, pl.Int32).alias("horizon_days")
    )
    return pl.concat([before, new.select(list(TREATED)).cast(pl.Schema(TREATED))])


def _place(manifest: Mapping[str, Any], there: str | None) -> dict[str, Any]:
    """Return number and id of a delivery that comes after the last one at its destination.

    Raises
    ------
    ExportError
        When the destination has deliveries that nobody here remembers.
    """
    last = int(there.partition("-")[0]) if there else 0
    if last < manifest["number"]:
        return {}
    if manifest["kind"] == "changes":
        before = manifest["before"]
        msg = (
            f"{manifest['export']}: the destination has the delivery {there}, and this warehouse sent {before} last: "
            "it was restored from a backup, or another one sends there. `matinee export … --full` sends everybody anew."
        )
        raise ExportError(msg)
    return {"number": last + 1, "id": _id(last + 1, manifest["sha256"])}


def _id(number: int, sha256: int | str) -> str:
    return f"{number:06d}-{str(sha256)[:8]}"


def _run_of(data: PublishedSet) -> str:
    if not data.has("runs", "run_id"):
        return data.folder.name.partition("-")[2]
    return str(data.ask("select run_id from runs order by ended_at desc nulls first limit 1").item())


def _send(store: DeliveryStore, destination: Destination, today: date) -> dict[str, Any]:
    """Send what is pending, or the rest of it, and remember that it is there."""
    begun = store.begun or {}
    told: Mapping[str, Any] = {}
    if destination.last() != begun["id"]:  # else a kill came when all of it was there
        rows = outgoing(begun, store.changes())
        keys = [
            begun["entity"] if key == "entity_id" else key for key in begun["keys"] if key in begun["columns"]
        ]
        told = destination.send(Delivery(begun, rows, keys, store.acknowledged, store.acknowledge))
    return store.finish({**told, "sent_at": datetime.now(UTC).isoformat(timespec="seconds")}, today)
