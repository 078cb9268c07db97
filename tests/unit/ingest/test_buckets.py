"""A folder in S3-compatible storage is a source like a folder on this disk."""

import socket
from contextlib import closing
from pathlib import Path

import pytest

from ingest import buckets
from ingest.errors import IngestError
from ingest.landing import land
from ingest.sources import resolve_source
from tests.partitioned_files import ORDER_KNOWN, all_of, files_of, land_files, write_files
from tests.storage import BUCKET, SECRET, Storage, served


@pytest.fixture(scope="module")
def server():
    with served() as storage:
        yield storage


@pytest.fixture
def storage(server: Storage, monkeypatch: pytest.MonkeyPatch) -> Storage:
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    server.fetched.clear()
    monkeypatch.setattr(server, "is_forbidden", False)
    monkeypatch.setattr(server, "breaks_at", "")
    return server


def test_files_in_storage_land_as_those_on_this_disk(storage, tmp_path):
    here = write_files(tmp_path / "raw", files_of(5))
    expected = all_of(tmp_path / "here", land_files(here, tmp_path / "here"))
    there = storage.put("same", files_of(5))
    assert all_of(tmp_path / "there", land_files(there, tmp_path / "there")) == expected


def test_what_has_landed_is_not_fetched_again(storage, tmp_path, monkeypatch):
    monkeypatch.setattr(buckets, "_SETTLED_NS", 0)
    address = storage.put("again", files_of(3, ORDER_KNOWN))
    land_files(address, tmp_path)
    storage.put("again", {"ratings/day=2026-01-09/part.csv": b"account,item,stars\n1,2,3\n"})
    storage.fetched.clear()
    landed = land_files(address, tmp_path)
    assert [file.source for file in landed if not file.was_already_landed] == [
        "ratings/day=2026-01-09/part.csv"
    ]
    assert {key.rpartition("/")[2] for key in storage.fetched if "2026-01-0" in key} == {"part.csv"}
    assert not any("2026-01-02" in key for key in storage.fetched)


def test_files_of_a_known_layout_need_no_declaration(storage, tmp_path):
    text = b"customer_id,minutes_watched,CLV,region,channel\n1,30,10,1,1\n2,40,10,1,2\n"
    source = resolve_source(storage.put("known", {"data/customers.csv": text, "data/notes.bin": b"\0"}))
    assert source.found == ["Customers: customers.csv"]
    (landed,) = land(source, tmp_path)
    assert (landed.source, landed.rows_landed) == ("customers.csv", 2)


@pytest.mark.parametrize(
    ("files", "found"),
    [
        ("ratings", 3),
        ("ratings/*/*.csv", 1),
        ("ratings/**/part.*", 3),
        ("ratings/day=2026-01-01/part.csv", 1),
        ("ratings/day=2026-01-0?/*.csv*", 2),
    ],
)
def test_a_declaration_names_files_in_storage_by_folder_pattern_or_name(storage, tmp_path, files, found):
    address = storage.put(tmp_path.name, files_of(3))
    declaration = tmp_path / "service.yaml"
    declaration.write_text(
        f"ratings:\n  files: {address}/{files}\n  columns: {{user_id: account, title_id: item, rating: stars}}\n"
    )
    (table,) = resolve_source(str(declaration)).tables
    assert len(table.files) == found
    assert table.files[0].name == f"{BUCKET}/{tmp_path.name}/ratings/day=2026-01-01/part.csv"


def refusal_of(address: str, landing: Path) -> str:
    with pytest.raises(IngestError) as refused:
        land_files(address, landing)
    assert SECRET not in str(refused.value)
    return str(refused.value)


def test_a_folder_a_bucket_or_a_table_that_is_not_there_is_named(storage, tmp_path):
    address = storage.put("there", {"matinee.yaml": b"ratings: {files: ratings}\n"})
    assert refusal_of("s3://no-bucket/folder", tmp_path) == (
        "s3://no-bucket/folder: there is no such bucket. Correct its name, and run again."
    )
    assert "there is no such folder" in refusal_of(f"s3://{BUCKET}/no-folder", tmp_path)
    assert f"ratings: files: there is no file {address}/ratings." in refusal_of(address, tmp_path)
    assert "found none of the files we know by name" in refusal_of(
        storage.put("odd", {"a.csv": b"a\n1\n"}), tmp_path
    )


def test_storage_that_shows_nothing_to_who_asks_is_named(storage, tmp_path):
    address = storage.put("shut", files_of(2))
    storage.is_forbidden = True
    assert "127.0.0.1 does not let who asks read it. Check AWS_ACCESS_KEY_ID" in refusal_of(address, tmp_path)


def test_storage_that_cannot_be_reached_is_named(monkeypatch, tmp_path):
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        for name, value in Storage(f"http://127.0.0.1:{taken.getsockname()[1]}").environment.items():
            monkeypatch.setenv(name, value)
        assert "the connection to 127.0.0.1 failed. Check AWS_ENDPOINT_URL" in refusal_of(
            "s3://any/folder", tmp_path
        )


def test_a_connection_that_ends_in_the_middle_of_a_file_leaves_what_landed(storage, tmp_path):
    address = storage.put("lost", files_of(4, ORDER_KNOWN))
    source = resolve_source(address)
    storage.breaks_at = "2026-01-03"
    with pytest.raises(IngestError, match=r"^ratings/day=2026-01-03/part\.jsonl: the connection to 127"):
        land(source, tmp_path, max_rejected_share=0.1)
    assert len(list((tmp_path / "files").glob("*.manifest.parquet"))) == 2
    assert not list((tmp_path / ".tmp").iterdir())
