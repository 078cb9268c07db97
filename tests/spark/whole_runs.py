"""Runs as a person starts them, each in a process of its own."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]


class Warehouse:
    """A warehouse that one engine fills, with Dagster's records of its own."""

    def __init__(self, folder: Path, engine: str, source: Path | str) -> None:
        self.folder, self.home = folder / "warehouse", folder / "dagster"
        self.home.mkdir(parents=True)
        shutil.copy(REPOSITORY / ".dagster" / "dagster.yaml", self.home)
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("MATINEE_")},
            "DAGSTER_HOME": str(self.home),
            "MATINEE_WAREHOUSE": str(self.folder),
            "MATINEE_SOURCE": str(source),
            "MATINEE_ENGINE": engine,
            "MATINEE_TODAY": "2026-11-30",
        }

    def start(self, *args: str, **settings: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "orchestration", "run", *args]
        return subprocess.Popen(
            command,
            cwd=REPOSITORY,
            env={**self._environment, **settings},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, *args: str, **settings: str) -> tuple[int, str]:
        started = self.start(*args, **settings)
        said, _ = started.communicate(timeout=1_800)
        return started.returncode, said

    def night(self, *args: str, **settings: str) -> None:
        code, said = self.run(*args, **settings)
        assert code == 0, said
