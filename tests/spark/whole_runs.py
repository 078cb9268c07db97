"""Runs as a person starts them, each in a process of its own."""

import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb

REPOSITORY = Path(__file__).resolve().parents[2]
_GENRES = ("Драма", "ड्रामा", "Οδός", "İnsan", "Film's", "3D")
_DEVICES = ("TV", "\u00a0TV ", "ΣΑΣ", "Σας")


def write_world_of_views(folder: Path) -> Path:
    """Write what 150 users watched of 60 titles, whose ids and labels are what a parser may trip over."""
    rng = random.Random(0)
    folder.mkdir()
    titles = [f"é't\\{n},Film: {n}; 'x',{'|'.join(rng.sample(_GENRES, 2))},{60 + n}" for n in range(60)]
    (folder / "titles.csv").write_text(
        "\n".join(["title_id,title,genres,runtime_minutes", *titles]) + "\n", encoding="utf-8"
    )
    views = [
        f"ü'{rng.randrange(150)},é't\\{rng.randrange(60)},{2010 + n % 10}-02-{1 + n % 28:02} {n % 24:02}:30:00,"
        f"{_DEVICES[n % 4]},{5 + n % 120}"
        for n in range(3_000)
    ]
    (folder / "views.csv").write_text(
        "\n".join(["user_id,title_id,watched_at,device,minutes_watched", *views]) + "\n", encoding="utf-8"
    )
    return folder


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

    def query(self, sql: str) -> list[tuple[object, ...]]:
        """Ask DuckDB's file, which shows the tables of either engine."""
        with duckdb.connect(str(self.folder / "matinee.duckdb"), read_only=True) as connection:
            return connection.execute(sql).fetchall()
