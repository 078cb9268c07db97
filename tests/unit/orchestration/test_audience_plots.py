"""Which rows the pictures of audience and catalogue show, and that a reader sees one whole set of them."""

import io
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path

import duckdb
import polars as pl
import pytest
from PIL import Image

from orchestration.stores.layout import WarehouseLayout
from orchestration.stores.plots import PlotStore
from orchestration.tasks import audience_plots
from orchestration.tasks.audience import draw_audience
from orchestration.tasks.audience_plots import LeftOut, draw
from orchestration.tasks.audience_queries import PICTURES, QUERIES, marts_read, queries_of
from orchestration.tasks.segment_plots import DrawnPlot

LEAD, OTHER = "user_ratings", "user_activity"
SEGMENTS = ("Quiet", "Loud")
GENRES = ("Drama", "Comedy", "War")
USERS = range(1, 41)


def _marts() -> dict[str, pl.DataFrame]:
    """Return marts of forty users, half of them quiet, and of a catalogue of 150 films beside 30 series."""
    segmentations = pl.DataFrame(
        {
            "segmentation": ["customers", LEAD, OTHER],
            "place": [1, 2, 3],
            "entity": ["customer_id", "user_id", "user_id"],
            "segments": [1, 2, 2],
        }
    )
    by_segment = pl.DataFrame(
        [
            {"segmentation": segmentation, "segment_id": i, "segment_name": name}
            for segmentation, names in ((OTHER, ("Few", "Many")), (LEAD, SEGMENTS))
            for i, name in enumerate(names)
        ]
    )
    most_active = by_segment.join(
        pl.DataFrame(
            [
                {"activity": activity, "user_id": user, "segment_id": user % 2, "place": 21 - (user + 1) // 2}
                for activity in ("rating", "watching")
                for user in USERS
            ]
        ),
        on="segment_id",
    )
    devices = pl.DataFrame(
        [
            {"user_id": user, "device": device, "events": 1, "minutes": float(user), "share": 0.5}
            for user in [*USERS, 99]  # 99 watches and rates nothing
            for device in ("TV", "Mobile")
        ]
    )
    genres = pl.DataFrame(
        [
            {"user_id": user, "genre": genre.lower(), "genre_label": genre, "ratings": user + i}
            for user in USERS
            for i, genre in enumerate(GENRES)
        ]
    )
    titles = pl.DataFrame(
        [
            {
                "title_id": f"{'' if catalogue == 'movies' else 'c'}{i}",
                "catalogue": catalogue,
                "genres": "Drama, War" if i % 2 else "Comedy",
                "audience_score": None if i == 3 else 50.0 + i % 30,
                "votes": i,
                "rating_count": 1000 - i if catalogue == "movies" else 0,
            }
            for catalogue, count in (("movies", 150), ("streaming", 30))
            for i in range(count)
        ]
    )
    similar = pl.DataFrame(
        [
            {
                "title_id": str(i),
                "title": f"Film {i}",
                "similar_title_id": str((i + step) % 150),
                "similar_title": f"Film {(i + step) % 150}",
                "similarity": 1 / (1 + step),
                "basis": basis,
            }
            for i in range(150)
            for step in (1, 2)
            for basis in ("content", "ratings")
        ]
    )
    return {
        "segmentations": segmentations,
        "most_active_members": most_active,
        "user_devices": devices,
        "user_genres": genres,
        "titles": titles,
        "weighted_score_constants": pl.DataFrame(
            {"catalogue": ["streaming", "movies"], "vote_minimum": [1.0, 100.0], "titles": [30, 150]}
        ),
        "similar_titles": similar,
        "segment_genres": by_segment.join(pl.DataFrame({"genre_label": GENRES}), how="cross").with_columns(
            ratings=pl.lit(9)
        ),
        "segment_devices": by_segment.join(
            pl.DataFrame({"device": ["TV", "Mobile"]}), how="cross"
        ).with_columns(share=0.5, index=100.0),
        "segment_titles": by_segment.join(pl.DataFrame({"rank": range(1, 9)}), how="cross").with_columns(
            title=pl.format("Film {}", "rank"), raters=20, rater_share=0.4, base_share=0.2, index=200.0
        ),
        "genre_rating_counts": pl.DataFrame(
            {"genre": ["drama"], "genre_label": ["Drama"], "rating": [4.0], "ratings": [9]}
        ),
        "genre_popularity": pl.DataFrame(
            {"genre_label": GENRES, "ratings": [9, 5, 0], "mean_rating": [4.0, 3.0, None]}
        ),
        "viewing_hours": pl.DataFrame({"weekday": [1, 2], "hour": [20, 21], "events": [5, 6]}),
        "weekly_activity": pl.DataFrame(
            {"week": [date(2025, 1, 6), date(2025, 1, 13)], "device": "TV", "minutes": [60.0, 90.0]}
        ),
        "catalogue_trends": pl.DataFrame(
            {
                "catalogue": "movies",
                "release_year": [2000, 2001],
                "titles": [70, 80],
                "scored_titles": [60, 70],
                "audience_score": [60.0, 61.0],
            }
        ),
        "recommender_metrics": pl.DataFrame(
            {
                "model": ["blend", "blend", "popularity"],
                "metric": ["ndcg", "coverage", "ndcg"],
                "value": [0.3, 0.5, 0.2],
                "is_default": [True, True, False],
                "is_baseline": [False, False, True],
            }
        ),
    }


@pytest.fixture(scope="module")
def marts() -> dict[str, pl.DataFrame]:
    return _marts()


@pytest.fixture
def connection(marts) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute("create schema marts")
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
    assert set(PICTURES.values()) == set(QUERIES)
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
    assert watching == [*range(40, 11, -2), *range(39, 10, -2)]
    assert rating == [*range(40, 31, -2), *range(39, 30, -2)]


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
