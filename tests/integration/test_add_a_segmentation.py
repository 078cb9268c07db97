"""A segmentation is a declaration: what the how-to shows is enough, and no Python is among it."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from tests.conftest import PROJECT_ROOT
from tests.layout_files import write_layout

HOW_TO = PROJECT_ROOT / "docs" / "how-to" / "add-a-segmentation.md"
ROOMS = ("ingest", "ml", "orchestration", "published", "report", "dbt_project")


def files_of_the_how_to() -> dict[str, str]:
    """The files that the steps of the how-to name in front of their code blocks."""
    step = r"^\*\*\d\. [^*]+\*\*, `(\S+)`[^`]*```\w+\n(.*?)```"
    return dict(re.findall(step, HOW_TO.read_text(), re.DOTALL | re.MULTILINE))


@pytest.mark.long
def test_the_files_of_the_how_to_add_a_segmentation_to_a_copy_of_the_project(layout_world, tmp_path):
    project = tmp_path / "project"
    for room in ROOMS:
        shutil.copytree(
            PROJECT_ROOT / room,
            project / room,
            ignore=shutil.ignore_patterns("target", "logs", "__pycache__"),
        )
    shutil.copy(PROJECT_ROOT / "pyproject.toml", project)
    added = files_of_the_how_to()
    assert {Path(file).suffix for file in added} == {".sql", ".yml", ".yaml"}
    for file, text in added.items():
        (project / file).parent.mkdir(parents=True, exist_ok=True)
        (project / file).write_text(text)
    (tmp_path / "home").mkdir()
    shutil.copy(PROJECT_ROOT / ".dagster" / "dagster.yaml", tmp_path / "home")
    source = write_layout("movies_dataset", layout_world, tmp_path / "files")
    command = ["run", "--job", "segments", "--source", source, "--warehouse", tmp_path / "w"]
    result = subprocess.run(
        [sys.executable, "-m", "orchestration", *command],
        cwd=project,
        env={**os.environ, "PYTHONPATH": str(project), "DAGSTER_HOME": str(tmp_path / "home")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    segments = pl.read_parquet(tmp_path / "w" / "published" / "segments.parquet")
    names = segments.filter(segmentation="user_habits").sort("segment_id")["segment_name"].to_list()
    assert names == ["Few Ratings", "Some Ratings", "Many Ratings"]
    assert "Many Ratings" in (tmp_path / "w" / "report" / "index.html").read_text()
