"""The public MovieLens files land with the counts that are known of them."""

import pyarrow.parquet as pq
import pytest

from ingest.contracts import CONTRACTS
from ingest.landing import land, land_file
from ingest.sources import resolve_source

pytestmark = pytest.mark.real_data


def test_the_public_files_land_with_their_known_counts(real_movies, tmp_path):
    landed = land(resolve_source(str(real_movies)), tmp_path)
    counts = {file.table: (file.rows_read, file.rows_landed, file.rows_rejected) for file in landed}
    assert counts == {
        "ratings": (100_004, 100_004, 0),
        "links": (45_843, 45_843, 0),
        "titles": (45_466, 45_463, 3),
    }
    links = pq.read_table(landed[1].path)
    assert links.column("title_id").null_count == 219
    assert links.column("imdb_id")[0].as_py() == "0114709"


def test_the_three_shifted_rows_are_known_quirks_with_their_lines(real_movies, tmp_path):
    file = real_movies / "movies_metadata.csv"
    landed = land_file(CONTRACTS["titles"], file, tmp_path, max_rejected_share=0)
    rejects = pq.read_table(landed.rejects_path).to_pylist()
    lines = file.read_bytes().split(b"\n")
    assert [row["line"] for row in rejects] == [19_732, 29_505, 35_589]
    assert all(row["is_known_quirk"] for row in rejects)
    assert [row["raw_text"].encode() for row in rejects] == [
        lines[row["line"] - 1].removesuffix(b"\r") for row in rejects
    ]


def test_the_full_header_of_24_columns_lands(real_movies, tmp_path):
    file = real_movies / "movies_metadata_head_24_columns.csv"
    landed = land_file(CONTRACTS["titles"], file, tmp_path)
    assert (landed.rows_read, landed.rows_rejected) == (4_627, 0)
    table = pq.read_table(landed.path)
    assert table.column("adult").null_count == 0
    assert any("\n" in (text or "") for text in table.column("overview").to_pylist())
