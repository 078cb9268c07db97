"""Ten thousand bad rows over all tables and formats: each lands as it is, or is rejected with its reason."""

import random
import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ingest.contracts import CONTRACTS
from ingest.errors import IngestError, shorten
from ingest.ids import segments
from tests.unit.ingest.bad_rows import FORMS, Form, rows_of_a_file

BAD_ROWS = 10_000
FILES = [(table, form) for table in CONTRACTS for form in FORMS]
FEW = [(table, form) for at, (table, form) in enumerate(FILES) if at % 5 == 0]


def check_a_file(folder, table: str, form: Form, bad: int, chance: random.Random) -> int:
    """Land a file of bad rows and hold it against what must become of each; return how many they were."""
    names = [column.name for column in CONTRACTS[table].columns]
    rows = rows_of_a_file(table, bad, form.malformed, form.can, chance)
    landed = folder.land(table, folder.write(f"{table}{form.ending}", form.write(names, rows)))
    assert landed.rows_read == len(rows) == landed.rows_landed + landed.rows_rejected
    ids = {
        number: text
        for part in segments(folder.landing)
        for number, text in zip(*pq.read_table(part).to_pydict().values(), strict=True)
    }
    found = [
        {name: ids.get(value, value) if name.endswith("_id") else value for name, value in row.items()}
        for row in pq.read_table(landed.path).to_pylist()
    ]
    expected = [row.expected for row in rows if row.expected is not None]
    for one, other in zip(found, expected, strict=False):
        assert one == other
    assert len(found) == len(expected)
    rejects = pq.read_table(landed.rejects_path).to_pylist()
    assert len(rejects) == landed.rows_rejected
    assert [row["line"] for row in rejects] == sorted({row["line"] for row in rejects})
    assert all(row["reason"] and row["raw_text"] and row["line"] >= 1 for row in rejects)
    assert all(len(row["reason"]) < 400 and row["reason"].isprintable() for row in rejects)
    return sum(row.is_bad for row in rows)


@pytest.mark.parametrize(("table", "form"), FEW)
def test_a_bad_row_lands_as_it_is_or_is_rejected_and_its_neighbours_land(folder, table, form):
    check_a_file(folder, table, FORMS[form], 45, random.Random(f"{table} {form}"))


@pytest.mark.long
def test_ten_thousand_bad_rows_of_all_tables_and_formats_are_all_accounted_for(folder):
    chance = random.Random(20_260_101)
    each = BAD_ROWS // len(FILES) + 5
    assert sum(check_a_file(folder, table, FORMS[form], each, chance) for table, form in FILES) >= BAD_ROWS


HEADER = b"user_id,title_id,rating\n"
GOOD = b"1,2,3\n"


@pytest.mark.parametrize(
    ("content", "landed", "reason"),
    [
        (HEADER + GOOD + b"1,2,3\0\n" + GOOD, 2, r"rating: expected a number, got '3\x00'"),
        (
            HEADER + GOOD + b"1\r,2,3\n" + GOOD,
            2,
            "expected one record in a line, got a carriage return within it",
        ),
        (
            HEADER + GOOD + b"1\r,2,3\r\n" + GOOD,
            2,
            "expected one record in a line, got a carriage return within it",
        ),
        (HEADER + GOOD + b"\xff\x81,2,3\n" + GOOD, 2, "expected UTF-8 text, got other bytes"),
        (
            ("\ufeff" + HEADER.decode() + "é,2,3\n\ud800,2,3\n").encode("utf-16-le", "surrogatepass"),
            1,
            "expected UTF-8 text, got other bytes",
        ),
        (HEADER + GOOD + b"1,2,\x1b[31mred\n", 1, r"rating: expected a number, got '\x1b[31mred'"),
    ],
)
def test_a_line_that_is_no_text_is_set_aside_and_not_its_file(folder, rejects, content, landed, reason):
    file = folder.land("ratings", folder.write("ratings.csv", content))
    assert (file.rows_landed, [row["reason"] for row in rejects(file)]) == (landed, [reason])


@pytest.mark.long
def test_a_line_longer_than_a_buffer_is_counted(folder, rejects):
    content = HEADER + GOOD + b"1,2," + b"3" * 33_000_000 + b"\n" + GOOD
    landed = folder.land("ratings", folder.write("ratings.csv", content))
    assert (landed.rows_read, landed.rows_landed) == (3, 2)
    assert rejects(landed)[0]["reason"] == "expected at most 2,000,000 bytes in a line, got 33,000,004"


def test_a_quote_left_open_swallows_no_title(folder, titles_text):
    with pytest.raises(IngestError, match="line 3: a quote is opened there and never closed"):
        folder.land_text("titles", titles_text("1,tt1,One,[]", '2,tt2,"Two,[]', "3,tt3,Three,[]"))


@pytest.mark.long
def test_more_rejects_of_parquet_than_are_read_at_once_are_all_kept(folder, rejects):
    bad = 120_000
    names = ["user_id", "title_id", "rating", "file_row_number"]
    table = pa.table([[1] * (bad + 1), [1] * (bad + 1), ["3", *["x"] * bad], [0] * (bad + 1)], names=names)
    path = folder.write("ratings.parquet", b"")
    pq.write_table(table, path)
    landed = folder.land("ratings", path)
    assert [row["line"] for row in rejects(landed)] == list(range(2, bad + 2))


def test_one_decimal_comma_among_points_is_a_fault_of_its_row(folder, rows, rejects):
    landed = folder.land_text("ratings", "user_id;title_id;rating\n1;2;3.5\n2;2;1.5\n3;2;4,5\n4;2;4\n")
    assert [row["rating"] for row in rows(landed)] == [3.5, 1.5, 4.0]
    assert rejects(landed)[0]["reason"] == "rating: expected a number, got '4,5'"


def test_a_text_in_a_sentence_cannot_command_a_terminal():
    assert shorten("a\x1b[2J\u202eb\0 \ud800") == r"a\x1b[2J\u202eb\x00 \ud800"


_PEAK = """
import resource, sys
from pathlib import Path
from ingest.contracts import CONTRACTS
from ingest.errors import IngestError
from ingest.landing import land_file
try:
    land_file(CONTRACTS["ratings"], Path(sys.argv[1]), Path(sys.argv[2]), memory_limit="128MB", threads=1)
except IngestError:
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


@pytest.mark.long
@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("ratings.csv", HEADER + GOOD, b"1,2,great\n"),
        (
            "ratings.jsonl",
            b'{"user_id": 1, "title_id": 2, "rating": 3}\n',
            b'{"user_id": 1, "title_id": 2, "rating": "x"}\n',
        ),
    ],
)
def test_ten_times_the_bad_rows_need_little_more_memory(folder, name, good, bad):
    peaks = []
    for count in (200_000, 2_000_000):
        path = folder.write(name, good + bad * count)
        command = [sys.executable, "-c", _PEAK, str(path), str(folder.landing)]
        peaks.append(int(subprocess.run(command, capture_output=True, check=True, text=True).stdout))
    assert peaks[1] < 1.7 * peaks[0], peaks
