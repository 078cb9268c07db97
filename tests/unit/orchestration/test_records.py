"""Dagster's records lose the runs that name a person, and those that are old; what the other runs wrote stays."""

import re
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from orchestration.stores.layout import WarehouseLayout
from orchestration.tools.records import delete_runs, forget_in_records, old_runs, size_of_run
from orchestration.tools.run_history import WAREHOUSE_TAG
from tests.finding import files_with

WHO = "user-zq81x"
SAYS = re.compile(rf"(?<!\w){WHO}(?!\w)")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    (folder / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    monkeypatch.setenv("DAGSTER_HOME", str(folder))
    return folder


def run(said: str, warehouse: str = "/here", where: str = "event") -> str:
    """Make a run that says something in an event, in its output or of an asset; return its id."""

    @dg.asset(name="told")
    def told(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        if where == "event":
            context.log.info(said)
        if where == "output":
            sys.stdout.write(said)
        return dg.MaterializeResult(metadata={"note": said if where == "asset" else "-"})

    with dg.DagsterInstance.get() as instance:
        tags = {WAREHOUSE_TAG: warehouse}
        return dg.materialize([told], instance=instance, tags=tags).run_id


@pytest.mark.parametrize("where", ["event", "output", "asset"])
def test_a_run_that_names_somebody_is_gone_with_its_output_and_the_others_stay(home, where):
    named, other = run(f"got '{WHO}'", where=where), run(f"got '{WHO}9'")
    touched, by_hand = forget_in_records(SAYS)
    assert by_hand == []
    assert any(named[:8] in each.where for each in touched)
    assert not any(
        SAYS.search(path.read_text(errors="replace")) for path in home.rglob("*") if path.is_file()
    )
    with dg.DagsterInstance.get() as instance:
        assert [record.run_id for record in instance.get_runs()] == [other]
        assert instance.get_latest_materialization_event(dg.AssetKey("told")) is not None


def test_an_asset_that_only_a_named_run_made_is_known_and_tells_nothing(home):
    run(WHO, where="asset")
    forget_in_records(SAYS)
    assert files_with(home, [WHO]) == []
    with dg.DagsterInstance.get() as instance:
        assert instance.get_latest_materialization_event(dg.AssetKey("told")) is None


def test_old_runs_of_this_warehouse_go_and_those_whose_tables_are_kept_stay(home):
    layout = WarehouseLayout(Path("/here"))
    old, kept, elsewhere = run("a"), run("b"), run("c", warehouse="/there")
    later = datetime.now(UTC) + timedelta(minutes=1)
    assert old_runs(layout, datetime.now(UTC) - timedelta(days=1), []) == []
    assert old_runs(layout, later, [kept[:8]]) == [old]
    assert size_of_run(old) > 0
    delete_runs([old])
    assert size_of_run(old) == 0
    assert files_with(home, [old]) == []
    with dg.DagsterInstance.get() as instance:
        assert {record.run_id for record in instance.get_runs()} == {kept, elsewhere}
