"""Who is forgotten leaves what has landed, and does not come back with any file."""

import gzip
import json
from datetime import date

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ingest import ids
from ingest.forgetting import find_pending, forget_landed, person, rows_of_files
from ingest.forgetting_raw import forget_raw
from ingest.suppressing import REMOVED, read_suppressed, settle, suppress

HEADER = "user_id,title_id,rating\n"
TEXT, NUMBER = "user-zq81x", "734512908"
DAY = date(2026, 11, 30)


def forget(landing, *written: str, kind="user"):
    """Do to the landing what the command does."""
    rows = rows_of_files(landing, written if kind == "customer" else ())
    suppressed = suppress(landing, [(kind, each) for each in written], rows, DAY)
    touched = forget_landed(landing, [person(landing, kind, each) for each in written], suppressed)
    settle(landing)
    return {each.file.partition("-")[0]: each.rows for each in touched}


def everything(folder) -> str:
    """All text of the landing: Parquet by its values, whatever its compression."""
    said = []
    for path in folder.rglob("*"):
        if path.suffix == ".parquet":
            said += [repr(pq.read_table(path).to_pydict()), repr(path.read_bytes())]
        elif path.is_file():
            said.append(path.read_text())
    return "\n".join(said)


def test_the_list_holds_no_id(folder):
    suppress(folder.landing, [("user", TEXT), ("user", NUMBER)], [], DAY)
    assert TEXT not in everything(folder.landing)
    assert NUMBER not in everything(folder.landing)


def test_a_user_and_a_customer_of_one_id_are_two_people(folder):
    listed = suppress(folder.landing, [("user", "7")], [], DAY)
    assert listed.mentions("user", "a,7,b")
    assert not listed.mentions("customer", "a,7,b")


@pytest.mark.parametrize("who", [TEXT, NUMBER])
def test_a_file_that_landed_before_loses_the_rows_and_keeps_its_key(folder, rows, who):
    text = HEADER + f"a,1,3\n{who},1,4\n{who},2,5\nb,2,3\n"
    before = folder.land_text("ratings", text)
    assert forget(folder.landing, who)["ratings"] == 2
    again = folder.land_text("ratings", text)
    assert again.was_already_landed
    assert (again.key, again.rows_read, again.rows_landed, again.rows_left_out) == (before.key, 4, 2, 2)
    assert again.notes == ("2 rows of people who were forgotten left out.",)
    assert [row["rating"] for row in rows(again)] == [3, 3]
    assert who not in everything(folder.landing)


@pytest.mark.parametrize("extra", ["", "c,1,many\n"], ids=["clean", "with a reject"])
@pytest.mark.parametrize("who", [TEXT, NUMBER, f"{NUMBER}.0"])
def test_another_file_lands_without_them_and_counts_every_row(folder, rows, who, extra):
    forget(folder.landing, who)
    landed = folder.land_text("ratings", HEADER + f"a,1,3\n{who},1,4\n{who},2,none\nb,2,3\n{extra}")
    assert (landed.rows_landed, landed.rows_left_out) == (2, 2)
    assert landed.rows_read == landed.rows_landed + landed.rows_rejected + landed.rows_left_out
    assert NUMBER not in everything(folder.landing)
    assert TEXT not in everything(folder.landing)


def test_a_file_of_nobody_else_lands_without_rows(folder):
    forget(folder.landing, TEXT)
    landed = folder.land_text("ratings", HEADER + f"{TEXT},1,4\n", share=0.01)
    assert (landed.rows_read, landed.rows_landed, landed.rows_left_out) == (1, 0, 1)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("ratings.jsonl", json.dumps({"user_id": TEXT, "title_id": 1, "rating": 3}).encode() + b"\n"),
        ("ratings.csv", f"user_id;title_id;rating\n{TEXT};1;3,5\nb;1;3\n".encode("utf-16")),
        ("ratings.csv.gz", gzip.compress(f"{HEADER}{TEXT},1,3\nb,1,3\n".encode())),
    ],
    ids=["JSON lines", "UTF-16", "gzip"],
)
def test_they_are_kept_out_of_files_of_every_kind(folder, name, content):
    forget(folder.landing, TEXT)
    assert folder.land("ratings", folder.write(name, content)).rows_left_out == 1
    assert TEXT not in everything(folder.landing)


def test_a_rejected_line_that_names_them_is_blanked(folder, rejects):
    text = HEADER + f"a,1,3\n{TEXT},1\nb,2,many\n"
    before = folder.land_text("ratings", text)
    assert TEXT in everything(folder.landing)
    assert forget(folder.landing, TEXT) == {"ratings": 1}
    assert [row["raw_text"] for row in rejects(before)] == [REMOVED, "b,2,many"]
    fresh = folder.land_text("ratings", text + "c,1,3\n")
    assert [row["raw_text"] for row in rejects(fresh)] == [REMOVED, "b,2,many"]
    assert fresh.rows_rejected == 2


def test_a_number_that_was_given_loses_its_text_and_is_not_given_again(folder, rows):
    folder.land_text("ratings", HEADER + f"a,1,3\n{TEXT},1,4\n")
    number = ids.number_of(folder.landing, TEXT)
    assert forget(folder.landing, TEXT)["ids"] == 1
    landed = folder.land_text("ratings", HEADER + f"new,1,3\n{TEXT},1,4\n")
    assert number not in [row["user_id"] for row in rows(landed)]
    assert ids.number_of(folder.landing, "new") == number + 1


def test_a_title_of_the_same_id_keeps_its_text(folder):
    folder.land_text("ratings", HEADER + "ann,bob,3\nbob,ann,4\nbob,cid,4\n")
    forget(folder.landing, "bob")
    assert ids.number_of(folder.landing, "bob") is not None


def test_a_customer_without_an_id_is_kept_out_of_that_very_file_alone(folder, rows):
    header = "minutes_watched,CLV,region,channel\n"
    text = header + "1,1,1,1\n2,2,1,1\n3,3,1,1\n"
    folder.land_text("customers", text)
    assert forget(folder.landing, "2", kind="customer")["customers"] == 1
    for path in (folder.landing / "files").glob("customers-*.manifest.parquet"):
        path.unlink()  # as if the way it is read had changed: it lands anew
    again = folder.land_text("customers", text)
    assert not again.was_already_landed
    assert [row["customer_id"] for row in rows(again)] == ["1", "3"]
    assert (again.rows_read, again.rows_left_out) == (3, 1)
    other = folder.land_text("customers", header + "7,7,1,1\n8,8,1,1\n")
    assert [row["customer_id"] for row in rows(other)] == ["1", "2"]


def test_a_killed_command_is_taken_up_again_by_what_landed(folder):
    folder.land_text("ratings", HEADER + f"a,1,3\n{TEXT},1,4\n{NUMBER},1,4\n")
    listed = suppress(folder.landing, [("user", TEXT), ("user", NUMBER)], [], DAY)
    found = find_pending(folder.landing, listed)
    assert {each.id for each in found} == {TEXT, NUMBER}
    forget_landed(folder.landing, found, listed)
    assert TEXT not in everything(folder.landing)
    settle(folder.landing)
    assert find_pending(folder.landing, read_suppressed(folder.landing)) == []


def test_a_manifest_that_a_kill_left_behind_is_written_again(folder):
    landed = folder.land_text("ratings", HEADER + f"a,1,3\n{TEXT},1,4\n")
    manifest = landed.manifest_path.read_bytes()
    forget(folder.landing, TEXT)
    landed.manifest_path.write_bytes(manifest)
    forget(folder.landing, TEXT)
    again = folder.land_text("ratings", HEADER + f"a,1,3\n{TEXT},1,4\n")
    assert again.was_already_landed
    assert (again.rows_landed, again.rows_left_out) == (1, 1)


def test_a_damaged_list_lets_nothing_land(folder):
    suppress(folder.landing, [("user", TEXT)], [], DAY)
    (folder.landing / "suppressed.json").write_text("{")
    with pytest.raises(Exception, match=r"suppressed.json.*damaged"):
        folder.land_text("ratings", HEADER + "a,1,3\n")


def test_raw_files_of_ours_are_written_anew_whatever_they_are(folder):
    folder.write(
        "ratings.csv", f'user_id,title_id,rating\r\n{TEXT},1,3\r\n7,"{NUMBER}",3\r\n"{NUMBER}",1,3\r\n'
    )
    folder.write("a/users.jsonl", f'{{"user_id": "{TEXT}"}}\n{{"user_id": 7}}\n')
    folder.write("a/ratings.csv.gz", gzip.compress(f"{HEADER}{NUMBER},1,3\n".encode()))
    folder.write("a/odd.txt", f"who is {TEXT}?")
    folder.write("a/movies.csv", f"movieId,title,genres\n1,{TEXT} the movie,War\n")
    folder.write("a/links.csv", f"movieId,imdbId,tmdbId\n{NUMBER},1,2\n")
    table = {"user_id": [7, int(NUMBER)], "title_id": [1, 2], "rating": [3.0, 4.0]}
    pq.write_table(pa.table(table), folder.write("ratings.parquet", b""))
    people = [person(folder.landing, "user", each) for each in (TEXT, NUMBER)]
    touched = {each.file: each.rows for each in forget_raw([folder.root / "raw"], people)}
    assert touched == {
        "raw/ratings.csv": 2,
        "raw/ratings.parquet": 1,
        "raw/a/users.jsonl": 1,
        "raw/a/ratings.csv.gz": 1,
        "raw/a/odd.txt": 1,
    }
    raw = folder.root / "raw"
    assert (raw / "ratings.csv").read_bytes() == f'user_id,title_id,rating\r\n7,"{NUMBER}",3\r\n'.encode()
    assert (raw / "a" / "users.jsonl").read_text() == '{"user_id": 7}\n'
    assert sorted(path.name for path in (raw / "a").iterdir()) == ["links.csv", "movies.csv", "users.jsonl"]
    assert pq.read_table(raw / "ratings.parquet")["user_id"].to_pylist() == [7]


@pytest.mark.parametrize(
    "content",
    [b"", b"<!DOCTYPE html><p>Sign in</p>", b"%PDF-1.7", b"PK\x03\x04", b"PAR1", b"\x1f\x8b\x08", b"\0\0"],
)
def test_a_raw_file_that_is_no_data_stands_in_nobodys_way(folder, content):
    folder.write("a.csv", content)
    folder.write("b.csv", content + f" {TEXT}".encode())
    folder.write("ratings.csv", f"user_id,title_id,rating\n{TEXT},1,3\n7,1,3\n")
    forget_raw([folder.root / "raw"], [person(folder.landing, "user", TEXT)])
    left = {path.name: path.read_bytes() for path in (folder.root / "raw").iterdir()}
    assert left == {"a.csv": content, "ratings.csv": b"user_id,title_id,rating\n7,1,3\n"}


def test_a_sentence_that_counts_is_not_taken_for_a_person(folder):
    folder.land_text("ratings", HEADER + "Ann,1,3\nann,1,3\n2,1,4\n")
    forget(folder.landing, "2")
    again = folder.land_text("ratings", HEADER + "Ann,1,3\nann,1,3\n2,1,4\n")
    assert "2 ids differ" in " ".join(again.notes) or "1 ids differ" in " ".join(again.notes)
    forget(folder.landing, "ann")
    again = folder.land_text("ratings", HEADER + "Ann,1,3\nann,1,3\n2,1,4\n")
    assert again.notes == ("2 rows of people who were forgotten left out.",)
