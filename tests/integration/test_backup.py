"""A restored warehouse answers as the one that was backed up, and the next run goes on from it."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from published.schema import SCHEMA, is_current
from tests.conftest import PROJECT_ROOT, Matinee
from tests.integration.conftest import CUSTOMERS, in_force, mart, write_customers
from tests.version_1 import RUN, SET, write_version_1


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A Dagster instance without a history."""
    (tmp_path / "home").mkdir()
    shutil.copy(PROJECT_ROOT / ".dagster" / "dagster.yaml", tmp_path / "home")
    return tmp_path / "home"


def by_name(warehouse: Path) -> dict[str, bytes]:
    """What is in force, by names inside the warehouse."""
    return {str(Path(file).relative_to(warehouse)): content for file, content in in_force(warehouse).items()}


@pytest.fixture
def restored(matinee: Matinee, demo_warehouse: Path, demo_home: Path, home: Path, tmp_path: Path) -> Path:
    file, warehouse = tmp_path / "backup.tar.zst", tmp_path / "warehouse"
    done = matinee("backup", "--to", file, warehouse=demo_warehouse, home=demo_home)
    assert done.exit_code == 0, done.said
    done = matinee("restore", file, warehouse=warehouse, home=home)
    assert done.exit_code == 0, done.said
    return warehouse


def test_a_restored_warehouse_recommends_and_places_as_the_one_that_was_backed_up(
    matinee: Matinee, demo_warehouse: Path, restored: Path, demo_world: Path, tmp_path: Path
):
    assert by_name(restored) == by_name(demo_warehouse)
    chosen = tmp_path / "chosen.csv"
    lines = next(demo_world.rglob("ratings*.csv")).read_text().splitlines()[:60]
    chosen.write_text(
        "\n".join(",".join(line.split(",")[:2]) for line in lines).replace(
            "userId,movieId", "user_id,movie_id"
        )
    )
    for command in (
        ["recommend", "--user", "15", "--json"],
        ["score", "user_taste", "--input", chosen],
        ["score", "user_ratings", "--sql"],
    ):
        before, after = (matinee(*command, warehouse=root) for root in (demo_warehouse, restored))
        assert before.exit_code == 0, before.said
        assert after == before


def test_the_dashboard_shows_a_restored_warehouse(restored: Path, monkeypatch):
    monkeypatch.setenv("MATINEE_WAREHOUSE", str(restored))
    page = AppTest.from_file(str(PROJECT_ROOT / "dashboard" / "app.py"), default_timeout=120).run()
    assert not page.exception
    assert not page.error
    assert any(shown.value == f"{len(mart(restored, 'users')):,}" for shown in page.metric)


@pytest.mark.long
def test_the_next_run_goes_on_from_a_restored_warehouse(
    matinee: Matinee, restored: Path, demo_world: Path, demo_warehouse: Path, home: Path, tmp_path: Path
):
    nothing_new = matinee("run", "--source", demo_world, "--if-new", warehouse=restored, home=home)
    assert "Nothing is new" in nothing_new.said
    assert by_name(restored) == by_name(demo_warehouse)
    source = write_customers(demo_world, tmp_path / "customers", lambda rows: rows.pop())
    done = matinee("run", "--source", source, warehouse=restored, home=home)
    assert done.exit_code == 0, done.said
    assert mart(restored, "landing_manifest")["source"].to_list() == [CUSTOMERS]
    before = mart(demo_warehouse, "runs")["run_id"].to_list()
    assert set(before) < set(mart(restored, "runs")["run_id"])


@pytest.mark.long
def test_a_backup_during_a_run_is_the_set_that_was_published_before(
    matinee: Matinee, demo_warehouse: Path, demo_world: Path, home: Path, tmp_path: Path
):
    warehouse, file = tmp_path / "warehouse", tmp_path / "backup.tar"
    shutil.copytree(demo_warehouse, warehouse, symlinks=True)
    before = by_name(warehouse)
    source = write_customers(demo_world, tmp_path / "customers", lambda rows: rows.pop())
    command = [sys.executable, "-m", "orchestration", "run", "--source", source, "--warehouse", warehouse]
    candidate = warehouse / "landing" / "candidate"
    landed_before = candidate.readlink()
    with subprocess.Popen(list(map(str, command)), env=os.environ | {"DAGSTER_HOME": str(home)}) as run:
        while candidate.readlink() == landed_before:
            assert run.poll() is None
            time.sleep(0.05)
        done = matinee("backup", "--to", file, warehouse=warehouse, home=home)
        assert run.poll() is None
        assert done.exit_code == 0, done.said
        assert run.wait() == 0
    assert by_name(warehouse) != before
    new_home = tmp_path / "new_home"
    new_home.mkdir()
    done = matinee("restore", file, warehouse=tmp_path / "restored", home=new_home)
    assert done.exit_code == 0, done.said
    assert by_name(tmp_path / "restored") == before


@pytest.mark.long
def test_a_run_goes_on_from_a_warehouse_of_the_version_before(
    matinee: Matinee, demo_world: Path, home: Path, tmp_path: Path
):
    warehouse = write_version_1(tmp_path / "warehouse")
    source = write_customers(demo_world, tmp_path / "customers", lambda rows: None)
    done = matinee("run", "--source", source, warehouse=warehouse, home=home)
    assert done.exit_code == 0, done.said
    assert is_current(warehouse)
    assert is_current(warehouse / "published")
    assert f'"version": {SCHEMA}' in (warehouse / "published" / "schema.json").read_text()
    assert mart(warehouse, "segments")["segmentation"].unique().to_list() == ["customer_acquisition"]
    assert (warehouse / "published.d" / SET / "segments.parquet").exists()
    assert RUN not in mart(warehouse, "runs")["run_id"].to_list()
