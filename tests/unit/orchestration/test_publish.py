"""Publishing marts: users are numbers inside and go by their ids as the source writes them outside."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import polars as pl
import pytest

from orchestration.assets.publish import as_published, copy_marts, name_of_set, prune_sets
from orchestration.stores.layout import KEPT_SETS, WarehouseLayout, switch_symlink
from orchestration.tools.dbt import mart_contracts
from orchestration.tools.warehouse import WarehouseResource
from published.contract import Column, Table

FIRST = 1 << 40
MARTS = {
    "recommendations": ["user_id", "rank"],
    "most_active_members": ["segmentation", "user_id"],
    "devices": ["device"],
}


def _publish(folder: Path, ids: str) -> dict[str, pl.DataFrame]:
    with duckdb.connect(str(folder / "matinee.duckdb")) as connection:
        connection.execute("create schema landing; create schema marts")
        connection.execute(f"create table landing.ids as select * from {ids} as ids(number, id)")
        connection.execute(
            f"create table marts.recommendations as select * from (values (10, 1), ({FIRST}, 2), (9, 1), ({FIRST}, 1),"
            f" ({FIRST + 1}, 1)) as rows(user_id, rank)"
        )
        connection.execute(
            f"create table marts.most_active_members as select 's' as segmentation, {FIRST} as user_id"
        )
        connection.execute("create table marts.devices as select 'TV' as device")
    tables = {
        name: Table("One row.", tuple(Column(column, "bigint", "-") for column in columns))
        for name, columns in MARTS.items()
    }
    assert copy_marts(WarehouseResource(path=str(folder)), tables, folder) == {
        "devices": 1, "most_active_members": 1, "recommendations": 5,
    }  # fmt: skip
    return {name: pl.read_parquet(folder / f"{name}.parquet") for name in MARTS}


def test_users_are_published_by_their_ids_and_in_the_order_of_these(tmp_path):
    published = _publish(tmp_path, f"(values ({FIRST}, '007'), ({FIRST + 1}, 'ada@example.org'))")
    rows = [("007", 1), ("007", 2), ("10", 1), ("9", 1), ("ada@example.org", 1)]
    assert published["recommendations"].rows() == rows
    assert published["most_active_members"].rows() == [("s", "007")]
    assert published["devices"].rows() == [("TV",)]


def test_where_all_ids_are_numbers_they_are_published_as_text(tmp_path):
    published = _publish(tmp_path, "(select null::bigint, null::varchar where false)")
    assert published["recommendations"]["user_id"].to_list() == sorted(
        map(str, [10, FIRST, 9, FIRST, FIRST + 1])
    )


@pytest.mark.parametrize("mart", ["recommendations", "users", "user_genres", "user_devices"])
def test_the_contract_promises_text_for_users(mart):
    inside = mart_contracts()[mart]
    assert {column.name: column.type for column in inside.columns}["user_id"] == "bigint"
    assert {column.name: column.type for column in as_published(inside).columns}["user_id"] == "varchar"
    # Publishing orders by the first two columns of these tables.
    assert inside.columns[0].name == "user_id"


@pytest.mark.parametrize("step", [timedelta(days=-400), timedelta(0), timedelta(milliseconds=1)])
def test_where_the_clock_goes_back_or_stands_still_the_last_set_is_still_the_newest_and_stays(tmp_path, step):
    layout = WarehouseLayout(tmp_path)
    now, names = datetime(2026, 3, 29, 1, 59, 59, 900, tzinfo=UTC), []
    # Run ids that sort against the order of the runs.
    for run_id in ("f" * 8, "e" * 8, "d" * 8, "c" * 8, "b" * 8):
        name = name_of_set(layout, run_id, now)
        assert name > max(names, default="")
        (layout.published_sets / name).mkdir(parents=True)
        switch_symlink(layout.published, layout.published_sets / name)
        prune_sets(layout)
        names.append(name)
        assert layout.published.resolve().is_dir()
        now += step
    assert sorted(path.name for path in layout.published_sets.iterdir()) == names[-KEPT_SETS:]


def test_a_set_in_force_that_is_not_the_newest_stays_and_an_unfinished_one_goes(tmp_path):
    layout = WarehouseLayout(tmp_path)
    names = ["1", ".20260102T030405-ef", "20260102T030405-ab", "20260103T030405-cd", "20260104T030405-ef"]
    for name in names:
        (layout.published_sets / name).mkdir(parents=True)
    switch_symlink(layout.published, layout.published_sets / "1")
    prune_sets(layout)
    assert sorted(path.name for path in layout.published_sets.iterdir()) == ["1", *names[2:]]
