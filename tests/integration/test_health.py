"""Who watches a warehouse sees what became of its runs; who is told of alarms hears of a run of the command line."""

import json
import shutil
from pathlib import Path

import pytest

from orchestration.stores.layout import WarehouseLayout
from orchestration.stores.lock import lock_warehouse
from tests.integration.conftest import Matinee
from tests.unit.orchestration.receivers import webhook


@pytest.fixture
def warehouse(demo_warehouse: Path, tmp_path: Path) -> Path:
    """A warehouse of its own with published results."""
    return shutil.copytree(demo_warehouse, tmp_path / "warehouse", symlinks=True)


def test_after_a_good_run_all_is_well(matinee: Matinee, demo_warehouse: Path):
    answer = matinee("status", "--json", warehouse=demo_warehouse)
    facts = json.loads(answer.out)
    assert answer.exit_code == 0
    assert facts["last_good_run"]["outcome"] == "published"
    assert facts["last_good_run"]["seconds"] > 0
    assert not any("drift" in said or "rows do not drop" in said for said in facts["warnings"])


def test_a_failed_run_is_told_once_and_shown_until_a_good_one(
    matinee: Matinee, warehouse: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "source").mkdir()
    header = "customer_id,minutes_watched,CLV,region,channel\n"
    (tmp_path / "source" / "customers.csv").write_text(header)
    with webhook([403]) as received:
        monkeypatch.setenv("MATINEE_ALERT_WEBHOOK", f"http://127.0.0.1:{received.port}/secret-token")
        answer = matinee("run", "--source", tmp_path / "source", warehouse=warehouse)
    assert answer.exit_code == 1
    (message,) = received.messages
    (problem,) = message["problems"]
    assert problem.startswith("customers.csv: the file has a header but no lines below it.")
    assert message["event"] == "run_failed"
    assert "MATINEE_ALERT_WEBHOOK was not told: it answered 403." in answer.error
    assert "secret" not in answer.said
    shown = matinee("status", warehouse=warehouse)
    assert shown.exit_code == 1
    assert f"refresh: {problem}" in shown.out


def test_a_run_that_could_not_begin_is_told_of(
    matinee: Matinee, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    with webhook() as received, lock_warehouse(WarehouseLayout(tmp_path), "another run"):
        monkeypatch.setenv("MATINEE_ALERT_WEBHOOK", f"http://127.0.0.1:{received.port}/")
        answer = matinee("run", warehouse=tmp_path)
    assert answer.exit_code == 1
    (message,) = received.messages
    assert message["event"] == "run_refused"
    assert "a run is already writing" in message["text"]
