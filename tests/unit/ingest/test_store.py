"""The landing folder: files are kept, the current set changes as a whole."""

import datetime
import hashlib
import os
import time

import pyarrow.parquet as pq
import pytest

from ingest.cells import FIRST_TEXT_ID
from ingest.errors import IngestError
from ingest.landing import stage
from ingest.store import kept, source_of

HEADER = "userId,movieId,rating,timestamp\n"


def ratings(*users: int) -> str:
    return HEADER + "".join(f"{user},31,2.5,1260759144\n" for user in users)


def test_the_same_file_is_not_landed_again(folder):
    first = folder.land_text("ratings", ratings(1, 2))
    written = first.path.stat().st_mtime_ns
    again = folder.land_text("ratings", ratings(1, 2))
    assert again.was_already_landed
    assert not first.was_already_landed
    assert (again.key, again.landed_at, again.rows_read) == (first.key, first.landed_at, 2)
    assert first.path.stat().st_mtime_ns == written


def test_the_same_content_gives_the_same_bytes_at_another_time(folder):
    first = folder.land_text("ratings", ratings(1, 2))
    content = first.path.read_bytes()
    first.manifest_path.unlink()
    time.sleep(0.01)
    again = folder.land_text("ratings", ratings(1, 2))
    assert not again.was_already_landed
    assert again.landed_at > first.landed_at
    assert again.path.read_bytes() == content


def test_a_damaged_landing_is_landed_again(folder):
    first = folder.land_text("ratings", ratings(1, 2))
    first.path.write_bytes(b"")
    again = folder.land_text("ratings", ratings(1, 2))
    assert not again.was_already_landed
    assert pq.read_table(again.path).num_rows == 2


@pytest.mark.parametrize("part", ["path", "rejects_path", "manifest_path"])
@pytest.mark.parametrize("harm", ["cut off", "a byte flipped"])
def test_a_damaged_file_of_a_landing_is_found_and_landed_again_as_it_was(folder, part, harm):
    first = folder.land_text("ratings", ratings(*range(1, 200)) + ",1,1,1\n")
    folder.put_in_force([first])
    whole = first.path.read_bytes(), first.rejects_path.read_bytes()
    file = getattr(first, part)
    content = bytearray(file.read_bytes())
    # Within the first page, behind the four bytes by which the format is known: no count tells of it.
    content[len(content) // 3 if part == "manifest_path" else 40] ^= 0xFF
    file.write_bytes(content[: len(content) // 2] if harm == "cut off" else content)
    if part != "manifest_path" or harm == "cut off":
        assert kept(folder.landing, ["ratings"]) == ()
        assert not folder.land_text("ratings", ratings(*range(1, 200)) + ",1,1,1\n").was_already_landed
    else:
        folder.land_text("ratings", ratings(*range(1, 200)) + ",1,1,1\n")
    assert (first.path.read_bytes(), first.rejects_path.read_bytes()) == whole


def test_a_landing_of_a_matinee_that_kept_no_hash_of_it_is_not_landed_again(folder):
    landed = folder.land_text("ratings", ratings(1, 2))
    table = pq.read_table(landed.manifest_path).drop_columns(["landed_sha256"])
    pq.write_table(table, landed.manifest_path)
    assert folder.land_text("ratings", ratings(1, 2)).was_already_landed


def test_a_damaged_table_of_ids_is_named_with_what_to_do(folder):
    landed = folder.land_text("ratings", HEADER + "ada,31,2.5,1260759144\n")
    (ids,) = landed.path.parent.glob("ids-*.parquet")
    ids.write_bytes(ids.read_bytes()[:50])
    with pytest.raises(IngestError, match=rf"{ids.name}: the table of ids is damaged.*from a backup"):
        folder.land_text("ratings", HEADER + "ada,31,2.5,1260759144\n")


def test_the_manifest_says_where_rows_come_from(folder):
    landed = folder.land_text("ratings", ratings(1, 2) + ",1,1,1\n")
    row = pq.read_table(landed.manifest_path).to_pylist()[0]
    content = landed.path.read_bytes() + landed.rejects_path.read_bytes()
    assert row.pop("landed_sha256") == hashlib.sha256(content).hexdigest()
    age = datetime.datetime.now(datetime.UTC).replace(tzinfo=None) - row.pop("landed_at")
    assert age < datetime.timedelta(minutes=1)
    assert row == {
        "table_name": "ratings",
        "source": "ratings.csv",
        "sha256": landed.sha256,
        "bytes": len(ratings(1, 2) + ",1,1,1\n"),
        "rows_read": 3,
        "rows_landed": 2,
        "rows_rejected": 1,
        "rows_left_out": 0,
        "unreadable_cells": "{}",
        "notes": [],
        "layout": "The Movies Dataset",
        "last_id": FIRST_TEXT_ID - 1,
        "raw_columns": '{"userId": "BIGINT", "movieId": "BIGINT", "rating": "DOUBLE", "timestamp": "BIGINT"}',
    }


def test_the_current_set_holds_exactly_the_files_of_the_last_switch(folder):
    links = folder.land_text("links", "movieId,imdbId,tmdbId\n1,01,1\n")
    old = folder.land_text("ratings", ratings(1))
    folder.put_in_force([old, links])
    new = folder.land_text("ratings", ratings(1, 2))
    folder.put_in_force([new, links])
    current = folder.landing / "current"
    found = sorted(path.relative_to(current).as_posix() for path in current.glob("*/*.parquet"))
    names = [("links", links.key), ("ratings", new.key)]
    places = [("links", 1, links.key), ("ratings", 0, new.key)]
    assert found == sorted(
        [f"{table}/{place:05}-{key}.parquet" for table, place, key in places]
        + [f"{kind}/{table}-{key}.parquet" for kind in ("manifest", "rejects") for table, key in names]
    )
    assert pq.read_table(current / "ratings").num_rows == 2


def test_the_set_before_stays_and_older_ones_go_but_no_file_does(folder):
    landed = [folder.land_text("ratings", ratings(*range(1, users + 1))) for users in (1, 2, 3)]
    sets = [folder.put_in_force([file]) for file in landed]
    assert [path.exists() for path in sets] == [False, True, True]
    assert all(file.path.exists() for file in landed)


def test_switching_to_the_set_that_is_current_changes_nothing(folder):
    first, second = (folder.land_text("ratings", ratings(*users)) for users in ([1], [1, 2]))
    before = folder.put_in_force([first])
    now = folder.put_in_force([second])
    assert folder.put_in_force([second]) == now
    assert before.exists()


def test_a_reader_who_opened_the_set_before_can_finish(folder):
    first, second = (folder.land_text("ratings", ratings(*users)) for users in ([1], [1, 2]))
    folder.put_in_force([first])
    opened = (folder.landing / "current").resolve()
    folder.put_in_force([second])
    assert pq.read_table(opened / "ratings").num_rows == 1


def test_a_landing_can_be_moved_as_a_whole(folder):
    folder.put_in_force([folder.land_text("ratings", ratings(1))])
    moved = folder.landing.rename(folder.root / "moved")
    assert pq.read_table(moved / "current" / "ratings").num_rows == 1


def test_a_file_that_is_gone_is_not_switched_to(folder):
    landed = folder.land_text("ratings", ratings(1))
    landed.path.unlink()
    with pytest.raises(IngestError, match="is gone"):
        folder.put_in_force([landed])
    assert not (folder.landing / "candidate").exists()
    assert not (folder.landing / "current").exists()


def test_a_candidate_changes_nothing_that_is_in_force(folder):
    first, second = (folder.land_text("ratings", ratings(*users)) for users in ([1], [1, 2]))
    folder.put_in_force([first], "the first")
    stage(folder.landing, [second], {"description": "the second"})
    assert pq.read_table(folder.landing / "current" / "ratings").num_rows == 1
    assert pq.read_table(folder.landing / "candidate" / "ratings").num_rows == 2
    assert [source_of(folder.landing, name)["description"] for name in ("current", "candidate")] == [
        "the first",
        "the second",
    ]


def test_candidates_that_were_never_in_force_go_with_the_next_switch(folder):
    landed = [folder.land_text("ratings", ratings(*range(1, users + 1))) for users in (1, 2, 3, 4)]
    before = folder.put_in_force(landed[:1])
    never = [stage(folder.landing, [file], {}) for file in landed[1:3]]
    assert all(path.exists() for path in [before, *never])
    now = folder.put_in_force(landed[3:])
    assert set(now.parent.iterdir()) == {before, now}


def test_the_files_in_force_of_a_table_can_be_landed_again_as_they_are(folder):
    links = folder.land_text("links", "movieId,imdbId,tmdbId\n1,01,1\n")
    landed = folder.land_text("ratings", ratings(1, 2) + ",1,1,1\n")
    folder.put_in_force([landed, links])
    (again,) = kept(folder.landing, ["ratings", "customers"])
    assert (again.key, again.rows_landed, again.rows_rejected) == (landed.key, 2, 1)
    landed.path.write_bytes(b"")
    assert kept(folder.landing, ["ratings", "links"]) == ()


def test_what_a_killed_run_left_behind_is_removed_and_a_living_ones_is_not(folder):
    dead = folder.landing / ".tmp" / "999999999-00000000"
    living = folder.landing / ".tmp" / f"{os.getppid()}-00000000"
    for left_over in (dead, living):
        left_over.mkdir(parents=True)
    folder.land_text("ratings", ratings(1))
    assert (dead.exists(), living.exists()) == (False, True)


def test_files_of_a_table_lie_in_the_order_in_which_they_arrived(folder):
    first, second = folder.land_text("ratings", ratings(1)), folder.land_text("ratings", ratings(2))
    for files in ([first, second], [second, first]):
        folder.put_in_force(files)
        lie = sorted((folder.landing / "current" / "ratings").glob("*.parquet"))
        assert [path.stem.partition("-")[2] for path in lie] == [file.key for file in files]
        assert [file.key for file in kept(folder.landing, ["ratings"])] == [file.key for file in files]
