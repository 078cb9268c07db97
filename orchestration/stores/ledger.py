"""What each stage of each run took: `ledger/<when>-<run>.parquet`, a file of the run and one of the runs before it.

Belongs here: the list of stages, writing these files. Does not belong here: measuring (`orchestration.costs`), what the
columns mean and must hold; that contract stands once, in dbt's source `ledger` and the mart `run_ledger`.

A file is written anew whenever a stage has ended, so a run that is killed leaves the stages it finished.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Literal

import polars as pl

from orchestration.costs import Costs, measured
from orchestration.stores.layout import write_atomically
from orchestration.stores.versions import parquet_bytes

Stage = Literal[
    "landing", "dbt before ML", "train", "judge", "place", "list", "draw", "prove", "gather", "dbt after ML", "publish",
    "export", "report",
]  # fmt: skip
"""All stages in their order. `train`, `judge`, `place`, `list`, `draw` and `export` are followed by what is trained, …:
`train user_ratings`."""
KEPT_RUNS = 400
_SCHEMA: dict[str, pl.DataType] = {
    "run": pl.String(),
    "stage": pl.String(),
    "started_at": pl.Datetime("us"),
    "outcome": pl.String(),
    "seconds": pl.Float64(),
    "cpu_seconds": pl.Float64(),
    "peak_bytes": pl.Int64(),
    "rows_in": pl.Int64(),
    "rows_out": pl.Int64(),
    "bytes_in": pl.Int64(),
    "bytes_out": pl.Int64(),
}


class RunLedger:
    """The account of one run, begun when its first stage is.

    Parameters
    ----------
    folder
        Of all accounts; the earlier ones become one file, of at most `KEPT_RUNS` with this one.
    run
        Id of the run.
    """

    def __init__(self, folder: Path, run: str) -> None:
        self._run = run
        self._file = folder / f"{_now():%Y%m%dT%H%M%S%f}-{run[:8]}.parquet"
        self._costs: dict[str, Costs] = {}
        self._facts: dict[str, dict[str, Any]] = {}
        _merge(sorted(folder.glob("*.parquet")))

    @contextmanager
    def stage(self, stage: Stage, of: str | None = None) -> Iterator[None]:
        """Measure the `with` block as a stage or, where the stage was entered before, as more of it."""
        name = f"{stage} {of}" if of else stage
        costs = self._costs.setdefault(name, Costs())
        facts = self._facts.setdefault(name, {"run": self._run, "stage": name, "outcome": "finished"})
        try:
            with measured(costs):
                yield
        except BaseException:
            facts["outcome"] = "failed"
            raise
        finally:
            # Of the first time: work may have begun before it was measured.
            facts.setdefault("started_at", _now() - timedelta(seconds=costs.seconds))
            self._write()

    def _write(self) -> None:
        ended = {name: facts for name, facts in self._facts.items() if "started_at" in facts}
        rows = [facts | vars(self._costs[name]) for name, facts in ended.items()]
        write_atomically(self._file, parquet_bytes(pl.DataFrame(rows, schema=_SCHEMA)))


def _merge(files: Sequence[Path]) -> None:
    """Make one file of the accounts of earlier runs, so that to read them costs the same however many there are."""
    accounts = [account for file in files if (account := _read(file)) is not None]
    if len(files) < 2 or not accounts:
        return
    # A process that was killed while it merged left some twice.
    stages = pl.concat(accounts).unique(["run", "stage"], maintain_order=True)
    kept = stages["run"].unique(maintain_order=True).tail(KEPT_RUNS - 1)
    write_atomically(files[-1], parquet_bytes(stages.filter(pl.col("run").is_in(kept.implode()))))
    for merged in files[:-1]:
        merged.unlink(missing_ok=True)


def _read(file: Path) -> pl.DataFrame | None:
    """Return an account; None of one that a power cut left in pieces, which must stop no run, and goes."""
    try:
        return pl.read_parquet(file)
    except pl.exceptions.PolarsError:
        file.unlink()
        return None


@cache
def ledger_of(folder: Path, run: str) -> RunLedger:
    """Return the account of a run, the same one at each step of it."""
    return RunLedger(folder, run)


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)
