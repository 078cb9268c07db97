"""Ids of any spelling become numbers that stay, and whole numbers are their own."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ingest.cells import FIRST_TEXT_ID
from ingest.ids import segments

HEADER = "user_id,title_id,rating\n"


def ratings(*users: str) -> str:
    return HEADER + "".join(f"{user},7,3\n" for user in users)


def numbers(folder) -> dict[str, int]:
    found = [row for path in segments(folder.landing) for row in pq.read_table(path).to_pylist()]
    return {row["id"]: row["number"] for row in found}


def users_of(folder, rows, *users: str) -> list[int]:
    return [row["user_id"] for row in rows(folder.land_text("ratings", ratings(*users)))]


@pytest.mark.parametrize(
    ("spelled", "number"),
    [("0", 0), ("7", 7), ("123.0", 123), (str(FIRST_TEXT_ID - 1), FIRST_TEXT_ID - 1)],
)
def test_a_plain_whole_number_is_its_own_number(folder, rows, spelled, number):
    assert users_of(folder, rows, spelled) == [number]
    assert numbers(folder) == {}


@pytest.mark.parametrize(
    "spelled",
    [
        "007",
        "-1",
        "+7",
        "1.5",
        " 7",
        "1e3",
        "0x10",
        "1_0",
        "a@b.c",
        str(FIRST_TEXT_ID),
        "9" * 20,
        "é",
    ],
)
def test_any_other_spelling_gets_a_number_of_its_own_and_is_kept_as_it_is(folder, rows, spelled):
    assert users_of(folder, rows, spelled, "7") == [FIRST_TEXT_ID, 7]
    assert numbers(folder) == {spelled: FIRST_TEXT_ID}


def test_a_file_of_plain_digits_keeps_its_leading_zeros_apart(folder, rows):
    assert users_of(folder, rows, "7", "07", "007") == [7, FIRST_TEXT_ID + 1, FIRST_TEXT_ID]


def test_numbers_are_given_in_sorted_order_once_and_stay(folder, rows):
    assert users_of(folder, rows, "c", "a", "c") == [FIRST_TEXT_ID + 1, FIRST_TEXT_ID, FIRST_TEXT_ID + 1]
    again = users_of(folder, rows, "b", "c", "a")
    assert again == [FIRST_TEXT_ID + 2, FIRST_TEXT_ID + 1, FIRST_TEXT_ID]
    assert numbers(folder) == {"a": FIRST_TEXT_ID, "c": FIRST_TEXT_ID + 1, "b": FIRST_TEXT_ID + 2}


def test_users_and_titles_share_their_numbers_over_files(folder, rows):
    ratings = folder.land_text("ratings", HEADER + "x,y,3\n")
    titles = folder.land("titles", folder.write("titles.csv", "title_id,title\ny,Why\n"))
    assert rows(titles)[0]["title_id"] == rows(ratings)[0]["title_id"]


def test_a_rejected_line_gives_no_number(folder, rows):
    folder.land_text("ratings", HEADER + "x,7,3\ny,7,many\n")
    assert numbers(folder) == {"x": FIRST_TEXT_ID}


@pytest.mark.parametrize(
    ("one", "other"), [("Ann", "ann"), ("ann", "ann "), (" 7", "x")], ids=["case", "blank", "number"]
)
def test_ids_that_differ_by_case_or_blanks_are_kept_apart_with_a_warning(folder, one, other):
    landed = folder.land_text("ratings", ratings(one, other))
    assert len(numbers(folder)) == 2
    assert "differ from another by case or blanks alone and are kept apart" in " ".join(landed.notes)


def test_ids_of_a_column_of_fractions_are_whole_numbers(folder, rows):
    path = folder.write("ratings.parquet", b"")
    pq.write_table(pa.table({"user_id": [7.0, 8.0], "title_id": ["a", "7.0"], "rating": [3, 4]}), path)
    found = [(row["user_id"], row["title_id"]) for row in rows(folder.land("ratings", path))]
    assert found == [(7, FIRST_TEXT_ID), (8, 7)]


def test_the_current_set_holds_the_table_of_ids(folder):
    landed = folder.land_text("ratings", ratings("b", "a"))
    folder.put_in_force([landed])
    table = pq.read_table(folder.landing / "current" / "ids")
    assert table.column("id").to_pylist() == ["a", "b"]


def test_a_landed_file_that_has_outlived_its_ids_lands_again(folder):
    folder.land_text("ratings", ratings("a"))
    segments(folder.landing)[0].unlink()
    assert not folder.land_text("ratings", ratings("a")).was_already_landed
    assert numbers(folder) == {"a": FIRST_TEXT_ID}


def test_many_text_ids_stay_in_the_order_of_the_file(folder, rows):
    users = [f"u{(number * 7919) % 5000}" for number in range(20_000)]
    text = HEADER + "".join(f"{user},{place},3\n" for place, user in enumerate(users))
    landed = rows(folder.land_text("ratings", text))
    assert [row["title_id"] for row in landed] == list(range(20_000))
    known = numbers(folder)
    assert [row["user_id"] for row in landed] == [known[user] for user in users]


@pytest.mark.parametrize("nothing", ["NULL", "nan", r"\N", "#N/A", '" "'])
def test_what_stands_for_nothing_is_nobodys_id(folder, rows, nothing):
    text = ratings(*(f"u{number}" for number in range(200)), nothing)
    landed = folder.land_text("ratings", text)
    assert (landed.rows_landed, landed.rows_rejected) == (200, 1)
    assert len(numbers(folder)) == 200
