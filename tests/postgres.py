"""A PostgreSQL server on this machine, for the time of a `with` block."""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


def postgres_programs() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb")) or [shutil.which("initdb")]
    return Path(found[-1]).parent if found[-1] else None


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Give the address of a server that keeps its files in a folder; the test is skipped where there is none."""
    programs = postgres_programs()
    if programs is None:
        pytest.skip("there is no PostgreSQL here (the package postgresql)")
    pytest.importorskip("psycopg", reason="psycopg is not installed")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    # The server refuses to run as root.
    other = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
    if other:
        for closed in (one for one in (folder, *folder.parents) if one.stat().st_mode & 0o005 != 0o005):
            closed.chmod(0o755)
        shutil.chown(folder, "postgres")
    data = folder / "data"

    def call(*args: object) -> None:
        subprocess.run([*other, *map(str, args)], check=True, capture_output=True, cwd=folder)

    call(programs / "initdb", "-D", data, "-U", "matinee", "-A", "trust", "-E", "UTF8")
    options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
    call(programs / "pg_ctl", "-D", data, "-o", options, "-l", folder / "log", "-w", "start")
    yield f"postgresql://matinee:secret@127.0.0.1:{port}/postgres"
    call(programs / "pg_ctl", "-D", data, "-m", "immediate", "stop")
