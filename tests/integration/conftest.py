"""Whole runs in temporary warehouses; the command line and the finished runs are `tests.conftest`'s."""

import shutil
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

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


@pytest.fixture(scope="session")
def warehouse_without_its_customers(
    matinee: Matinee, demo_world: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A warehouse after two runs on one folder, from which the customers were taken away in between.

    What is left is the streaming catalogue, alone.
    """

    def run_twice(folder: Path) -> None:
        source = folder.with_name(f"{folder.name}_source")
        shutil.copytree(demo_world / "catalogue", source)
        customers = source / CUSTOMERS
        customers.symlink_to(demo_world / "customers" / CUSTOMERS)
        answer = matinee("run", "--source", source, warehouse=folder)
        assert answer.exit_code == 0, answer.said
        customers.unlink()
        answer = matinee("run", "--source", source, warehouse=folder)
        assert answer.exit_code == 0, answer.said

    return once(tmp_path_factory, "warehouse_without_its_customers", run_twice)
