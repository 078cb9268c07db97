"""Files of one table are judged together; what a spreadsheet says of its delimiter is believed."""

import gzip

import pytest

from ingest import rawfiles
from ingest.errors import IngestError
from ingest.inspect import inspect
from ingest.landing import land
from ingest.sources import resolve_source

USERS = "user_id,joined_on\n"
DECLARED = "users: {files: users/*.csv}"
OPEN, DAYS, MONTHS = "1,05-06-2023\n", "2,22-01-2021\n", "3,01-22-2021\n"


def joined(folder, rows) -> dict[int, str]:
    files = land(resolve_source(str(folder.declare(DECLARED))), folder.landing)
    return {row["user_id"]: str(row["joined_on"]) for file in files for row in rows(file)}


def test_one_file_shows_the_order_of_dates_of_them_all(folder, rows):
    folder.write("users/a.csv", USERS + OPEN)
    folder.write("users/b.csv", USERS + DAYS)
    assert joined(folder, rows) == {1: "2023-06-05", 2: "2021-01-22"}


def test_a_file_shows_the_order_beyond_its_head(folder, rows):
    folder.write("users/a.csv", USERS + OPEN * 25_000 + MONTHS)
    folder.write("users/b.csv", USERS + "7,05-06-2023\n")
    assert joined(folder, rows)[7] == "2023-05-06"


def test_files_that_contradict_each_other_are_refused_by_name(folder):
    folder.write("users/a.csv", USERS + MONTHS)
    folder.write("users/b.csv", USERS + DAYS)
    folder.write("users/c.csv", USERS + OPEN)
    with pytest.raises(IngestError, match=r"users/a\.csv month first and users/b\.csv day first"):
        resolve_source(str(folder.declare(DECLARED)))


def test_a_file_that_lacks_a_column_of_dates_hinders_nobody(folder, rows):
    folder.write("users/a.csv", "user_id\n1\n")
    folder.write("users/b.csv", USERS + DAYS)
    assert joined(folder, rows) == {1: "None", 2: "2021-01-22"}


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize(("sep", "first"), [(";", "sep=;"), (";", '\ufeff"sep=;"'), ("^", "SEP=^")])
def test_a_first_line_that_declares_the_delimiter_is_no_header(folder, rows, rejects, sep, first, end):
    lines = [first, sep.join(["userId", "movieId", "rating"]), sep.join("123"), sep.join(["4", "5", "x"])]
    landed = folder.land_text("ratings", end.join([*lines, *[sep.join("123")] * 200, ""]))
    assert rows(landed)[0] == {"user_id": 1, "title_id": 2, "rating": 3.0, "rated_at": None}
    (rejected,) = rejects(landed)
    assert (rejected["line"], rejected["raw_text"]) == (4, sep.join(["4", "5", "x"]))


def test_an_unknown_file_with_a_declared_delimiter_is_guessed(folder):
    folder.write("plays.csv", "sep=^\naccount^content^stars\na^t-1^4\nb^t-2^5\n")
    found = inspect(folder.root / "raw", folder=folder.root / "raw")
    assert found.files[0].columns == {"user_id": "account", "title_id": "content", "rating": "stars"}
    assert folder.land_all(folder.write("s.yaml", found.declaration))["ratings"].rows_landed == 2


def test_of_a_packed_file_that_is_declared_only_the_head_is_unpacked_to_check_it(folder, monkeypatch):
    text = "who,what,stars\n" + "1,2,3\n" * 100_000
    folder.write("r.csv.gz", gzip.compress(text.encode()))
    declared = folder.declare(
        "ratings: {files: r.csv.gz, columns: {user_id: who, title_id: what, rating: stars}}"
    )
    monkeypatch.setattr(rawfiles, "unpack", lambda *_: pytest.fail("unpacked whole"))
    monkeypatch.setattr("ingest.opening.unpack", lambda *_: pytest.fail("unpacked whole"))
    assert resolve_source(str(declared)).tables[0].table == "ratings"
