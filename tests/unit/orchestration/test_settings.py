"""A setting that Dagster, DuckDB or dbt would stumble over later is refused at the start, by name."""

import shutil
import subprocess
import sys
from datetime import timedelta

import pytest

from orchestration.settings import PROJECT_ROOT, SettingsError, load_settings
from orchestration.tools.engines import check_engines, fresh_for


@pytest.mark.parametrize(
    "cron",
    [
        "0 24 * * *",
        "*/0 * * * *",
        "0 0 31 2 *",
        "0 0 31 6 *",
        "0 0 * * 9",
        "",
        "@reboot",
        "5 4 * *",
        "0 0 * * * 30",
    ],
)
def test_a_schedule_that_never_comes_is_refused(cron):
    with pytest.raises(SettingsError, match=r"MATINEE_SCHEDULE=.*@daily"):
        check_engines(load_settings(schedule=cron))


@pytest.mark.parametrize("cron", ["@weekly", "15 2 * * *", "0 4 * * sun", "0 0 29 2 *"])
def test_a_schedule_that_dagster_keeps_is_accepted(cron):
    check_engines(load_settings(schedule=cron))


@pytest.mark.parametrize("limit", ["0MB", "0%", "64kB", "123456TB", "plenty", "-5GB", "none", "120%", ""])
def test_memory_that_duckdb_cannot_read_or_the_machine_does_not_have_is_refused(limit):
    with pytest.raises(SettingsError, match=r"MATINEE_MEMORY_LIMIT=.*128MB"):
        check_engines(load_settings(memory_limit=limit))


@pytest.mark.parametrize("limit", ["60%", "300MB", "0.5 GiB", "300mb"])
def test_memory_is_written_as_duckdb_reads_it(limit):
    check_engines(load_settings(memory_limit=limit))


@pytest.mark.parametrize("name", ["[2023]", "what?", "no#7", "a*b", "line\nbreak"])
def test_a_warehouse_whose_name_is_a_pattern_or_an_address_is_refused(name, tmp_path):
    with pytest.raises(SettingsError, match="MATINEE_WAREHOUSE"):
        load_settings(warehouse=tmp_path / name)


@pytest.mark.parametrize("variable", ["WAREHOUSE", "SOURCE"])
def test_an_empty_folder_is_not_the_one_you_are_in(variable, monkeypatch):
    monkeypatch.setenv(f"MATINEE_{variable}", "")
    with pytest.raises(SettingsError, match=f"MATINEE_{variable}=''"):
        load_settings()


@pytest.mark.parametrize("home", ["relative", "/no/such/folder", "{empty}"])
def test_a_dagster_home_that_would_lose_the_limit_on_runs_is_refused(home, tmp_path, monkeypatch):
    monkeypatch.setenv("DAGSTER_HOME", home.format(empty=tmp_path))
    with pytest.raises(SettingsError, match=r"DAGSTER_HOME=.*dagster\.yaml"):
        check_engines(load_settings())


def test_a_dagster_home_with_its_file_is_accepted(tmp_path, monkeypatch):
    shutil.copy(PROJECT_ROOT / ".dagster" / "dagster.yaml", tmp_path)
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    check_engines(load_settings())


def test_the_usual_schedule_costs_no_import_of_dagster():
    asked = "import sys; from orchestration.tools.engines import *; from orchestration.settings import load_settings; "
    asked += "check_engines(load_settings()); print('dagster' in sys.modules)"
    said = subprocess.run(
        [sys.executable, "-c", asked], cwd=PROJECT_ROOT, capture_output=True, text=True, check=True
    )
    assert said.stdout == "False\n"


@pytest.mark.parametrize("weight", ["-0.1", "1.5", "much"])
def test_a_weight_of_being_rare_outside_0_to_1_is_refused(weight):
    with pytest.raises(SettingsError, match="MATINEE_LONG_TAIL"):
        load_settings(long_tail=weight)


@pytest.mark.parametrize(
    ("cron", "late", "stale"),
    [("0 3 * * *", 26, 50), ("@hourly", 3, 4), ("0 3 * * 1-5", 74, 146), ("0 4 * * sun", 170, 338)],
)
def test_results_are_late_and_stale_by_the_longest_wait_of_the_schedule(cron, late, stale):
    assert fresh_for(load_settings(schedule=cron)) == (timedelta(hours=late), timedelta(hours=stale))


def test_a_folder_in_storage_is_no_path(monkeypatch):
    monkeypatch.setenv("MATINEE_SOURCE", "s3://bucket/folder")
    assert load_settings().source == "s3://bucket/folder"
