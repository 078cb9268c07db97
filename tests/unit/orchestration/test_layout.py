"""Readers see whole files and whole sets; one run holds a warehouse at a time."""

import subprocess
import sys
import tempfile
from pathlib import Path

import duckdb
import pytest

from orchestration.settings import PROJECT_ROOT
from orchestration.stores.layout import WarehouseLayout, switch_symlink, write_atomically
from orchestration.stores.lock import WarehouseError, is_held, lock_warehouse

_ASKS = """
import os, sys
from pathlib import Path
from orchestration.stores.layout import WarehouseLayout
from orchestration.stores.lock import is_held
if os.getuid() == 0:
    os.setuid(65534)
print(is_held(WarehouseLayout(Path(sys.argv[1]))))
"""


def test_a_link_is_switched_from_one_folder_to_the_next(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        switch_symlink(tmp_path / "current", tmp_path / name)
        assert (tmp_path / "current").resolve() == tmp_path / name
    assert sorted(path.name for path in tmp_path.iterdir()) == ["current", "one", "two"]


def test_a_file_is_replaced_whole_and_leaves_nothing_beside_it(tmp_path):
    for content in ("old", b"new"):
        write_atomically(tmp_path / "folder" / "file", content)
    assert (tmp_path / "folder" / "file").read_text() == "new"
    assert len(list((tmp_path / "folder").iterdir())) == 1


def test_the_second_run_is_told_who_holds_the_warehouse(tmp_path):
    layout = WarehouseLayout(tmp_path)
    second = lock_warehouse(layout, "run def")
    with lock_warehouse(layout, "run abc"), pytest.raises(WarehouseError, match=r"run abc, process \d+"):
        second.__enter__()
    with lock_warehouse(layout, "run ghi"):
        assert layout.lock_holder.exists()
    assert not layout.lock_holder.exists()


def test_who_may_only_read_a_warehouse_is_told_whether_a_run_holds_it():
    def asked() -> str:
        command = [sys.executable, "-c", _ASKS, str(layout.root)]
        return subprocess.run(command, cwd=PROJECT_ROOT, capture_output=True, text=True, check=True).stdout

    with tempfile.TemporaryDirectory() as root:  # pytest's own folders let nobody else in
        layout = WarehouseLayout(Path(root))
        with lock_warehouse(layout, "run abc"):
            layout.lock.chmod(0o444)
            Path(root).chmod(0o555)
            assert asked() == "True\n"
            assert not is_held(layout), "it is our own"
            Path(root).chmod(0o755)
        assert asked() == "False\n"


@pytest.mark.parametrize("content", [b"no database", b"\0" * 20_000], ids=["text", "zeros"])
def test_a_damaged_database_is_named_with_what_to_do(tmp_path, content):
    layout = WarehouseLayout(tmp_path)
    layout.database.write_bytes(content)
    said = r"matinee\.duckdb is damaged .* Remove it .*nothing is lost"
    with pytest.raises(WarehouseError, match=said), lock_warehouse(layout, "a run"):
        pass
    assert layout.database.read_bytes() == content


def test_a_database_that_a_killed_run_had_only_begun_is_begun_anew(tmp_path):
    layout = WarehouseLayout(tmp_path)
    layout.database.touch()
    with lock_warehouse(layout, "a run"):
        duckdb.connect(str(layout.database)).close()
