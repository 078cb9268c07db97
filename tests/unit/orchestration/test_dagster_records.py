"""What Dagster keeps of runs: written quickly, and read by anybody."""

import dagster as dg
import pytest
import yaml

from orchestration.tools import event_log
from orchestration.tools.event_log import quick_event_log
from orchestration.tools.run_place import LOCATION, place_runs
from tests.conftest import PROJECT_ROOT


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


def test_a_placed_run_is_found_under_its_job(instance):
    place_runs(instance, "some_job")
    run = instance.get_run_by_id(materialize(instance).run_id)
    assert run.remote_job_origin.job_name == "some_job"
    tags = {".dagster/repository": "__repository__@matinee"}
    assert [one.run_id for one in instance.get_runs(filters=dg.RunsFilter(tags=tags))] == [run.run_id]


def test_runs_are_placed_where_the_workspace_says():
    (loaded,) = yaml.safe_load((PROJECT_ROOT / "workspace.yaml").read_text())["load_from"]
    assert loaded["python_module"]["location_name"] == LOCATION
