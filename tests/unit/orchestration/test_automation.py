"""Runs that start by themselves never overlap and never pile up: when one is asked for, and when it is left out."""

import os
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.remote_origin import RegisteredCodeLocationOrigin, RemoteRepositoryOrigin

from orchestration.automation import build_schedules, build_sensor
from orchestration.settings import Settings
from orchestration.stores.layout import WarehouseLayout
from orchestration.stores.lock import lock_warehouse
from orchestration.tools.run_tags import IF_NEW_TAG

NOON = datetime(2026, 11, 30, 12, 30, tzinfo=UTC)


@pytest.fixture
def instance():
    with dg.instance_for_test() as made:
        yield made


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(warehouse=tmp_path / "warehouse", source="incoming")


def going(instance: dg.DagsterInstance, status: dg.DagsterRunStatus = dg.DagsterRunStatus.QUEUED) -> None:
    origin = RemoteRepositoryOrigin(RegisteredCodeLocationOrigin("matinee"), "__repository__")
    instance.add_run(
        dg.DagsterRun(job_name="refresh", status=status, remote_job_origin=origin.get_job_origin("refresh"))
    )


def hourly(instance: dg.DagsterInstance, settings: Settings, at: datetime = NOON):
    _, schedule = build_schedules(settings, nightly_job="refresh", hourly_job="update")
    context = dg.build_schedule_context(instance=instance, scheduled_execution_time=at)
    return schedule.evaluate_tick(context)


def test_an_hour_asks_for_a_run_that_ends_where_nothing_is_new(instance, settings):
    (asked,) = hourly(instance, settings).run_requests
    assert asked.tags[IF_NEW_TAG] == "true"


@pytest.mark.parametrize("status", [dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.STARTED])
def test_an_hour_is_left_out_while_a_run_waits_or_goes(instance, settings, status):
    going(instance, status)
    tick = hourly(instance, settings)
    assert not tick.run_requests
    assert "of refresh" in tick.skip_message


@pytest.mark.parametrize("status", [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE])
def test_a_run_that_ended_is_in_nobodys_way(instance, settings, status):
    going(instance, status)
    assert hourly(instance, settings).run_requests


@pytest.mark.parametrize(
    ("hour", "minute", "is_asked"), [(2, 29, True), (2, 30, False), (3, 0, False), (3, 1, True)]
)
def test_the_hour_before_the_night_is_the_nights(instance, settings, hour, minute, is_asked):
    tick = hourly(instance, settings, NOON.replace(hour=hour, minute=minute))
    assert bool(tick.run_requests) == is_asked
    assert is_asked or "03:00" in tick.skip_message


class Watch:
    """The sensor over a drop folder and a source, look by look."""

    def __init__(self, instance: dg.DagsterInstance, settings: Settings) -> None:
        self.sensor, self.instance, self.cursor = build_sensor(settings, job="update"), instance, None
        self.incoming = WarehouseLayout(settings.warehouse).incoming
        self.times = 0

    def look(self) -> list[str | None]:
        """The keys of the runs that are asked for; Dagster asks for a run of a key once in all time."""
        result = self.sensor.evaluate_tick(
            dg.build_sensor_context(instance=self.instance, cursor=self.cursor)
        )
        self.cursor, self.said = result.cursor, result.skip_message
        return [request.run_key for request in result.run_requests or ()]

    def put(self, name: str, text: str = "user_id\n", folder: Path | None = None) -> Path:
        path = (folder or self.incoming) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        self.times += 1
        os.utime(path, (self.times, self.times))
        return path


@pytest.fixture
def watch(instance, settings) -> Watch:
    return Watch(instance, settings)


def test_a_file_in_the_drop_folder_asks_for_one_run_once_it_no_longer_grows(watch):
    assert watch.look() == []
    path = watch.put("ratings/a.csv")
    assert watch.look() == []
    watch.put("ratings/a.csv", "user_id\n1\n")
    assert watch.look() == []
    assert "Files are coming" in watch.said
    assert len(watch.look()) == 1
    assert watch.look() == []
    path.unlink()
    assert watch.look() == []


def test_files_that_lie_there_when_the_first_look_comes_are_new(watch):
    watch.put("ratings/a.csv")
    assert [watch.look(), len(watch.look())] == [[], 1]


def test_unfinished_files_ask_for_nothing(watch):
    for name in ("ratings/a.csv.part", "ratings/.b.csv"):
        watch.put(name)
    assert [watch.look(), watch.look()] == [[], []]


def test_new_files_wait_while_a_run_is_queued_and_are_not_forgotten(watch, instance):
    going(instance)
    watch.put("ratings/a.csv")
    assert [watch.look(), watch.look(), watch.look()] == [[], [], []]
    assert "waits" in watch.said
    instance.wipe()
    assert len(watch.look()) == 1


def test_a_file_that_failed_and_is_put_there_again_as_it_was_asks_for_a_run_again(watch):
    path = watch.put("ratings/a.csv")
    assert [watch.look(), watch.look()] == [[], [None]]
    failed = path.rename(path.with_name("a.csv.part"))
    assert watch.look() == []
    failed.rename(path)
    assert [watch.look(), watch.look()] == [[], [None]]


@pytest.mark.parametrize("declared", [True, False])
def test_the_files_of_the_source_are_watched_and_what_is_there_at_first_is_not_new(
    tmp_path, instance, declared
):
    folder = tmp_path / "source"
    watch = Watch(instance, Settings(warehouse=tmp_path / "warehouse", source=str(folder)))
    watch.put("plays/a.csv", folder=folder)
    if declared:
        (folder / "matinee.yaml").write_text("views: {files: plays/*.csv}\n")
    assert [watch.look(), watch.look()] == [[], []]
    watch.put("plays/b.csv", folder=folder)
    assert [watch.look(), len(watch.look())] == [[], 1]
    (folder / "plays" / "b.csv").unlink()
    assert [watch.look(), watch.look()] == [[], []]


def test_a_declaration_that_is_wrong_is_told_of_and_stops_nothing(tmp_path, instance):
    (tmp_path / "matinee.yaml").write_text("plays: {files: a.csv}\n")
    watch = Watch(instance, Settings(warehouse=tmp_path / "warehouse", source=str(tmp_path)))
    assert watch.look() == []
    assert "table 'plays' is not known" in watch.said


def test_a_warehouse_in_use_by_a_command_is_left_alone(instance, settings, monkeypatch):
    layout = WarehouseLayout(settings.warehouse)
    with lock_warehouse(layout, "matinee remove"):
        monkeypatch.setattr("orchestration.stores.lock._held_here", set())  # as another process sees it
        tick = hourly(instance, settings)
    assert tick.skip_message == "The warehouse is in use."


def test_an_hour_puts_no_other_source_in_the_place_of_the_one_in_force(instance, settings, tmp_path):
    current = WarehouseLayout(settings.warehouse).landing / "current"
    current.mkdir(parents=True)
    (current / "source.json").write_text('{"description": "the demo world (small)"}')
    tick = hourly(instance, settings)
    assert not tick.run_requests
    assert "was made of the demo world (small), and MATINEE_SOURCE names incoming" in tick.skip_message
    assert hourly(instance, Settings(warehouse=settings.warehouse, source="demo")).run_requests
