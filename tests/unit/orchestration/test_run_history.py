import dagster as dg
import polars as pl
import pytest

from orchestration.tools.run_history import SOURCE_TAG, WAREHOUSE_TAG, checks_of_run, last_runs
from orchestration.tools.shown import not_applicable


@dg.asset(
    check_specs=[
        dg.AssetCheckSpec(name, asset="thing") for name in ("is_round", "is_blue", "is_a_match_for_none")
    ]
)
def thing():
    yield dg.MaterializeResult(
        check_results=[
            dg.AssetCheckResult(check_name="is_round", passed=True),
            dg.AssetCheckResult(check_name="is_blue", passed=False, severity=dg.AssetCheckSeverity.WARN),
            not_applicable("is_a_match_for_none", "there is no other thing."),
        ]
    )


@dg.asset
def broken():
    msg = "no"
    raise ValueError(msg)


@pytest.fixture
def instance():
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


def run(instance, asset, warehouse="/w"):
    tags = {WAREHOUSE_TAG: warehouse, SOURCE_TAG: "demo"}
    return dg.materialize([asset], instance=instance, tags=tags, raise_on_error=False).dagster_run


def history(instance, dagster_run, tmp_path, checks=None):
    checks = checks if checks is not None else checks_of_run(instance, dagster_run.run_id)
    return last_runs(
        instance,
        dagster_run,
        warehouse="/w",
        source="the demo world",
        checks=checks,
        models={"b": "2", "a": "1"},
        published=tmp_path,
    )


def test_checks_that_failed_come_first_and_what_had_nothing_to_check_is_not_told_of_as_passed(instance):
    checks = checks_of_run(instance, run(instance, thing).run_id)
    assert checks.select("check_name", "outcome", "severity", "description").rows() == [
        ("is_blue", "failed", "warn", None),
        ("is_round", "passed", "error", None),
        ("is_a_match_for_none", "not_applicable", "error", "Not applicable: there is no other thing."),
    ]


def test_the_run_that_publishes_is_on_top_with_its_checks_and_models(instance, tmp_path):
    run(instance, broken)
    runs = history(instance, run(instance, thing), tmp_path)
    assert runs.select("status", "checks", "failed_checks", "not_applicable_checks", "models").rows() == [
        ("published", 3, 1, 1, "a 1, b 2"),
        ("failure", None, None, None, None),
    ]


def test_runs_on_another_warehouse_are_not_told_of(instance, tmp_path):
    run(instance, thing, warehouse="/other")
    assert len(history(instance, run(instance, thing), tmp_path)) == 1


def test_what_an_earlier_set_told_is_kept_when_dagster_forgot_it(instance, tmp_path):
    first = history(instance, run(instance, thing), tmp_path)
    first.write_parquet(tmp_path / "runs.parquet")
    with dg.DagsterInstance.ephemeral() as forgetful:
        runs = history(forgetful, run(forgetful, thing), tmp_path)
    assert runs["run_id"][1] == first["run_id"][0]
    assert runs["checks"].to_list() == [3, 3]


def test_what_an_older_set_told_is_kept_though_it_lacks_a_column(instance, tmp_path):
    first = history(instance, run(instance, thing), tmp_path)
    first.drop("not_applicable_checks").write_parquet(tmp_path / "runs.parquet")
    with dg.DagsterInstance.ephemeral() as forgetful:
        runs = history(forgetful, run(forgetful, thing), tmp_path)
    assert runs["run_id"][1] == first["run_id"][0]
    assert runs["not_applicable_checks"].to_list() == [1, None]


@pytest.mark.parametrize("half", [True, False])
def test_an_account_that_cannot_be_read_is_begun_anew(instance, tmp_path, half):
    account = tmp_path / "runs.parquet"
    pl.DataFrame({"other": [1]}).write_parquet(account)
    if half:
        account.write_bytes(account.read_bytes()[:50])
    assert len(history(instance, run(instance, thing), tmp_path)) == 1


def test_twenty_runs_are_told_of_at_most(instance, tmp_path):
    for _ in range(22):
        last = run(instance, thing)
    assert len(history(instance, last, tmp_path)) == 20
