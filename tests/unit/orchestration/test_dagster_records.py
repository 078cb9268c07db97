"""What Dagster keeps of runs: written quickly, read by anybody, and closed where a process died."""

import socket
import subprocess
import sys

import dagster as dg
import pytest

from orchestration.tools import event_log
from orchestration.tools.dead_runs import bury_dead_runs, process_tag
from orchestration.tools.event_log import quick_event_log


@dg.asset
def thing():
    return None


@pytest.fixture
def instance(tmp_path):
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        yield instance


def materialize(instance):
    return dg.materialize([thing], instance=instance)


def test_another_process_reads_what_was_written_quickly(instance, tmp_path):
    with quick_event_log(instance):
        run_id = materialize(instance).run_id
    with dg.DagsterInstance.local_temp(str(tmp_path)) as reader:
        assert reader.get_run_by_id(run_id).status == dg.DagsterRunStatus.SUCCESS
        made = reader.get_records_for_run(run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION).records
        assert len(made) == 1
        assert reader.get_latest_materialization_event(thing.key).run_id == run_id


def test_each_database_file_is_opened_once(instance, monkeypatch):
    opened = []
    real = event_log._open
    monkeypatch.setattr(
        event_log, "_open", lambda url, stack: opened.append(url.database) or real(url, stack)
    )
    with quick_event_log(instance):
        run_id = materialize(instance).run_id
        assert instance.get_latest_materialization_event(thing.key).run_id == run_id
    assert sorted(path.rpartition("/")[2] for path in opened) == sorted([f"{run_id}.db", "index.db"])


def test_the_event_log_is_its_own_again_afterwards(instance):
    with quick_event_log(instance):
        materialize(instance)
    assert not {"run_connection", "index_connection"} & set(vars(instance.event_log_storage))
    assert materialize(instance).success


def test_an_event_log_that_is_not_sqlites_stays_as_it_is():
    with dg.DagsterInstance.ephemeral() as instance, quick_event_log(instance):
        assert materialize(instance).success


def status_after_burial(instance, tags):
    run = instance.add_run(dg.DagsterRun(job_name="job", tags=tags, status=dg.DagsterRunStatus.STARTED))
    bury_dead_runs(instance)
    return instance.get_run_by_id(run.run_id).status


def test_a_run_whose_process_is_dead_is_closed(instance):
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    (tag,) = process_tag()
    tags = {tag: f"{socket.gethostname()}:{dead.pid}"}
    assert status_after_burial(instance, tags) == dg.DagsterRunStatus.FAILURE


def test_a_run_that_may_be_alive_is_left_alone(instance):
    (tag,) = process_tag()
    for tags in (process_tag(), {tag: "another-machine:1"}, {}):
        assert status_after_burial(instance, tags) == dg.DagsterRunStatus.STARTED
