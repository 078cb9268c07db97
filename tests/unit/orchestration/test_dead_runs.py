"""A run whose process was killed is marked failed, so that the next one may start; a living one is left alone."""

import subprocess
import sys

import dagster as dg
import pytest

from orchestration.settings import PROJECT_ROOT
from orchestration.tools import dead_runs
from orchestration.tools.run_history import WAREHOUSE_TAG

_HOLDS = """
import sys, time
from pathlib import Path
from orchestration.stores.layout import WarehouseLayout
from orchestration.stores.lock import lock_warehouse
with lock_warehouse(WarehouseLayout(Path(sys.argv[1])), "run"):
    print("held", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def instance(tmp_path, monkeypatch):
    (tmp_path / "home").mkdir()
    declared = (PROJECT_ROOT / ".dagster" / "dagster.yaml").read_text()
    (tmp_path / "home" / "dagster.yaml").write_text(declared)
    monkeypatch.setattr(dead_runs, "_QUIET_SECONDS", 0)
    with dg.DagsterInstance.from_config(str(tmp_path / "home")) as instance:
        yield instance


@pytest.fixture
def started(instance, tmp_path):
    run = dg.DagsterRun(job_name="refresh", tags={WAREHOUSE_TAG: str(tmp_path / "warehouse")})
    instance.add_run(run)
    begun = dg.DagsterEvent(event_type_value="PIPELINE_START", job_name="refresh", message="")
    instance.report_dagster_event(begun, run.run_id)
    return instance.get_run_by_id(run.run_id)


@pytest.fixture
def process(tmp_path):
    """A process that holds the warehouse, as a run does."""
    holder = subprocess.Popen(
        [sys.executable, "-c", _HOLDS, str(tmp_path / "warehouse")], stdout=subprocess.PIPE, cwd=PROJECT_ROOT
    )
    assert holder.stdout.readline() == b"held\n"
    yield holder
    holder.kill()
    holder.communicate()


def test_dagsters_monitor_is_told_that_a_run_lives_until_its_process_is_killed(instance, started, process):
    assert instance.run_monitoring_enabled
    assert instance.run_launcher.supports_check_run_worker_health
    assert instance.run_launcher.check_run_worker_health(started).status.value == "RUNNING"
    process.kill()
    process.wait()
    assert instance.run_launcher.check_run_worker_health(started).status.value == "FAILED"


def test_the_next_run_of_the_command_line_buries_the_dead_and_leaves_the_living(instance, started, process):
    dead_runs.bury_dead_runs(instance)
    assert instance.get_run_by_id(started.run_id).status is dg.DagsterRunStatus.STARTED
    process.kill()
    process.wait()
    dead_runs.bury_dead_runs(instance)
    assert instance.get_run_by_id(started.run_id).status is dg.DagsterRunStatus.FAILURE


def test_the_place_of_a_dead_run_in_a_pool_is_free_again(instance, started):
    storage = instance.event_log_storage
    storage.set_concurrency_slots("warehouse", 1)
    storage.claim_concurrency_slot("warehouse", started.run_id, "ratings")
    assert storage.get_concurrency_info("warehouse").claimed_slots
    dead_runs.bury_dead_runs(instance)
    assert not storage.get_concurrency_info("warehouse").claimed_slots
    assert storage.claim_concurrency_slot("warehouse", "next", "ratings").is_claimed


def test_a_run_that_has_just_spoken_is_alive_though_it_has_not_taken_its_warehouse_yet(
    instance, started, monkeypatch
):
    monkeypatch.setattr(dead_runs, "_QUIET_SECONDS", 60)
    assert not dead_runs.has_died(instance, started)


def test_a_run_that_died_is_begun_anew_once_and_waits_for_its_turn(instance, started):
    dead_runs.bury_dead_runs(instance)
    assert instance.get_run_by_id(started.run_id).tags["dagster/will_retry"] == "true"
    assert instance.get_concurrency_config().run_queue_config.max_concurrent_runs == 1
    group = {"dagster/root_run_id": started.run_id, "dagster/parent_run_id": started.run_id}
    again = dg.DagsterRun(
        job_name="refresh",
        tags=started.tags | group,
        root_run_id=started.run_id,
        parent_run_id=started.run_id,
    )
    instance.add_run(again)
    instance.report_run_failed(again, message="The process of this run ended without a word.")
    assert instance.get_run_by_id(again.run_id).tags["dagster/will_retry"] == "false"


def test_a_run_that_failed_of_itself_is_not_begun_anew(instance):
    @dg.asset
    def broken():
        raise dg.Failure(description="ratings.csv: the file is empty.", allow_retries=False)

    failed = dg.materialize([broken], instance=instance, raise_on_error=False).dagster_run
    assert instance.get_run_by_id(failed.run_id).tags["dagster/will_retry"] == "false"


def test_a_run_of_the_command_line_is_not_begun_anew_with_other_settings(instance, tmp_path):
    """The daemon may know another source."""
    run = dg.DagsterRun(job_name="refresh", tags={"dagster/max_retries": "0"})
    instance.add_run(run)
    instance.report_run_failed(run, message="The process of this run ended without a word.")
    assert instance.get_run_by_id(run.run_id).tags["dagster/will_retry"] == "false"
