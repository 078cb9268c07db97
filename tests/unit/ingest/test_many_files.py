"""Many files of a source land alike, whoever reads them and whichever is read first."""

import pickle
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from ingest.errors import IngestError
from ingest.rawfiles import ended
from ingest.running import in_turn
from tests.partitioned_files import ORDER_KNOWN, all_of, files_of, land_files, write_files


def backwards(function, things, /):
    """Read elsewhere, as far as that shows: all before the first is kept, the last first, copies instead of things."""

    def careful(thing):
        try:
            return function(thing)
        except IngestError as error:
            return error

    done = [pickle.dumps(careful(pickle.loads(pickle.dumps(thing)))) for thing in reversed(things)]
    for result in map(pickle.loads, reversed(done)):
        if isinstance(result, IngestError):
            raise result
        yield result


def contents(landing: Path) -> set[str]:
    return {path.name for path in (landing / "files").iterdir()}


def test_what_lands_does_not_depend_on_who_reads_the_files(tmp_path):
    source = write_files(tmp_path / "raw", files_of(9))
    one, other = tmp_path / "one", tmp_path / "other"
    expected = all_of(one, land_files(source, one))
    assert all_of(other, land_files(source, other, backwards)) == expected
    assert contents(one) == contents(other)
    assert len(expected["ids"]) > 2
    assert any(file["rejects"] for file in expected["files"].values())
    assert any(
        "differ from another by case" in " ".join(file["notes"]) for file in expected["files"].values()
    )


def test_files_that_came_later_go_on_where_the_numbers_ended(tmp_path):
    files = files_of(9)
    early = {
        name: content for name, content in files.items() if not "ratings/day=2026-01-05" <= name < "ratings/x"
    }
    landings = [tmp_path / "one", tmp_path / "other"]
    found = []
    for landing, run_each in zip(landings, (in_turn, backwards), strict=True):
        source = write_files(tmp_path / f"raw-{landing.name}", early)
        land_files(source, landing, run_each)
        write_files(source, files)
        again = land_files(source, landing, run_each)
        assert sum(not file.was_already_landed for file in again) == 5
        found.append(all_of(landing, again))
    assert found[0] == found[1]


def test_a_folder_gives_its_value_to_each_row_of_its_files(tmp_path):
    source = write_files(tmp_path / "raw", files_of(2))
    days = [
        {row["rated_at"].isoformat()[:10] for row in pq.read_table(file.path).to_pylist()}
        for file in land_files(source, tmp_path / "landing", backwards)
        if file.table == "ratings"
    ]
    assert days == [{"2026-01-01"}, {"2026-01-02"}]


OTHER_COLUMNS = {"ratings/day=2026-01-04/part.parquet": b"city,country\nParis,France\n"}


def test_a_file_with_other_columns_is_found_before_anything_lands_where_all_are_looked_at(tmp_path):
    source = write_files(tmp_path / "raw", files_of(6) | OTHER_COLUMNS)
    with pytest.raises(IngestError, match=r"ratings/day=2026-01-04/part\.parquet: .*account"):
        land_files(source, tmp_path / "landing")
    assert not (tmp_path / "landing").exists()


@pytest.mark.parametrize("run_each", [in_turn, backwards])
def test_a_file_with_other_columns_ends_the_landing_where_it_stands(tmp_path, run_each):
    source = write_files(tmp_path / "raw", files_of(6, ORDER_KNOWN) | OTHER_COLUMNS)
    with pytest.raises(IngestError, match=r"ratings/day=2026-01-04/part\.parquet: .*account"):
        land_files(source, tmp_path / "landing", run_each)
    kept = [name for name in contents(tmp_path / "landing") if name.endswith(".manifest.parquet")]
    assert len(kept) == 3
    assert not list((tmp_path / "landing" / ".tmp").iterdir())


@pytest.mark.parametrize("end", [b"", b"\n"])
def test_a_last_line_without_an_end_gets_one(tmp_path, end):
    (tmp_path / "file").write_bytes(b"{}\n{}" + end)
    assert ended(tmp_path / "file", tmp_path / "copy").read_bytes() == b"{}\n{}\n"
    assert (tmp_path / "copy").exists() == (not end)
