"""Imports run as the contracts in `pyproject.toml` say, and the command line imports nothing heavy."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import PROJECT_ROOT


def test_the_import_contracts_hold():
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    result = subprocess.run(command, cwd=PROJECT_ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout


_HEAVY = (
    "dagster",
    "dbt",
    "sklearn",
    "scipy",
    "duckdb",
    "matplotlib",
    "pandas",
    "numpy",
    "pyarrow",
    "streamlit",
)
_CALLS = r"""
import sys
from typer.testing import CliRunner
from orchestration.commands.cli import app
done = CliRunner().invoke(app, sys.argv[1:])
print(done.exit_code, *sorted({name.partition(".")[0] for name in sys.modules}))
"""


def imported_by(*args: str, **environment: str) -> tuple[int, set[str]]:
    """Return the exit code of a command, and what it imported."""
    result = subprocess.run(
        [sys.executable, "-c", _CALLS, *args],
        cwd=PROJECT_ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    code, *modules = result.stdout.split()
    return int(code), set(modules)


@pytest.mark.parametrize(
    ("args", "code"),
    [
        (["--help"], 0),
        (["--version"], 0),
        (["run", "--help"], 0),
        (["recomend"], 2),
        (["run", "--sorce", "x"], 2),
        (["run", "--source", "/no/such/place"], 2),
        (["replicate", "--source", "/no/such/place"], 2),
        (["inspect", "/no/such/place"], 2),
        (["score", "user_taste", "--input", "/no/such/file.csv"], 2),
        (["evaluate", "--train", "/no/such/file.csv", "--test", "/no/such/file.csv"], 2),
        (["recommend"], 2),
    ],
)
def test_help_and_a_slip_are_answered_before_anything_heavy_is_imported(args, code):
    ended, modules = imported_by(*args)
    assert ended == code
    assert not modules & {*_HEAVY, "polars", "pydantic_settings"}


@pytest.mark.parametrize("args", [["score", "tast", "--sql"], ["promote", "tast", "--reason", "x"]])
def test_a_segmentation_that_is_not_trained_is_told_of_before_anything_heavy_is_imported(args, tmp_path):
    ended, modules = imported_by(*args, MATINEE_WAREHOUSE=str(tmp_path))
    assert ended == 1
    assert not modules & {*_HEAVY, "polars"}
