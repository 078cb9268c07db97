"""`make docs` writes one file that opens without a network, wherever the warehouse is."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import PROJECT_ROOT


@pytest.mark.long
def test_the_pages_of_dbt_are_one_file_without_a_foreign_script_or_style(demo_warehouse, tmp_path):
    shutil.copy(demo_warehouse / "matinee.duckdb", tmp_path)
    if (demo_warehouse / "landing").exists():
        shutil.copytree(demo_warehouse / "landing", tmp_path / "landing")
    relative = os.path.relpath(tmp_path, PROJECT_ROOT)
    before = set((PROJECT_ROOT / "dbt_project").iterdir())
    done = subprocess.run(
        ["make", "--silent", "--assume-old=.venv/.ready", "docs", f"MATINEE_WAREHOUSE={relative}"],
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    page = Path(done.stdout.strip().rpartition(": ")[2])
    assert page == tmp_path / "docs" / "static_index.html"
    text = page.read_text(encoding="utf-8")
    assert "most_active_members" in text
    assert not re.findall(r"<(?:script|link)\b[^>]*\b(?:src|href)=[\"']?(?:https?:)?//[^>]*", text)
    assert {path.name for path in (PROJECT_ROOT / "dbt_project").iterdir()} <= {
        path.name for path in before
    } | {
        "target",
        "logs",
    }
