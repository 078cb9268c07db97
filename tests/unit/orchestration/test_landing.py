"""Datasets of a source land each for itself; what is in force changes with what is published."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import duckdb
import polars as pl
import pytest

from ingest import arrivals
from ingest.contracts import CONTRACTS, DATASETS
from ingest.errors import IngestError
from ingest.landing import switch
from orchestration.assets.landing import ARRIVALS, DROPPED_ARE_USABLE, build_arrivals, build_landing
from orchestration.settings import Settings
from orchestration.stores.layout import WarehouseLayout
from orchestration.tasks.landing import LandedSource, land, remove_file, stage
from orchestration.tasks.left_out import refusals
from orchestration.tasks.switching import is_made_of_the_candidate
from orchestration.tools.warehouse import WarehouseResource

RATINGS = "user_id,title_id,rating,rated_at\n{},31,2.5,1260759144\n"
CUSTOMERS = "customer_id,minutes_watched,CLV,region,channel\n{},30,10,1,1\n"
UNLIKE = "name,city\nAda,Paris\n"
BROKEN = "customer_id,minutes_watched,CLV,region,channel\n1,half an hour,10,1,1\n"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Ratings and customers."""
    folder = tmp_path / "source"
    folder.mkdir()
    (folder / "ratings.csv").write_text(RATINGS.format(1))
    (folder / "customers.csv").write_text(CUSTOMERS.format(1))
    return folder


@pytest.fixture
def layout(tmp_path: Path) -> WarehouseLayout:
    return WarehouseLayout(tmp_path / "warehouse")


@pytest.fixture
def land_it(layout: WarehouseLayout) -> Callable[[Path], LandedSource]:
    """Lands a source and makes a candidate of it."""

    def run(source: Path) -> LandedSource:
        landed = land(Settings(warehouse=layout.root, source=str(source)))
        stage(landed, layout)
        return landed

    return run


def values(layout: WarehouseLayout, which: str, table: str, column: str) -> list[object]:
    return pl.read_parquet(layout.landing / which / table / "*.parquet")[column].to_list()


def test_every_table_belongs_to_one_dataset():
    assert sorted(table for tables in DATASETS for table in tables) == sorted(CONTRACTS)


def test_a_refused_dataset_keeps_what_is_in_force_and_the_others_land(source, layout, land_it):
    land_it(source)
    switch(layout.landing)
    (source / "customers.csv").write_text(BROKEN)
    (source / "ratings.csv").write_text(RATINGS.format(7))
    landed = land_it(source)
    assert list(landed.refused) == ["customers"]
    assert values(layout, "candidate", "ratings", "user_id") == [7]
    assert values(layout, "candidate", "customers", "customer_id") == ["1"]
    assert values(layout, "current", "ratings", "user_id") == [1]
    (said,) = refusals(layout)
    assert said.startswith("customers.csv: ")
    assert "minutes_watched: expected a number" in said
    assert said.endswith("the data stays as it was in customers; the rest of the source goes on.")


def test_a_file_that_is_not_what_its_name_says_stops_its_dataset_alone(source, layout, land_it):
    land_it(source)
    switch(layout.landing)
    (source / "customers.csv").write_text(UNLIKE)
    (source / "ratings.csv").write_text(RATINGS.format(7))
    landed = land_it(source)
    assert list(landed.refused) == ["customers"]
    assert "minutes_watched" in landed.refused["customers"]
    assert values(layout, "candidate", "ratings", "user_id") == [7]
    assert values(layout, "candidate", "customers", "customer_id") == ["1"]


def test_what_another_source_gave_is_no_stand_in_for_a_refused_dataset(source, layout, land_it):
    land_it(source)
    switch(layout.landing)
    other = source.rename(source.with_name("other"))
    (other / "customers.csv").write_text(BROKEN)
    before = (layout.landing / "candidate").readlink()
    with pytest.raises(IngestError, match=r"customers\.csv: .* minutes_watched"):
        land_it(other)
    assert (layout.landing / "candidate").readlink() == before


def test_a_refused_dataset_of_which_nothing_is_in_force_is_absent(source, layout, land_it):
    (source / "customers.csv").write_text(BROKEN)
    land_it(source)
    assert not (layout.landing / "candidate" / "customers").exists()
    assert values(layout, "candidate", "ratings", "user_id") == [1]


def test_a_source_of_which_every_dataset_is_refused_is_refused(source, layout, land_it):
    (source / "ratings.csv").unlink()
    land_it(source)
    switch(layout.landing)
    before = (layout.landing / "candidate").readlink()
    (source / "customers.csv").write_text(BROKEN)
    with pytest.raises(IngestError, match=r"customers\.csv"):
        land_it(source)
    assert (layout.landing / "candidate").readlink() == before


def test_tables_built_from_an_older_set_do_not_put_the_candidate_in_force(source, layout, land_it):
    """As when somebody materialises the landing and the published tables, and leaves out what lies between."""
    land_it(source)
    manifest = layout.root / "landing_manifest.parquet"
    files = f"read_parquet('{layout.landing}/candidate/manifest/*.parquet')"
    duckdb.execute(
        f"copy (select table_name, sha256, landed_at from {files}) to '{manifest}' (format parquet)"
    )
    assert is_made_of_the_candidate(layout, layout.root)
    (source / "ratings.csv").write_text(RATINGS.format(7))
    land_it(source)
    assert not is_made_of_the_candidate(layout, layout.root)


def test_a_run_that_failed_keeps_the_numbers_that_it_gave(source, layout, land_it):
    (source / "ratings.csv").write_text(RATINGS.format("ada"))
    land_it(source)
    given = values(layout, "candidate", "ratings", "user_id")
    (source / "ratings.csv").write_text(RATINGS.format("aaron") + RATINGS.format("ada").partition("\n")[2])
    land_it(source)
    assert values(layout, "candidate", "ratings", "user_id") == [given[0] + 1, given[0]]


def test_landing_alone_puts_nothing_in_force_and_shows_no_e_mails(source, layout):
    twins = RATINGS.format("Ada@example.org") + RATINGS.format("ada@example.org").partition("\n")[2]
    (source / "ratings.csv").write_text(twins)
    result = dg.materialize(
        [build_landing()],
        resources={"warehouse": WarehouseResource(path=str(layout.root))},
        run_config={"ops": {"land_raw_files": {"config": {"source": str(source)}}}},
    )
    assert result.success
    assert (layout.landing / "candidate").exists()
    assert not (layout.landing / "current").exists()
    told = {
        event.asset_key.path[-1]: event.materialization for event in result.get_asset_materialization_events()
    }
    (note,) = told["ratings"].metadata["notes"].value
    assert "differ from another by case" in note
    assert "a***@…" in note
    assert "example.org" not in note


PLAYS = "user_id,title_id,watched_at,minutes_watched\n{},2,2017-06-05 20:15:00,30\n"


@pytest.fixture
def plays(tmp_path: Path) -> Path:
    """A declared folder of two files, a.csv of user 1 and b.csv of user 2."""
    folder = tmp_path / "service"
    (folder / "plays").mkdir(parents=True)
    (folder / "matinee.yaml").write_text("views: {files: plays/*.csv}\n")
    for name, user in (("a", 1), ("b", 2)):
        (folder / "plays" / f"{name}.csv").write_text(PLAYS.format(user))
    return folder


@pytest.fixture
def users(layout, land_it) -> Callable[[Path | str], list[object]]:
    """Lands a source, puts it in force, and gives the users of its views in the order of their arrival."""

    def run(source: Path | str) -> list[object]:
        run.landed = land_it(source)
        switch(layout.landing)
        files = sorted((layout.landing / "current" / "views").glob("*.parquet"))
        return [user for file in files for user in pl.read_parquet(file)["user_id"]]

    return run


def drop(layout: WarehouseLayout, name: str, user: int | str) -> None:
    path = layout.incoming / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(PLAYS.format(user))


@pytest.fixture(autouse=True)
def _at_once(monkeypatch):
    monkeypatch.setattr(arrivals, "_MOMENT", 0)


def test_what_came_through_the_drop_folder_stays_behind_the_source_in_every_set(plays, layout, users):
    drop(layout, "views/c.csv", 3)
    assert users(plays) == [1, 2, 3]
    assert users(plays) == [1, 2, 3]
    drop(layout, "views/a.csv", 4)
    assert users(plays) == [1, 2, 3, 4]


def test_a_dropped_file_that_the_source_holds_counts_once_however_it_is_declared(plays, layout, users):
    drop(layout, "views/again.csv", 1)
    (layout.incoming / "matinee.yaml").write_text("views: {where: minutes_watched > 1}\n")
    assert users(plays) == [2, 1]


def test_what_came_through_the_drop_folder_belongs_to_the_warehouse_and_not_to_a_source(plays, layout, users):
    drop(layout, "views/c.csv", 3)
    assert users(plays) == [1, 2, 3]
    assert users("incoming") == [3]


def test_where_nothing_but_the_drop_folder_is_the_source_it_must_not_be_empty(users):
    with pytest.raises(IngestError, match=r"incoming: nothing has come yet\. Put files into the folders"):
        users("incoming")


def test_a_file_that_is_gone_from_a_declared_folder_stays_and_that_is_said(plays, users):
    users(plays)
    (plays / "plays" / "a.csv").unlink()
    assert users(plays) == [1, 2]
    assert users.landed.said == (
        "plays/a.csv is no longer in the source; what it holds of views stays (1 row). "
        "`matinee remove views plays/a.csv` takes it out.",
    )


def test_a_file_of_the_same_name_takes_the_place_of_what_it_was_and_arrives_now(plays, users):
    users(plays)
    (plays / "plays" / "a.csv").write_text(PLAYS.format(7))
    assert users(plays) == [2, 7]
    assert users.landed.said == ()


def test_a_file_that_is_called_another_name_is_not_gone(plays, users):
    users(plays)
    (plays / "plays" / "a.csv").rename(plays / "plays" / "z.csv")
    assert users(plays) == [1, 2]
    (plays / "plays" / "z.csv").write_text(PLAYS.format(7))
    assert users(plays) == [2, 7]


def test_a_new_file_arrives_after_those_that_are_there_whatever_its_name(plays, users):
    users(plays)
    (plays / "plays" / "a-later.csv").write_text(PLAYS.format(7))
    assert users(plays) == [1, 2, 7]


def test_files_of_another_source_do_not_stay(plays, users):
    users(plays)
    other = plays.rename(plays.with_name("other"))
    (other / "plays" / "a.csv").unlink()
    assert users(other) == [2]


def test_a_file_that_is_gone_is_taken_out_when_somebody_asks_for_it(plays, layout, users):
    users(plays)
    with pytest.raises(IngestError, match=r"plays/a\.csv: it is still in the source\."):
        remove_file(layout, "views", "plays/a.csv")
    (plays / "plays" / "a.csv").unlink()
    users(plays)
    assert "counts no longer" in remove_file(layout, "views", "plays/a.csv")
    assert users(plays) == [2]
    assert users(plays) == [2]


def test_a_file_that_was_taken_out_and_is_there_again_stays_when_it_is_gone_once_more(plays, layout, users):
    users(plays)
    (plays / "plays" / "a.csv").unlink()
    users(plays)
    remove_file(layout, "views", "plays/a.csv")
    (plays / "plays" / "a.csv").write_text(PLAYS.format(1))
    users(plays)
    (plays / "plays" / "a.csv").unlink()
    assert sorted(users(plays)) == [1, 2]


def test_a_dropped_file_is_taken_out_when_somebody_asks_for_it(plays, layout, users):
    drop(layout, "views/c.csv", 3)
    users(plays)
    assert "views/c.csv" in remove_file(layout, "views", "c.csv")
    assert users(plays) == [1, 2]


def test_a_dataset_that_is_refused_keeps_its_files_and_what_came(source, layout, land_it):
    (source / "customers.csv").write_text(CUSTOMERS.format("c1"))
    (layout.incoming / "customers").mkdir(parents=True)
    (layout.incoming / "customers" / "more.csv").write_text(CUSTOMERS.format("c2"))
    land_it(source)
    switch(layout.landing)
    (source / "customers.csv").write_text(BROKEN)
    assert list(land_it(source).refused) == ["customers"]
    assert sorted(values(layout, "candidate", "customers", "customer_id")) == ["c1", "c2"]


def test_a_day_is_shown_as_a_partition_and_a_backfill_of_it_reads_its_files_again(plays, layout):
    today = datetime.now(UTC).date().isoformat()
    drop(layout, "views/c.csv", 3)
    config = {"ops": {"land_raw_files": {"config": {"source": str(plays)}}}}
    warehouse = {"warehouse": WarehouseResource(path=str(layout.root))}
    with dg.instance_for_test() as instance, pytest.MonkeyPatch.context() as patch:
        patch.setenv("MATINEE_SOURCE", str(plays))
        landed = dg.materialize([build_landing()], resources=warehouse, run_config=config, instance=instance)
        assert landed.success
        assert instance.get_materialized_partitions(ARRIVALS) == {today}
        (layout.incoming / "matinee.yaml").write_text(
            "views: {columns: {minutes_watched: minutes_watched * 2}}\n"
        )
        again = dg.materialize(
            [build_arrivals()],
            partition_key=today,
            resources=warehouse,
            instance=instance,
            selection=[ARRIVALS],
        )
        assert again.success
        (event,) = again.asset_materializations_for_node("landing__arrivals")
        assert event.metadata["files"].value == ["views/c.csv"]
        assert event.metadata["dagster/row_count"].value == 1
        assert dg.materialize(
            [build_landing()], resources=warehouse, run_config=config, instance=instance
        ).success
    minutes = {row[0]: row[4] for row in pl.read_parquet(layout.landing / "candidate/views/*.parquet").rows()}
    assert minutes == {1: 30, 2: 30, 3: 60}


def test_a_dropped_file_that_cannot_be_used_shows_as_a_check_that_failed(plays, layout):
    def judged() -> tuple[bool, str | None]:
        result = dg.materialize(
            [build_landing()],
            resources={"warehouse": WarehouseResource(path=str(layout.root))},
            run_config={"ops": {"land_raw_files": {"config": {"source": str(plays)}}}},
        )
        (check,) = [c for c in result.get_asset_check_evaluations() if c.check_name == DROPPED_ARE_USABLE]
        return check.passed, check.description

    assert judged() == (True, "Not applicable: no file came through the drop folder.")
    drop(layout, "views/good.csv", 3)
    assert judged() == (True, None)
    (layout.incoming / "views" / "bad.csv").write_text(UNLIKE)
    passed, said = judged()
    assert not passed
    assert said.startswith("bad.csv: ")
