"""Files of plain lines are read by a shorter way; it must lead to the same landing."""

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import duckdb
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ingest.contracts import CONTRACTS
from ingest.errors import IngestError
from ingest.rawfiles import DIGITS, digest
from ingest.readers import CsvTable, Staged

_CONNECTION = duckdb.connect(config={"threads": 1})

digits = st.text("0123456789", max_size=20)
decimals = st.builds("{}.{}".format, digits, digits)
odd_cells = st.one_of(
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
ragged = st.lists(st.lists(any_cells, min_size=1, max_size=6), min_size=1, max_size=8)
headers = st.sampled_from(
    [
        ("ratings", "userId,movieId,rating,timestamp"),
        ("ratings", "note,rating,movieId,userId"),
        ("links", "movieId,imdbId,tmdbId,note"),
    ]
)


def _staged(path: Path, table: str, to: Path, *, may_be_plain: bool) -> tuple[Staged, bytes] | str:
    content = digest(path) if may_be_plain else replace(digest(path), line_shape=None)
    csv_table = CsvTable(CONTRACTS[table], path, path.name, lambda: content)
    try:
        return csv_table.stage(_CONNECTION, to, carefully=False), to.read_bytes()
    except IngestError as error:
        return str(error)


@settings(max_examples=200, deadline=None)
@given(headers, st.one_of(ratings_shape, same_shape, ragged), st.sampled_from(["\n", "\r\n"]), st.booleans())
@example(("ratings", "userId,movieId,rating,timestamp"), [["1", "2", "3.5", "9" * 18]], "\n", True)
@example(("ratings", "userId,movieId,rating,timestamp"), [["1.5", "2", "3.5", "4"]], "\n", True)
@example(("ratings", "userId,movieId,rating,timestamp"), [["1", "2", "9" * 400 + ".", "4"]], "\n", True)
def test_plain_lines_land_alike_whichever_way_they_are_read(header, lines, line_end, is_ended):
    table, names = header
    body = line_end.join(",".join(cells) for cells in lines)
    with tempfile.TemporaryDirectory() as name:
        path = Path(name, "plain.csv")
        path.write_bytes(f"{names}{line_end}{body}{line_end if is_ended else ''}".encode())
        short = _staged(path, table, Path(name, "short.parquet"), may_be_plain=True)
        long = _staged(path, table, Path(name, "long.parquet"), may_be_plain=False)
    assert short == long


class _Spy:
    """A connection that notes the column types with which a CSV file was read."""

    def __init__(self) -> None:
        self.readings: list[bool] = []

    def execute(self, sql: str) -> duckdb.DuckDBPyConnection:
        self.readings.append("'BIGINT'" in sql)
        return _CONNECTION.execute(sql)


@pytest.mark.parametrize(
    ("body", "readings"),
    [
        ("1,2,3.5,4\n10,20,0.5,\n", [True]),  # plain: once, as numbers
        ("1,2,3.5,4\n10,20,0.5,40", [True]),
        ("1.5,2,3.5,4\n", [False]),  # a cast would round the id: once, as text
        ('"1",2,3.5,4\n', [False]),
        ("1,2,3.5,4\n1.5,2,3.5,4\n", [True, False]),  # not as plain as it began: again, as text
        ("1,2,3.5,4\n1,2,1_0.5,4\n", [True, False]),
        ("1,2,3.5,4\n99999999999999999999,2,3.5,4\n", [True, False]),
    ],
)
def test_only_a_file_that_is_plain_to_its_end_is_read_as_numbers(
    folder, tmp_path: Path, body: str, readings: Sequence[bool]
):
    path = folder.write("ratings.csv", "userId,movieId,rating,timestamp\n" + body)
    spy = _Spy()
    table = CsvTable(CONTRACTS["ratings"], path, path.name, lambda: digest(path))
    table.stage(spy, tmp_path / "staged.parquet", carefully=False)
    assert spy.readings == readings


@settings(max_examples=300, deadline=None)
@given(st.text("12.,\r\n", max_size=30), st.integers(1, 40))
def test_what_the_digest_says_of_line_ends_and_shapes_does_not_depend_on_chunks(body, chunk_bytes):
    content = b"a,b\n" + body.encode()
    with tempfile.TemporaryDirectory() as name, patch("ingest.rawfiles._HASHED_BYTES", chunk_bytes):
        path = Path(name, "lines.csv")
        path.write_bytes(content)
        found = digest(path)
    *lines, rest = content.split(b"\n")[1:]
    shapes = {line.translate(None, DIGITS) + b"\n" for line in lines}
    shape = next(iter(shapes)) if len(shapes) == 1 else None
    if shape is not None and rest and rest.translate(None, DIGITS) != shape.rstrip(b"\r\n"):
        shape = None
    assert found.has_bare_returns == (b"\r" in content.replace(b"\r\n", b""))
    assert found.line_shape == shape or (
        found.line_shape is None and chunk_bytes < content.find(b"\n", 4) + 1
    )
