"""Whatever befalls a night leaves readers one whole set, and the next night makes up for it."""

import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import duckdb
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from published.finding import current_set
from published.sets import PublishedSet, open_set
from tests.conftest import PROJECT_ROOT
from tests.integration.nights import Nights, add_ratings, fill, make_room, started_nights, write_small_world

pytestmark = pytest.mark.long

STAGES = {
    "landing": ("Matinee: source", 6),
    "dbt before ML": ("✓ land_raw_files", 12),
    "ML": ("✓ dbt_build_before_ml", 10),
    "dbt after ML": ("✓ gather_ml_tables", 10),
    "publish": ("✓ dbt_build_after_ml", 6),
    "report": ("✓ published/tables", 6),
}
"""By stage of a night: what it has said by then, and how many nights are killed in it; 50 in all."""
KILLED_AGAIN = 0.4
"""How often the night after one that was killed is killed, too."""
OF_RUNS = {"run_ledger", "runs"}
"""Tables that tell which runs there were; a night that was killed is one."""
TIMES = {"landed_at", "entered_at", "left_at", "decided_at", "happened_at"}

Tables = dict[str, pl.DataFrame]


def tables_of(warehouse: Path) -> Tables:
    """Read all that is published, as a reader does, without the times of a night."""
    return tables_in(current_set(warehouse))


def tables_in(data: PublishedSet) -> Tables:
    """Read all tables of a set, without the times of a night."""
    assert not data.damaged
    return {
        table: data.ask(f"select * from {table}").drop(TIMES, strict=False)
        for table in data.columns
        if table not in OF_RUNS
    }


def stage_of(said: str) -> str:
    """Return the stage that a night which said this is in."""
    return [stage for stage, (began_with, _) in STAGES.items() if began_with in said][-1]


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
    seconds: dict[str, float]
    """How long each stage of the second night took."""
    sets: tuple[Tables, Tables, Tables]
    held: Tables
    """What a reader sees after the third night who opened the set of the first one before the second."""

    @property
    def warehouse(self) -> Path:
        return self.nights.warehouse

    @cached_property
    def first_set(self) -> Path:
        return (self.first / "warehouse" / "published").readlink()

    @cached_property
    def refreshed(self) -> Tables:
        """What a second night publishes that makes all anew."""
        self.restart()
        self.nights.whole("--source", self.world, "--full-refresh")
        return tables_of(self.warehouse)

    @property
    def shows_the_second(self) -> bool:
        """Whether readers see the set of the second night."""
        return (self.warehouse / "published").readlink() != self.first_set

    @property
    def has_published(self) -> bool:
        """Whether the second night is over but for its report, once the next one has put all of it in force."""
        begun = self.warehouse / ".switching.json"
        if (
            begun.exists()
            and (begun.parent / "published.d" / json.loads(begun.read_text())["published"]).exists()
        ):
            return True
        return self.shows_the_second

    def restart(self) -> None:
        self.nights.put_back(self.first)

    def assert_made_up_for(
        self, *, had_published: bool, could_compare: bool = True, by: Tables | None = None
    ) -> None:
        """Hold that what is published now is what undisturbed nights publish, that it is in force, and all is tidy.

        Where the night could not compare with the one before, some checks say so in place of their figures.
        """
        now, expected = tables_of(self.warehouse), by or self.sets[2 if had_published else 1]
        if not could_compare:
            now, expected = (
                {**tables, "checks": tables["checks"].select("layer", "table_name", "check_name").unique()}
                for tables in (now, expected)
            )
        assert_same(now, expected)
        landing = self.warehouse / "landing"
        assert landing.joinpath("current").resolve() == landing.joinpath("candidate").resolve()
        for folder in (self.warehouse / "models").iterdir():
            pointers = [json.loads((folder / f"{name}.json").read_text()) for name in ("candidate", "current")
                        if (folder / f"{name}.json").exists()]  # fmt: skip
            assert len(pointers) == 1 or pointers[0] == pointers[1], folder
        left_over = [
            path for path in self.warehouse.rglob(".*") if path.name.startswith((".2", ".published."))
        ]
        assert not left_over
        assert not (self.warehouse / ".switching.json").exists()
        assert not list((landing / ".tmp").iterdir())


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Undisturbed]:
    base = tmp_path_factory.mktemp("nights")
    world = write_small_world(base / "world")
    with started_nights(base / "root", PROJECT_ROOT / ".dagster" / "dagster.yaml") as nights:
        nights.whole("--source", world)
        first = nights.keep(base / "first")
        sets = [tables_of(nights.warehouse)]
        reader = open_set((nights.warehouse / "published").resolve())
        add_ratings(world)
        night = nights.begin("--source", world)
        began = []
        for began_with, _ in STAGES.values():
            night.wait_until(began_with)
            began.append(time.monotonic())
        assert nights.ended(night) == 0, night.said.read_text()
        began.append(time.monotonic())
        seconds = {stage: end - start for stage, start, end in zip(STAGES, began, began[1:], strict=False)}
        sets.append(tables_of(nights.warehouse))
        nights.whole("--source", world)
        sets.append(tables_of(nights.warehouse))
        yield Undisturbed(nights, world, first, seconds, tuple(sets), tables_in(reader))


def assert_readable(undisturbed: Undisturbed) -> None:
    """Hold that readers of what a killed night left see one set, old or new, and whole models and pictures."""
    warehouse = undisturbed.warehouse
    seen = tables_of(warehouse)
    if undisturbed.shows_the_second:
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
    # Read only: what the night wrote last, the next one is to find as it is.
    with duckdb.connect(str(warehouse / "matinee.duckdb"), read_only=True) as database:
        assert database.execute("select count(*) from landing.ids").fetchall()


def kill_at_a_moment(undisturbed: Undisturbed, stage: str, share: float) -> bool:
    """Kill a night after this share of the time that a stage takes, and return whether that hit it there."""
    night = undisturbed.nights.begin("--source", undisturbed.world)
    night.wait_until(STAGES[stage][0])
    time.sleep(undisturbed.seconds[stage] * share)
    night.kill()
    ended = undisturbed.nights.ended(night)
    return ended == -signal.SIGKILL and stage_of(night.said.read_text()) == stage


@pytest.mark.parametrize("stage", STAGES)
def test_a_night_that_is_killed_at_any_moment_leaves_one_whole_set_and_the_next_one_makes_up_for_it(
    undisturbed: Undisturbed, stage: str
) -> None:
    rng = random.Random(stage)
    hits, misses = 0, 0
    while hits < STAGES[stage][1]:
        undisturbed.restart()
        had_published = False
        while not had_published:
            hit = kill_at_a_moment(undisturbed, stage, rng.random())
            hits, misses = hits + hit, misses + (not hit)
            # On a busy machine a stage is over when it should have been met.
            assert misses <= 3 * STAGES[stage][1], f"{hits} nights were killed in this stage"
            assert_readable(undisturbed)
            had_published = undisturbed.has_published
            if rng.random() > KILLED_AGAIN:
                break
        undisturbed.nights.whole("--source", undisturbed.world)
        undisturbed.assert_made_up_for(had_published=had_published)


def test_a_night_whose_worker_is_killed_is_right_or_fails_in_words_and_one_that_is_killed_takes_its_workers_along(
    undisturbed: Undisturbed,
) -> None:
    undisturbed.restart()
    night = undisturbed.nights.begin("--source", undisturbed.world)
    night.wait_until("✓ dbt_build_before_ml")
    for worker in night.processes[1:]:
        os.kill(worker, signal.SIGKILL)
    code, said = undisturbed.nights.ended(night), night.said.read_text()
    assert "Traceback" not in said
    if code:  # else they had nothing to do, and others took their place
        assert "error: the worker process ended in the middle of a task" in said
        assert_same(tables_of(undisturbed.warehouse), undisturbed.sets[0])
    else:
        undisturbed.assert_made_up_for(had_published=False)
    undisturbed.restart()

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


SWITCHES = {
    "orchestration.tasks.switching:switch_symlink": 1,
    "orchestration.stores.versions:VersionedStore.promote_candidate": 2,
}


@pytest.mark.parametrize("function", SWITCHES, ids=lambda function: function.rpartition(":")[2])
def test_a_night_that_is_killed_while_it_switches_is_switched_wholly_by_the_next(
    undisturbed: Undisturbed, function: str
) -> None:
    undisturbed.restart()
    night = undisturbed.nights.begin(
        "--source", undisturbed.world, at=(function, SWITCHES[function], "killed")
    )
    assert undisturbed.nights.ended(night) == -signal.SIGKILL
    assert_readable(undisturbed)
    assert undisturbed.has_published
    undisturbed.nights.whole("--source", undisturbed.world)
    undisturbed.assert_made_up_for(had_published=True)


def test_a_reader_who_opened_a_set_reads_it_while_two_more_are_published(undisturbed: Undisturbed) -> None:
    assert_same(undisturbed.held, undisturbed.sets[0])


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[None]:
    """Give an empty folder a small disk of its own."""
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "none", folder],
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {mounted.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", folder], check=True)


@pytest.fixture
def small_warehouse(undisturbed: Undisturbed) -> Iterator[Path]:
    """The warehouse after the first night, on a disk of its own."""
    undisturbed.restart()
    warehouse = undisturbed.warehouse
    shutil.rmtree(warehouse)
    warehouse.mkdir()
    with small_disk(warehouse, "64m"):
        shutil.copytree(undisturbed.first / "warehouse", warehouse, symlinks=True, dirs_exist_ok=True)
        yield warehouse


def test_a_full_disk_fails_a_night_in_words_and_with_room_the_next_one_is_right(
    undisturbed: Undisturbed, small_warehouse: Path
) -> None:
    nights = undisturbed.nights
    for function in (
        None,
        "orchestration.tasks.landing:landing.land",
        "orchestration.tools.dbt:run_build",
        "orchestration.assets.publish:copy_marts",
    ):
        if function is None:
            fill(small_warehouse)
        at = (function, 1, "disk full") if function else None
        night = nights.begin("--source", undisturbed.world, at=at)
        assert nights.ended(night) == 1, (function, night.said.read_text())
        said = night.said.read_text()
        assert re.search("No space left|room on its disk|disk is full", said), (function, said)
        assert "Traceback" not in said, (function, said)
        make_room(small_warehouse)
        assert_same(tables_of(small_warehouse), undisturbed.sets[0])
    nights.whole("--source", undisturbed.world)
    undisturbed.assert_made_up_for(had_published=False)


@pytest.mark.parametrize("build", [1, 2], ids=["before ML", "after ML"])
def test_a_night_that_finds_no_room_to_spill_fails_in_words_and_with_room_the_next_one_is_right(
    undisturbed: Undisturbed, build: int
) -> None:
    spill, anew = undisturbed.warehouse / ".tmp", ("--source", undisturbed.world, "--full-refresh")
    expected = undisturbed.refreshed  # what a night that failed had trained anew the next one keeps
    undisturbed.restart()
    spill.mkdir(exist_ok=True)
    with small_disk(spill, "64k"):
        night = undisturbed.nights.begin(
            *anew, at=("orchestration.tools.dbt:run_build", build, "little memory")
        )
        assert undisturbed.nights.ended(night) == 1, night.said.read_text()
    said = night.said.read_text()
    assert re.search("No space left|offload", said), said  # memory alone was not what it lacked
    assert "Traceback" not in said
    assert_same(tables_of(undisturbed.warehouse), undisturbed.sets[0])
    undisturbed.nights.whole(*anew)
    undisturbed.assert_made_up_for(had_published=False, by=expected)


def dbt_by_hand(undisturbed: Undisturbed) -> subprocess.CompletedProcess[str]:
    beside = undisturbed.nights.root / "dbt"
    command = [Path(sys.executable).with_name("dbt"), "build", "--exclude-resource-type", "unit_test"]
    return subprocess.run(
        [*command, "--target-path", beside, "--log-path", beside],
        cwd=PROJECT_ROOT / "dbt_project",
        env=os.environ | {"MATINEE_WAREHOUSE": str(undisturbed.warehouse)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_dbt_by_hand_is_refused_while_a_run_builds_and_what_it_builds_afterwards_harms_nothing(
    undisturbed: Undisturbed,
) -> None:
    undisturbed.restart()
    night = undisturbed.nights.begin("--source", undisturbed.world)
    night.wait_until("✓ land_raw_files")
    time.sleep(undisturbed.seconds["dbt before ML"] / 3)
    with night.frozen():
        refused = dbt_by_hand(undisturbed)
    assert refused.returncode
    assert f"(PID {night.pid})" in refused.stdout
    assert undisturbed.nights.ended(night) == 0, night.said.read_text()
    undisturbed.assert_made_up_for(had_published=False)

    built = dbt_by_hand(undisturbed)
    assert built.returncode == 0, built.stdout
    undisturbed.nights.whole("--source", undisturbed.world)
    undisturbed.assert_made_up_for(had_published=True)


def test_what_dbt_builds_by_hand_while_a_run_trains_harms_nothing(undisturbed: Undisturbed) -> None:
    undisturbed.restart()
    night = undisturbed.nights.begin("--source", undisturbed.world)
    night.wait_until("✓ dbt_build_before_ml")
    with night.frozen():
        built = dbt_by_hand(undisturbed)
        assert "gather_ml_tables" not in night.said.read_text()
    # Whoever is new has features and no segment yet, which its tests tell it.
    assert "Finished running" in built.stdout, built.stdout
    assert undisturbed.nights.ended(night) == 0, night.said.read_text()
    undisturbed.assert_made_up_for(had_published=False)


def harmed(content: bytes, how: str) -> bytes:
    """Cut a file off, or flip bytes in its midst."""
    middle = len(content) // 2
    if how == "cut off":
        return content[:middle]
    return (
        content[:middle]
        + bytes(byte ^ 0xFF for byte in content[middle : middle + 64])
        + content[middle + 64 :]
    )


@pytest.mark.parametrize("how", ["cut off", "flipped"])
def test_what_can_be_made_again_is_made_again_where_it_is_damaged(undisturbed: Undisturbed, how: str) -> None:
    undisturbed.restart()
    warehouse = undisturbed.warehouse
    patterns = (
        *(
            "landing/files/titles-*.parquet",
            "published/*.parquet",
            "published/*.json",
            "ledger/*.parquet",
            ".runs.json",
        ),
        *("report/index.html", "report/run.json"),
        # Not the models: a night that cannot read those in force trains and names anew (`test_gate`).
        ".run.json",
    )
    files = {file for pattern in patterns for file in warehouse.glob(pattern) if file.stat().st_size > 200}
    for file in files:
        if file.name != "schema.json":
            file.write_bytes(harmed(file.read_bytes(), how))
    said = undisturbed.nights.whole("--source", undisturbed.world)
    assert "Traceback" not in said
    undisturbed.assert_made_up_for(had_published=False, could_compare=False)


def test_a_damaged_database_is_refused_in_words_and_made_anew_once_it_is_removed(
    undisturbed: Undisturbed,
) -> None:
    undisturbed.restart()
    database = undisturbed.warehouse / "matinee.duckdb"
    content = bytearray(database.read_bytes())
    for place in range(12_288 + 100, len(content), 50_000):
        content[place] ^= 0xFF
    database.write_bytes(content)
    night = undisturbed.nights.begin("--source", undisturbed.world)
    assert undisturbed.nights.ended(night) == 1
    said = " ".join(night.said.read_text().split())
    assert "Traceback" not in said
    assert "matinee.duckdb" in said
    assert "Remove it" in said, said
    assert_same(tables_of(undisturbed.warehouse), undisturbed.sets[0])
    database.unlink()
    undisturbed.nights.whole("--source", undisturbed.world)
    undisturbed.assert_made_up_for(had_published=False)
