"""A night that is killed at any moment leaves readers one whole set, and the next night makes up for it."""

import json
import os
import random
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import duckdb
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from published.finding import current_set
from tests.conftest import PROJECT_ROOT
from tests.integration.nights import Nights, add_ratings, started_nights, write_small_world

pytestmark = pytest.mark.long

MOMENTS = 50
OF_A_NIGHT = 5
"""Moments of one night at which it is looked at; of one of them, the next night begins."""
OF_RUNS = {"run_ledger", "runs"}
"""Tables that tell which runs there were; a night that was killed is one."""
TIMES = {"landed_at", "entered_at", "left_at", "decided_at"}

Tables = dict[str, pl.DataFrame]


def tables_of(warehouse: Path) -> Tables:
    """Read all that is published, as a reader does, without the times of a night."""
    data = current_set(warehouse)
    assert not data.damaged
    return {
        table: data.ask(f"select * from {table}").drop(TIMES, strict=False)
        for table in data.columns
        if table not in OF_RUNS
    }


def assert_same(found: Tables, expected: Tables) -> None:
    assert sorted(found) == sorted(expected)
    for name, table in expected.items():
        try:
            assert_frame_equal(found[name], table, check_row_order=False, rel_tol=1e-9)
        except AssertionError as error:
            raise AssertionError(f"{name}: {error}") from None


@dataclass(frozen=True)
class Undisturbed:
    """Two nights and a third one on which nothing was new, none of them disturbed."""

    nights: Nights
    world: Path
    first: Path
    seconds: float
    sets: tuple[Tables, Tables, Tables]

    @property
    def warehouse(self) -> Path:
        return self.nights.warehouse

    @cached_property
    def first_set(self) -> Path:
        return (self.first / "warehouse" / "published").readlink()

    def has_published(self, kept: Path) -> bool:
        return (kept / "warehouse" / "published").readlink() != self.first_set

    def restart(self) -> None:
        self.nights.put_back(self.first)

    def assert_made_up_for(self, *, had_published: bool) -> None:
        """Hold that what is published now is what undisturbed nights publish, that it is in force, and all is tidy."""
        assert_same(tables_of(self.warehouse), self.sets[2 if had_published else 1])
        landing = self.warehouse / "landing"
        assert landing.joinpath("current").resolve() == landing.joinpath("candidate").resolve()
        for folder in (self.warehouse / "models").iterdir():
            pointers = [json.loads((folder / f"{name}.json").read_text()) for name in ("candidate", "current")
                        if (folder / f"{name}.json").exists()]  # fmt: skip
            assert len(pointers) == 1 or pointers[0] == pointers[1], folder
        left_over = [path for path in self.warehouse.rglob(".*") if path.name.startswith((".2", ".published."))]
        assert not left_over
        assert not list((landing / ".tmp").iterdir())


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Undisturbed]:
    base = tmp_path_factory.mktemp("nights")
    world = write_small_world(base / "world")
    with started_nights(base / "root", PROJECT_ROOT / ".dagster" / "dagster.yaml") as nights:
        nights.whole("--source", world)
        first = nights.keep(base / "first")
        sets = [tables_of(nights.warehouse)]
        add_ratings(world)
        began = time.monotonic()
        nights.whole("--source", world)
        seconds = time.monotonic() - began
        sets.append(tables_of(nights.warehouse))
        nights.whole("--source", world)
        sets.append(tables_of(nights.warehouse))
        yield Undisturbed(nights, world, first, seconds, tuple(sets))


def assert_readable(undisturbed: Undisturbed, kept: Path) -> None:
    """Hold that readers of a night that stopped here see one set, old or new, and models and pictures that are whole."""
    warehouse = kept / "warehouse"
    seen = tables_of(warehouse)
    if undisturbed.has_published(kept):
        with_changes = len(seen["segment_migration"]) == len(undisturbed.sets[1]["segment_migration"])
        assert_same(seen, undisturbed.sets[1 if with_changes else 2])
    else:
        assert_same(seen, undisturbed.sets[0])
    for pointer in warehouse.glob("models/*/current.json"):
        version = json.loads(pointer.read_text())["version"]
        assert any((pointer.parent / version).iterdir())
    for picture in warehouse.glob("plots/*"):
        assert any(picture.resolve().iterdir()), picture
    assert "</html>" in (warehouse / "report" / "index.html").read_text()
    with duckdb.connect(str(warehouse / "matinee.duckdb")) as database:
        assert database.execute("select count(*) from landing.ids").fetchall()


def test_a_night_that_stops_at_any_moment_leaves_one_whole_set_and_the_next_one_makes_up_for_it(
    undisturbed: Undisturbed, tmp_path: Path
) -> None:
    """Frozen, a night leaves on the disk what SIGKILL would leave; the next night begins at one of these moments."""
    rng = random.Random(0)
    undisturbed.restart()
    seen, goes_on_at, had_published = 0, 0, False
    while seen < MOMENTS:
        began = time.monotonic()
        night = undisturbed.nights.begin("--source", undisturbed.world)
        stopped: list[Path] = []
        frozen_seconds = 0.0
        for place in range(OF_A_NIGHT):
            moment = undisturbed.seconds * (place + rng.random()) / OF_A_NIGHT
            while time.monotonic() - began - frozen_seconds < moment and not night.is_over:
                time.sleep(0.01)
            if night.is_over:
                break
            with night.frozen():
                freezing = time.monotonic()
                stopped.append(undisturbed.nights.keep(tmp_path / f"{seen}"))
                frozen_seconds += time.monotonic() - freezing
            seen += 1
        assert undisturbed.nights.ended(night) == 0, night.said.read_text()
        undisturbed.assert_made_up_for(had_published=had_published)
        for kept in stopped:
            assert_readable(undisturbed, kept)
        if had_published:
            undisturbed.restart()
            had_published = False
        else:
            start = stopped[min(goes_on_at % OF_A_NIGHT, len(stopped) - 1)]
            goes_on_at += 1
            undisturbed.nights.put_back(start)
            had_published = undisturbed.has_published(start)


def test_a_night_whose_worker_is_killed_fails_in_words_and_one_that_is_killed_takes_its_workers_along(
    undisturbed: Undisturbed,
) -> None:
    undisturbed.restart()
    night = undisturbed.nights.begin("--source", undisturbed.world)
    night.wait_until("✓ dbt_build_before_ml")
    for worker in night.processes[1:]:
        os.kill(worker, signal.SIGKILL)
    assert undisturbed.nights.ended(night) == 1
    said = night.said.read_text()
    assert "error: the worker process ended in the middle of a task" in said
    assert "Traceback" not in said
    assert_readable(undisturbed, undisturbed.nights.root)

    night = undisturbed.nights.begin("--source", undisturbed.world)
    night.wait_until("✓ dbt_build_before_ml")
    workers = night.processes[1:]
    assert workers
    os.kill(night.pid, signal.SIGKILL)
    assert undisturbed.nights.ended(night) == -signal.SIGKILL
    for _ in range(500):
        if not any(Path(f"/proc/{worker}").exists() for worker in workers):
            break
        time.sleep(0.02)
    else:
        pytest.fail("a worker outlived its run")

    undisturbed.nights.whole("--source", undisturbed.world)
    undisturbed.assert_made_up_for(had_published=False)


SWITCHES = [
    ("orchestration.assets.publish:switch_symlink", 1),
    ("orchestration.stores.versions:VersionedStore.promote_candidate", 2),
]


@pytest.mark.parametrize(("function", "call"), SWITCHES, ids=lambda value: str(value).rpartition(":")[2])
def test_a_night_that_is_killed_while_it_switches_is_switched_wholly_by_the_next(
    undisturbed: Undisturbed, function: str, call: int
) -> None:
    undisturbed.restart()
    night = undisturbed.nights.begin("--source", undisturbed.world, dies_at=(function, call))
    assert undisturbed.nights.ended(night) == -signal.SIGKILL
    had_published = undisturbed.has_published(undisturbed.nights.root)
    assert had_published == (function != SWITCHES[0][0])
    assert_readable(undisturbed, undisturbed.nights.root)
    undisturbed.nights.whole("--source", undisturbed.world)
    undisturbed.assert_made_up_for(had_published=had_published)
