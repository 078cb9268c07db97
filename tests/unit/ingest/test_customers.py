"""What becomes of a file of customers: ids, empty minutes, codes, and lines that break the contract."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ingest.errors import IngestError
from ingest.landing import land
from ingest.sources import resolve_source

HEADER = "minutes_watched,CLV,region,channel\n"


def ids_and_minutes(rows) -> list[tuple[str, float | None]]:
    return [(row["customer_id"], row["minutes_watched"]) for row in rows]


def test_a_customer_lands_typed_with_the_row_number_for_an_id(folder, rows):
    landed = folder.land_text("customers", f"{HEADER}120,59.9,0,3\n,0,2,8\n")
    assert rows(landed) == [
        {
            "customer_id": "1",
            "minutes_watched": 120.0,
            "clv": 59.9,
            "region_id": 0,
            "channel_id": 3,
            "country": None,
        },
        {
            "customer_id": "2",
            "minutes_watched": None,
            "clv": 0.0,
            "region_id": 2,
            "channel_id": 8,
            "country": None,
        },
    ]


def test_windows_line_ends_leave_no_trace_in_the_last_column(folder, rows):
    landed = folder.land_text("customers", f"{HEADER}120,59.9,0,3\n,0,2,8\n".replace("\n", "\r\n"))
    assert [row["channel_id"] for row in rows(landed)] == [3, 8]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("1,2,3,1", "region: expected a whole number from 0 to 2, got '3'"),
        ("1,2,,1", "region: expected a whole number from 0 to 2, got nothing"),
        ("1,2,0,9", "channel: expected a whole number from 1 to 8, got '9'"),
        ("1,2,0,0", "channel: expected a whole number from 1 to 8, got '0'"),
        ("-1,2,0,1", "minutes_watched: expected a number, 0 or more, got '-1'"),
        ("inf,2,0,1", "minutes_watched: expected a number, 0 or more, got 'inf'"),
        ("1,-0.01,0,1", "CLV: expected a number, 0 or more, got '-0.01'"),
        ("1,,0,1", "CLV: expected a number, 0 or more, got nothing"),
        ("1,2,0", "expected 4 cells, got 3"),
    ],
)
def test_a_bad_line_is_rejected_and_the_others_keep_their_numbers(folder, rows, rejects, line, reason):
    landed = folder.land_text("customers", f"{HEADER}10,1,0,1\n{line}\n30,1,0,1\n\n40,1,0,1\n")
    assert ids_and_minutes(rows(landed)) == [("1", 10), ("3", 30), ("4", 40)]
    assert [(row["line"], row["reason"]) for row in rejects(landed)] == [(3, reason)]


def test_an_id_and_a_country_of_the_file_are_taken(folder, rows):
    text = "Customer_ID,country,minutes_watched,CLV,region,channel\nc-7,NL,1,2,1,1\n007,,1,2,1,1\n"
    landed = folder.land_text("customers", text)
    assert [(row["customer_id"], row["country"]) for row in rows(landed)] == [("c-7", "NL"), ("007", None)]


@pytest.mark.parametrize("cell", ["", "  "])
def test_a_line_without_an_id_is_rejected_where_the_file_has_ids(folder, rejects, cell):
    text = f"customer_id,minutes_watched,CLV,region,channel\n{cell},1,2,1,1\na,1,2,1,1\n"
    (reject,) = rejects(folder.land_text("customers", text))
    assert reject["reason"].startswith("customer_id: expected an id, got ")


def test_a_file_in_which_nobody_watched_lands(folder, rows):
    landed = folder.land_text("customers", f"{HEADER},1,0,1\n,2,0,1\n")
    assert ids_and_minutes(rows(landed)) == [("1", None), ("2", None)]


def test_a_file_without_channels_is_refused(folder):
    with pytest.raises(
        IngestError, match="column 'channel' is missing, and customers cannot do without"
    ) as caught:
        folder.land_text("customers", "minutes_watched,CLV,region\n1,2,0\n")
    assert "(minutes_watched, CLV, region, channel)" in caught.value.next_step


def test_customers_in_parquet_are_numbered_in_the_order_of_the_file(folder, rows):
    path = folder.write("customers.parquet", b"")
    columns = {
        "minutes_watched": [5.0, None, -1.0, 8.0],
        "CLV": [1.0] * 4,
        "region": [0] * 4,
        "channel": [1] * 4,
    }
    pq.write_table(pa.table(columns), path)
    assert ids_and_minutes(rows(folder.land("customers", path))) == [("1", 5.0), ("2", None), ("4", 8.0)]


@pytest.mark.real_data
def test_the_public_customers_land_with_their_known_counts(real_movies, tmp_path):
    (landed,) = land(resolve_source(str(real_movies.parent / "customers")), tmp_path)
    assert (landed.rows_read, landed.rows_landed, landed.rows_rejected) == (3_834, 3_834, 0)
    table = pq.read_table(landed.path)
    assert table.column("minutes_watched").null_count == 109
    assert table.column("customer_id").to_pylist() == [str(number) for number in range(1, 3_835)]
