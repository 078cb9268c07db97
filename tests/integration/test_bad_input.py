"""Bad input gets a clear message and a non-zero exit, and the last published results stay as they were."""

import os
import re
import shutil
import stat
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from orchestration.stores.layout import WarehouseLayout
from orchestration.stores.lock import lock_warehouse
from orchestration.stores.segmentations import ModelStore
from tests.integration.conftest import Matinee, in_force


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
def refused(matinee: Matinee, published: Path) -> Callable[[Path, str], None]:
    """Runs on a source; checks that it is refused with the pattern and that nothing was replaced."""

    def check(source: Path, pattern: str, code: int = 1) -> None:
        before = in_force(published)
        answer = matinee("run", "--job", "segments", "--source", source, warehouse=published)
        assert answer.exit_code == code, answer.said
        assert re.search(pattern, " ".join(answer.said.split())), answer.said
        assert "Traceback" not in answer.said
        assert in_force(published) == before

    return check


def test_a_file_that_is_cut_off_is_refused(source, refused):
    file = source / "ratings.csv"
    file.write_bytes(file.read_bytes()[:-40].rsplit(b",", 1)[0])
    refused(source, r"ratings\.csv.*cut off")


def test_a_source_that_does_not_exist_is_refused(refused, tmp_path):
    refused(tmp_path / "nowhere", "nowhere", 2)


@pytest.mark.parametrize("place", ["matinee.yaml", "warehouse/incoming/matinee.yaml"])
def test_a_wrong_declaration_of_the_source_or_the_drop_folder_is_wrong_usage(source, matinee, place):
    declaration = source / place
    declaration.parent.mkdir(parents=True, exist_ok=True)
    declaration.write_text("ratings: {files: ratings.csv, colums: {}}\n")
    answer = matinee("run", "--job", "sql_layer", "--source", source, warehouse=source / "warehouse")
    assert (answer.exit_code, "did you mean 'columns'" in answer.said) == (2, True), answer.said


@pytest.mark.long
def test_ids_of_another_id_space_are_refused(source, refused):
    """Links shifted by one line: every rating would land on another title."""
    links = source / "links.csv"
    header, *lines = links.read_text().splitlines()
    rows = [line.split(",") for line in lines]
    shifted = zip(rows, rows[1:] + rows[:1], strict=True)
    links.write_text("\n".join([header, *(",".join([*row[:2], other[2]]) for row, other in shifted)]) + "\n")
    refused(source, r"a_movie_and_its_title_have_the_same_imdb_number.*wrong titles")


@pytest.mark.long
def test_what_cannot_be_divided_is_skipped_and_everything_else_published(source, matinee, published):
    """Four users, and a genre of the published analysis that no title has."""
    ratings, titles = source / "ratings.csv", source / "movies_metadata.csv"
    header, *lines = ratings.read_text().splitlines()
    users = sorted({line.partition(",")[0] for line in lines})[:4]
    few = [line for line in lines if line.partition(",")[0] in users]
    ratings.write_text("\n".join([header, *few]) + "\n")
    titles.write_text(titles.read_text().replace("'Western'", "'Drama'").replace('"Western"', '"Drama"'))
    answer = matinee("run", "--job", "segments", "--source", source, warehouse=published)
    assert answer.exit_code == 0, answer.said
    assert "skipped: only 4 different rows" in " ".join(answer.said.split())
    tables, page = published / "published", (published / "report" / "index.html").read_text()
    assert set(pl.read_parquet(tables / "segments.parquet")["segmentation"]) == {"title_reception"}
    assert "only 4 different rows" in page
    assert "genre_western" not in pl.read_parquet(tables / "segment_profiles.parquet")["feature"]
    genres = pl.read_parquet(tables / "genres.parquet").filter(genre="western")
    assert genres.select("used_for", "standing").rows() == [("users", "missing")]
    assert "no title has: Western" in page


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
    before = in_force(published)
    with lock_warehouse(WarehouseLayout(published), "matinee run"):
        answer = matinee("run", "--source", source, warehouse=published)
    assert answer.exit_code == 1
    assert "a run is already writing" in answer.said
    assert in_force(published) == before


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        ("MATINEE_THREADS", "0", "MATINEE_THREADS"),
        ("MATINEE_MEMORY_LIMIT", "lots", "MATINEE_MEMORY_LIMIT"),
        ("MATINEE_SCHEDULE", "0 3 * * 9", "MATINEE_SCHEDULE"),
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


def test_a_day_of_the_future_to_read_again_from_is_refused_and_today_is_not(matinee, tmp_path):
    today = datetime.now(UTC).date()
    answer = matinee("run", "--since", str(today + timedelta(days=1)), warehouse=tmp_path / "warehouse")
    assert (answer.exit_code, "is in the future" in answer.said) == (2, True), answer.said
    assert not (tmp_path / "warehouse").exists()
    answer = matinee("run", "--since", str(today), "--source", tmp_path, warehouse=tmp_path / "warehouse")
    assert (answer.exit_code, "is in the future" in answer.said) == (1, False), answer.said


@pytest.mark.long
def test_a_failed_check_after_training_leaves_tables_plots_and_models_as_they_were(
    demo_world, published, refused, monkeypatch
):
    """Loadings written twice break their contract, which dbt sees when all of ML is done."""
    monkeypatch.setattr(ModelStore, "table_path", spoilt(ModelStore.table_path))
    refused(demo_world / "customers", "is_unique_together")


def spoilt(table_path):
    def path_of_rows_written_twice(store: ModelStore, table: str) -> Path:
        path = table_path(store, table)
        if table == "pca_loadings":
            frame = pl.read_parquet(path).unique()
            pl.concat([frame, frame]).write_parquet(path)
        return path

    return path_of_rows_written_twice
