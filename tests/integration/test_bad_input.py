"""Bad input gets a clear message and a non-zero exit, and the last published results stay as they were."""

import gzip
import os
import re
import shutil
import stat
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from orchestration.stores.layout import WarehouseLayout, lock_warehouse
from orchestration.stores.models import ModelStore
from tests.integration.conftest import Matinee


@pytest.fixture(scope="module")
def published(matinee: Matinee, demo_warehouse: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A warehouse of its own with published results."""
    warehouse = tmp_path_factory.mktemp("published") / "warehouse"
    shutil.copytree(demo_warehouse, warehouse, symlinks=True)
    return warehouse


@pytest.fixture
def source(demo_world: Path, tmp_path: Path) -> Path:
    """The demo world's three movie files, to be spoilt."""
    folder = tmp_path / "source"
    folder.mkdir()
    for name in ("movies_metadata.csv", "links.csv", "ratings.csv"):
        shutil.copy(demo_world / name, folder)
    return folder


@pytest.fixture
def refused(matinee: Matinee, published: Path, source: Path) -> Callable[[str], str]:
    """Runs on the spoilt source; checks that it is refused with the pattern and that nothing was replaced."""

    def check(pattern: str) -> str:
        before = fingerprint(published)
        answer = matinee("run", "--job", "segments", "--source", source, warehouse=published)
        assert answer.exit_code == 1, answer.said
        assert re.search(pattern, answer.said), answer.said
        assert "Traceback" not in answer.said
        assert fingerprint(published) == before
        return answer.said

    return check


def fingerprint(warehouse: Path) -> dict[str, bytes]:
    """What readers see: tables, report, plots and which model scores."""
    files = [
        *(warehouse / "published").resolve().glob("*.parquet"),
        *(warehouse / "models").glob("*/current.json"),
        *(warehouse / "plots").glob("*/*.png"),
        warehouse / "report" / "index.html",
    ]
    return {str(file): file.read_bytes() for file in files}


def edit(file: Path, change: Callable[[list[str]], list[str]]) -> None:
    file.write_text("\n".join(change(file.read_text().splitlines())) + "\n")


def only_users(source: Path, users: int) -> None:
    def keep(lines: list[str]) -> list[str]:
        ids = sorted({int(line.split(",", 1)[0]) for line in lines[1:]})[:users]
        return [lines[0]] + [line for line in lines[1:] if int(line.split(",", 1)[0]) in ids]

    edit(source / "ratings.csv", keep)


def test_a_truncated_file_is_refused(source, refused):
    file = source / "ratings.csv"
    file.write_bytes(file.read_bytes()[:-40].rsplit(b",", 1)[0])
    refused(r"ratings\.csv.*(truncated|cut)")


def test_a_truncated_archive_is_refused(source, refused):
    file = source / "ratings.csv"
    packed = gzip.compress(file.read_bytes())
    (source / "ratings.csv.gz").write_bytes(packed[: len(packed) // 2])
    file.unlink()
    refused(r"ratings\.csv\.gz")


def test_a_wrong_delimiter_is_refused(source, refused):
    edit(source / "ratings.csv", lambda lines: [line.replace(",", ";") for line in lines])
    refused(r"ratings\.csv.*(;|semicolon)")


def test_an_empty_ratings_file_is_refused(source, refused):
    (source / "ratings.csv").write_text("")
    refused(r"ratings\.csv.*empty")


def test_a_header_without_ratings_is_refused(source, refused):
    (source / "ratings.csv").write_text("userId,movieId,rating,timestamp\n")
    refused(r"ratings\.csv")


def test_a_missing_required_column_is_named(source, refused):
    edit(source / "ratings.csv", lambda lines: ["userId,movieId,stars,timestamp", *lines[1:]])
    refused(r"ratings\.csv.*rating")


def test_a_file_full_of_bad_lines_is_refused_as_a_whole(source, refused):
    edit(
        source / "ratings.csv",
        lambda lines: (
            [lines[0]]
            + [
                re.sub(r",[\d.]+,", ",good,", line, count=1) if i % 50 == 0 else line
                for i, line in enumerate(lines[1:])
            ]
        ),
    )
    refused(r"ratings\.csv")


def test_a_folder_without_ratings_is_refused(source, refused):
    (source / "ratings.csv").unlink()
    refused(r"ratings")


def test_a_source_that_does_not_exist_is_refused(matinee, published, tmp_path):
    answer = matinee("run", "--source", tmp_path / "nowhere", warehouse=published)
    assert answer.exit_code == 1
    assert "nowhere" in answer.said


BAD_LINES = {
    "a text rating": "5,{movie},good,1260759144",
    "rating 7.3": "5,{movie},7.3,1260759144",
    "a rating that is not a number": "5,{movie},nan,1260759144",
    "a negative id": "-5,{movie},3.0,1260759144",
    "a missing id": ",{movie},3.0,1260759144",
}


def test_a_bad_rating_line_is_rejected_with_its_reason_and_the_exit_code_tells(matinee, source, tmp_path):
    rows = (source / "ratings.csv").read_text().splitlines()
    bad = [line.format(movie=rows[1].split(",")[1]) for line in BAD_LINES.values()]
    (source / "ratings.csv").write_text("\n".join([*rows[:10], *bad, *rows[10:]]) + "\n")
    warehouse = tmp_path / "warehouse"
    answer = matinee("run", "--source", source, "--job", "sql_layer", warehouse=warehouse)
    assert answer.exit_code == 3, answer.said
    landing = WarehouseLayout(warehouse).landing / "current"
    rejects = pl.read_parquet(list((landing / "rejects").glob("ratings-*.parquet"))).sort("line")
    assert rejects["raw_text"].to_list() == bad
    assert rejects["line"].to_list() == list(range(11, 11 + len(bad)))
    for line, reason in rejects["line", "reason"].iter_rows():
        assert f"line {line}: {reason}" in " ".join(answer.said.split())
    allowed = matinee("run", "--source", source, "--job", "sql_layer", "--allow-rejects", warehouse=warehouse)
    assert allowed.exit_code == 0


def test_a_genres_cell_that_is_not_a_list_is_rejected_with_its_reason(matinee, source, tmp_path):
    frame = pl.read_csv(source / "movies_metadata.csv", infer_schema=False)
    frame[0, "genres"] = "Comedy"
    frame.write_csv(source / "movies_metadata.csv")
    answer = matinee("run", "--source", source, "--job", "sql_layer", warehouse=tmp_path / "warehouse")
    assert answer.exit_code == 3, answer.said
    assert "genres" in answer.said
    assert "Comedy" in answer.said


def test_markup_in_a_raw_file_is_escaped_in_the_report(matinee, source, tmp_path):
    assert "<script>" in (source / "movies_metadata.csv").read_text()
    edit(source / "ratings.csv", lambda lines: [*lines, "5,1,<script>alert(1)</script>,1260759144"])
    answer = matinee("run", "--job", "segments", "--source", source, warehouse=tmp_path / "warehouse")
    assert answer.exit_code == 3, answer.said
    page = (tmp_path / "warehouse" / "report" / "index.html").read_text()
    assert "&lt;script&gt;alert(1)" in page
    assert "<script" not in page


def test_zero_users_after_the_join_is_refused(source, refused):
    edit(
        source / "links.csv",
        lambda lines: [lines[0]] + [re.sub(r",\d*$", ",999999999", line) for line in lines[1:]],
    )
    refused(r"assert_at_least_one_user_remains_after_the_join")


def test_ids_of_another_id_space_are_refused(source, refused):
    """Links shifted by one line: every rating would land on another title."""

    def shift(lines: list[str]) -> list[str]:
        rows = [line.split(",") for line in lines[1:]]
        shifted = rows[1:] + rows[:1]
        return [lines[0]] + [",".join([*row[:2], other[2]]) for row, other in zip(rows, shifted, strict=True)]

    edit(source / "links.csv", shift)
    refused(r"a_movie_and_its_title_have_the_same_imdb_number.*wrong titles")


def test_fewer_users_than_k_is_refused(source, refused):
    only_users(source, 4)
    refused(r"4 rows are fewer than the largest candidate k = 10")


def test_one_user_only_is_refused(source, refused):
    only_users(source, 1)
    refused(r"1 rows are fewer")


def test_a_constant_feature_is_refused_by_name(source, refused):
    file = source / "movies_metadata.csv"
    file.write_text(file.read_text().replace("'Western'", "'Drama'").replace('"Western"', '"Drama"'))
    assert "avg_western" in refused(r"constant feature")


def test_an_unwritable_warehouse_is_refused(matinee, tmp_path):
    occupied = tmp_path / "a file"
    occupied.write_text("")
    answer = matinee("run", warehouse=occupied / "warehouse")
    assert answer.exit_code == 1
    assert "cannot write to the warehouse" in answer.said


@pytest.mark.skipif(os.geteuid() == 0, reason="the super user may write anywhere")
def test_a_read_only_warehouse_is_refused(matinee, tmp_path):
    tmp_path.chmod(stat.S_IRUSR | stat.S_IXUSR)
    answer = matinee("run", warehouse=tmp_path)
    tmp_path.chmod(stat.S_IRWXU)
    assert answer.exit_code == 1
    assert "cannot write to the warehouse" in answer.said


def test_a_second_run_while_one_is_running_is_refused(matinee, source, published):
    before = fingerprint(published)
    with lock_warehouse(WarehouseLayout(published), "matinee run"):
        answer = matinee("run", "--source", source, warehouse=published)
    assert answer.exit_code == 1
    assert "a run is already writing" in answer.said
    assert fingerprint(published) == before


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        ("MATINEE_THREADS", "0", "MATINEE_THREADS"),
        ("MATINEE_MEMORY_LIMIT", "lots", "MATINEE_MEMORY_LIMIT"),
        ("MATINEE_DEMO_SCALE", "huge", "small"),
        ("MATINEE_MAX_REJECTED_SHARE", "2", "MATINEE_MAX_REJECTED_SHARE"),
    ],
)
def test_a_bad_setting_is_refused_at_start(matinee, monkeypatch, tmp_path, variable, value, says):
    monkeypatch.setenv(variable, value)
    answer = matinee("run", warehouse=tmp_path)
    assert answer.exit_code == 2
    assert says in answer.said
    assert not list(tmp_path.iterdir())


def test_a_failed_check_after_training_leaves_tables_plots_and_models_as_they_were(
    matinee, source, published, monkeypatch
):
    """Loadings written twice break their contract, which dbt sees when all of ML is done."""
    only_users(source, 500)
    before = fingerprint(published)
    monkeypatch.setattr(ModelStore, "table_path", spoilt(ModelStore.table_path))
    answer = matinee("run", "--source", source, warehouse=published)
    assert answer.exit_code == 1, answer.said
    assert "is_unique_together" in answer.said
    assert fingerprint(published) == before


def spoilt(table_path):
    def path_of_rows_written_twice(store: ModelStore, table: str) -> Path:
        path = table_path(store, table)
        if table == "pca_loadings":
            frame = pl.read_parquet(path).unique()
            pl.concat([frame, frame]).write_parquet(path)
        return path

    return path_of_rows_written_twice
