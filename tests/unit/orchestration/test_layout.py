"""Readers see whole files and whole sets; one run holds a warehouse at a time."""

import pytest

from orchestration.stores.layout import WarehouseLayout, switch_symlink, write_atomically
from orchestration.stores.lock import WarehouseError, lock_warehouse


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
