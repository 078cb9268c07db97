"""A wrong segmentation file is refused when the code location loads, with file, field and accepted values."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import PROJECT_ROOT

DECLARED = Path("orchestration") / "defs" / "segmentations" / "user_ratings" / "defs.yaml"


@pytest.mark.parametrize(
    ("right", "wrong", "says"),
    [
        ("method: kmeans", "method: dbscan", ["clustering.method", "kmeans"]),
        ("publish: 5", "publish: 50", ["clustering", "50", "not among the candidates"]),
        ("prepare: [standardize]", "prepare: [whiten]", ["prepare", "standardize", "log1p"]),
    ],
)
def test_a_wrong_field_is_refused_with_file_field_and_accepted_values(tmp_path, right, wrong, says):
    shutil.copytree(PROJECT_ROOT / "orchestration", tmp_path / "orchestration")
    shutil.copy(PROJECT_ROOT / "pyproject.toml", tmp_path)
    text = (tmp_path / DECLARED).read_text()
    assert right in text
    (tmp_path / DECLARED).write_text(text.replace(right, wrong))
    result = subprocess.run(
        [sys.executable, "-m", "orchestration", "run", "--warehouse", str(tmp_path / "warehouse")],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path), "DAGSTER_HOME": str(tmp_path / "home")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 2, result.stderr
    assert "Traceback" not in result.stderr
    assert "user_ratings/defs.yaml" in result.stderr
    for word in says:
        assert word in result.stderr
