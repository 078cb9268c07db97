"""Files of plain lines are read by a shorter way; it must lead to the same landing."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from unittest.mock import patch

import pyarrow.parquet as pq
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ingest.contracts import CONTRACTS
from ingest.errors import IngestError
from ingest.landing import land_file
from ingest.rawfiles import DIGITS, digest
from ingest.staging import Stage, copy

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


def _landed(path: Path, table: str, to: Path) -> tuple[object, ...] | str:
    try:
        found = land_file(CONTRACTS[table], path, to, max_rejected_share=1.0)
    except IngestError as error:
        return str(error).replace(str(to), "")
    return found.rows_landed, found.rows_rejected, pq.read_table(found.path)


plain_files = given(
    headers, st.one_of(ratings_shape, same_shape, ragged), st.sampled_from(["\n", "\r\n"]), st.booleans()
)
_RATINGS = ("ratings", "userId,movieId,rating,timestamp")


def awkward_files(test):
    for cells in (["1", "2", "3.5", "9" * 18], ["1.5", "2", "3.5", "4"], ["1", "2", "9" * 400 + ".", "4"]):
        test = example(_RATINGS, [cells], "\n", True)(test)
    return test


def land_alike(header, lines, line_end, is_ended):
    table, names = header
    body = line_end.join(",".join(cells) for cells in lines)
    with tempfile.TemporaryDirectory() as name:
        path = Path(name, "plain.csv")
        path.write_bytes(f"{names}{line_end}{body}{line_end if is_ended else ''}".encode())
        short = _landed(path, table, Path(name, "short"))
        with patch.object(Stage, "_is_plain", lambda *_: False):
            long = _landed(path, table, Path(name, "long"))
    assert short == long


@settings(max_examples=12)
@plain_files
@awkward_files
def test_plain_lines_land_alike_whichever_way_they_are_read(header, lines, line_end, is_ended):
    land_alike(header, lines, line_end, is_ended)


@pytest.mark.long
@settings(max_examples=200)
@plain_files
def test_many_more_plain_lines_land_alike_whichever_way_they_are_read(header, lines, line_end, is_ended):
    land_alike(header, lines, line_end, is_ended)


@pytest.mark.parametrize(
    ("body", "ways"),
    [
        ("1,2,3.5,978300760\n10,20,0.5,\n", ["numbers"]),  # plain: once, as numbers
        ("1,2,3.5,978300760\n10,20,0.5,978300761", ["numbers"]),
        ("1.5,2,3.5,978300760\n", ["text"]),  # a cast would round the id: once, as text
        ('"1",2,3.5,978300760\n', ["text"]),
        (
            "1,2,3.5,978300760\n1.5,2,3.5,978300760\n",
            ["numbers", "text"],
        ),  # not as plain as it began: again, as text
        ("1,2,3.5,978300760\n1,2,1_0.5,978300760\n", ["numbers", "text"]),
        ("1,2,3.5,978300760\n01,2,3.5,978300760\n", ["numbers", "text"]),
        ("1,2,3.5,978300760\n1,2,7.5,978300760\n", ["numbers", "text"]),
        ("1,2,3.5,978300760\n99999999999999999999,2,3.5,978300760\n", ["numbers", "text"]),
    ],
)
def test_only_a_file_that_is_plain_to_its_end_is_read_as_numbers(folder, body: str, ways: Sequence[str]):
    taken = []

    def noted(connection, select, to):
        if to.name == "draft.parquet":
            taken.append("numbers" if "'BIGINT'" in select else "text")
        return copy(connection, select, to)

    with patch("ingest.staging.copy", noted):
        folder.land_text("ratings", "userId,movieId,rating,timestamp\n" + body)
    assert taken == ways


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
