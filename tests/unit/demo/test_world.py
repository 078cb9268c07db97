"""The demo world as a whole: the same every time, whole or not there, and as large as it says."""

from hashlib import sha256
from pathlib import Path

import duckdb
import pytest

from ingest.demo import DemoWorld, Form, write_demo_world
from ingest.demo.ratings import draw_setting
from ingest.demo.sizes import sizes_of
from ingest.demo.streams import csv_file
from ingest.sources import resolve_source
from tests.conftest import DEMO


def _hashes(world: DemoWorld) -> dict[str, str]:
    return {name: sha256((world.folder / name).read_bytes()).hexdigest() for name in world.rows}


def test_the_same_seed_writes_the_same_bytes_and_another_seed_others_in_every_file(tmp_path: Path) -> None:
    first, again, other = (
        _hashes(write_demo_world(tmp_path / name, scale=DEMO, seed=seed))
        for name, seed in (("first", 0), ("again", 0), ("other", 1))
    )
    assert again == first
    assert [name for name, digest in first.items() if other[name] == digest] == []


def test_every_file_holds_the_rows_that_were_reported(world: DemoWorld) -> None:
    for name, rows in world.rows.items():
        path = world.folder / name
        with duckdb.connect() as db:
            read = db.execute(f"select count(*) from read_csv('{path}', header = true, all_varchar = true)")
            assert read.fetchall() == [(rows,)], name


@pytest.mark.parametrize("form", ["movies", "service"])
def test_it_is_told_how_many_rows_are_written_of_about_how_many(tmp_path: Path, form: Form) -> None:
    told: list[tuple[int, int]] = []
    world = write_demo_world(tmp_path, scale=DEMO, form=form, tell=lambda done, of: told.append((done, of)))
    done, of = zip(*told, strict=True)
    assert list(done) == sorted(done)
    assert done[-1] == sum(world.rows.values())
    assert len(set(of)) == 1
    assert of[0] == pytest.approx(done[-1], rel=0.05)


def test_only_the_reported_files_are_there(world: DemoWorld) -> None:
    written = {path for path in world.folder.rglob("*") if path.is_file()}
    assert written == set(world.files)


def test_the_world_is_a_source_of_every_dataset_and_keeps_its_truth_out(world: DemoWorld) -> None:
    found = resolve_source(str(world.folder)).files
    assert {table: str(file.path.relative_to(world.folder)) for table, file in found.items()} == {
        "ratings": "ratings.csv",
        "links": "links.csv",
        "titles": "movies_metadata.csv",
        "customers": "customers/customer_segmentation_data.csv",
        "catalogue": "catalogue/netflix_titles.csv",
        "users": "viewing/users.csv",
        "views": "viewing/watch_events.csv",
    }


def test_the_small_world_has_the_declared_size(world: DemoWorld) -> None:
    sizes = sizes_of("small")
    assert world.rows["ratings.csv"] == sizes.ratings
    assert world.rows["movies_metadata.csv"] == sizes.title_rows
    assert world.rows["truth/personas.csv"] == sizes.users
    assert world.rows["viewing/watch_events.csv"] == sizes.watch_events
    assert world.rows["catalogue/netflix_titles.csv"] == sizes.catalogue_rows


@pytest.mark.long
def test_the_full_world_has_the_size_of_the_real_dataset() -> None:
    sizes = sizes_of("full")
    setting = draw_setting(0, sizes)
    assert int(setting.users.ratings.sum()) == 26_024_289
    assert len(setting.users.persona) == 270_896
    assert sizes.title_rows == 45_466
    assert len(setting.items.movie_id) == 45_843
    assert int((~setting.titles.tmdb_id_known).sum()) == 219


def test_an_unknown_scale_is_refused_with_the_accepted_ones(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"'huge'.*small, medium, full"):
        write_demo_world(tmp_path, scale="huge")  # type: ignore[arg-type]


def test_a_negative_seed_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="seed is -1"):
        write_demo_world(tmp_path, scale="small", seed=-1)


def _write_half(path: Path) -> None:
    with csv_file(path, ["movieId"]) as write_row:
        write_row(["1"])
        raise TypeError("not a row")


def test_a_file_that_could_not_be_written_whole_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "links.csv"
    path.write_text("old")
    with pytest.raises(TypeError, match="not a row"):
        _write_half(path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
