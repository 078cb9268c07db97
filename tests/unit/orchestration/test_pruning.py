"""What is old and no longer used goes; what is in force, a candidate or needed by readers stays, however old."""

import os
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ingest import arrivals
from ingest.arrivals import Account, Arrival, arrived, take_in
from ingest.landing import land_file
from orchestration.stores.layout import WarehouseLayout, switch_symlink
from orchestration.stores.versions import VersionedStore
from orchestration.tasks.landing import drop_folder
from orchestration.tasks.pruning import find_old, published_runs

MONTH = timedelta(days=30)


def age(path: Path, days: int) -> None:
    """Let a file or folder have been written so many days ago."""
    then = time.time() - days * 86_400
    for part in [*path.rglob("*"), path] if path.is_dir() else [path]:
        if not part.is_symlink():
            os.utime(part, (then, then))


def write(path: Path, text: str = "x") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


@pytest.fixture
def layout(tmp_path: Path) -> WarehouseLayout:
    """A warehouse in which everything is forty days old."""
    layout = WarehouseLayout(tmp_path)
    for key in ("a" * 24, "b" * 24, "c" * 24):
        for part in ("", ".manifest", ".rejects"):
            write(layout.landing / "files" / f"ratings-{key}{part}.parquet")
    write(layout.landing / "files" / "ids-1099511627776.parquet")
    write(layout.landing / "files" / f"views-{'d' * 24}.rejects.parquet")  # of a file that was refused
    for name, key in (("now", "a" * 24), ("next", "b" * 24), ("past", "c" * 24)):
        folder = layout.landing / "sets" / name / "ratings"
        folder.mkdir(parents=True)
        (folder / f"{key}.parquet").symlink_to(f"../../../files/ratings-{key}.parquet")
    (layout.landing / "current").symlink_to("sets/now")
    (layout.landing / "candidate").symlink_to("sets/next")
    for name in ("20260101T000000-aaaaaaaa", "20260102T000000-bbbbbbbb", "20260103T000000-cccccccc"):
        write(layout.published_sets / name / "users.parquet")
    switch_symlink(layout.published, layout.published_sets / "20260103T000000-cccccccc")
    store = VersionedStore(layout.models / "user_taste")
    for version, pointer in (("v1", "current"), ("v2", "candidate"), ("v3", "refused"), ("v4", None)):
        write(store.folder / version / "model.json")
        if pointer:
            store.point(pointer, version)
    pictures = VersionedStore(layout.plot_sets / "audience")
    for version in ("p1", "p2", "p3"):
        write(pictures.folder / version / "a.png")
    pictures.point("candidate", "p2")
    layout.plots.mkdir()
    switch_symlink(layout.plots / "audience", pictures.folder / "p1")
    write(layout.dbt_target / "dbt.log.3")
    write(layout.receipts / "forgotten-2026-01-01-1.json")
    age(layout.root, 40)
    return layout


def names(layout: WarehouseLayout, keep: timedelta = MONTH) -> list[str]:
    return [old.name for old in find_old(layout, datetime.now(UTC) - keep)]


GOES = [
    "landing/sets/past",
    f"landing/files/ratings-{'c' * 24}.rejects.parquet",
    f"landing/files/views-{'d' * 24}.rejects.parquet",
    "published.d/20260101T000000-aaaaaaaa",
    "models/user_taste/v4",
    "plots.d/audience/p3",
    ".dbt/dbt.log.3",
]


def test_only_what_nothing_leads_to_goes(layout):
    assert names(layout) == GOES


def test_what_is_younger_than_the_retention_stays(layout):
    assert names(layout, timedelta(days=50)) == []
    age(layout.models / "user_taste" / "v4", 10)
    age(layout.landing / "files" / f"ratings-{'c' * 24}.parquet", 10)
    assert names(layout) == [name for name in GOES if "v4" not in name and "ratings-c" not in name]


def test_a_file_stays_as_long_as_a_set_that_names_it(layout):
    age(layout.landing / "sets" / "past", 10)
    assert not any("ratings-c" in name for name in names(layout))


def test_what_arrived_stays_though_no_set_names_it_yet(layout):
    arrival = Arrival(
        "ratings", "a.csv", "c" * 24, "c" * 64, "", datetime(2026, 1, 1), "2026-01-01/ratings/a.csv"
    )
    Account((arrival,)).write(layout.landing)
    assert names(layout) == [name for name in GOES if "ratings-c" not in name]


@pytest.fixture
def dropped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> WarehouseLayout:
    """A warehouse into which three files came: two landed and one failed, all of them forty days ago."""
    monkeypatch.setattr(arrivals, "_MOMENT", 0)
    layout, today = WarehouseLayout(tmp_path), datetime.now(UTC)
    for name, text in (("a", "1,31,4\n"), ("b", "2,31,4\n"), ("bad", "")):
        write(layout.incoming / "ratings" / f"{name}.csv", f"user_id,title_id,rating\n{text}")
    take_in(drop_folder(layout), layout.landing, {}, landing_of(layout))
    then = today - timedelta(days=40)
    for folder in (layout.processed, layout.failed):
        (folder / f"{today.date()}").rename(folder / f"{then.date()}")
    account = Account.read(layout.landing)
    kept = [
        replace(one, arrived_at=then.replace(tzinfo=None), kept=f"{then.date()}/ratings/{one.name}")
        for one in account.arrivals
    ]
    replace(account, arrivals=tuple(kept)).write(layout.landing)
    return layout


def landing_of(layout: WarehouseLayout) -> arrivals.Land:
    return lambda table, file: land_file(table, file, layout.landing)


def test_what_came_through_the_drop_folder_goes_by_day_once_it_is_over_the_retention(dropped):
    day = f"{datetime.now(UTC).date() - timedelta(days=40)}"
    assert names(dropped, timedelta(days=40)) == []
    assert names(dropped, timedelta(days=39)) == [f"failed/{day}", f"processed/{day}"]
    for old in find_old(dropped, datetime.now(UTC) - MONTH):
        old.remove()
    assert [*dropped.processed.iterdir(), *dropped.failed.iterdir()] == []
    assert names(dropped) == []


@pytest.mark.parametrize("how", ["gone", "damaged", "of an earlier contract", "taken out"])
def test_a_raw_file_stays_where_its_landed_copy_does_not_stand(dropped, how):
    account = Account.read(dropped.landing)
    one = next(arrival for arrival in account.arrivals if arrival.name == "a.csv")
    (landed,) = (dropped.landing / "files").glob(f"ratings-{one.key}.parquet")
    if how == "gone":
        landed.unlink()
    elif how == "damaged":
        content = bytearray(landed.read_bytes())
        content[len(content) // 2] ^= 1
        landed.write_bytes(content)
    else:
        rest = [replace(one, contract="before")] if how == "of an earlier contract" else []
        others = [arrival for arrival in account.arrivals if arrival is not one]
        replace(account, arrivals=(*rest, *others)).write(dropped.landing)
    found = [name for name in names(dropped) if name.startswith("processed/")]
    assert [name.rpartition("/")[2] for name in found] == ["b.csv"]


def test_what_is_read_again_after_its_raw_file_went_stays_as_it_was_read_and_that_is_said(dropped):
    for old in find_old(dropped, datetime.now(UTC) - MONTH):
        old.remove()
    days = {arrival.day for arrival in Account.read(dropped.landing).arrivals}
    files, said = arrived(drop_folder(dropped), dropped.landing, {}, landing_of(dropped), days)
    assert [file.rows_landed for file in files] == [1, 1]
    assert "ratings/a.csv stays as it was read on" in said[0]


def test_what_is_removed_is_gone_and_all_else_is_as_it_was(layout):
    before = {path for path in layout.root.rglob("*") if path.is_file() and not path.is_symlink()}
    found = find_old(layout, datetime.now(UTC) - MONTH)
    for old in found:
        old.remove()
    gone = before - {path for path in layout.root.rglob("*") if path.is_file()}
    assert sum(old.size_bytes for old in found) == len(gone)  # each file holds one byte
    assert names(layout) == []
    assert (layout.published / "users.parquet").exists()
    assert (layout.landing / "current" / "ratings" / f"{'a' * 24}.parquet").exists()
    assert (layout.plots / "audience" / "a.png").exists()


def test_a_kill_between_two_removals_leaves_a_file_that_is_not_landed(layout):
    landed = next(old for old in find_old(layout, datetime.now(UTC) - MONTH) if "ratings-c" in old.name)
    (layout.landing / "files" / f"ratings-{'c' * 24}.manifest.parquet").unlink()  # the first to go
    assert landed.name in names(layout)
    landed.remove()
    assert not list((layout.landing / "files").glob("ratings-c*"))


def test_a_model_whose_pointer_is_damaged_keeps_every_version(layout):
    (layout.models / "user_taste" / "current.json").write_text("{")
    assert not any("user_taste" in name for name in names(layout))


def test_an_empty_warehouse_has_nothing_old(tmp_path):
    assert names(WarehouseLayout(tmp_path)) == []


def test_runs_whose_tables_are_kept_are_known_by_their_sets(layout):
    assert published_runs(layout) == {"aaaaaaaa", "bbbbbbbb", "cccccccc"}
