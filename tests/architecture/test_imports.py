"""Imports run as the contracts in `pyproject.toml` say, and the command line imports nothing heavy."""

import json
import os
import subprocess
import sys
from pathlib import Path

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
import json, sys
from typer.testing import CliRunner
from orchestration.commands.cli import app
for args in json.loads(sys.argv[1]):
    done = CliRunner().invoke(app, args)
    print(done.exit_code, *sorted({name.partition(".")[0] for name in sys.modules}))
"""


def imported_by(calls: list[list[str]], **environment: str) -> list[tuple[int, set[str]]]:
    """Call these commands one after the other in a new process: how each ended, and all that was imported by then."""
    result = subprocess.run(
        [sys.executable, "-c", _CALLS, json.dumps(calls)],
        cwd=PROJECT_ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    said = [line.split() for line in result.stdout.splitlines()]
    return [(int(code), set(modules)) for code, *modules in said]


def test_help_and_a_slip_are_answered_before_anything_heavy_is_imported():
    codes = {
        "--help": 0,
        "--version": 0,
        "run --help": 0,
        "recomend": 2,
        "run --sorce x": 2,
        "run --source /no/such/place": 2,
        "replicate --source /no/such/place": 2,
        "inspect /no/such/place": 2,
        "score user_taste --input /no/such/file.csv": 2,
        "evaluate --train /no/such/file.csv --test /no/such/file.csv": 2,
        "recommend": 2,
    }
    answers = imported_by([call.split() for call in codes])
    for (call, code), (ended, modules) in zip(codes.items(), answers, strict=True):
        assert ended == code, call
        assert not modules & {*_HEAVY, "polars", "pydantic_settings"}, call


def test_a_segmentation_that_is_not_trained_is_told_of_before_anything_heavy_is_imported(tmp_path):
    calls = ["score tast --sql", "promote tast --reason x"]
    answers = imported_by([call.split() for call in calls], MATINEE_WAREHOUSE=str(tmp_path))
    for call, (ended, modules) in zip(calls, answers, strict=True):
        assert ended == 1, call
        assert not modules & {*_HEAVY, "polars"}, call
