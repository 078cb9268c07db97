"""Which file holds which table."""

import gzip
import io
import zipfile

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ingest.contracts import CONTRACTS
from ingest.errors import IngestError
from ingest.layouts import known_layouts
from ingest.sources import resolve_source

HEADS = {
    "ratings": "userId,movieId,rating,timestamp",
    "links": "movieId,imdbId,tmdbId",
    "movies_metadata": "id,imdb_id,title,genres",
    "customer": "minutes_watched,CLV,region,channel",
}


def put(folder, name: str) -> None:
    """Write a file with the header that its name asks for, packed as its ending says."""
    stem = name.rsplit("/", 1)[-1].lower()
    head = next((line for start, line in HEADS.items() if stem.startswith(start)), "x")
    content = f"{head}\n".encode()
    path = folder.write(name, gzip.compress(content) if stem.endswith(".gz") else content)
    if stem.endswith(".parquet"):
        pq.write_table(pa.table({column: ["1"] for column in head.split(",")}), path)


def found(source) -> dict[str, str]:
    return {table: file.path.name for table, file in source.files.items()}


def test_a_folder_is_searched_by_name_whatever_the_case(folder):
    for name in (
        "Ratings.CSV",
        "links.csv.gz",
        "movies_metadata.parquet",
        "notes.txt",
        "movies_metadata_head.csv",
    ):
        put(folder, name)
    source = resolve_source(str(folder.root / "raw"))
    assert source.kind == "folder"
    assert found(source) == {
        "ratings": "Ratings.CSV",
        "links": "links.csv.gz",
        "titles": "movies_metadata.parquet",
    }


@pytest.fixture
def catalogue(folder):
    """The files that make ratings a dataset."""
    put(folder, "links.csv")
    put(folder, "movies_metadata.csv")


def test_the_full_ratings_go_before_the_small_ones(folder, catalogue):
    put(folder, "ratings_small.csv")
    assert found(resolve_source(str(folder.root / "raw")))["ratings"] == "ratings_small.csv"
    put(folder, "ratings.csv.gz")
    assert found(resolve_source(str(folder.root / "raw")))["ratings"] == "ratings.csv.gz"


def test_files_are_found_one_folder_down(folder):
    for name in ("ratings.csv", "links.csv", "movies_metadata.csv", "notes.csv"):
        put(folder, f"movies/{name}")
    put(folder, "people/customer_list.csv")
    source = resolve_source(str(folder.root / "raw"))
    assert list(source.files) == ["ratings", "links", "titles"]
    assert {file.path.parent.name for file in source.files.values()} == {"movies"}


def test_two_folders_with_the_same_table_are_not_guessed_between(folder, catalogue):
    put(folder, "a/ratings.csv")
    put(folder, "b/ratings.csv")
    with pytest.raises(IngestError, match="two folders hold a file for 'ratings': a and b"):
        resolve_source(str(folder.root / "raw"))


@pytest.mark.parametrize("points_at", ["raw", "raw/archive.zip"])
def test_an_archive_gives_its_files_by_name(folder, titles_text, points_at):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("data/ratings.csv", "userId,movieId,rating,timestamp\n1,2,3,4\n")
        archive.writestr("data/links.csv", "movieId,imdbId,tmdbId\n1,01,1\n")
        archive.writestr("data/movies_metadata.csv", titles_text("1,tt1,One,[]"))
        archive.writestr("__MACOSX/data/._ratings.csv", "x")
    folder.write("archive.zip", buffer.getvalue())
    source = resolve_source(str(folder.root / points_at))
    assert [file.name for file in source.files.values()] == [
        "archive.zip/ratings.csv",
        "archive.zip/links.csv",
        "archive.zip/movies_metadata.csv",
    ]
    assert [folder.land(table, source.files[table]).rows_landed for table in source.files] == [1, 1, 1]


def test_a_single_file_is_a_source(folder):
    put(folder, "customers.csv")
    assert found(resolve_source(str(folder.root / "raw" / "customers.csv"))) == {"customers": "customers.csv"}


def test_a_source_may_hold_the_customers_alone_or_beside_the_movies(folder, catalogue):
    put(folder, "ratings.csv")
    put(folder, "customers/customer_segmentation_data.csv")
    both = resolve_source(str(folder.root / "raw"))
    assert list(both.files) == ["ratings", "links", "titles", "customers"]
    assert list(resolve_source(str(folder.root / "raw" / "customers")).files) == ["customers"]


def test_a_dataset_that_is_there_in_part_is_refused_beside_a_whole_one(folder):
    put(folder, "links.csv")
    put(folder, "customers.csv")
    with pytest.raises(IngestError) as caught:
        resolve_source(str(folder.root / "raw"))
    message = str(caught.value)
    assert "ratings.csv or ratings_small.csv for 'ratings', movies_metadata.csv for 'titles'" in message
    assert "found links.csv, customers.csv" in message
    assert "of which one is of no use without the other" in message


def test_a_source_without_any_known_file_is_told_what_it_holds_and_what_each_table_needs(folder):
    folder.write("plays.csv", "account,content,started\n")
    folder.write("below/stars.csv", "userId,movieId,rating,timestamp\n")
    with pytest.raises(IngestError) as caught:
        resolve_source(str(folder.root / "raw"))
    message = str(caught.value)
    assert "found none of the files we know by name" in message
    assert "plays.csv (account, content, started), stars.csv (userId, movieId, rating, timestamp)" in message
    assert "ratings (user_id, title_id, rating)" in message
    named = {layout.name for layout in known_layouts().values() if layout.name in message}
    assert named == {"The Movies Dataset"}


@pytest.mark.parametrize(
    ("header", "columns"),
    [
        ("wer,was,sterne", "the columns (user_id, title_id, rating)"),
        ("userId,movieId,timestamp", "The Movies Dataset (userId, movieId, rating)"),
        ("Date,Name,Letterboxd URI", "Letterboxd ratings (Letterboxd URI, Rating, Name)"),
    ],
)
def test_a_file_is_measured_by_a_layout_only_where_it_is_close_to_one(folder, header, columns):
    path = folder.write("ratings.csv", f"{header}\n1,2,3\n")
    with pytest.raises(IngestError) as caught:
        resolve_source(str(path.parent))
    assert columns in str(caught.value)
    assert header.replace(",", ", ") in str(caught.value)


@pytest.mark.parametrize("table", CONTRACTS)
def test_a_file_of_unknown_shape_is_told_what_its_table_needs(folder, table):
    needed = [column.name for column in CONTRACTS[table].required_columns]
    with pytest.raises(IngestError) as caught:
        folder.land(table, folder.write("arrived.csv", "a;b;c\n1;2;3\n"))
    assert f"({', '.join(needed)})" in str(caught.value)
    assert "The header is: a, b, c." in str(caught.value)


def test_a_path_that_does_not_exist_is_named():
    with pytest.raises(IngestError, match="/no/such/place: there is no such file or folder"):
        resolve_source("/no/such/place")


def test_a_damaged_archive_is_named(folder):
    folder.write("archive.zip", b"PK\x03\x04 and no more")
    with pytest.raises(IngestError, match=r"archive\.zip: the archive is cut off or damaged"):
        resolve_source(str(folder.root / "raw"))
