"""Why a run failed, in words for people."""

import dagster as dg
import pytest
from dagster._core.errors import DagsterExecutionInterruptedError

from orchestration.tools.run_ends import problems_of_run


def test_a_run_that_somebody_stopped_says_so_and_not_by_what_dagster_was_stopped() -> None:
    @dg.asset
    def made() -> None:
        raise DagsterExecutionInterruptedError

    with dg.DagsterInstance.ephemeral() as instance:
        with pytest.raises(DagsterExecutionInterruptedError):
            dg.materialize([made], instance=instance)
        (run,) = instance.get_runs()
        assert problems_of_run(instance, run.run_id) == ["it was stopped"]
