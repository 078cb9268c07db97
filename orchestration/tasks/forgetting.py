"""People taken out of everything that a warehouse holds, and the receipt of it.

Belongs here: the order of events, and the receipt. Does not belong here: landed and raw files (`ingest.forgetting`),
each other place (`orchestration.tasks.forgetting_places`), Dagster's records (`orchestration.tools.records`).

The list of who is kept out is written first and says that work is pending; landed files, in which people can be found
again by the list, come last; then the receipt. So a kill at any moment is made good by the same command, and by the
next run as far as what has landed tells who it was.
"""

import json
import shutil
from collections.abc import Callable, Sequence
from contextlib import suppress as ignoring
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from re import Pattern

import filelock
import polars as pl

from ingest.arrivals import Account, DropFolder, forget_names
from ingest.errors import counted
from ingest.forgetting import (
    Person,
    Touched,
    find_pending,
    forget_landed,
    forget_reasons,
    holding,
    pattern,
    person,
    rows_of_files,
)
from ingest.forgetting_raw import forget_raw
from ingest.store import source_of
from ingest.suppressing import PEOPLE, REMOVED, Kind, read_suppressed, settle, suppress
from orchestration.stores import runs
from orchestration.stores.deliveries import delivering
from orchestration.stores.layout import WarehouseLayout, write_atomically
from orchestration.stores.lock import switching
from orchestration.tasks.forgetting_places import (
    forget_deliveries,
    forget_models,
    forget_pictures,
    forget_published,
    forget_snapshots,
    models_of,
)
from orchestration.tasks.nothing_new import forget_what_it_was_made_of
from orchestration.tasks.switching import finish_switch

_SECONDS_TO_SEND = 60
"""How long people wait for an export that is being sent; what it has sent by then is known afterwards."""
Records = Callable[[Pattern[str]], tuple[Sequence[tuple[str, int, str]], list[str]]]
"""Takes people out of Dagster's records, given what names them; tells what it touched, and what a person must do."""


@dataclass(frozen=True)
class Receipt:
    """What was done.

    Attributes
    ----------
    day : when (UTC).
    people : kind and salted hash of each person.
    touched : what held them.
    models_to_refit : models that learned from them among others; they hold no row of anybody.
    by_hand : what is not ours to change, in sentences.
    found_nobody : whether no file held any of them.
    file : where it is written.
    """

    day: str
    people: list[dict[str, str]]
    touched: list[Touched]
    models_to_refit: list[str]
    by_hand: list[str]
    found_nobody: bool = False
    file: Path | None = None


def forget(layout: WarehouseLayout, named: Sequence[tuple[Kind, str]], forget_records: Records) -> Receipt:
    """Take people out of a warehouse, and keep them out; who is not in it is kept out all the same.

    Parameters
    ----------
    layout
        The warehouse; the caller holds its lock.
    named
        Kind and id, as the source writes it.
    forget_records
        Does the same to Dagster's records.
    """
    today = datetime.now(UTC).date()
    rows = rows_of_files(layout.landing, [written for kind, written in named if kind == "customer"])
    suppress(layout.landing, named, rows, today)
    return _forget(layout, [person(layout.landing, *each) for each in named], forget_records)


def forget_pending(layout: WarehouseLayout, forget_records: Records) -> Receipt | None:
    """Do the rest of what a killed command began; None where nothing is pending."""
    if not read_suppressed(layout.landing).is_pending:
        return None
    return _forget(layout, [], forget_records)


def _forget(layout: WarehouseLayout, named: Sequence[Person], forget_records: Records) -> Receipt:
    finish_switch(layout)
    suppressed = read_suppressed(layout.landing)
    people = list(dict.fromkeys([*named, *find_pending(layout.landing, suppressed)]))
    says = pattern(people)
    recorded, by_hand = forget_records(says) if says else ((), [])
    logs = _remove(layout, "logs of dbt removed", layout.dbt_target)
    _remove(layout, "", *_drafts(layout))
    with ignoring(filelock.Timeout), filelock.FileLock(layout.backup_lock, timeout=0):
        _remove(layout, "", layout.backup)  # what a backup that was killed had pinned
    raw = forget_raw(layout.raw_folders, people)
    raw += _forget_processed(layout, people, raw)
    drop = DropFolder(layout.incoming, layout.processed, layout.failed)
    renamed = forget_names(drop, layout.landing, suppressed)
    raw = [replace(each, file=suppressed.renamed(each.file)) for each in raw]
    raw += [Touched("names of files", renamed, "renamed")] if renamed else []
    with delivering(layout, _SECONDS_TO_SEND), switching(layout):  # no backup pins what goes
        held = [
            *(Touched(*each) for each in recorded),
            *raw,
            *forget_published(layout, people, suppressed),
            *forget_snapshots(layout, people),
        ]
        forget_what_it_was_made_of(layout)
        # Freed pages of a database keep their bytes; each run builds it anew from the landing and the models.
        made = (layout.database, layout.database.with_suffix(".duckdb.wal"), layout.spark, layout.replica)
        removed = _remove(
            layout, "removed, built anew by the next run", *made, layout.audiences, layout.temporary
        )
        pictures = forget_pictures(layout, people)
        held += forget_models(layout, people)
        delivered = forget_deliveries(layout, people)
        held += forget_reasons(layout.landing, says, suppressed)
        if says and (told := runs.blank(layout, says, REMOVED)):
            held.append(Touched(layout.run_records.name, told, "reasons blanked"))
        landed = forget_landed(layout.landing, people, suppressed)
    receipt = Receipt(
        day=datetime.now(UTC).date().isoformat(),
        people=[{"kind": each.kind, "hash": suppressed.hash(each.kind, each.id)} for each in people],
        touched=[*held, *delivered, *landed, *pictures, *logs, *removed],
        models_to_refit=models_of(layout, {each.kind for each in people}),
        by_hand=[*by_hand, *_by_hand(layout, people, landed, raw), *_to_send(delivered)],
        found_nobody=not held and not landed and not delivered,
    )
    written = _write(layout, receipt)
    settle(layout.landing)
    return written


def _forget_processed(
    layout: WarehouseLayout, people: Sequence[Person], rewritten: Sequence[Touched]
) -> list[Touched]:
    """Remove raw files that came through the drop folder, held somebody, and were read as only a declaration tells."""
    done, held = {each.file for each in rewritten}, holding(layout.landing, people)
    kept = [
        layout.processed / one.kept
        for one in Account.read(layout.landing).arrivals
        if f"{one.table}-{one.key}" in held
    ]
    still = [path for path in kept if str(path.relative_to(layout.root)) not in done]
    return _remove(layout, "file removed", *still)


def _drafts(layout: WarehouseLayout) -> list[Path]:
    """Return what processes that were killed left half written: nobody else writes now."""
    made = (layout.models, layout.plot_sets, layout.published_sets, layout.report, layout.demo)
    drafts = [path for folder in made for path in folder.rglob(".*")]
    return drafts + [path for folder in layout.raw_folders for path in folder.rglob(".forget-*")]


def _remove(layout: WarehouseLayout, what: str, *paths: Path) -> list[Touched]:
    there = [path for path in paths if path.exists()]
    for path in there:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    return [Touched(str(path.relative_to(layout.root)), 1, what) for path in there]


def _by_hand(
    layout: WarehouseLayout, people: Sequence[Person], landed: Sequence[Touched], rewritten: Sequence[Touched]
) -> list[str]:
    """Say what still holds people and is not Matinee's: the raw files they came from, copies that somebody made."""
    touched = {each.file for each in landed}
    kinds = {each.kind for each in people}
    arrived = {f"{one.table}-{one.key}.manifest.parquet" for one in Account.read(layout.landing).arrivals}
    came_from = {
        row["source"]
        for path in (layout.landing / "files").glob("*.manifest.parquet")
        if path.name not in arrived
        and touched & {path.name.replace(".manifest.", other) for other in (".", ".rejects.")}
        for row in pl.read_parquet(path, columns=["table_name", "source"]).iter_rows(named=True)
        if PEOPLE.get(row["table_name"], ("",))[0] in kinds
    }
    folder = Path((source_of(layout.landing, "candidate") or {}).get("folder", ""))
    if folder.is_relative_to(layout.root):  # ours: only a file without ids still has its rows
        came_from -= {Path(each.file).name for each in rewritten}
    said = ["Backups of the warehouse, and files that were downloaded from the dashboard, are as they were."]
    if waiting := sum(path.is_file() for path in layout.incoming.glob("*/**/*")):
        said.append(
            f"What lies in {layout.incoming} ({counted(waiting, 'file')}) is as it came; it lands without them."
        )
    if any(path.is_file() for path in layout.failed.rglob("*")):
        said.append(
            f"In {layout.failed} only tables were searched for numbers. Delete what else may hold them."
        )
    if came_from:
        said.insert(
            0,
            f"Raw files still hold them: {', '.join(sorted(came_from))}, the latest in {folder}. Delete the rows "
            "there; until then they are left out each time the files land.",
        )
    return said


def _to_send(delivered: Sequence[Touched]) -> list[str]:
    """Say which exports still have to tell their destinations; until then the ids stay for that."""
    names = [each.file.partition("/")[2] for each in delivered]
    return [f"Sent to others before; tell them with `matinee export {name}`." for name in names]


def _write(layout: WarehouseLayout, receipt: Receipt) -> Receipt:
    number = 1 + len(list(layout.receipts.glob(f"forgotten-{receipt.day}-*.json")))
    file = layout.receipts / f"forgotten-{receipt.day}-{number}.json"
    facts = asdict(receipt)
    del facts["file"]
    write_atomically(file, json.dumps(facts, indent=1, ensure_ascii=False) + "\n")
    return Receipt(**{**receipt.__dict__, "file": file})
