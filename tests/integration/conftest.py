"""Whole runs in temporary warehouses; the command line and the finished runs are `tests.conftest`'s."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl
import pytest
from filelock import FileLock

from ingest.demo import write_demo_world
from tests.conftest import Answer, Matinee, once

__all__ = ["Answer", "Matinee", "Rows", "in_force", "mart", "write_customers"]

CUSTOMERS = "customer_segmentation_data.csv"
Rows = list[list[str]]


def mart(warehouse: Path, name: str) -> pl.DataFrame:
    """Read a table as it is published."""
    return pl.read_parquet(warehouse / "published" / f"{name}.parquet")


def in_force(warehouse: Path) -> dict[str, bytes]:
    """What a run that does not reach its end must leave as it was, byte by byte."""
    files = [
        *(warehouse / "published").resolve().glob("*.parquet"),
        *(warehouse / "models").glob("*/current.json"),
        *(warehouse / "plots").glob("*/*.png"),
        *(warehouse / "landing" / "current").resolve().glob("*/*.parquet"),
        warehouse / "report" / "index.html",
    ]
    return {str(file): file.read_bytes() for file in files}


def write_customers(demo_world: Path, folder: Path, change: Callable[[Rows], None]) -> Path:
    """Write the demo world's customers, changed by a function over their cells, into a folder of their own."""
    header, *lines = (demo_world / "customers" / CUSTOMERS).read_text().splitlines()
    rows = [line.split(",") for line in lines]
    change(rows)
    folder.mkdir()
    (folder / CUSTOMERS).write_text("\n".join([header, *map(",".join, rows)]) + "\n")
    return folder


def source_of(warehouse: Path) -> Path:
    """Return the folder in which the raw files lie that a warehouse was made of."""
    return warehouse.with_name(f"{warehouse.name}_source")


@contextmanager
def changed_source_of(warehouse: Path) -> Iterator[Path]:
    """Give the folder of `source_of` to one test alone, to be changed; afterwards it is as it was."""
    source = source_of(warehouse)
    kept = source.with_suffix(".kept")
    with FileLock(source.with_suffix(".lock")):
        shutil.copytree(source, kept)
        yield source
        shutil.rmtree(source)
        kept.rename(source)


@pytest.fixture(scope="session")
def service_warehouse(matinee: Matinee, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A warehouse after a run on the small service world, which has views and no ratings; beside it, what was said."""

    def run(folder: Path) -> None:
        write_demo_world(source_of(folder), scale="small", form="service")
        answer = matinee("run", "--source", source_of(folder) / "service.yaml", warehouse=folder)
        assert answer.exit_code == 0, answer.said
        folder.with_suffix(".said").write_text(answer.said)

    return once(tmp_path_factory, "service_warehouse", run)


@pytest.fixture(scope="session")
def catalogue_and_customers(
    matinee: Matinee, demo_world: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A warehouse after a run on the streaming catalogue and customers, which lie in the folder `source_of` it."""

    def run(folder: Path) -> None:
        shutil.copytree(demo_world / "catalogue", source_of(folder))
        shutil.copy(demo_world / "customers" / CUSTOMERS, source_of(folder))
        answer = matinee("run", "--source", source_of(folder), warehouse=folder)
        assert answer.exit_code == 0, answer.said

    return once(tmp_path_factory, "catalogue_and_customers", run)


@pytest.fixture(scope="session")
def warehouse_without_its_customers(
    matinee: Matinee, catalogue_and_customers: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A warehouse after two runs on one folder, from which the customers were taken away in between.

    What is left is the streaming catalogue, alone.
    """

    def run_again(folder: Path) -> None:
        shutil.copytree(catalogue_and_customers, folder, symlinks=True)
        with changed_source_of(catalogue_and_customers) as source:
            (source / CUSTOMERS).unlink()
            answer = matinee("run", "--source", source, warehouse=folder)
        assert answer.exit_code == 0, answer.said

    return once(tmp_path_factory, "warehouse_without_its_customers", run_again)
