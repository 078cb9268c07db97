"""A backup is what is in force, whatever a run does meanwhile; a restored one is whole, or there is none."""

import io
import json
import shutil
import sqlite3
import tarfile
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from pathlib import Path

import polars as pl
import pytest

from ingest import ids
from ingest.arrivals import Account, Arrival
from ingest.contracts import CONTRACTS
from ingest.landing import land_file
from ingest.store import read_slot, slot
from orchestration.stores import archive, runs
from orchestration.stores.layout import WarehouseLayout, switch_symlink
from orchestration.stores.lock import WarehouseError, lock_warehouse, switching
from orchestration.stores.versions import VersionedStore
from orchestration.tasks import backup
from orchestration.tasks.backup import BackupError, back_up, restore
from published.finding import current_set
from published.schema import SCHEMA
from tests.conftest import Matinee
from tests.version_1 import LANDED, PICTURES, SEGMENTS, SET, VERSION, write_version_1


@pytest.fixture
def layout(tmp_path: Path) -> WarehouseLayout:
    return WarehouseLayout(write_version_1(tmp_path / "warehouse"))


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A Dagster instance with a history."""
    for name in ("history/runs.db", "history/runs/index.db", "schedules/schedules.db"):
        (tmp_path / "home" / name).parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(tmp_path / "home" / name)) as database:
            database.executescript(
                "pragma journal_mode=wal; create table runs (id); insert into runs values (1)"
            )
    return tmp_path / "home"


@pytest.fixture
def new(tmp_path: Path) -> WarehouseLayout:
    return WarehouseLayout(tmp_path / "restored" / "warehouse")


@pytest.fixture
def new_home(tmp_path: Path) -> Path:
    (tmp_path / "new_home").mkdir()
    return tmp_path / "new_home"


def contents(root: Path) -> dict[str, object]:
    """Every file of a warehouse and where every link leads, but for locks."""
    return {
        str(path.relative_to(root)): path.readlink() if path.is_symlink() else path.read_bytes()
        for path in root.rglob("*")
        if not path.name.endswith(".lock") and (path.is_symlink() or path.is_file())
    }


def begin_a_run(layout: WarehouseLayout) -> None:
    """Leave what a run that has not published yet leaves: candidates, a half-written set, the database."""
    landed = layout.landing / "sets" / "ffff"
    shutil.copytree(layout.landing / "sets" / LANDED, landed, symlinks=True)
    switch_symlink(layout.landing / "candidate", landed)
    store = VersionedStore(layout.models / "habits")
    store.begin_candidate("fffffffffff")
    (store.home / "model.json").write_text("half written")
    (layout.models / "new" / "eeeeeeeeeeee").mkdir(parents=True)
    VersionedStore(layout.models / "new").point("candidate", "eeeeeeeeeeee")
    VersionedStore(layout.plot_sets / "audience").begin_candidate("dddd")
    (layout.published_sets / ".20260103T030405-ef").mkdir()
    (layout.report / ".index.html.17").write_text("half written")
    layout.database.write_bytes(b"written in place")


def publish_next(layout: WarehouseLayout) -> None:
    """Publish another set, and remove what is old, as a run does."""
    with switching(layout):
        finished = layout.published_sets / "20260103T030405-ef"
        finished.mkdir()
        SEGMENTS.head(1).write_parquet(finished / "segments.parquet")
        switch_symlink(layout.published, finished)
        shutil.rmtree(layout.published_sets / SET)
        store = VersionedStore(layout.models / "habits")
        store.begin_candidate("fffffffffff")
        store.promote_candidate()
        store.prune()


@pytest.mark.parametrize("ending", ["tar", "tar.gz", "tar.zst"])
def test_what_is_restored_is_what_was_in_force_byte_by_byte(layout, home, new, new_home, tmp_path, ending):
    before = contents(layout.root)
    file = tmp_path / f"backup.{ending}"
    made = back_up(layout, home, file)
    assert (made.published, made.databases) == (SET, 3)
    assert contents(layout.root) == before
    assert restore(file, new, new_home) == (made, True)
    assert contents(new.root) == before
    assert current_set(new.root).ask("select * from segments").equals(SEGMENTS)


def test_what_a_run_has_not_published_is_no_part_of_it(layout, home, new, new_home, tmp_path):
    before = contents(layout.root)
    with lock_warehouse(layout, "a run"):
        begin_a_run(layout)
        back_up(layout, home, tmp_path / "backup.tar")
    restore(tmp_path / "backup.tar", new, new_home)
    assert contents(new.root) == before | {"schema.json": (layout.root / "schema.json").read_bytes()}


def test_in_what_is_restored_no_run_is_going(layout, home, new, new_home, tmp_path):
    runs.begin(layout, "good", "refresh")
    runs.end(layout, "good", "published", ())
    runs.begin(layout, "going", "refresh")
    back_up(layout, home, tmp_path / "backup.tar")
    restore(tmp_path / "backup.tar", new, new_home)
    assert [run.run_id for run in runs.last_runs(new)] == ["good"]


def test_what_arrived_and_is_not_published_yet_is_restored_too_for_its_raw_file_is_not(
    layout, home, new, new_home, tmp_path
):
    raw = tmp_path / "ratings.csv"
    raw.write_text("user_id,title_id,rating\nann,1,4\n")
    file = land_file(CONTRACTS["ratings"], raw, layout.landing)
    arrival = Arrival("ratings", "a.csv", file.key, file.sha256, "", datetime(2026, 1, 3), "gone")
    Account((arrival,)).write(layout.landing)
    back_up(layout, home, tmp_path / "backup.tar")
    restore(tmp_path / "backup.tar", new, new_home)
    place = slot(new.landing, "ratings", file.key)
    found = read_slot(place, ids.last_number(new.landing))
    assert found is not None
    assert found.rows_landed == 1
    assert Account.read(new.landing).arrivals == (arrival,)


def test_a_damaged_account_of_what_arrived_is_not_backed_up(layout, home, tmp_path):
    (layout.landing / "arrivals.json").write_text("{")
    with pytest.raises(BackupError, match=r"arrivals\.json: the account of what arrived cannot be read"):
        back_up(layout, home, tmp_path / "backup.tar")


def test_what_is_removed_while_it_is_packed_is_in_it_all_the_same(
    layout, home, new, new_home, tmp_path, monkeypatch
):
    before = contents(layout.root)

    def pack_late(*args: object) -> None:
        publish_next(layout)
        archive.pack(*args)

    monkeypatch.setattr(backup, "pack", pack_late)
    back_up(layout, home, tmp_path / "backup.tar")
    assert not (layout.published_sets / SET).exists()
    restore(tmp_path / "backup.tar", new, new_home)
    assert contents(new.root) == before


def test_a_run_does_not_switch_while_a_backup_looks_at_what_is_in_force(layout, home, tmp_path, monkeypatch):
    monkeypatch.setattr("orchestration.stores.lock._SWITCHING_SECONDS", 0)
    looked, keep = [], backup._Pinning.keep

    def keep_while_a_run_tries(pinning: backup._Pinning, path: Path) -> None:
        with pytest.raises(WarehouseError, match="has kept"), switching(layout):
            pass
        looked.append(path)
        keep(pinning, path)

    monkeypatch.setattr(backup._Pinning, "keep", keep_while_a_run_tries)
    back_up(layout, home, tmp_path / "backup.tar")
    assert {layout.published, layout.landing / "current", layout.plots / "habits"} <= set(looked)
    with switching(layout):
        pass


def test_why_the_last_run_had_no_candidate_is_kept(layout, home, new, new_home, tmp_path):
    VersionedStore(layout.models / "habits").skip("no ratings")
    VersionedStore(layout.models / "recommender").skip("no ratings")
    layout.plots.joinpath("audience").unlink()
    VersionedStore(layout.plot_sets / "audience").skip("nothing to draw")
    back_up(layout, home, tmp_path / "backup.tar")
    restore(tmp_path / "backup.tar", new, new_home)
    assert VersionedStore(new.models / "habits").skipped == "no ratings"
    assert VersionedStore(new.models / "habits", "current").home.name == VERSION
    assert VersionedStore(new.models / "recommender").skipped == "no ratings"
    assert VersionedStore(new.plot_sets / "audience").skipped == "nothing to draw"
    assert not (new.plot_sets / "audience" / PICTURES).exists()


def test_the_run_history_is_copied_between_two_transactions(layout, home, new, new_home, tmp_path):
    with closing(sqlite3.connect(home / "history" / "runs.db")) as writing:
        writing.execute("insert into runs values (2)")
        back_up(layout, home, tmp_path / "backup.tar")
        writing.commit()
    restore(tmp_path / "backup.tar", new, new_home)
    with closing(sqlite3.connect(new_home / "history" / "runs.db")) as copied:
        assert copied.execute("select id from runs").fetchall() == [(1,)]


def test_a_run_history_that_is_there_stays_and_it_is_said(layout, home, new, tmp_path, matinee: Matinee):
    file = tmp_path / "backup.tar"
    done = matinee("backup", "--to", file, warehouse=layout.root, home=home)
    assert done.exit_code == 0, done.said
    assert "Left out: matinee.duckdb, which the next run makes anew" in done.error
    assert done.out == f"{file}\n"
    database = home / "history" / "runs.db"
    with closing(sqlite3.connect(database)) as writing:
        writing.executescript("insert into runs values (2)")
    done = matinee("restore", file, warehouse=new.root, home=home)
    assert done.exit_code == 0, done.said
    assert f"Run history: {home} has its own, which stays." in done.error
    with closing(sqlite3.connect(database)) as kept:
        assert kept.execute("select id from runs").fetchall() == [(1,), (2,)]


def test_a_backup_is_for_its_owner_alone_and_leaves_nothing_in_the_warehouse(layout, home, tmp_path):
    file = tmp_path / "backup.tar"
    back_up(layout, home, file)
    assert file.stat().st_mode & 0o777 == 0o600
    assert not layout.backup.exists()
    assert sorted(tmp_path.glob(".*")) == []


def test_what_a_killed_backup_left_is_gone_after_the_next(layout, home, tmp_path):
    (layout.backup / "warehouse").mkdir(parents=True)
    (layout.backup / "warehouse" / "left").touch()
    back_up(layout, home, tmp_path / "backup.tar")
    with tarfile.open(tmp_path / "backup.tar") as tar:
        assert "warehouse/left" not in tar.getnames()
    assert not layout.backup.exists()


@pytest.mark.parametrize(
    ("name", "spoil", "said"),
    [
        ("backup.zip", lambda layout, file: None, "the name of an archive ends in .tar, .tar.gz, .tar.zst"),
        ("backup.tar", lambda layout, file: file.touch(), "is there already"),
        ("no/backup.tar", lambda layout, file: None, "No such file or directory"),
        ("backup.tar", lambda layout, file: layout.published.unlink(), "nothing is published in"),
        ("backup.tar", lambda layout, file: shutil.rmtree(layout.models / "habits" / VERSION), VERSION),
        (
            "backup.tar",
            lambda layout, file: (layout.models / "habits" / "current.json").write_text("{"),
            "current.json is damaged",
        ),
        (
            "backup.tar",
            lambda layout, file: (
                (layout.report / "index.html").rename(layout.root.parent / "index.html")
                and (layout.report / "index.html").symlink_to(layout.root.parent / "index.html")
            ),
            "is outside of the warehouse",
        ),
    ],
)
def test_what_cannot_be_backed_up_is_said_and_no_file_is_left(
    layout, home, tmp_path, matinee: Matinee, name, spoil: Callable, said
):
    file = tmp_path / name
    spoil(layout, file)
    before = set(tmp_path.iterdir())
    done = matinee("backup", "--to", file, warehouse=layout.root, home=home)
    assert done.exit_code == 1
    assert said in done.error
    assert "Traceback" not in done.error
    assert set(tmp_path.iterdir()) == before
    assert not layout.backup.exists()


def test_a_second_backup_at_once_is_refused(layout, home, tmp_path):
    with backup._workspace(layout), pytest.raises(BackupError, match=r"another backup of .* is being made"):
        back_up(layout, home, tmp_path / "backup.tar")


def spoiled(file: Path, change: Callable[[dict[str, bytes | tarfile.TarInfo]], None]) -> None:
    """Write an archive anew with other members."""
    members: dict[str, bytes | tarfile.TarInfo] = {}
    with tarfile.open(file) as tar:
        for member in tar:
            opened = tar.extractfile(member)
            members[member.name] = opened.read() if opened else b""
    change(members)
    with tarfile.open(file, "w") as tar:
        for name, content in members.items():
            if isinstance(content, tarfile.TarInfo):
                tar.addfile(content)
            else:
                member = tarfile.TarInfo(name)
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))


def changed_manifest(**facts: object) -> Callable[[dict], None]:
    def change(members: dict) -> None:
        members["manifest.json"] = json.dumps(json.loads(members.pop("manifest.json")) | facts).encode()

    return change


def link_member(name: str, target: str, kind: bytes) -> Callable[[dict], None]:
    def change(members: dict) -> None:
        member = tarfile.TarInfo(name)
        member.type, member.linkname = kind, target
        members[name] = member

    return change


INDEX = "warehouse/report/index.html"
LINKS = {"published": f"published.d/{SET}"}


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (
            lambda members: members.update({INDEX: b"<title>Something else"}),
            f"{INDEX} is not what was packed",
        ),
        (lambda members: members.pop(INDEX), f"{INDEX} is missing"),
        (lambda members: members.update({"warehouse/more": b""}), "warehouse/more is not what was packed"),
        (lambda members: members.pop("manifest.json"), "it ends before manifest.json"),
        (lambda members: members.update({"manifest.json": b"{"}), "manifest.json is damaged"),
        (lambda members: members.update({"../outside": b""}), "'../outside' is no plain file inside it"),
        (lambda members: members.update({"warehouse/../../outside": b""}), "is no plain file inside it"),
        (lambda members: members.update({"/outside": b""}), "'/outside' is no plain file inside it"),
        (link_member("warehouse/report/link", "/etc/passwd", tarfile.SYMTYPE), "is no plain file inside it"),
        (link_member("warehouse/report/link", INDEX, tarfile.LNKTYPE), "is no plain file inside it"),
        (link_member("warehouse/report/pipe", "", tarfile.FIFOTYPE), "is no plain file inside it"),
        (changed_manifest(links=LINKS | {"../outside": "report"}), "link '../outside' leads nowhere"),
        (changed_manifest(links=LINKS | {"out": "../outside"}), "link 'out' leads nowhere"),
        (changed_manifest(links=LINKS | {"out": "/etc"}), "link 'out' leads nowhere"),
        (changed_manifest(links=LINKS | {"out": "gone"}), "link 'out' leads nowhere"),
        # A link through another one would count its steps from a place where it does not stand.
        (
            changed_manifest(
                links=LINKS | {"landing/sets/a/b/c": "report", "landing/sets/a/b/c/out": "models/habits"}
            ),
            "link 'landing/sets/a/b/c/out' leads nowhere",
        ),
        (changed_manifest(links=None), "is no backup of a warehouse"),
        (changed_manifest(schema=SCHEMA + 1), "was made by a newer Matinee"),
        (changed_manifest(schema=0), "was made by an older Matinee"),
    ],
)
def test_an_archive_that_is_not_as_it_was_packed_restores_nothing(
    layout, home, new, new_home, tmp_path, matinee: Matinee, spoil, said
):
    file = tmp_path / "backup.tar"
    back_up(layout, home, file)
    spoiled(file, spoil)
    new.root.parent.mkdir()
    done = matinee("restore", file, warehouse=new.root, home=new_home)
    assert done.exit_code == 1
    assert said in done.error
    assert str(file) in done.error
    assert list(new.root.parent.iterdir()) == []
    assert list(new_home.iterdir()) == []
    assert {path.name for path in tmp_path.iterdir()} == {
        *("warehouse", "home", "new_home", "restored", "backup.tar"),
    }


@pytest.mark.parametrize("ending", ["tar", "tar.gz", "tar.zst"])
@pytest.mark.parametrize("share", [0, 0.3, 0.9])
def test_an_archive_that_broke_off_restores_nothing(layout, home, new, new_home, tmp_path, ending, share):
    whole, file = tmp_path / f"whole.{ending}", tmp_path / f"backup.{ending}"
    back_up(layout, home, whole)
    content = whole.read_bytes()
    file.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(archive.ArchiveError, match=r"cannot be restored: .+\. Take another backup"):
        restore(file, new, new_home)
    assert not new.root.exists()
    assert list(new.root.parent.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"no archive at all" * 1000])
@pytest.mark.parametrize("ending", ["tar", "tar.gz", "tar.zst"])
def test_a_file_that_is_no_archive_is_refused_in_words(new, new_home, tmp_path, ending, content):
    file = tmp_path / f"backup.{ending}"
    file.write_bytes(content)
    with pytest.raises(archive.ArchiveError, match="cannot be restored"):
        restore(file, new, new_home)


@pytest.mark.parametrize("there", ["matinee.duckdb", ".run.lock", "anything"])
def test_a_warehouse_that_is_not_empty_stays_as_it_is(layout, home, new, new_home, tmp_path, there):
    back_up(layout, home, tmp_path / "backup.tar")
    new.root.mkdir(parents=True)
    (new.root / there).write_text("mine")
    with pytest.raises(BackupError, match="is not empty"):
        restore(tmp_path / "backup.tar", new, new_home)
    assert contents(new.root.parent).keys() <= {f"warehouse/{there}"}
    assert (new.root / there).read_text() == "mine"


def test_the_empty_warehouse_of_the_repository_can_be_restored_to(layout, home, new, new_home, tmp_path):
    back_up(layout, home, tmp_path / "backup.tar")
    new.root.mkdir(parents=True)
    (new.root / "README.md").write_text("Everything that a run makes.")
    restore(tmp_path / "backup.tar", new, new_home)
    assert contents(new.root) == contents(layout.root) | {"README.md": b"Everything that a run makes."}


def test_a_disk_that_is_full_leaves_nothing_behind(layout, home, tmp_path, monkeypatch):
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(archive, "_write", full)
    with pytest.raises(archive.ArchiveError, match=r"cannot write .*backup\.tar: No space left on device"):
        back_up(layout, home, tmp_path / "backup.tar")
    assert not list(tmp_path.glob("*.tar*")) + list(tmp_path.glob(".*.tar*"))


def test_users_are_placed_by_the_restored_model(layout, home, new, new_home, tmp_path, matinee: Matinee):
    back_up(layout, home, tmp_path / "backup.tar")
    restore(tmp_path / "backup.tar", new, new_home)
    rows = tmp_path / "new.csv"
    pl.DataFrame({"user_id": [7, 8], "habit_1": [1.0, 9.0], "habit_2": [2.0, 7.0]}).write_csv(rows)
    scored = [
        matinee("score", "habits", "--input", rows, warehouse=root).out for root in (layout.root, new.root)
    ]
    assert scored[0] == scored[1]
    assert "Many Ratings" in scored[0]
