"""Nodes that would give again what they gave stay as they are; whatever may have changed is built."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestration.tools import dbt, dbt_kept
from orchestration.tools.warehouse import WarehouseResource

from .conftest import CUSTOMERS, LINKS, RATINGS, TITLES, land_made_up_rows, without_collector

OF_RATINGS = {"stg_movies__ratings", "int_ratings__last"}
OF_CUSTOMERS = {"stg_customers__customers", "customer_features"}
OF_CATALOGUES = {"stg_catalogue__titles", "int_titles__described"}
CATALOGUE = ["('1', 'Fjord', 'Movie', date '2023-01-01')", "('2', 'Gorse', 'Movie', date '2025-01-01')"]
"""The second is of a year after the file came, and before the ratings did."""
WARNS = {"a_customer_stands_on_one_line_of_the_file"}
"""One of the made-up customers stands on two."""


class World:
    """A warehouse in which ratings, links, titles and customers have landed."""

    def __init__(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch, first: frozenset[str] = frozenset()
    ) -> None:
        monkeypatch.setenv("MATINEE_WAREHOUSE", str(folder))
        monkeypatch.setenv("MATINEE_SQL_HASH", "")  # a build sets it; afterwards it is as it was
        self.first = first
        self.warehouse = WarehouseResource(path=str(folder))
        self.nodes = dbt.project().nodes

    def land(self, key: str, ratings: list[str] = RATINGS) -> None:
        """Land other ratings, from a file of this key."""
        new = self.warehouse.layout.root / "new"
        tables = {"ratings": ratings, "links": LINKS, "titles": TITLES, "customers": CUSTOMERS}
        tables["catalogue"] = CATALOGUE
        land_made_up_rows(new, tables)
        candidate = self.warehouse.layout.landing / "candidate"
        if not candidate.exists():
            shutil.copytree(new / "landing", candidate.parent)
        for table in ("ratings", "manifest"):
            for file in (candidate / table).iterdir():
                file.unlink()
            (new / "landing" / "candidate" / table / "made_up.parquet").rename(
                candidate / table / f"00000-{key}.parquet"
            )
        shutil.rmtree(new)

    def build(self, *, is_whole: bool = True, full_refresh: bool = False) -> set[str]:
        """Build some models with all that they are made of and all tests; return what was built."""
        wanted = set[str]()
        waiting = [f"model.matinee.{name}" for name in (*OF_RATINGS, *OF_CUSTOMERS, *OF_CATALOGUES)]
        while waiting:
            wanted.add(unique_id := waiting.pop())
            waiting += [one for one in self.nodes[unique_id].depends_on_nodes if one in self.nodes]
        wanted |= {
            unique_id
            for unique_id, node in self.nodes.items()
            if node.resource_type == "test" and set(node.depends_on_nodes) <= wanted
        }
        with without_collector():
            built, kept = dbt_kept.build(self.warehouse, wanted, is_whole=is_whole, full_refresh=full_refresh)
        assert not dbt.failures(built)
        ids = {result.node.unique_id for result in built if result.node.resource_type != "operation"}
        assert ids | {one.node.unique_id for one in kept} == wanted
        assert not ids & {one.node.unique_id for one in kept}
        return {self.nodes[unique_id].name for unique_id in ids}

    def run(self, statement: str) -> list[tuple[object, ...]]:
        with self.warehouse.connect(read_only=False) as connection:
            return connection.execute(statement).fetchall()


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, frozenset[str]]:
    """A warehouse after its first build, and what that built."""
    folder = tmp_path_factory.mktemp("first")
    with pytest.MonkeyPatch.context() as patched:
        world = World(folder, patched)
        world.land("first")
        return folder, frozenset(world.build())


@pytest.fixture
def world(
    first: tuple[Path, frozenset[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[World]:
    folder = shutil.copytree(first[0], tmp_path / "warehouse")
    yield World(folder, monkeypatch, first[1])
    dbt.free_database()


def test_what_is_made_of_the_same_files_by_the_same_text_stays_and_what_warned_is_asked_again(world: World):
    assert world.first >= OF_RATINGS | OF_CUSTOMERS | WARNS
    assert any(name.startswith(("unique", "is_unique")) for name in world.first)
    assert world.build() == WARNS


def test_other_files_of_a_table_build_what_is_made_of_it_and_nothing_else(world: World):
    world.land("second", RATINGS[:3])
    built = world.build()
    assert built >= OF_RATINGS
    assert not built & (OF_CUSTOMERS | OF_CATALOGUES | {"stg_movies__titles"})
    assert world.run("select count(*) from intermediate.int_ratings__last") == [(2,)]


def test_a_title_of_a_day_after_its_own_file_came_is_told_of_whenever_others_came(world: World):
    asked = "select catalogue_id from staging.stg_catalogue__titles where is_release_date_impossible"
    assert world.run(asked) == [("2",)]


def test_a_file_that_was_written_again_under_its_name_is_another(world: World):
    world.land("first")
    assert world.build() >= OF_RATINGS


def test_another_text_of_the_project_builds_everything(world: World, monkeypatch: pytest.MonkeyPatch):
    parsed = dbt.project()
    monkeypatch.setattr(dbt, "project", lambda: parsed)  # which would be parsed again
    monkeypatch.setattr(dbt, "project_hash", lambda: "another")
    assert world.build() == world.first


def test_a_seed_that_has_another_column_is_loaded(world: World, monkeypatch: pytest.MonkeyPatch):
    world.run("alter table seeds.channels drop column channel_label")
    monkeypatch.setattr(dbt, "project_hash", lambda: "another")
    assert "channels" in world.build()
    assert world.run("select channel_label from seeds.channels where channel_id = 1") == [("Google",)]


def test_a_full_refresh_builds_everything(world: World):
    assert world.build(full_refresh=True) == world.first


def test_the_tags_that_the_project_gives_stay(world: World):
    assert [node.name for node in world.nodes.values() if "key_meaning" in node.tags]


def test_a_part_of_the_graph_is_built_whenever_it_is_asked_for_and_by_the_next_whole_one_again(world: World):
    assert world.build(is_whole=False) == world.first
    assert world.build() == world.first, "what it was made of may not have been built before it"


def test_what_was_built_of_parents_that_were_not_built_yet_is_built_again(world: World):
    world.land("second", RATINGS[:3])
    dbt_kept.build(world.warehouse, {"model.matinee.int_ratings__last"}, is_whole=True)
    assert world.build() >= OF_RATINGS


def test_what_a_killed_build_left_is_built_again(world: World, monkeypatch: pytest.MonkeyPatch):
    def kill(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    world.land("second", RATINGS[:3])
    with monkeypatch.context() as patched:
        patched.setattr(dbt, "run_nodes", kill)
        with pytest.raises(KeyboardInterrupt):
            world.build()
    world.land("first")
    assert world.build() >= OF_RATINGS


def test_a_table_that_is_gone_is_built_again(world: World):
    world.run("drop table features.customer_features")
    assert world.build() == {"customer_features", *WARNS}


def test_a_build_by_hand_leaves_nothing_to_be_kept(world: World, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("MATINEE_SQL_HASH")
    by_hand = ["build", "--select", "stg_customers__customers", "--target-path", world.warehouse.path]
    dbt.invoke([*by_hand, "--log-path", world.warehouse.path], manifest=dbt.project())
    assert world.build() == world.first
