"""What came through the drop folder, and what was said of it, names nobody who was forgotten and counts once."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from ingest import arrivals
from ingest.arrivals import Account, arrived, take_in
from ingest.landing import land_file
from ingest.suppressing import read_suppressed
from orchestration.stores import runs
from orchestration.stores.layout import WarehouseLayout
from orchestration.tasks.forgetting import Receipt, forget
from orchestration.tasks.landing import drop_folder
from tests.finding import files_with

NUMBER = "734512908"
TODAY = datetime.now(UTC).date().isoformat()
DECLARED = "ratings: {columns: {user_id: wer, title_id: was, rating: sterne}}\n"


@pytest.fixture
def layout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> WarehouseLayout:
    monkeypatch.setattr(arrivals, "_MOMENT", 0)
    return WarehouseLayout(tmp_path / "warehouse")


def put(layout: WarehouseLayout, header: str = "user_id,title_id,rating", name: str = "a.csv") -> Path:
    path = layout.incoming / "ratings" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{header}\n1,31,4\n{NUMBER},31,4\n")
    return path


def land(layout: WarehouseLayout) -> list[int]:
    """Take in what lies there; return how many rows each arrival has."""

    def one(table, file):
        return land_file(table, file, layout.landing)

    take_in(drop_folder(layout), layout.landing, {}, one)
    files, _ = arrived(drop_folder(layout), layout.landing, {}, one)
    return [file.rows_landed for file in files]


def forget_them(layout: WarehouseLayout) -> Receipt:
    return forget(layout, [("user", NUMBER)], lambda _: ((), []))


def test_of_a_file_of_a_known_layout_the_rest_is_kept(layout):
    put(layout)
    assert land(layout) == [2]
    receipt = forget_them(layout)
    kept = layout.processed / TODAY / "ratings" / "a.csv"
    assert kept.read_text() == "user_id,title_id,rating\n1,31,4\n"
    assert f"processed/{TODAY}/ratings/a.csv" in [each.file for each in receipt.touched]
    assert not any("a.csv" in said for said in receipt.by_hand)
    assert land(layout) == [1]


def test_a_file_that_only_a_declaration_can_read_is_removed_and_what_landed_stays(layout):
    put(layout, "wer,was,sterne")
    (layout.incoming / "matinee.yaml").write_text(DECLARED)
    assert land(layout) == [2]
    receipt = forget_them(layout)
    assert not (layout.processed / TODAY / "ratings" / "a.csv").exists()
    assert ("file removed", 1) in [(each.what, each.rows) for each in receipt.touched]
    assert land(layout) == [1]


def test_the_drop_folder_stays_as_it_is_for_a_file_that_has_landed_is_known_by_its_content(layout):
    path = put(layout)
    before = path.read_bytes()
    land(layout)
    path.write_bytes(before)  # as after a kill between the account and the move
    receipt = forget_them(layout)
    assert path.read_bytes() == before
    assert any("1 file) is as it came" in said for said in receipt.by_hand)
    assert land(layout) == [1]
    assert not path.exists()
    assert NUMBER not in (layout.processed / TODAY / "ratings" / "a.csv").read_text()


@pytest.mark.parametrize("who", [NUMBER, "u17", "ann@example.org", "0b0b7c3a-5f0e"])
def test_a_name_that_holds_them_holds_their_hash_wherever_it_is_remembered(layout, who):
    for table in ("ratings", "titles"):
        (layout.incoming / table).mkdir(parents=True, exist_ok=True)
    one = layout.incoming / "ratings" / f"user_{who}" / f"{who} of user-{who}.csv"
    one.parent.mkdir()
    one.write_text("user_id,title_id,rating\n1,31,4\n1,32,9x\n" + "1,33,4\n" * 200)
    (layout.incoming / "titles" / f"user_{who}.csv").write_text("title_id,title\n31,Lamp\n")
    (layout.incoming / "ratings" / f"user_{who}.csv").write_text("user_id\n1\n")
    assert land(layout) == [201, 1]
    result = forget(layout, [("user", who)], lambda _: ((), []))
    hidden = read_suppressed(layout.landing).hash("user", who)[:12]
    assert files_with(layout.root, [f"user_{who}", f"user-{who}"]) == []
    if who != NUMBER:
        assert files_with(layout.root, [who]) == []
    assert (layout.failed / TODAY / "ratings" / f"user_{hidden}.csv").exists()
    reason = layout.failed / TODAY / "ratings" / f"user_{hidden}.csv.reason.txt"
    assert reason.exists() == (who == NUMBER)  # one that names somebody in text goes, as any text does
    assert result.touched
    names = [arrival.name for arrival in Account.read(layout.landing).arrivals]
    assert all(hidden in name for name in names)
    assert land(layout) == [201, 1]  # each is still found by its account


def test_a_kill_between_the_names_of_files_and_the_account_is_made_good_by_the_same_command(
    layout, monkeypatch
):
    put(layout, name=f"user_{NUMBER}.csv")
    land(layout)
    with monkeypatch.context() as patch:
        patch.setattr(Account, "write", interrupted)
        with pytest.raises(KeyboardInterrupt):
            forget_them(layout)
    forget_them(layout)
    (arrival,) = Account.read(layout.landing).arrivals
    assert (layout.processed / arrival.kept).exists()
    assert files_with(layout.root, [NUMBER]) == []


def interrupted(*_: object) -> None:
    raise KeyboardInterrupt


def test_a_file_that_comes_later_under_a_name_that_holds_them_is_remembered_by_the_hash(layout):
    layout.landing.mkdir(parents=True)
    forget_them(layout)
    put(layout, name=f"user_{NUMBER}.csv")
    put(layout, name=f"user_{NUMBER}-again.csv").write_text("user_id\n1\n")
    assert land(layout) == [1]
    assert files_with(layout.root, [NUMBER]) == []


def test_a_number_in_a_name_is_somebody_only_behind_a_word_for_a_person(layout):
    put(layout, name="part-7 of 2026-11-7.csv")
    land(layout)
    forget(layout, [("user", "7")], lambda _: ((), []))
    assert [one.name for one in Account.read(layout.landing).arrivals] == ["part-7 of 2026-11-7.csv"]


def test_what_is_remembered_of_runs_that_failed_names_nobody(layout):
    put(layout)
    land(layout)
    runs.begin(layout, "a run", "refresh")
    runs.end(layout, "a run", "failed", [f"line 3: '{NUMBER}' is too much", "another reason"])
    forget_them(layout)
    assert runs.last_runs(layout)[0].problems == ("removed: a person was forgotten", "another reason")
