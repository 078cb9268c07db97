"""People taken out of what runs made: published sets, the report, pictures, models.

Belongs here: finding the rows of people in these files, and writing them so that a reader sees all or nothing. Does not
belong here: the order of events (`orchestration.tasks.forgetting`).
"""

import hashlib
import json
import os
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress as ignoring
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import numpy as np
import polars as pl
import yaml

from ingest.forgetting import Person, Touched, pattern
from ingest.sql import identifier, path_literal, text_literal
from ingest.suppressing import KIND_OF, REMOVED, Kind, Suppressed
from orchestration.settings import PROJECT_ROOT
from orchestration.stores.deliveries import DeliveryStore
from orchestration.stores.layout import ModelNotFoundError, WarehouseLayout, switch_symlink
from orchestration.stores.lock import WarehouseError
from orchestration.stores.plots import PlotStore
from orchestration.stores.versions import VersionedStore
from orchestration.tasks.audience_queries import AUDIENCE
from orchestration.tasks.report import write_report_page

_STAMP = "%Y%m%dT%H%M%S"
_TEXTS = ("rejects", "checks", "landing_manifest")
"""Published tables in whose texts an id may stand: raw lines, what checks found, and names of files."""


def forget_published(
    layout: WarehouseLayout, people: Sequence[Person], suppressed: Suppressed
) -> list[Touched]:
    """Publish every kept set anew without these people, remove the old one, and write the report of the current one."""
    touched = []
    for folder in sorted(layout.published_sets.glob("*")) if people else ():
        rows = _republish(layout, folder, people, suppressed)
        touched += [Touched(f"published.d/{folder.name}", rows)] if rows else []
    if layout.published.exists() and (touched or not (layout.report / "index.html").exists()):
        _write_report(layout)
        touched.append(Touched("report/index.html", 1, "page written anew"))
    return touched


def forget_pictures(layout: WarehouseLayout, people: Sequence[Person]) -> list[Touched]:
    """Put the pictures in force without those whose rows are users by their ids; the next run draws them."""
    from report.context import PERSONAL_PLOTS  # noqa: PLC0415 - with the report's other imports

    store = PlotStore(layout, AUDIENCE)
    kept = {path.stem: path.read_bytes() for path in sorted(store.link.glob("*.png"))}
    shown = [path for name in PERSONAL_PLOTS for path in store.folder.glob(f"*/{name}.png")]
    if not shown or not any(each.kind == "user" for each in people):
        return []
    version = None
    if store.link.exists():
        version = store.save_candidate(
            {name: png for name, png in kept.items() if name not in PERSONAL_PLOTS}
        )
        store.promote_candidate()
    for folder in store.folder.glob("*/"):
        if folder != version:
            shutil.rmtree(folder)
    return [Touched(f"plots/{AUDIENCE}", len(shown), "pictures removed")]


def forget_models(layout: WarehouseLayout, people: Sequence[Person]) -> list[Touched]:
    """Take the rows of people out of every version of every model; what it learned stays until it is trained again.

    The next run trains it, for what it was trained on is gone, too.
    """
    touched, kinds = [], {each.kind for each in people}
    for folder in sorted(layout.models.glob("*/")) if people else ():
        store = VersionedStore(folder)
        with ignoring(ModelNotFoundError):  # of a damaged pointer nobody knows what it named
            store.prune()
        for version in sorted(folder.glob("*/")):
            kind = _kind_of(version)
            if kind in kinds:
                (version / "trained_on.parquet").unlink(missing_ok=True)
            rows = _forget_version(version, people, kind)
            if folder == layout.recommender:
                rows += _forget_ratings(store, version, people)
            touched += [Touched(f"models/{folder.name}/{version.name}", rows)] if rows else []
    return touched


def forget_deliveries(layout: WarehouseLayout, people: Sequence[Person]) -> list[Touched]:
    """Take people out of what is remembered of deliveries; the next one tells the destination to remove them."""
    touched = []
    for folder in sorted(layout.deliveries.glob("*/")):
        store = DeliveryStore(layout, folder.name)
        known = store.begun or next(reversed(store.manifests), None) or {}
        kind = KIND_OF.get(known.get("entity", ""))
        rows = store.forget([each.id for each in people if each.kind == kind])
        touched += [Touched(f"deliveries/{folder.name}", rows)] if rows else []
    return touched


def forget_snapshots(layout: WarehouseLayout, people: Sequence[Person]) -> list[Touched]:
    """Take people out of the audiences that somebody pinned."""
    touched = []
    for path in sorted(layout.audience_snapshots.glob("*/*.parquet")):
        if found := _rows_of(_columns(path), people, {}, written=True):
            draft = path.with_name(f".{path.name}.{os.getpid()}")
            if gone := _write_without(path, found, draft):
                draft.replace(path)
                touched.append(Touched(str(path.relative_to(layout.root)), gone))
    return touched


def models_of(layout: WarehouseLayout, kinds: set[Kind]) -> list[str]:
    """Return the models that learned from people of these kinds."""
    names = {
        version.parent.name
        for version in layout.models.glob("*/*/")
        if (version.parent == layout.recommender and "user" in kinds) or _kind_of(version) in kinds
    }
    return sorted(names)


# ---------------------------------------------------------------------- published sets


def _republish(
    layout: WarehouseLayout, folder: Path, people: Sequence[Person], suppressed: Suppressed
) -> int:
    """Write a set anew beside the old one, let readers find it, and remove the old one; return the rows gone.

    Its name is that of a second later: of the same run, and in the same place among the others.
    """
    finished, rows = _next_name(folder), 1
    if not finished.exists():  # else a kill came after it was whole
        unfinished = finished.with_name(f".{finished.name}")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir()
        rows = sum(_copy_without(path, unfinished, people, suppressed) for path in sorted(folder.iterdir()))
        if not rows:
            shutil.rmtree(unfinished)
            return 0
        unfinished.rename(finished)
    if layout.published.resolve() == folder:
        switch_symlink(layout.published, finished)
    shutil.rmtree(folder)
    return rows


def _next_name(folder: Path) -> Path:
    stamp, _, run = folder.name.partition("-")
    later = datetime.strptime(stamp, _STAMP).replace(tzinfo=UTC) + timedelta(seconds=1)
    return folder.with_name(f"{later:{_STAMP}}-{run}")


def _copy_without(path: Path, to: Path, people: Sequence[Person], suppressed: Suppressed) -> int:
    """Copy a file of a set without people, and return the rows gone; of one that holds nobody only the name is new."""
    if (
        path.name == "made_of.json"
    ):  # what was published is no longer that, so the next night finds something new
        return 0
    if path.stem in _TEXTS and path.suffix == ".parquet":
        return _copy_texts(path, to / path.name, people, suppressed)
    if path.suffix == ".parquet":
        names = _columns(path)
        kinds = _published_kinds(path.parent)
        if (found := _rows_of(names, people, kinds, written=True)) and (
            rows := _write_without(path, found, to / path.name)
        ):
            return rows
    os.link(path, to / path.name)
    return 0


def _copy_texts(path: Path, to: Path, people: Sequence[Person], suppressed: Suppressed) -> int:
    """Copy a table with texts in it, those blanked that name somebody."""
    before, says = pl.read_parquet(path), pattern(people)
    if path.stem == "rejects":
        lines = [line for row in before.iter_rows() for line in suppressed.redacted(row[1], [row])]
        after = pl.DataFrame(lines, schema=before.schema, orient="row")
    elif path.stem == "landing_manifest":
        sources = [suppressed.renamed(source) for source in before["source"]]
        after = before.with_columns(pl.Series("source", sources, pl.String))
    else:
        said = [REMOVED if text and says and says.search(text) else text for text in before["description"]]
        after = before.with_columns(pl.Series("description", said, pl.String))
    changed = sum(then != now for then, now in zip(before.iter_rows(), after.iter_rows(), strict=True))
    if changed:
        after.write_parquet(to, compression="zstd")
    else:
        os.link(path, to)
    return changed


def _published_kinds(folder: Path) -> dict[tuple[str, str], Kind | None]:
    """Return segmentation or audience to the kind of people in it, as a set tells; None for titles."""
    kinds: dict[tuple[str, str], Kind | None] = {}
    for of in ("segmentation", "audience"):
        with ignoring(FileNotFoundError, pl.exceptions.PolarsError):
            told = pl.read_parquet(folder / f"{of}s.parquet", columns=[of, "entity"])
            kinds |= {(of, name): KIND_OF.get(entity) for name, entity in told.iter_rows()}
    return kinds


def _write_report(layout: WarehouseLayout) -> None:
    runs = pl.read_parquet(layout.published / "runs.parquet").row(0, named=True)
    write_report_page(layout, runs["run_id"], runs["ended_at"].replace(tzinfo=UTC), _described())


def _described() -> dict[str, str]:
    """Return the declared segmentations with their descriptions, without Dagster, which loads them for a run."""
    files = sorted((PROJECT_ROOT / "orchestration" / "defs").glob("**/defs.yaml"))
    parts = [part for file in files for part in yaml.safe_load_all(file.read_text(encoding="utf-8"))]
    declared = [
        part["attributes"] for part in parts if str(part.get("type")).endswith("SegmentationComponent")
    ]
    return {
        each["name"]: each.get("description", "") for each in sorted(declared, key=lambda one: one["name"])
    }


# ---------------------------------------------------------------------- models


def _kind_of(version: Path) -> Kind | None:
    """Return whom a version divides or knows; None for titles."""
    if version.parent.name in ("recommender", "departure"):
        return "user"
    try:
        return KIND_OF.get(json.loads((version / "model.json").read_text(encoding="utf-8"))["entity"])
    except (OSError, ValueError, LookupError):
        return None


def _forget_version(version: Path, people: Sequence[Person], kind: Kind | None) -> int:
    rows = 0
    for path in sorted(version.glob("*.parquet")) if kind else ():
        names = _columns(path)
        if found := _rows_of(names, people, {("segmentation", version.parent.name): kind}, written=False):
            draft = path.with_name(f".{path.name}.{os.getpid()}")
            if gone := _write_without(path, found, draft):
                draft.replace(path)
                rows += gone
    return rows


def _forget_ratings(store: VersionedStore, version: Path, people: Sequence[Person]) -> int:
    """Take the rows of users out of the matrix of ratings, in a version of another name; return how many these were.

    Readers map several files at once, so the whole folder changes. What it was judged on is gone, too, for that are
    hashes of ratings; without it the next run judges and trains anew.
    """
    arrays = version / "arrays"
    users = (
        np.load(arrays / "seen.users.npy", mmap_mode="r") if arrays.is_dir() else np.array([], dtype=np.int64)
    )
    numbers = sorted({each.number for each in people if each.number is not None})
    stays = ~np.isin(users, numbers)
    if stays.all():
        return 0
    finished = version.with_name(
        hashlib.sha256(f"{version.name} without {numbers}".encode()).hexdigest()[:12]
    )
    if not finished.exists():
        unfinished = finished.with_name(f".{finished.name}")
        shutil.rmtree(unfinished, ignore_errors=True)
        left_out = shutil.ignore_patterns("judged_on.parquet", "seen.*")
        shutil.copytree(version, unfinished, copy_function=os.link, ignore=left_out)
        indptr = np.load(arrays / "seen.indptr.npy")
        counts = np.diff(indptr)
        ratings = np.repeat(stays, counts)
        for name in ("data", "indices"):
            kept = np.load(arrays / f"seen.{name}.npy", mmap_mode="r")[ratings]
            np.save(unfinished / "arrays" / f"seen.{name}.npy", kept, allow_pickle=False)
        pointers = np.concatenate([[0], np.cumsum(counts[stays])]).astype(indptr.dtype)
        np.save(unfinished / "arrays" / "seen.indptr.npy", pointers, allow_pickle=False)
        np.save(unfinished / "arrays" / "seen.users.npy", users[stays], allow_pickle=False)
        unfinished.rename(finished)
    store.rename(version.name, finished.name)
    shutil.rmtree(version)
    return int((~stays).sum())


# ---------------------------------------------------------------------- rows of people in a Parquet file


def _rows_of(
    columns: Mapping[str, object],
    people: Sequence[Person],
    kinds: Mapping[tuple[str, str], Kind | None],
    *,
    written: bool,
) -> str | None:
    """Return the SQL condition that a row is of one of these people; None where a table has no rows of people.

    Parameters
    ----------
    columns
        Names of the table's columns.
    kinds
        "segmentation" or "audience", and its name, to who is in it.
    written
        Whether users go by their ids as the source writes them, or by the numbers that stand for them.
    """

    def listed(kind: Kind) -> str:
        named = [
            each.id if written or kind == "customer" else str(each.number)
            for each in people
            if each.kind == kind and (written or kind == "customer" or each.number is not None)
        ]
        return ", ".join(map(text_literal, named)) or "NULL"

    conditions = [
        f"{identifier(column)}::VARCHAR IN ({listed(kind)})"
        for column, kind in KIND_OF.items()
        if column in columns
    ]
    for of in ("segmentation", "audience"):
        for kind in KIND_OF.values() if {"entity_id", of} <= set(columns) else ():
            own = [
                text_literal(name) for (what, name), whose in kinds.items() if whose == kind and what == of
            ]
            named = ", ".join(own) or "NULL"
            conditions.append(f"(entity_id::VARCHAR IN ({listed(kind)}) AND {of} IN ({named}))")
    if {"number", "id"} <= set(columns):
        conditions.append(f"number::VARCHAR IN ({listed('user')})")
    return " OR ".join(conditions) or None


def _write_without(path: Path, condition: str, to: Path) -> int:
    """Write a Parquet file without the rows of a condition, and return how many these are; nothing where none is."""
    rows = f"read_parquet({path_literal(path)})"
    with duckdb.connect() as connection:
        ((found,),) = connection.execute(f"SELECT count(*) FROM {rows} WHERE {condition}").fetchall()
        if found:
            kept = f"SELECT * FROM {rows} WHERE NOT coalesce({condition}, false)"
            connection.execute(f"COPY ({kept}) TO {text_literal(str(to))} (FORMAT parquet, COMPRESSION zstd)")
    return int(found)


def _columns(path: Path) -> Mapping[str, object]:
    try:
        return pl.read_parquet_schema(path)
    except pl.exceptions.PolarsError as error:
        msg = (
            f"{path} is damaged, and nobody can tell who is in it: {error}. Put it back from a copy or remove it, "
            "and type the command again."
        )
        raise WarehouseError(msg) from None
