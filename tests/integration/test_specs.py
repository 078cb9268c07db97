"""A wrong segmentation file is refused when the code location loads, with file, field and accepted values."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.conftest import PROJECT_ROOT

DECLARED = Path("orchestration") / "defs" / "segmentations" / "user_ratings" / "defs.yaml"


def test_a_wrong_field_is_refused_with_file_field_and_accepted_values(tmp_path):
    """What is accepted in each field, the schema says: see the unit tests of `spec`."""
    shutil.copytree(PROJECT_ROOT / "orchestration", tmp_path / "orchestration")
    shutil.copy(PROJECT_ROOT / "pyproject.toml", tmp_path)
    text = (tmp_path / DECLARED).read_text()
    assert "method: kmeans" in text
    (tmp_path / DECLARED).write_text(text.replace("method: kmeans", "method: dbscan"))
    (tmp_path / "home").mkdir()
    shutil.copy(PROJECT_ROOT / ".dagster" / "dagster.yaml", tmp_path / "home")
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
    assert "clustering.method" in result.stderr
    assert "kmeans" in result.stderr
