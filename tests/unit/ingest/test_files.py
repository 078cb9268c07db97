"""What becomes of a file that cannot be used: it is refused in words, and nothing is replaced."""

import gzip
import io
import json
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ingest.contracts import CONTRACTS
from ingest.errors import IngestError
from ingest.landing import land, land_file
from ingest.sources import resolve_source

HEADER = "userId,movieId,rating,timestamp\n"
OBJECTS = [{"userId": user, "movieId": 31, "rating": user + 1.5, "timestamp": 1260759144} for user in (1, 2)]
GOOD = HEADER + "1,31,2.5,1260759144\n2,31,3.5,1260759144\n"


def test_who_watches_learns_which_share_of_a_file_is_read(tmp_path):
    file = tmp_path / "ratings.csv"
    file.write_text(HEADER + "".join(f"{line},31,2.5,1260759144\n" for line in range(3_000_000)))
    seen: list[float] = []

    @contextmanager
    def watch(name: str, size_bytes: int, share: Callable[[], float]) -> Iterator[None]:
        assert (name, size_bytes) == ("ratings.csv", file.stat().st_size)
        over = threading.Event()

        def look() -> None:
            while not over.wait(0.02):
                seen.append(share())

        looking = threading.Thread(target=look)
        looking.start()
        yield
        over.set()
        looking.join()

    land_file(CONTRACTS["ratings"], file, tmp_path / "landing", watch=watch)
    assert all(0 <= share <= 1 for share in seen)
    assert max(seen) > 0.8
    halfway = [share for share in seen if 0.2 < share < 0.8]
    assert len(halfway) > 1
    assert halfway[0] < halfway[-1]


def test_rows_land_in_the_order_of_the_file(tmp_path):
    file = tmp_path / "ratings.csv"
    file.write_text(HEADER + "".join(f"{line},31,2.5,1260759144\n" for line in range(2_000_000)))
    landed = land_file(CONTRACTS["ratings"], file, tmp_path / "landing")
    assert pq.read_table(landed.path)["user_id"].to_pylist() == list(range(2_000_000))


def packed(content: bytes, *names: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(name, content)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", ["the file is empty"]),
        (b"\n\n", ["the file is empty"]),
        (HEADER.encode(), ["a header but no lines"]),
        (b"userId,movieId,timestamp\n1,2,3\n", ["column 'rating' is missing", "userId, movieId, timestamp"]),
        (b"a,b\n1,2\n", ["columns user_id, title_id, rating are missing"]),
        (b"userId,movieId,rating,rating\n1,2,3,4\n", ["column 'rating' stands in the header 2 times"]),
        (b"\n" + GOOD.encode(), ["the first line is empty"]),
        (b"<!DOCTYPE html><html><body>Sign in</body></html>", ["a web page"]),
        (bytes(range(256)) * 8, ["a binary file"]),
        (GOOD.replace("\n", "\r").encode(), ["carriage returns only"]),
        (GOOD.encode()[:-14], ["cut off", "line 3", "after 3 of 4 cells"]),
        (GOOD.encode() + b'3,"4,5,6\n7,8,9,10\n', ["cut off", "line 4", "never closed"]),
        (gzip.compress(GOOD.encode() * 50, mtime=0)[:-20], ["the compressed file is cut off or damaged"]),
        (packed(GOOD.encode(), "ratings.csv")[:-30], ["the compressed file is cut off or damaged"]),
        (
            packed(b"x", "[Content_Types].xml", "xl/workbook.xml"),
            ["an Excel workbook", "save the sheet as CSV"],
        ),
        (b"\xd0\xcf\x11\xe0" + bytes(99), ["an Excel workbook of the old kind"]),
        (packed(GOOD.encode(), "one.csv", "two.csv"), ["expected one file in the archive, found 2"]),
        (packed(packed(GOOD.encode(), "ratings.csv"), "ratings.zip"), ["the archive holds another archive"]),
        (b"PAR1" + b"\x00" * 64, ["the Parquet file is cut off or damaged"]),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_in_words(folder, content, words):
    with pytest.raises(IngestError) as caught:
        folder.land_text("ratings", content)
    message = str(caught.value)
    assert message.startswith("ratings.csv")
    assert all(word in message for word in words), message
    assert caught.value.next_step.endswith(".")
    assert "Traceback" not in message
    assert "\n" not in message


def test_a_refused_file_leaves_the_current_set_as_it_was(folder, titles_text):
    good = folder.land_text("ratings", GOOD)
    folder.put_in_force([good])
    before = (folder.landing / "current").readlink()
    broken = folder.write("ratings.csv", GOOD[:-14])
    folder.write("links.csv", "movieId,imdbId,tmdbId\n1,01,1\n")
    folder.write("movies_metadata.csv", titles_text("1,tt1,One,[]"))
    source = resolve_source(str(broken.parent))
    with pytest.raises(IngestError, match="cut off"):
        land(source, folder.landing)
    assert (folder.landing / "current").readlink() == before
    assert pq.read_table(folder.landing / "current" / "ratings").num_rows == 2


def test_too_many_bad_lines_stop_the_file_and_the_rejects_stay(folder, ratings_text):
    bad = [f"{user},1,9,1" for user in range(1, 6)]
    with pytest.raises(IngestError) as caught:
        folder.land_text("ratings", ratings_text(*bad, good=5), share=0.01)
    message = str(caught.value)
    assert "5 of 10 lines (50.00%) break the contract of ratings; at most 1.00% may" in message
    assert message.count("rating: expected a number from 0.5 to 5, got '9'") == 3
    kept = next((folder.landing / "files").glob("*.rejects.parquet"))
    assert str(kept) in message
    assert pq.read_table(kept).num_rows == 5
    assert not list((folder.landing / "files").glob("*.manifest.parquet"))


def test_a_landed_file_is_refused_later_when_less_is_tolerated(folder, ratings_text):
    text = ratings_text("1,1,9,1", "2,1,9,1", good=5)
    folder.land_text("ratings", text, share=0.5)
    with pytest.raises(IngestError, match="2 of 7 lines"):
        folder.land_text("ratings", text, share=0.01)


@pytest.mark.parametrize("bad", ["9,31,9,1260759144", "9,31,4,soon"], ids=["line", "cell"])
def test_one_bad_line_or_cell_of_three_refuses_no_file_but_where_none_may_be(folder, ratings_text, bad):
    landed = folder.land_text("ratings", ratings_text(bad, good=2), share=0.01)
    assert landed.rows_rejected + sum(landed.unreadable.values()) == 1
    for good, share in ((1, 0.01), (3, 0)):
        with pytest.raises(IngestError, match="may"):
            folder.land_text("ratings", ratings_text(bad, good=good), share=share)


def test_a_file_of_bad_lines_only_is_refused_whatever_is_tolerated(folder, ratings_text):
    with pytest.raises(IngestError, match="1 of 1 lines"):
        folder.land_text("ratings", ratings_text("1,1,9,1", good=0), share=1.0)


@pytest.mark.parametrize(
    "changed",
    [
        GOOD.replace(",", ";").encode(),
        GOOD.replace(",", "\t").encode(),
        GOOD.replace(",", "|").encode(),
        GOOD.encode("utf-16"),
        GOOD.encode("utf-8-sig"),
        GOOD.replace("\n", "\r\n", 1).encode(),
        GOOD.replace("userId", "USER_ID").encode(),
    ],
)
def test_a_table_lands_alike_however_its_text_is_written(folder, rows, changed):
    plain = folder.land_text("ratings", GOOD)
    assert rows(folder.land_text("ratings", changed)) == rows(plain)


def test_a_missing_file_is_named(folder):
    with pytest.raises(IngestError, match=r"ratings\.csv: the file cannot be read \(No such file"):
        folder.land("ratings", folder.root / "ratings.csv")


def test_a_landing_folder_that_cannot_be_written_is_named(folder):
    path = folder.write("ratings.csv", GOOD)
    blocked = folder.write("blocked", b"a file, not a folder")
    with pytest.raises(IngestError, match=r"blocked/landing: the landing folder cannot be written"):
        land_file(CONTRACTS["ratings"], path, blocked / "landing")


@pytest.mark.parametrize("kind", ["gz", "zip", "zst", "parquet", "wrong ending", "jsonl", "json"])
def test_every_accepted_kind_of_file_lands_the_same_rows(folder, rows, kind):
    plain = folder.land_text("ratings", GOOD)
    content = {
        "gz": gzip.compress(GOOD.encode(), mtime=0),
        "zip": packed(GOOD.encode(), "../../../ratings.csv"),
        "zst": pa.compress(GOOD.encode(), codec="zstd", asbytes=True),
        "jsonl": "".join(f"{json.dumps(row)}\n" for row in OBJECTS).encode(),
        "json": json.dumps(OBJECTS).encode(),
        "wrong ending": gzip.compress(GOOD.encode(), mtime=0),
    }.get(kind, b"")
    path = folder.write("ratings.csv" if kind == "wrong ending" else f"ratings.{kind}", content)
    if kind == "parquet":
        pq.write_table(pa.Table.from_pylist(OBJECTS), path)
    assert rows(folder.land("ratings", path)) == rows(plain)
    assert not list((folder.landing / ".tmp").iterdir())
    assert not list(folder.root.parent.glob("ratings.csv"))
