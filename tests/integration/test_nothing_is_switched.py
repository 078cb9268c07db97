"""A run that does not reach its end changes nothing that readers see, and neither landing nor models in force."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from orchestration.stores.layout import WarehouseLayout
from orchestration.tools import dbt
from orchestration.tools.shown import table_metadata
from orchestration.tools.warehouse import WarehouseResource
from tests.integration.conftest import (
    CUSTOMERS,
    Matinee,
    changed_source_of,
    in_force,
    mart,
    write_customers,
)

HOLD = """
import duckdb, sys
held = duckdb.connect(sys.argv[1], read_only=True)
print("open", flush=True)
sys.stdin.read()
"""


@pytest.fixture(scope="module")
def warehouse(demo_warehouse: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A warehouse of its own with published results."""
    folder = tmp_path_factory.mktemp("in_force") / "warehouse"
    shutil.copytree(demo_warehouse, folder, symlinks=True)
    return folder


@pytest.fixture(scope="module")
def source(demo_world: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Other customers than those in force, and nothing else."""
    return write_customers(demo_world, tmp_path_factory.mktemp("new") / "customers", lambda rows: rows.pop())


@pytest.fixture
def holder(warehouse: Path) -> Iterator[subprocess.Popen[str]]:
    """Another program that looks at the database."""
    command = [sys.executable, "-c", HOLD, str(warehouse / "matinee.duckdb")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout
        assert program.stdout.readline() == "open\n"
        yield program
        program.kill()


def test_a_program_that_holds_the_database_is_named_before_anything_lands(
    matinee: Matinee, warehouse: Path, source: Path, holder
):
    before, files = in_force(warehouse), set((warehouse / "landing").rglob("*"))
    answer = matinee("run", "--source", source, warehouse=warehouse)
    assert answer.exit_code == 1, answer.said
    assert f"(PID {holder.pid}) holds {warehouse / 'matinee.duckdb'} open" in answer.said
    assert in_force(warehouse) == before
    assert set((warehouse / "landing").rglob("*")) == files


def test_a_step_that_fails_after_landing_switches_nothing(
    matinee: Matinee, warehouse: Path, source: Path, monkeypatch
):
    def fail(*_: object, **__: object) -> None:
        raise dbt.DbtError("the disk is full")

    before = in_force(warehouse)
    monkeypatch.setattr(dbt, "run_build", fail)
    answer = matinee("run", "--source", source, warehouse=warehouse)
    assert answer.exit_code == 1, answer.said
    assert "the disk is full" in answer.said
    assert in_force(warehouse) == before
    assert (warehouse / "landing" / "candidate").resolve() != (warehouse / "landing" / "current").resolve()


@pytest.mark.long
def test_a_killed_run_leaves_the_old_set_and_the_next_one_succeeds(
    matinee: Matinee, demo_warehouse: Path, source: Path, tmp_path: Path, dagster_home: Path
):
    warehouse = tmp_path / "warehouse"
    shutil.copytree(demo_warehouse, warehouse, symlinks=True)
    before = in_force(warehouse)
    command = [sys.executable, "-m", "orchestration", "run", "--source", source, "--warehouse", warehouse]
    candidate = warehouse / "landing" / "candidate"
    landed_before = candidate.readlink()
    with subprocess.Popen(
        list(map(str, command)), env=os.environ | {"DAGSTER_HOME": str(dagster_home)}, start_new_session=True
    ) as run:
        while candidate.readlink() == landed_before:
            assert run.poll() is None
            time.sleep(0.05)
        time.sleep(1)
        os.killpg(run.pid, signal.SIGKILL)
    assert in_force(warehouse) == before
    answer = matinee("run", "--source", source, warehouse=warehouse)
    assert answer.exit_code == 0, answer.said
    landing = warehouse / "landing"
    assert (landing / "current").resolve() == candidate.resolve()
    assert mart(warehouse, "landing_manifest")["table_name"].to_list() == ["customers"]
    assert not [path for path in landing.iterdir() if path.name.startswith((".current", ".candidate"))]
    assert not list((landing / ".tmp").iterdir())


@pytest.mark.long
def test_a_broken_file_stops_its_own_dataset_and_no_other(
    matinee: Matinee, catalogue_and_customers: Path, tmp_path: Path
):
    warehouse = tmp_path / "warehouse"
    shutil.copytree(catalogue_and_customers, warehouse, symlinks=True)
    titles, members = mart(warehouse, "titles"), mart(warehouse, "segment_members")
    with changed_source_of(catalogue_and_customers) as source:
        catalogue, customers = next(source.glob("netflix*")), source / CUSTOMERS
        catalogue.write_text(catalogue.read_text().replace('"', "", 2001))
        customers.write_text("\n".join(customers.read_text().splitlines()[:-1]) + "\n")
        answer = matinee("run", "--source", source, warehouse=warehouse)
    said = " ".join(answer.said.split())
    assert answer.exit_code == 1, answer.said
    assert f"error: {catalogue.name}: " in said
    assert "the data stays as it was in catalogue; the rest of the source goes on." in said
    order = ["title_id"]
    assert mart(warehouse, "titles").sort(order).equals(titles.sort(order))
    by = pl.col("segmentation") == "customer_acquisition"
    assert len(mart(warehouse, "segment_members").filter(by)) == len(members.filter(by)) - 1
    checks = mart(warehouse, "checks").filter(check_name="no_file_is_refused")
    assert checks["outcome"].to_list() == ["failed"]
    assert f"{catalogue.name}: " in (warehouse / "report" / "index.html").read_text()


def test_rows_are_counted_not_estimated(tmp_path: Path):
    warehouse = WarehouseResource(path=str(tmp_path))
    with warehouse.connect(read_only=False) as connection:
        connection.execute(
            "create schema seeds; create table seeds.genres as select range as genre from range(20)"
        )
        connection.execute("delete from seeds.genres; insert into seeds.genres select range from range(20)")
    assert WarehouseLayout(tmp_path).database.exists()
    assert table_metadata(warehouse)["seeds", "genres"]["dagster/row_count"] == 20
