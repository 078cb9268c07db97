"""Each stage of a run leaves what it took, whatever becomes of the run."""

import shutil
import time
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from orchestration import costs
from orchestration.costs import Costs, Moment, measured
from orchestration.stores import ledger
from orchestration.stores.ledger import RunLedger, ledger_of

MIB = 2**20
on_linux = pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="only Linux tells of memory")


def rows(folder: Path) -> pl.DataFrame:
    return pl.concat(pl.read_parquet(file) for file in sorted(folder.glob("*.parquet")))


def burn(seconds: float) -> None:
    until = time.process_time() + seconds
    while time.process_time() < until:
        pass


def test_a_stage_that_burns_cpu_shows_it_and_one_that_waits_shows_that(tmp_path):
    account = RunLedger(tmp_path, "run")
    with account.stage("train", "user_taste"):
        burn(0.2)
    with account.stage("gather"):
        time.sleep(0.2)
    burnt, waited = rows(tmp_path).iter_rows(named=True)
    assert (burnt["run"], burnt["stage"], burnt["outcome"]) == ("run", "train user_taste", "finished")
    assert burnt["cpu_seconds"] >= 0.2
    assert waited["seconds"] >= 0.2 > 0.1 > waited["cpu_seconds"]


@on_linux
def test_the_peak_of_a_stage_is_its_own_and_not_that_of_an_earlier_one(tmp_path):
    account = RunLedger(tmp_path, "run")
    with account.stage("train"):
        held = np.ones(300 * MIB, dtype=np.uint8)
        time.sleep(0.25)
        del held
    with account.stage("gather"):
        pass
    large, small = rows(tmp_path)["peak_bytes"]
    assert large - small >= 250 * MIB


def test_a_stage_that_fails_is_there_with_those_before_it_and_its_error_goes_on(tmp_path):
    account = RunLedger(tmp_path, "run")
    with account.stage("landing"):
        pass
    with pytest.raises(ValueError, match="no"), account.stage("publish"):
        raise ValueError("no")
    assert rows(tmp_path).select("stage", "outcome").rows() == [
        ("landing", "finished"),
        ("publish", "failed"),
    ]


def test_what_has_not_ended_is_not_told_of(tmp_path):
    """So that a run which is killed leaves what it finished."""
    account = RunLedger(tmp_path, "run")
    with account.stage("landing"):
        pass
    with account.stage("publish"):
        assert rows(tmp_path)["stage"].to_list() == ["landing"]


def test_a_stage_of_several_steps_is_one_row_of_their_sums(tmp_path):
    once, twice = tmp_path / "once.parquet", tmp_path / "twice.parquet"
    for file, count in ((once, 3), (twice, 4)):
        pl.DataFrame({"n": range(count)}).write_parquet(file)
    account = RunLedger(tmp_path / "ledger", "run")
    for written in (10, 5):
        with account.stage("place", "user_taste"):
            costs.read_parquet(once)
            costs.wrote(rows=written)
    with account.stage("judge", "user_taste"):
        costs.read_parquet(once, twice)
    placed, judged = rows(tmp_path / "ledger").iter_rows(named=True)
    assert (placed["rows_in"], placed["rows_out"]) == (3, 15), "one file read again is read once"
    assert (judged["rows_in"], judged["rows_out"]) == (7, None)
    assert judged["bytes_in"] == once.stat().st_size + twice.stat().st_size


def test_work_that_began_before_its_stage_counts_from_its_beginning():
    taken, moment = Costs(), Moment.now()
    burn(0.1)
    with measured(taken):
        costs.began(moment)
    assert min(taken.seconds, taken.cpu_seconds) >= 0.1


def test_outside_a_stage_nothing_is_kept():
    before = Costs()
    with measured(before):
        pass
    after = Costs(**{name: value for name, value in vars(before).items() if name != "files"})
    costs.spent(5.0)
    costs.read(rows=5, size_bytes=5)
    costs.wrote(rows=5)
    assert before == after


def test_only_the_last_runs_are_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(ledger, "KEPT_RUNS", 3)
    for run in "abcde":
        with ledger_of(tmp_path, run).stage("landing"):
            pass
    assert rows(tmp_path)["run"].to_list() == ["c", "d", "e"]


def test_however_many_runs_there_were_two_files_tell_of_them(tmp_path):
    for run in "abcde":
        with ledger_of(tmp_path, run).stage("landing"):
            pass
    assert rows(tmp_path)["run"].to_list() == ["a", "b", "c", "d", "e"]
    assert len(list(tmp_path.glob("*.parquet"))) == 2


def test_a_run_that_was_killed_while_it_merged_leaves_no_stage_twice(tmp_path):
    with ledger_of(tmp_path, "a").stage("landing"):
        pass
    (file,) = tmp_path.glob("*.parquet")
    shutil.copy(file, tmp_path / f"{file.stem}-merged.parquet")
    with ledger_of(tmp_path, "b").stage("landing"):
        pass
    assert rows(tmp_path)["run"].to_list() == ["a", "b"]


def test_an_account_that_cannot_be_read_goes_and_stops_no_run(tmp_path):
    for run in "ab":
        with ledger_of(tmp_path, run).stage("landing"):
            pass
    _, last = sorted(tmp_path.glob("*.parquet"))
    last.write_bytes(last.read_bytes()[:50])
    with ledger_of(tmp_path, "c").stage("landing"):
        pass
    assert rows(tmp_path)["run"].to_list() == ["a", "c"]
