"""Whole runs with `MATINEE_ENGINE=spark`, as a person starts them: what they publish is what runs without Spark do."""

import os
import shutil
import signal
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from ..integration.nights import HEADER, add_ratings, write_small_world
from .published_sets import differences
from .whole_runs import Warehouse, write_world_of_views

ENGINES = ("duckdb", "spark")

pytestmark = pytest.mark.usefixtures("spark_works")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_small_world(tmp_path_factory.mktemp("world") / "raw")


@pytest.fixture(scope="module")
def warehouses(tmp_path_factory: pytest.TempPathFactory, world: Path) -> Mapping[str, Warehouse]:
    """By engine, a warehouse in which the small world was run once."""
    made = {engine: Warehouse(tmp_path_factory.mktemp(engine), engine, world) for engine in ENGINES}
    for warehouse in made.values():
        warehouse.night()
    return made


def test_the_small_world_is_published_alike(warehouses: Mapping[str, Warehouse]) -> None:
    one, other = (warehouses[engine].folder for engine in ENGINES)
    assert differences(one, other) == []


@pytest.mark.long
def test_a_run_that_is_killed_leaves_what_was_published_and_the_next_one_publishes_the_same_as_without_spark(
    warehouses: Mapping[str, Warehouse], world: Path
) -> None:
    on_spark = warehouses["spark"]
    before = (on_spark.folder / "published").resolve()
    add_ratings(world)
    started = on_spark.start()
    made = on_spark.folder / "spark" / "features.db" / "user_genre_stats"
    seen = made.stat().st_mtime
    while started.poll() is None and made.exists() and made.stat().st_mtime == seen:
        time.sleep(0.05)
    assert started.poll() is None, "it ended before it could be killed"
    os.killpg(started.pid, signal.SIGKILL)
    started.communicate()
    assert (on_spark.folder / "published").resolve() == before
    for warehouse in warehouses.values():
        warehouse.night()
    assert (on_spark.folder / "published").resolve() != before
    assert differences(*(warehouses[engine].folder for engine in ENGINES)) == []


@pytest.mark.long
def test_a_table_whose_files_another_program_removed_is_built_again(
    warehouses: Mapping[str, Warehouse], world: Path
) -> None:
    shutil.rmtree(warehouses["spark"].folder / "spark" / "intermediate.db" / "int_titles__with_genres")
    with (world / "ratings.csv").open("a") as file:
        file.write("u1,t1,3.5,1700000000\n")
    for warehouse in warehouses.values():
        warehouse.night()
    assert differences(*(warehouses[engine].folder for engine in ENGINES)) == []


@pytest.mark.long
def test_tables_of_ratings_grow_by_those_who_rated_but_one_whose_files_are_gone_is_built_anew(
    warehouses: Mapping[str, Warehouse],
) -> None:
    on_spark = warehouses["spark"]
    shutil.rmtree(on_spark.folder / "spark" / "intermediate.db" / "int_taste__shares")
    rows = [f"{user},t1,2,1700000000" for user in ("u0", "u1", "u2", "somebody new")]
    for warehouse in warehouses.values():
        incoming = warehouse.folder / "incoming" / "ratings"
        incoming.mkdir(parents=True, exist_ok=True)
        (incoming / "night.csv").write_text("\n".join([HEADER, *rows]) + "\n")
        warehouse.night()
    built = on_spark.folder / ".dbt" / "run" / "matinee" / "models"
    for table in (
        "intermediate.int_ratings__last",
        "features.user_genre_stats",
        "intermediate.int_taste__shares",
    ):
        text = (built / f"{table.replace('.', '/')}.sql").read_text()
        assert (f"FROM {table} AS old" in text) == ("taste" not in table), table
    assert on_spark.query("select count(*) from state.changing_of_int_ratings__last") == [(len(rows),)]
    assert on_spark.query("select view_name from duckdb_views() where ends_with(view_name, '__next')") == []
    assert differences(*(warehouses[engine].folder for engine in ENGINES)) == []


@pytest.mark.long
def test_who_goes_back_to_one_machine_publishes_the_same(warehouses: Mapping[str, Warehouse]) -> None:
    on_spark, on_duckdb = warehouses["spark"], warehouses["duckdb"]
    on_duckdb.night()
    code, said = on_spark.run(MATINEE_ENGINE="duckdb")
    assert code == 0, said
    assert differences(on_duckdb.folder, on_spark.folder) == []


@pytest.mark.long
def test_views_alone_in_any_script_are_published_alike_from_a_folder_of_any_name(tmp_path: Path) -> None:
    world = write_world_of_views(tmp_path / "raw")
    made = [Warehouse(tmp_path / f"{engine}'s möwe", engine, world) for engine in ENGINES]
    for warehouse in made:
        warehouse.night()
    assert differences(*(warehouse.folder for warehouse in made)) == []


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"JAVA_HOME": "/nowhere"}, "Java"),
        ({"MATINEE_SPARK_MASTER": "spark://127.0.0.1:1"}, "127.0.0.1:1"),
        ({"MATINEE_SPARK_MEMORY": "1k"}, "MATINEE_SPARK_MEMORY"),
    ],
    ids=["no Java", "no master", "no memory"],
)
def test_what_keeps_spark_from_working_is_said_before_anything_starts(
    tmp_path: Path, world: Path, settings: dict[str, str], words: str
) -> None:
    code, said = Warehouse(tmp_path, "spark", world).run(**settings)
    assert code == 2
    assert words in said
    assert "Traceback" not in said


@pytest.mark.long
@pytest.mark.parametrize("source", ["demo", "real_movies"])
def test_a_whole_world_is_published_alike(
    tmp_path: Path, source: str, request: pytest.FixtureRequest
) -> None:
    raw = source if source == "demo" else request.getfixturevalue(source)
    made = [Warehouse(tmp_path / engine, engine, raw) for engine in ENGINES]
    for warehouse in made:
        warehouse.night()
    assert differences(*(warehouse.folder for warehouse in made)) == []
