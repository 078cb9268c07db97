"""Files of which every row lands are written at once; that must lead to the same landing."""

import tempfile
from pathlib import Path
from unittest.mock import patch

import pyarrow.parquet as pq
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ingest.contracts import CONTRACTS
from ingest.errors import IngestError
from ingest.landing import land_file
from ingest.sql import copy
from ingest.staging import Stage
from tests.conftest import examples

digits = st.text("0123456789", max_size=20)
decimals = st.builds("{}.{}".format, digits, digits)
texts = st.sampled_from(["c4ca4238-a0b9-2382", "ann", "Ann", " 7", "7", "007", "7.0"])
odd_cells = st.one_of(
    texts,
    st.text("0123456789.-", max_size=6),
    st.sampled_from(
        ["9" * 400, "9" * 400 + ".5", "9223372036854775808", "1995-10-30", "1." + "0" * 30 + "1"]
    ),
)
any_cells = st.one_of(digits, decimals, odd_cells)
same_shape = st.tuples(*[st.sampled_from([digits, digits, decimals, any_cells])] * 4).flatmap(
    lambda columns: st.lists(st.tuples(*columns), min_size=1, max_size=8)
)
ratings_shape = st.lists(st.tuples(digits, digits, decimals, digits), min_size=1, max_size=8)
text_ids_shape = st.lists(st.tuples(texts, texts, decimals, digits), min_size=1, max_size=8)
ragged = st.lists(st.lists(any_cells, min_size=1, max_size=6), min_size=1, max_size=8)
headers = st.sampled_from(
    [
        ("ratings", "userId,movieId,rating,timestamp"),
        ("ratings", "note,rating,movieId,userId"),
        ("links", "movieId,imdbId,tmdbId,note"),
    ]
)


def _landed(path: Path, table: str, to: Path) -> tuple[object, ...] | str:
    try:
        found = land_file(CONTRACTS[table], path, to, max_rejected_share=1.0)
    except IngestError as error:
        return str(error).replace(str(to), "")
    rows = pq.read_table(found.path)  # the schema also says which columns happen to have no nulls
    return found.rows_landed, found.rows_rejected, rows.schema.types, rows.to_pylist()


@settings(max_examples=examples(25))
@given(
    headers,
    st.one_of(ratings_shape, text_ids_shape, same_shape, ragged),
    st.sampled_from(["\n", "\r\n"]),
    st.booleans(),
)
@example(("ratings", "userId,movieId,rating,timestamp"), [["1", "2", "3.5", "9" * 18]], "\n", True)
@example(("ratings", "userId,movieId,rating,timestamp"), [["1.5", "2", "3.5", "4"]], "\n", True)
@example(("ratings", "userId,movieId,rating,timestamp"), [["1", "2", "9" * 400 + ".", "4"]], "\n", True)
def test_a_file_lands_alike_whether_it_is_written_once_or_twice(header, lines, line_end, is_ended):
    table, names = header
    body = line_end.join(",".join(cells) for cells in lines)
    with tempfile.TemporaryDirectory() as name:
        path = Path(name, "plain.csv")
        path.write_bytes(f"{names}{line_end}{body}{line_end if is_ended else ''}".encode())
        short = _landed(path, table, Path(name, "short"))
        with patch.object(Stage, "_stage_at_once", lambda *_: None):
            long = _landed(path, table, Path(name, "long"))
    assert short == long


@pytest.mark.parametrize(
    ("body", "is_written_once"),
    [
        ("1,2,3.5,978300760\n10,20,0.5,\n", True),
        ('"1",2,3.5,978300760\n10.0,20,0.5,978300761', True),
        ("ann,2,3.5,978300760\nbob,20,0.5,978300761\n", True),
        (
            "1,2,3.5,978300760\nann,2,3.5,978300760\n",
            False,
        ),  # what the first rows do not show is found on the way
        ("1,2,3.5,978300760\n1,2,1_0.5,978300760\n", False),
        ("1,2,3.5,978300760\n1,2,3.5,978300760,5\n", False),
    ],
)
def test_a_file_is_written_once_where_all_its_rows_land(folder, body: str, is_written_once: bool):
    written = []

    def noted(connection, select, to):
        rows = copy(connection, select, to)
        written.append(to.name)
        return rows

    with (
        patch("ingest.staging.copy", noted),
        patch("ingest.landing.copy", noted),
        patch("ingest.staging._SAMPLE_ROWS", 1),
    ):
        folder.land_text("ratings", "userId,movieId,rating,timestamp\n" + body)
    assert ("table.parquet" not in written) == is_written_once
