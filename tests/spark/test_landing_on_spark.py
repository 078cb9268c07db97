"""Files that Spark's tasks read land as if they were read in turn."""

import os
import signal
from pathlib import Path

import pytest

from ingest.errors import IngestError
from orchestration.tools import spark
from orchestration.tools.spark_tasks import run_each_on
from tests.partitioned_files import ORDER_KNOWN, all_of, files_of, land_files, write_files
from tests.storage import served


@pytest.fixture
def session(on_spark):
    return spark.session(on_spark.settings)


def test_what_lands_does_not_depend_on_spark(session, tmp_path):
    source = write_files(tmp_path / "raw", files_of(9))
    here, there = tmp_path / "here", tmp_path / "there"
    expected = all_of(here, land_files(source, here))
    assert all_of(there, land_files(source, there, run_each_on(session))) == expected
    assert all(file.was_already_landed for file in land_files(source, there, run_each_on(session)))


def test_a_file_that_is_refused_names_itself_and_leaves_nothing_half(session, tmp_path):
    files = files_of(6, ORDER_KNOWN) | {"ratings/day=2026-01-04/part.parquet": b"city\nParis\n"}
    source = write_files(tmp_path / "raw", files)
    with pytest.raises(IngestError, match=r"^ratings/day=2026-01-04/part\.parquet: .*account"):
        land_files(source, tmp_path / "landing", run_each_on(session))
    assert_nothing_is_half(tmp_path / "landing", 3)


def test_a_task_that_is_killed_leaves_nothing_half(session, tmp_path):
    source = write_files(tmp_path / "raw", files_of(6, ORDER_KNOWN))

    def killing(function, things):
        def die_in_the_middle(thing):
            result = function(thing)
            if "01-03" in str(thing):
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        return run_each_on(session)(die_in_the_middle, things)

    with pytest.raises(IngestError, match=r"^ratings/day=2026-01-03/part\.jsonl: Spark could not read it"):
        land_files(source, tmp_path / "landing", killing)
    assert_nothing_is_half(tmp_path / "landing", 2)
    landed = land_files(source, tmp_path / "landing", run_each_on(session))
    assert [file.was_already_landed for file in landed[:4]] == [True, True, False, False]


def assert_nothing_is_half(landing: Path, whole: int) -> None:
    """Three files of each that landed, beside the numbers, and nothing under way."""
    names = [path.name for path in (landing / "files").iterdir() if not path.name.startswith("ids-")]
    assert len([name for name in names if name.endswith(".manifest.parquet")]) == whole
    assert len(names) == 3 * whole
    assert not list((landing / ".tmp").iterdir())


def test_tasks_fetch_files_from_storage_themselves(session, tmp_path, monkeypatch):
    with served() as storage:
        environment = storage.environment
        for name, value in environment.items():
            monkeypatch.setenv(name, value)

        def where_workers_have_the_keys(function, things):
            def run(thing):
                os.environ.update(environment)
                return function(thing)

            return run_each_on(session)(run, things)

        address = storage.put("spark", files_of(3))
        here, there = tmp_path / "here", tmp_path / "there"
        expected = all_of(here, land_files(address, here))
        assert all_of(there, land_files(address, there, where_workers_have_the_keys)) == expected
