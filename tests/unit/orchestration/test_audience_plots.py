"""Which rows the pictures of audience and catalogue show, and that a reader sees one whole set of them."""

import io
from collections.abc import Iterable, Iterator
from pathlib import Path

import duckdb
import polars as pl
import pytest
import yaml
from PIL import Image

from orchestration.settings import PROJECT_ROOT
from orchestration.stores.layout import WarehouseLayout
from orchestration.stores.plots import PlotStore
from orchestration.tasks import audience_plots
from orchestration.tasks.audience import draw_audience
from orchestration.tasks.audience_plots import LeftOut, draw
from orchestration.tasks.audience_queries import PICTURES, QUERIES, USERS_SHOWN, marts_read, queries_of
from orchestration.tasks.segment_plots import DrawnPlot
from tests.unit.orchestration.audience_marts import SEGMENTS, audience_marts


@pytest.fixture(scope="module")
def marts() -> dict[str, pl.DataFrame]:
    return audience_marts()


@pytest.fixture
def connection(marts) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute("create schema marts; create schema landing")
        connection.execute("create table landing.ids (number bigint, id varchar)")
        for name, frame in marts.items():
            connection.register("given", frame)
            connection.execute(f"create table marts.{name} as from given")
        yield connection


def read_rows(connection: duckdb.DuckDBPyConnection, built: Iterable[str]) -> dict[str, pl.DataFrame]:
    return {name: connection.sql(query).pl() for name, query in queries_of(set(built)).items()}


@pytest.fixture
def rows(connection) -> dict[str, pl.DataFrame]:
    return read_rows(connection, marts_read())


@pytest.fixture
def no_rows(connection) -> dict[str, pl.DataFrame]:
    for mart in marts_read():
        connection.execute(f"delete from marts.{mart}")
    return read_rows(connection, marts_read())


def test_every_picture_has_its_rows_and_every_query_a_picture():
    assert {*PICTURES.values(), "words"} == set(QUERIES)
    assert set(audience_plots._DRAWN) == set(PICTURES)


def test_every_picture_is_drawn_from_marts_that_have_rows_and_keeps_its_finding(rows):
    drawn = list(draw(rows))
    hours = next(plot for plot in drawn if plot.name == "viewing_hours")
    with Image.open(io.BytesIO(hours.png)) as picture:
        assert picture.mode == "P"
        assert picture.info["Title"].startswith("Busiest hour: Tuesday, 21:00")
    assert [plot.name for plot in drawn if isinstance(plot, DrawnPlot)] == list(PICTURES)


def test_without_rows_every_picture_is_left_out_and_says_why(no_rows):
    left_out = list(draw(no_rows))
    assert [plot.name for plot in left_out if isinstance(plot, LeftOut)] == list(PICTURES)
    assert all("no row has" in plot.reason for plot in left_out)


def test_a_picture_of_a_table_that_is_not_built_names_the_table(connection, few_pictures):
    built = set(marts_read()) - {"recommender_metrics"}
    drawn, left_out = draw(read_rows(connection, built))
    assert drawn.name == "viewing_hours"
    assert left_out == LeftOut("recommenders", "not all of its tables are built: marts.recommender_metrics")


def test_of_several_segmentations_of_viewers_the_one_that_is_read_first_is_shown(rows):
    for name in ("segment_devices", "segment_genres", "user_devices", "user_genres", "segment_titles"):
        assert set(rows[name]["segment_name"]) == set(SEGMENTS), name


def test_the_users_shown_are_the_most_active_of_each_segment(rows):
    watching, rating = (
        rows[name]["user_id"].unique(maintain_order=True).to_list()
        for name in ("user_devices", "user_genres")
    )
    assert watching == [str(user) for user in (*range(40, 11, -2), *range(39, 10, -2))]
    assert rating == [str(user) for user in (*range(40, 31, -2), *range(39, 30, -2))]


def test_users_stand_in_pictures_as_the_source_writes_them_and_where_nobody_rates_those_who_watch_most(
    connection,
):
    connection.execute("insert into landing.ids values (40, 'u-40')")
    connection.execute("delete from marts.most_active_members where activity = 'rating'")
    connection.execute("update marts.interaction_basis set basis = 'views'")
    shown = read_rows(connection, marts_read())
    assert "u-40" in shown["user_devices"]["user_id"].to_list()
    assert "u-40" in shown["user_genres"]["user_id"].to_list()


def test_scores_are_those_of_the_larger_catalogue_with_enough_votes(rows):
    assert len(rows["titles"]) == 50
    assert set(rows["titles"]["catalogue"]) == {"movies"}


def test_the_titles_beside_each_other_are_the_most_rated_by_likeness_of_ratings(rows):
    similar = rows["similar_titles"]
    assert set(similar["title_id"]) | set(similar["similar_title_id"]) == {str(i) for i in range(24)}
    # 24 titles, each with its two successors that are among them.
    assert len(similar) == 23 + 22


@pytest.fixture
def few_pictures(monkeypatch) -> set[str]:
    """Draw two pictures only: the rules of the store are the same for all."""
    few = {name: PICTURES[name] for name in ("viewing_hours", "recommenders")}
    monkeypatch.setattr(audience_plots, "PICTURES", few)
    return set(few)


def snapshot(rows: dict[str, pl.DataFrame], folder: Path) -> dict[str, Path]:
    folder.mkdir()
    files = {name: folder / f"{name}.parquet" for name in rows}
    for name, frame in rows.items():
        frame.write_parquet(files[name])
    return files


def test_readers_see_the_old_set_until_the_new_one_is_published(rows, few_pictures, tmp_path):
    store = PlotStore(WarehouseLayout(tmp_path), "audience")
    store.layout.plots.mkdir()
    draw_audience(store, snapshot(rows, tmp_path / "first"))
    assert not store.link.exists()
    store.promote_candidate()
    before = {path.name: path.read_bytes() for path in store.link.glob("*.png")}
    assert set(before) == {f"{name}.png" for name in few_pictures}

    rows["viewing_hours"] = rows["viewing_hours"].head(1)
    draw_audience(store, snapshot(rows, tmp_path / "second"))
    assert {path.name: path.read_bytes() for path in store.link.glob("*.png")} == before
    store.promote_candidate()
    after = {path.name: path.read_bytes() for path in store.link.glob("*.png")}
    assert {name for name in after if after[name] != before[name]} == {"viewing_hours.png"}


def test_the_same_rows_give_the_same_set(rows, few_pictures, tmp_path):
    stores = [PlotStore(WarehouseLayout(tmp_path / name), "audience") for name in ("one", "two")]
    for store in stores:
        store.layout.root.mkdir()
        draw_audience(store, snapshot(rows, store.layout.root / "rows"))
    assert [path.name for path in stores[0].folder.glob("*/")] == [
        path.name for path in stores[1].folder.glob("*/")
    ]


def test_where_nothing_can_be_drawn_no_set_is_in_force_and_the_reason_is_kept(rows, no_rows, tmp_path):
    store = PlotStore(WarehouseLayout(tmp_path), "audience")
    store.layout.plots.mkdir()
    store.save_candidate({"some": b"png"})
    store.promote_candidate()
    thumbnails, left_out = draw_audience(store, snapshot(no_rows, tmp_path / "rows"))
    assert not thumbnails
    assert set(left_out) == set(PICTURES)
    store.promote_candidate()
    assert not store.link.exists()
    assert "no data" in (store.folder / "candidate.json").read_text()


def test_only_a_few_old_sets_are_kept_and_always_the_one_in_force(tmp_path):
    store = PlotStore(WarehouseLayout(tmp_path), "audience")
    store.layout.plots.mkdir()
    for version in range(6):
        store.save_candidate({"some": f"png {version}".encode()})
        store.promote_candidate()
    assert len(list(store.folder.glob("*/"))) == 3
    assert (store.link / "some.png").read_bytes() == b"png 5"


def test_the_mart_keeps_as_many_active_members_as_a_picture_shows():
    project = yaml.safe_load((PROJECT_ROOT / "dbt_project" / "dbt_project.yml").read_text())
    assert project["vars"]["most_active_per_segment"] == USERS_SHOWN
