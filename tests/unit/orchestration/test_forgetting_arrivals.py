"""What came through the drop folder, and what was said of it, names nobody who was forgotten and counts once."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from ingest import arrivals
from ingest.arrivals import arrived, take_in
from ingest.landing import land_file
from orchestration.stores import runs
from orchestration.stores.layout import WarehouseLayout
from orchestration.tasks.forgetting import Receipt, forget
from orchestration.tasks.landing import drop_folder

NUMBER = "734512908"
TODAY = datetime.now(UTC).date().isoformat()
DECLARED = "ratings: {columns: {user_id: wer, title_id: was, rating: sterne}}\n"


@pytest.fixture
def layout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> WarehouseLayout:
    monkeypatch.setattr(arrivals, "_MOMENT", 0)
    return WarehouseLayout(tmp_path / "warehouse")


def put(layout: WarehouseLayout, header: str = "user_id,title_id,rating") -> Path:
    path = layout.incoming / "ratings" / "a.csv"
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


def test_what_is_remembered_of_runs_that_failed_names_nobody(layout):
    put(layout)
    land(layout)
    runs.begin(layout, "a run", "refresh")
    runs.end(layout, "a run", "failed", [f"line 3: '{NUMBER}' is too much", "another reason"])
    forget_them(layout)
    assert runs.last_runs(layout)[0].problems == ("removed: a person was forgotten", "another reason")
