"""Imports run as the contracts in `pyproject.toml` say, and the command line imports nothing heavy."""

import subprocess
import sys
from pathlib import Path

from tests.conftest import PROJECT_ROOT


def test_the_import_contracts_hold():
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    result = subprocess.run(command, cwd=PROJECT_ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout


def test_the_command_line_answers_help_without_heavy_imports():
    heavy = "'dagster', 'dbt', 'sklearn', 'duckdb', 'matplotlib', 'polars', 'pandas', 'numpy', 'pydantic'"
    code = f"import sys, orchestration.commands.cli; print([m for m in ({heavy}) if m in sys.modules])"
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT_ROOT, capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"
