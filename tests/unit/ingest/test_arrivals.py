"""Files that come by themselves: each lands once, nothing is lost however a run ends, a bad one stops nobody."""

import gzip
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from ingest import arrivals
from ingest.arrivals import Account, DropFolder, TakenIn, arrived, put_back_failed, take_back, take_in
from ingest.errors import IngestError
from ingest.forgetting import forget_landed, person
from ingest.landing import land_file
from ingest.recognise import TableSource
from ingest.sources import resolve_source
from ingest.suppressing import read_suppressed, suppress
from tests.unit.ingest.conftest import rows_of

RATINGS = "user_id,title_id,rating,rated_at\n"
TODAY = datetime.now(UTC).date()


@dataclass
class Drop:
    """A drop folder, its account, and what a run does with it."""

    root: Path
    today: date | None = None

    @property
    def folder(self) -> DropFolder:
        return DropFolder(self.root / "incoming", self.root / "processed", self.root / "failed")

    @property
    def landing(self) -> Path:
        return self.root / "landing"

    def put(self, name: str, *lines: str, header: str = RATINGS, age: int = 0) -> Path:
        path = self.folder.incoming / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(header + "".join(f"{line}\n" for line in lines))
        when = path.stat().st_mtime - age
        os.utime(path, (when, when))
        return path

    def land(self, table, file):
        return land_file(table, file, self.landing, max_rejected_share=0.1, today=self.today)

    def take(self, declared: Mapping[str, TableSource] | None = None) -> TakenIn:
        return take_in(self.folder, self.landing, declared or {}, self.land)

    def rows(self, table: str = "ratings", **options) -> list[list[tuple]]:
        """The values of each arrival, in their order."""
        files, _ = arrived(self.folder, self.landing, {}, self.land, today=self.today, **options)
        return [[tuple(row.values()) for row in rows_of(file)] for file in files if file.table == table]

    def users(self) -> list[int]:
        return [row[0] for rows in self.rows() for row in rows]

    def lying(self, folder: Path) -> list[str]:
        return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


@pytest.fixture
def drop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Drop:
    monkeypatch.setattr(arrivals, "_MOMENT", 0)
    return Drop(tmp_path)


def test_a_file_lands_once_and_lies_in_processed_under_the_day_it_came(drop):
    drop.put("ratings/a.csv", "1,31,4,1260759144")
    taken = drop.take()
    assert [(arrival.shown, file.rows_landed) for arrival, file in taken.landed] == [("ratings/a.csv", 1)]
    assert drop.lying(drop.folder.incoming) == []
    assert drop.lying(drop.folder.processed) == [f"{TODAY}/ratings/a.csv"]
    assert drop.take().landed == ()
    assert drop.users() == [1]


def test_the_same_content_again_is_moved_and_counts_once(drop):
    drop.put("ratings/a.csv", "1,31,4,1260759144")
    drop.take()
    drop.put("ratings/b.csv", "1,31,4,1260759144")
    taken = drop.take()
    assert taken.landed == ()
    assert taken.said == (f"ratings/b.csv holds what a.csv of {TODAY} held: nothing new.",)
    assert drop.lying(drop.folder.incoming) == []
    assert drop.users() == [1]


def test_two_files_of_one_name_are_both_kept(drop):
    for user in (1, 2):
        drop.put("ratings/a.csv.gz.csv", f"{user},31,4,1260759144")
        drop.take()
    assert drop.lying(drop.folder.processed) == [
        f"{TODAY}/ratings/a-2.csv.gz.csv",
        f"{TODAY}/ratings/a.csv.gz.csv",
    ]
    assert drop.users() == [1, 2]


def test_files_arrive_in_the_order_in_which_they_were_written(drop):
    drop.put("ratings/a.csv", "1,31,4,1260759144", age=10)
    drop.put("ratings/b.csv", "2,31,4,1260759144", age=20)
    drop.take()
    assert drop.users() == [2, 1]


@pytest.mark.parametrize("step", ["land", "write", "move"])
@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
def test_a_kill_before_or_after_any_step_loses_nothing_and_counts_nothing_twice(
    drop, monkeypatch, step, before
):
    drop.put("ratings/a.csv", "1,31,4,1260759144", age=10)
    drop.put("ratings/b.csv", "2,31,4,1260759144")

    def killed(do: Callable) -> Callable:
        def die(*args):
            if not before:
                do(*args)
            raise KeyboardInterrupt

        return die

    place, name = {"land": (drop, "land"), "write": (Account, "write"), "move": (arrivals, "_move")}[step]
    with monkeypatch.context() as patch:
        patch.setattr(place, name, killed(getattr(place, name)))
        with pytest.raises(KeyboardInterrupt):
            drop.take()
    taken = drop.take()
    assert taken.said == ()
    assert drop.users() == [1, 2]
    assert drop.lying(drop.folder.incoming) == []
    assert drop.lying(drop.folder.processed) == [f"{TODAY}/ratings/a.csv", f"{TODAY}/ratings/b.csv"]


def test_a_kill_between_reason_and_move_of_a_bad_file_leaves_it_to_fail_again(drop, monkeypatch):
    drop.put("ratings/bad.csv", "1,2", header="name,city\n")
    with monkeypatch.context() as patch:
        patch.setattr(arrivals, "_move", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            drop.take()
    assert list(drop.take().failed) == ["ratings/bad.csv"]
    assert drop.lying(drop.folder.failed) == [
        f"{TODAY}/ratings/bad.csv",
        f"{TODAY}/ratings/bad.csv.reason.txt",
    ]


def test_a_bad_file_lies_in_failed_with_its_reason_and_the_others_land(drop):
    drop.put("ratings/bad.csv", "1,2", header="name,city\n", age=10)
    drop.put("ratings/good.csv", "1,31,4,1260759144")
    taken = drop.take()
    assert list(taken.failed) == ["ratings/bad.csv"]
    assert [arrival.name for arrival, _ in taken.landed] == ["good.csv"]
    folder = drop.folder.failed / str(TODAY) / "ratings"
    assert (folder / "bad.csv").exists()
    reason = (folder / "bad.csv.reason.txt").read_text()
    assert reason.startswith("bad.csv: ")
    assert "missing, and ratings cannot do without" in reason


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("rating/a.csv", "there is no table 'rating'. Put it into incoming/ratings/."),
        ("a.csv", "it lies in no folder of a table."),
    ],
)
def test_a_file_of_no_table_fails_in_words(drop, name, reason):
    drop.put(name, "1,31,4,1260759144")
    assert reason in drop.take().failed[name]


def test_a_name_that_says_unfinished_waits(drop):
    for name in ("a.csv.part", "b.csv.tmp", ".c.csv"):
        drop.put(f"ratings/{name}", "1,31,4,1260759144")
    assert drop.take() == TakenIn()
    assert len(drop.lying(drop.folder.incoming)) == 3


def test_a_file_that_grows_waits_and_is_never_called_bad(drop, monkeypatch):
    path = drop.put("ratings/a.csv", "1,31,4,1260759144", "2,3")
    whole = path.read_text()
    path.write_text(whole[:30])

    def pause(_seconds):
        with path.open("a") as stream:
            stream.write(whole[30:40])

    with monkeypatch.context() as patch:
        patch.setattr(arrivals.time, "sleep", pause)
        taken = drop.take()
    assert taken == TakenIn(said=("ratings/a.csv is still being written, and waits for the next run.",))
    assert path.exists()


def test_customers_without_ids_cannot_come_by_themselves(drop):
    header = "minutes_watched,clv,region_id,channel_id\n"
    drop.put("customers/a.csv", "30,10,1,1", header=header)
    assert "no column customer_id" in drop.take().failed["customers/a.csv"]
    drop.put("customers/b.csv", "c1,30,10,1,1", header=f"customer_id,{header}")
    assert len(drop.take().landed) == 1


def test_a_file_is_read_as_the_drop_folder_declares_or_as_the_source_does(drop):
    source = drop.root / "source"
    source.mkdir()
    (source / "stars.csv").write_text("who,what,stars\n1,31,4\n")
    (source / "matinee.yaml").write_text(
        "ratings: {files: stars.csv, columns: {user_id: who, title_id: what, rating: stars}}\n"
    )
    declared = {table.table: table for table in resolve_source(str(source)).tables}
    drop.put("ratings/a.csv", "5,31,4", header="who,what,stars\n")
    assert len(drop.take(declared).landed) == 1
    drop.folder.incoming.joinpath("matinee.yaml").write_text(
        "ratings: {deleted: op = 'D', columns: {user_id: wer, title_id: was, rating: sterne}}\n"
    )
    drop.put("ratings/b.csv", "6,31,4,U", "7,31,,D", header="wer,was,sterne,op\n")
    assert len(drop.take(declared).landed) == 1
    assert drop.rows() == [[(5, 31, 4.0, None)], [(6, 31, 4.0, None, False), (7, 31, None, None, True)]]


@pytest.mark.parametrize(("table", "column"), [("ratings", "rated_at"), ("views", "watched_at")])
def test_dates_that_show_no_order_are_refused_with_the_key_that_says_it_and_its_place(drop, table, column):
    header = f"user_id,title_id,{column},{'rating' if table == 'ratings' else 'minutes_watched'}\n"
    drop.put(f"{table}/a.csv", "1,31,03/05/2024 20:15,4", header=header)
    (refusal,) = drop.take().failed.values()
    declared = f"{column}: {{value: {column}, order: day first}}"
    assert f"`{declared}`" in refusal
    assert "`order: month first`" in refusal
    assert "incoming/matinee.yaml" in refusal
    drop.folder.incoming.joinpath("matinee.yaml").write_text(f"{table}: {{columns: {{{declared}}}}}\n")
    put_back_failed(drop.folder, [TODAY])
    ((_, file),) = drop.take().landed
    assert [row[column] for row in rows_of(file)] == [datetime(2024, 5, 3, 20, 15)]


def test_what_is_declared_of_one_column_goes_with_whatever_layout_has_the_others(drop):
    drop.folder.incoming.mkdir()
    drop.folder.incoming.joinpath("matinee.yaml").write_text(
        "ratings: {columns: {rated_at: {value: rated_at, order: day first}}}\n"
    )
    drop.put("ratings/a.csv", "1,31,4,03/05/2024", header="userId,movieId,rating,rated_at\n", age=20)
    drop.put("ratings/b.csv", "2,31,4,03/05/2024", header="user_id,title_id,rating,rated_at\n", age=10)
    drop.put("ratings/c.csv", "3,31,4,1260759144")
    assert not drop.take().failed
    first, second, third = (rows[0] for rows in drop.rows())
    assert first == (1, 31, 4.0, datetime(2024, 5, 3))
    assert second == (2, 31, 4.0, datetime(2024, 5, 3))
    assert third[:2] == (3, 31)
    assert third[3].year == 2009


def test_a_declared_name_that_no_file_has_is_told_of_where_no_layout_fits_either(drop):
    drop.folder.incoming.mkdir()
    drop.folder.incoming.joinpath("matinee.yaml").write_text(
        "ratings: {columns: {user_id: who, title_id: what, rated_at: wen}}\n"
    )
    drop.put("ratings/a.csv", "1,31,4,1260759144", header="who,what,rating,seen\n")
    (refusal,) = drop.take().failed.values()
    assert "wen" in refusal


def test_a_deletion_need_say_no_more_than_the_key(drop):
    header = "user_id,title_id,watched_at,minutes_watched,is_deleted\n"
    lines = [f"1,2,2017-06-05 20:{minute}:00,30,false" for minute in range(10, 60)]
    gone = ["1,2,2017-06-05 20:10:00,,true", "1,2,2017-06-05 20:11:00,0,true", "1,,2017-06-05 20:12:00,,true"]
    drop.put("views/a.csv", *lines, *gone, "1,2,2017-06-05 20:13:00,0,false", header=header)
    ((_, file),) = drop.take().landed
    assert [row["is_deleted"] for row in rows_of(file)] == [False] * 50 + [True] * 2
    assert (file.rows_rejected, file.rows_left_out) == (1, 1)


def test_files_are_read_again_as_declared_now_and_keep_their_place(drop):
    drop.put("ratings/a.csv", "1,31,4,1260759144", age=10)
    drop.put("ratings/b.csv", "2,31,4,1260759144")
    drop.take()
    drop.folder.incoming.joinpath("matinee.yaml").write_text("ratings: {columns: {rating: rating / 2}}\n")
    assert drop.rows(again=[]) == drop.rows()
    assert [rows[0][:3] for rows in drop.rows(again=[TODAY])] == [(1, 31, 2.0), (2, 31, 2.0)]
    assert [rows[0][:3] for rows in drop.rows()] == [(1, 31, 2.0), (2, 31, 2.0)]


def test_a_time_of_the_future_is_read_when_it_has_come(drop):
    later = TODAY + timedelta(days=5)
    drop.put("ratings/a.csv", *[f"{user},31,4,2016-01-01" for user in range(20)], f"20,31,4,{later}")
    drop.take()
    assert drop.rows()[0][-1][3] is None
    drop.today = later
    assert drop.rows()[0][-1][3].date() == later


def test_what_failed_can_be_tried_again(drop):
    drop.put("ratings/a.csv", "1,31,4", header="wer,was,sterne\n")
    assert drop.take().failed
    drop.folder.incoming.joinpath("matinee.yaml").write_text(
        "ratings: {columns: {user_id: wer, title_id: was, rating: sterne}}\n"
    )
    put_back_failed(drop.folder, [TODAY])
    assert len(drop.take().landed) == 1
    assert drop.lying(drop.folder.failed) == []


def test_what_landed_and_was_damaged_is_read_again_from_processed(drop):
    drop.put("ratings/a.csv", "1,31,4,1260759144")
    ((_, file),) = drop.take().landed
    file.path.unlink()
    assert drop.users() == [1]


def test_an_arrival_of_which_nothing_is_left_is_told_of_in_words(drop):
    drop.put("ratings/a.csv", "1,31,4,1260759144")
    ((arrival, file),) = drop.take().landed
    file.path.unlink()
    (drop.folder.processed / arrival.kept).unlink()
    with pytest.raises(IngestError, match=r"ratings/a\.csv: .*matinee remove ratings a\.csv"):
        drop.users()


def test_an_arrival_that_is_taken_back_counts_no_more_and_may_come_again(drop):
    drop.put("ratings/a.csv", "1,31,4,1260759144", age=10)
    drop.put("ratings/b.csv", "2,31,4,1260759144")
    drop.take()
    assert take_back(drop.landing, "ratings", "a.csv").shown == "ratings/a.csv"
    assert drop.users() == [2]
    drop.put("ratings/a.csv", "1,31,4,1260759144")
    drop.take()
    assert drop.users() == [2, 1]


def test_only_what_arrived_can_be_taken_back_and_of_two_namesakes_the_one_that_is_meant(drop):
    for user in (1, 2):
        drop.put("ratings/a.csv", f"{user},31,4,1260759144")
        drop.take()
    with pytest.raises(IngestError, match=rf"There are: {TODAY}/ratings/a\.csv, {TODAY}/ratings/a-2\.csv\."):
        take_back(drop.landing, "ratings", "a.txt")
    with pytest.raises(IngestError, match=rf"Say which: {TODAY}/ratings/a\.csv, {TODAY}/ratings/a-2\.csv"):
        take_back(drop.landing, "ratings", "a.csv")
    take_back(drop.landing, "ratings", f"{TODAY}/ratings/a-2.csv")
    assert drop.users() == [1]


@pytest.mark.parametrize(
    "said",
    ["{processed}/{day}/ratings/a-2.csv", "processed/{day}/ratings/a-2.csv", "ratings/a-2.csv", "a-2.csv"],
)
def test_a_file_is_taken_back_by_its_path_in_processed_from_wherever_that_is_seen(drop, said):
    for user in (1, 2):
        drop.put("ratings/a.csv", f"{user},31,4,1260759144")
        drop.take()
    take_back(drop.landing, "ratings", said.format(processed=drop.folder.processed, day=TODAY))
    assert drop.users() == [1]


def test_of_many_files_the_nearest_names_are_told(drop):
    for day in range(1, 10):
        drop.put(f"ratings/export-{day}.csv", f"{day},31,4,1260759144", age=20 - day)
    drop.take()
    with pytest.raises(IngestError, match=rf"Of 9 files the nearest are: {TODAY}/ratings/export-7\.csv, "):
        take_back(drop.landing, "ratings", "exprt-7.csv")


def test_an_account_that_cannot_be_read_stops_everything_in_words(drop):
    drop.landing.mkdir()
    (drop.landing / "arrivals.json").write_text(json.dumps({"arrivals": [{"table": "ratings"}]}))
    with pytest.raises(IngestError, match=r"arrivals\.json: the account of what arrived cannot be read"):
        drop.take()


def test_a_file_that_is_replaced_after_it_landed_is_not_taken_for_what_landed(drop, monkeypatch):
    path = drop.put("ratings/a.csv", "1,31,4,1260759144", age=10)
    write = Account.write

    def replaced(account, landing_dir):
        write(account, landing_dir)
        drop.put("ratings/a.csv", "2,31,4,1260759144")

    with monkeypatch.context() as patch:
        patch.setattr(Account, "write", replaced)
        (said,) = drop.take().said
    assert said == f"{path} is another since it landed, and waits for the next run."
    drop.take()
    assert drop.users() == [1, 2]


def test_a_link_is_kept_as_the_file_that_it_leads_to(drop, tmp_path):
    elsewhere = tmp_path / "elsewhere.csv"
    elsewhere.write_text(RATINGS + "1,31,4,1260759144\n")
    link = drop.folder.incoming / "ratings" / "a.csv"
    link.parent.mkdir(parents=True)
    link.symlink_to(os.path.relpath(elsewhere, link.parent))
    ((arrival, _),) = drop.take().landed
    kept = drop.folder.processed / arrival.kept
    assert not kept.is_symlink()
    assert kept.read_text() == elsewhere.read_text()
    assert not link.is_symlink()


def test_a_name_that_is_no_text_fails_in_words_and_stops_nobody(drop):
    drop.put("ratings/good.csv", "1,31,4,1260759144")
    drop.put("ratings/\udcff.csv", "2,31,4,1260759144")
    taken = drop.take()
    assert list(taken.failed.values()) == [
        r"\udcff.csv: its name is no text in UTF-8. Rename it, and put it there again."
    ]
    assert drop.users() == [1]


def test_a_file_that_may_not_be_read_fails_in_words_and_stops_nobody(drop, monkeypatch):
    drop.put("ratings/good.csv", "1,31,4,1260759144", age=10)
    path = drop.put("ratings/locked.csv", "2,31,4,1260759144")
    read = arrivals.source_of

    def locked(file, *others):
        if file == path:
            raise PermissionError(13, "Permission denied", str(path))
        return read(file, *others)

    monkeypatch.setattr(arrivals, "source_of", locked)
    taken = drop.take()
    assert "the file cannot be read (Permission denied)" in taken.failed["ratings/locked.csv"]
    assert drop.users() == [1]


@pytest.mark.parametrize("declared", [False, True], ids=["known layout", "declared"])
@pytest.mark.parametrize("again", [False, True], ids=["new", "again"])
def test_what_is_kept_of_a_file_that_comes_holds_nobody_who_was_forgotten(drop, declared, again):
    who, header = "user-zq81x", "wer,was,sterne\n" if declared else "user_id,title_id,rating\n"
    if declared:
        drop.folder.make()
        drop.folder.incoming.joinpath("matinee.yaml").write_text(
            "ratings: {columns: {user_id: wer, title_id: was, rating: sterne}}\n"
        )
    if again:
        drop.put("ratings/a.csv", "1,31,4", f"{who},31,4", header=header)
        drop.take()
    suppress(drop.landing, [("user", who)], [], TODAY)
    if again:
        forget_landed(drop.landing, [person(drop.landing, "user", who)], read_suppressed(drop.landing))
    drop.put("ratings/a.csv", "1,31,4", f"{who},31,4", header=header)
    said = drop.take().said[-1]
    assert said == "ratings/a.csv names people who were forgotten: it is kept without them."
    (kept,) = drop.lying(drop.folder.processed)
    assert (drop.folder.processed / kept).read_text() == header + "1,31,4\n"
    assert drop.lying(drop.folder.incoming) == (["matinee.yaml"] if declared else [])
    assert drop.users() == [1]
    assert [[row[:3] for row in rows] for rows in drop.rows(again=[TODAY])] == [[(1, 31, 4.0)]]
    drop.put("ratings/b.csv", "1,31,4", f"{who},31,4", header=header)
    drop.take()
    assert drop.users() == [1]


def test_a_packed_file_that_names_somebody_who_was_forgotten_is_not_kept(drop):
    suppress(drop.landing, [("user", "7")], [], TODAY)
    path = drop.put("ratings/a.csv.gz")
    path.write_bytes(gzip.compress(f"{RATINGS}1,31,4,1260759144\n7,31,4,1260759144\n".encode()))
    assert drop.take().said[-1].endswith("it is not kept, for it cannot be written without them.")
    assert drop.lying(drop.folder.processed) == []
    assert drop.users() == [1]
