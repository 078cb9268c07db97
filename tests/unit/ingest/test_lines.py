"""What becomes of a line: it lands typed, or it is rejected with a reason, and nothing is lost."""

import datetime
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ingest.errors import IngestError

DRAMA = "\"[{'id': 18, 'name': 'Drama'}]\""


def test_a_good_line_lands_typed(folder, rows, ratings_text):
    landed = folder.land_text("ratings", ratings_text())
    assert rows(landed) == [
        {
            "user_id": 1,
            "title_id": 31,
            "rating": 3.5,
            "rated_at": datetime.datetime(2009, 12, 14, 2, 52, 24),
        }
    ]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("1,2,great,5", "rating: expected a number from 0.5 to 5, got 'great'"),
        ("1,2,7.3,5", "rating: expected a number from 0.5 to 5, got '7.3'"),
        ("1,2,0,5", "rating: expected a number from 0.5 to 5, got '0'"),
        ("1,2,NaN,5", "rating: expected a number from 0.5 to 5, got 'NaN'"),
        ("1,2,inf,5", "rating: expected a number from 0.5 to 5, got 'inf'"),
        ("1,2,3_0,5", "rating: expected a number from 0.5 to 5, got '3_0'"),
        ("1,2,,5", "rating: expected a number from 0.5 to 5, got nothing"),
        (",2,3,5", "userId: expected an id, got nothing"),
        (r"\N,2,3,5", r"userId: expected an id, got '\N'"),
        ("1,2,3", "expected 4 cells, got 3"),
        ("1,2,3,4,5", "expected 4 cells, got 5"),
        ('1,"2"x,3,5', "expected a comma or the end of the line after a closing quote, got more text"),
        ("   ", "expected 4 cells, got 1"),
    ],
)  # fmt: skip
def test_a_bad_line_lands_in_the_rejects_with_its_reason(folder, rows, rejects, ratings_text, line, reason):
    landed = folder.land_text("ratings", ratings_text(line, "9,9,4,9", good=2))
    assert [row["user_id"] for row in rows(landed)] == [1, 2, 9]
    assert rejects(landed) == [
        {
            "source": "ratings.csv",
            "table_name": "ratings",
            "line": 4,
            "reason": reason,
            "raw_text": line,
            "is_known_quirk": False,
        }
    ]


@pytest.mark.parametrize("spelled", ["7", "007", "+7", "7.0", " 7", '"7"'])
def test_a_whole_number_may_be_spelled_in_several_ways(folder, rows, spelled):
    landed = folder.land_text("customers", f"minutes_watched,CLV,region,channel\n1,2,1,{spelled}\n")
    assert rows(landed)[0]["channel_id"] == 7


def test_bytes_that_are_not_utf8_are_rejected_and_shown_as_escapes(folder, rejects):
    text = b"id,imdb_id,title,genres\n1,tt1,Caf\xe9,[]\n2,tt2,Caf\xc3\xa9,[]\n"
    landed = folder.land_text("titles", text)
    assert landed.rows_landed == 1
    assert rejects(landed)[0]["reason"] == "expected UTF-8 text, got other bytes"
    assert rejects(landed)[0]["raw_text"] == r"1,tt1,Caf\xe9,[]"


def test_a_shifted_row_is_a_known_quirk_and_does_not_count_against_the_limit(folder, rejects, titles_text):
    text = titles_text(f"1,tt1,One,{DRAMA}", "1997-08-20,0,,[]")
    landed = folder.land_text("titles", text, share=0.0)
    assert (landed.rows_landed, landed.rows_rejected, landed.known_quirks) == (1, 1, 1)
    assert rejects(landed)[0]["is_known_quirk"] is True


def test_a_catalogue_record_broken_in_two_lands_its_first_half(folder, rows, rejects):
    header = "adult,genres,id,imdb_id,title\n"
    text = header + "False,[],82663,tt0113002\n - Written by X,[],1997-08-20,0\nFalse,[],5,tt5,Five\n"
    landed = folder.land_text("titles", text)
    assert [(row["title_id"], row["title"]) for row in rows(landed)] == [(82663, None), (5, "Five")]
    assert rejects(landed)[0]["line"] == 3
    assert "(the line has 4 of 5 cells)" in rejects(landed)[0]["reason"]


def test_lines_are_counted_physically_through_quoted_line_ends(folder, rejects, titles_text):
    text = titles_text('1,tt1,"A\nB\n\nC",[]', 'y,tt2,"D\nE",[]', "3,tt3,F,[]", "x,tt4,G,[]")
    landed = folder.land_text("titles", text)
    assert [(row["line"], row["raw_text"]) for row in rejects(landed)] == [
        (6, 'y,tt2,"D\nE",[]'),
        (9, "x,tt4,G,[]"),
    ]


def test_windows_line_ends_a_byte_order_mark_and_blank_lines_change_nothing(folder, rows, rejects):
    text = b"\xef\xbb\xbfmovieId,imdbId,tmdbId\r\n1,0114709,862\r\n\r\n2,0113497,\r\n,1,1\r\n"
    landed = folder.land_text("links", text)
    assert rows(landed) == [
        {"rated_id": 1, "title_id": 862, "imdb_id": "0114709"},
        {"rated_id": 2, "title_id": None, "imdb_id": "0113497"},
    ]
    assert [(row["line"], row["raw_text"]) for row in rejects(landed)] == [(5, ",1,1")]


@pytest.mark.parametrize("mixed", ["1,2,3,5\r\n2,2,3,5\n", "1,2,3,5\n2,2,3,5\r\n"])
def test_mixed_line_ends_are_read(folder, rows, ratings_text, mixed):
    landed = folder.land_text("ratings", ratings_text(good=0) + mixed)
    assert [row["user_id"] for row in rows(landed)] == [1, 2]


def test_an_unreadable_cell_is_told_from_an_empty_one_where_a_column_may_be_empty(folder, rows, rejects):
    text = "minutes_watched,CLV,region,channel\n,1,1,1\nabc,1,1,1\n-1,1,1,1\n"
    landed = folder.land_text("customers", text)
    assert [row["minutes_watched"] for row in rows(landed)] == [None]
    assert [row["reason"] for row in rejects(landed)] == [
        "minutes_watched: expected a number, 0 or more, got 'abc'",
        "minutes_watched: expected a number, 0 or more, got '-1'",
    ]


def test_an_unreadable_value_of_an_optional_column_becomes_null_and_is_counted(folder, rows):
    text = "id,imdb_id,title,genres,release_date,runtime,adult\n1,tt1,One,[],soon,long,maybe\n"
    landed = folder.land_text("titles", text)
    row = rows(landed)[0]
    assert (row["release_date"], row["runtime_minutes"], row["adult"]) == (None, None, None)
    assert landed.unreadable == {"release_date": 1, "runtime_minutes": 1, "adult": 1}
    assert "runtime: 1 cell could not be read and became empty, expected a number." in landed.notes


def test_a_column_of_which_too_much_cannot_be_read_refuses_the_file_with_an_example(folder, ratings_text):
    text = ratings_text(*(f"{user},9,4,1.47E+09" for user in range(5, 10)), good=4)
    with pytest.raises(IngestError) as caught:
        folder.land_text("ratings", text, share=0.01)
    assert "5 of 9 cells of column 'timestamp' (55.56%) cannot be read; at most 1.00% may." in str(
        caught.value
    )
    assert "Line 6: expected a time" in str(caught.value)
    assert "got '1.47E+09'" in str(caught.value)


def test_an_optional_column_that_the_file_lacks_is_a_typed_null(folder):
    landed = folder.land_text("ratings", "userId,movieId,rating\n1,2,3\n")
    assert pq.read_schema(landed.path).field("rated_at").type == pa.timestamp("us")


def test_columns_are_found_by_name_in_any_order_and_case(folder, rows):
    landed = folder.land_text("ratings", "Rating , extra,MOVIEID,userid\n4.5,?,2,1\n")
    assert rows(landed) == [{"user_id": 1, "title_id": 2, "rating": 4.5, "rated_at": None}]


def test_a_parquet_file_obeys_the_same_contract(folder, rows, rejects):
    path = folder.write("ratings.parquet", b"")
    table = pa.table({"userId": [1, 2], "movieId": [3.0, 4.0], "rating": [3.5, 40.0], "timestamp": [0, 0]})
    pq.write_table(table, path)
    landed = folder.land("ratings", path)
    assert [(row["user_id"], row["title_id"]) for row in rows(landed)] == [(1, 3)]
    reject = rejects(landed)[0]
    assert (reject["line"], reject["reason"]) == (
        2,
        "rating: expected a number from 0.5 to 5, got '40.0'",
    )
    assert json.loads(reject["raw_text"])["movieId"] == "4.0"


def test_markup_in_a_title_lands_as_the_text_it_is(folder, rows, titles_text):
    landed = folder.land_text("titles", titles_text("1,tt1,<script>alert(1)</script>,[]"))
    assert rows(landed)[0]["title"] == "<script>alert(1)</script>"
