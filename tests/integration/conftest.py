"""Whole runs in temporary warehouses, in this process so that Dagster and dbt are imported once."""

import gc
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ingest.demo import write_demo_world
from orchestration.cli import app
from tests.conftest import PROJECT_ROOT


@dataclass(frozen=True)
class Answer:
    """What a command said and how it ended."""

    exit_code: int
    said: str


Matinee = Callable[..., Answer]


@pytest.fixture(scope="session")
def dagster_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("dagster_home")
    shutil.copy(PROJECT_ROOT / ".dagster" / "dagster.yaml", home)
    return home


@pytest.fixture(scope="session")
def matinee(dagster_home: Path) -> Iterator[Matinee]:
    """The command line `matinee`, called in this process: `matinee("run", "--source", folder)`."""
    before = dict(os.environ)
    os.environ["DAGSTER_HOME"] = str(dagster_home)

    def call(*args: object, warehouse: Path | None = None) -> Answer:
        placed = ["--warehouse", str(warehouse)] if warehouse else []
        result = CliRunner().invoke(app, [str(arg) for arg in args] + placed)
        gc.enable()  # a run switches it off for the rest of its process
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Answer(result.exit_code, result.output)

    yield call
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(scope="session")
def demo_world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo")
    write_demo_world(folder, scale="small")
    return folder


@pytest.fixture(scope="session")
def demo_warehouse(matinee: Matinee, demo_world: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A warehouse after one good run on the demo world. Tests read it; they do not write to it."""
    warehouse = tmp_path_factory.mktemp("warehouse")
    answer = matinee("run", "--source", demo_world, warehouse=warehouse)
    assert answer.exit_code == 0, answer.said
    return warehouse


@pytest.fixture(scope="session")
def real_warehouse(matinee: Matinee, real_movies: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A warehouse after one good run on all of the real files. Tests read it; they do not write to it."""
    warehouse = tmp_path_factory.mktemp("real_warehouse")
    answer = matinee("run", "--source", real_movies.parent, warehouse=warehouse)
    assert answer.exit_code == 0, answer.said
    return warehouse
