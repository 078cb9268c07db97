"""`matinee status` says in words and by its exit code whether all is well, from what runs leave in the warehouse."""

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import dagster as dg
import polars as pl
import pytest
from typer.testing import CliRunner

from ingest.suppressing import settle, suppress
from orchestration.commands.cli import app
from orchestration.settings import PROJECT_ROOT
from orchestration.stores import runs
from orchestration.stores.layout import WarehouseLayout, switch_symlink
from orchestration.stores.lock import lock_warehouse
from orchestration.tools.run_ends import CONFIRMED, PUBLISHED
from orchestration.tools.warehouse import WarehouseResource


@pytest.fixture
def layout(tmp_path):
    layout = WarehouseLayout(tmp_path / "warehouse")
    layout.root.mkdir()
    return layout


def publish(layout, hours_ago=0.0, warnings=1):
    """A set that was published so long ago, with so many warnings."""
    at = datetime.now(UTC) - timedelta(hours=hours_ago)
    folder = layout.published_sets / f"{at:%Y%m%dT%H%M%S}-abcdef12"
    folder.mkdir(parents=True)
    row = {"layer": "landing", "table_name": "ratings", "check_name": "rows_do_not_drop"}
    found = {
        "outcome": "failed",
        "severity": "warn",
        "is_blocking": False,
        "description": "Ada@example.org is gone.",
    }
    checks = [row | found, *[row | found | {"check_name": f"rule_{n}"} for n in range(1, warnings)]]
    frame = pl.DataFrame(checks)
    (frame if warnings else frame.clear()).write_parquet(folder / "checks.parquet")
    switch_symlink(layout.published, folder)


def ended(layout, run_id, outcome, *problems):
    runs.begin(layout, run_id, "refresh")
    runs.end(layout, run_id, outcome, problems)


def status(layout, *options):
    done = CliRunner().invoke(app, ["status", "--warehouse", str(layout.root), *options])
    return done.exit_code, done.stdout


def facts(layout):
    code, said = status(layout, "--json")
    found = json.loads(said)
    assert code == (0 if found["is_well"] else 1)
    return found


def test_a_file_that_could_not_be_used_is_told_of_until_it_is_gone(layout):
    publish(layout, warnings=0)
    ended(layout, "1", "published")
    folder = layout.failed / "2026-11-30" / "ratings"
    folder.mkdir(parents=True)
    (folder / "bad.csv").touch()
    (folder / "bad.csv.reason.txt").touch()
    code, said = status(layout)
    assert code == 0
    assert "1 file in failed/ could not be used, 2026-11-30/ratings/bad.csv the last" in said
    (folder / "bad.csv").unlink()
    assert "All is well." in status(layout)[1]


def test_all_is_well_after_a_good_run(layout):
    publish(layout, warnings=0)
    ended(layout, "1", "published")
    code, said = status(layout)
    assert code == 0
    assert "refresh: published." in said
    assert said.endswith("All is well.\n")
    assert facts(layout)["warehouse"]["bytes"] > 0


@pytest.mark.parametrize(("warnings", "counted"), [(1, "1 warning"), (12, "12 warnings")])
def test_where_checks_warned_not_all_is_well_and_each_is_told(layout, warnings, counted):
    publish(layout, warnings=warnings)
    ended(layout, "1", "published")
    code, said = status(layout)
    assert code == 0
    assert 'Warning: landing.ratings fails "rows do not drop": A***@…' in said
    assert said.count("Warning: ") == warnings
    assert said.endswith(f"No run failed and nothing is stale, but: {counted}.\n")


def test_somebody_who_was_to_be_forgotten_and_is_still_there_is_told_of(layout):
    publish(layout)
    ended(layout, "1", "published")
    layout.landing.mkdir()
    suppress(layout.landing, [("user", "ann")], {}, datetime.now(UTC).date())
    assert "Give the command again." in status(layout)[1]
    assert not facts(layout)["is_well"]
    settle(layout.landing)
    assert facts(layout)["is_well"]


def test_what_failed_since_the_last_good_run_is_told_and_why(layout):
    publish(layout)
    ended(layout, "0", "failed", "long mended")
    ended(layout, "1", "published")
    ended(layout, "2", "failed", "ratings.csv: the file is empty.")
    ended(layout, "3", "done")
    code, said = status(layout)
    assert code == 1
    assert "refresh: ratings.csv: the file is empty." in said
    assert "long mended" not in said
    assert said.endswith("Something is wrong.\n")


def test_a_good_run_ends_the_alarm(layout):
    publish(layout)
    ended(layout, "2", "failed", "broken")
    ended(layout, "3", "unchanged")
    code, said = status(layout)
    assert code == 0
    assert "nothing was new" in said


def test_a_run_that_is_going_is_no_failure_and_one_that_was_killed_is(layout):
    publish(layout)
    ended(layout, "1", "published")
    with lock_warehouse(layout, "matinee run"):
        runs.begin(layout, "2", "refresh")
        asked = [sys.executable, "-m", "orchestration", "status", "--json", "--warehouse", layout.root]
        said = subprocess.run(asked, cwd=PROJECT_ROOT, capture_output=True, text=True, check=True)
        going = json.loads(said.stdout)
    assert going["is_well"]
    assert going["going"]["holder"] == "matinee run"
    assert going["going"]["run"]["run_id"] == "2"
    killed = facts(layout)
    assert killed["going"] is None
    assert killed["failed"][0]["problems"] == ["Its process ended without a word."]


@pytest.mark.parametrize(("hours", "kind"), [(25, None), (30, "late"), (60, "stale")])
def test_results_are_late_after_one_night_that_did_not_come_and_stale_after_two(layout, hours, kind):
    publish(layout, hours)
    found = facts(layout)
    assert ("results are late" in status(layout)[1]) == (kind == "late")
    assert [name for name in ("late", "stale") if found[name]] == ([kind] if kind else [])
    assert found["is_well"] == (kind != "stale")


def test_the_times_follow_the_schedule_and_the_setting(layout, monkeypatch):
    publish(layout, 60)
    monkeypatch.setenv("MATINEE_SCHEDULE", "0 3 * * sun")
    assert facts(layout)["is_well"]
    monkeypatch.setenv("MATINEE_SCHEDULE", "@hourly")
    monkeypatch.setenv("MATINEE_LATE_HOURS", "59")
    assert facts(layout)["late"]
    monkeypatch.setenv("MATINEE_LATE_HOURS", "1")
    assert facts(layout)["stale"] == ["what is published is of 2 days ago; 3 hours may pass."]


def test_a_night_on_which_nothing_was_new_keeps_results_fresh(layout):
    publish(layout, 60)
    assert facts(layout)["stale"]
    ended(layout, "1", "unchanged")
    assert not facts(layout)["stale"]


def test_a_source_that_brings_nothing_new_is_stale_where_that_is_set(layout, monkeypatch):
    publish(layout)
    manifest = layout.landing / "current" / "manifest"
    manifest.mkdir(parents=True)
    landed_at = datetime.now(UTC).replace(tzinfo=None) - timedelta(hours=80)
    pl.DataFrame({"landed_at": [landed_at]}).write_parquet(manifest / "ratings-1.parquet")
    assert not facts(layout)["stale"]
    monkeypatch.setenv("MATINEE_SOURCE_STALE_HOURS", "72")
    assert facts(layout)["stale"] == ["the newest raw file came 3 days ago; 72 hours may pass."]


def test_a_warehouse_in_which_nothing_was_published_is_not_well(tmp_path):
    nowhere = WarehouseLayout(tmp_path / "nowhere")
    assert facts(nowhere)["stale"] == [f"There is no warehouse at {nowhere.root}."]
    assert not nowhere.root.exists()


def test_a_setting_that_cannot_be_used_is_another_exit_code(layout, monkeypatch):
    monkeypatch.setenv("MATINEE_LATE_HOURS", "soon")
    assert status(layout)[0] == 2


def test_whoever_watches_is_answered_where_spark_is_not(layout, monkeypatch):
    publish(layout)
    ended(layout, "1", "published")
    monkeypatch.setenv("MATINEE_ENGINE", "spark")
    monkeypatch.setenv("MATINEE_SPARK_MASTER", "spark://127.0.0.1:1")
    assert status(layout)[0] == 0


def test_whoever_watches_waits_for_no_import_of_dagster(layout):
    publish(layout)
    asked = "import sys; from typer.testing import CliRunner; from orchestration.commands.cli import app; "
    asked += f"r = CliRunner().invoke(app, ['status', '--warehouse', {str(layout.root)!r}]); "
    asked += "print(r.exit_code, 'dagster' in sys.modules, 'sklearn' in sys.modules)"
    said = subprocess.run(
        [sys.executable, "-c", asked], cwd=PROJECT_ROOT, capture_output=True, text=True, check=True
    )
    assert said.stdout == "0 False False\n"


@pytest.mark.parametrize("content", ["", "[]", "[1]", '{"run": 1}', '[{"run_id": "1"}]'])
def test_a_damaged_account_of_runs_is_begun_anew(layout, content):
    layout.run_records.write_text(content)
    assert runs.last_runs(layout) == []
    ended(layout, "1", "published")
    assert [run.run_id for run in runs.last_runs(layout)] == ["1"]


def test_the_last_good_run_is_kept_however_many_fail_after_it(layout):
    for number in range(60):
        ended(layout, str(number), "published" if number < 3 else "failed", "broken")
    kept = runs.last_runs(layout)
    assert [run.run_id for run in kept if run.is_good] == ["2"]
    assert len(kept) == 21


def materialize(layout, *assets):
    resources = {"warehouse": WarehouseResource(path=str(layout.root))}
    dg.materialize(list(assets), resources=resources, raise_on_error=False)
    return runs.last_runs(layout)[-1]


def test_a_run_writes_down_how_it_ended_whoever_started_it(layout):
    @dg.asset(key=PUBLISHED)
    def published(warehouse: WarehouseResource):
        assert runs.last_runs(layout)[-1].outcome == "running"

    @dg.asset
    def broken(warehouse: WarehouseResource):
        raise dg.Failure(description="ada@example.org has no rating.", allow_retries=False)

    @dg.asset
    def nothing_new(context: dg.AssetExecutionContext, warehouse: WarehouseResource):
        context.log_event(dg.AssetMaterialization(PUBLISHED, metadata={CONFIRMED: "nothing is new"}))

    @dg.asset
    def part(warehouse: WarehouseResource): ...

    assert materialize(layout, published).outcome == "published"
    assert materialize(layout, nothing_new).outcome == "unchanged"
    assert materialize(layout, part).outcome == "done"
    failed = materialize(layout, broken, published)
    assert failed.outcome == "failed"
    assert "example.org" not in failed.problems[0]
    assert failed.problems[0].endswith("has no rating.")
    assert failed.ended_at >= failed.began_at
