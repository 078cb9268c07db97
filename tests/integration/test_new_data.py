"""New data night after night: what comes in pieces gives what one file of the right rows gives."""

import shutil
from pathlib import Path

import duckdb
import polars as pl
import pytest

from orchestration.stores.layout import WarehouseLayout
from tests.integration.conftest import Matinee, mart

USERS = range(1, 61)
TITLES = range(1, 13)
GENRES = ["Drama", "Comedy", "War"]
HEADERS = {
    "ratings": "user_id,title_id,rating,rated_at",
    "views": "user_id,title_id,watched_at,minutes_watched,is_deleted",
    "titles": "title_id,title,genres,is_deleted",
    "users": "user_id,subscription,is_deleted",
}


def write(folder: Path, table: str, rows: list[tuple], name: str | None = None) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    lines = [HEADERS[table], *(",".join("" if cell is None else str(cell) for cell in row) for row in rows)]
    (folder / (name or f"{table}.csv")).write_text("\n".join(lines) + "\n")


def declare(folder: Path) -> Path:
    (folder / "matinee.yaml").write_text("".join(f"{table}: {{files: {table}.csv}}\n" for table in HEADERS))
    return folder


def ratings() -> dict[tuple[int, int], tuple]:
    """The rating of each user of some titles, a day of 2024 for each."""
    return {
        (user, title): (user, title, 1 + (user * title) % 5, f"2024-01-{1 + title:02}T10:00:00Z")
        for user in USERS
        for title in TITLES
        if (user + title) % 3
    }


def views() -> dict[tuple[int, int], tuple]:
    return {
        (user, title): (user, title, f"2024-02-{1 + title:02} 20:15:00", 30 + user, None)
        for user in USERS
        for title in TITLES
        if (user + title) % 4 == 0
    }


def titles() -> dict[int, tuple]:
    return {title: (title, f"Title {title}", GENRES[title % 3], None) for title in TITLES}


def users() -> dict[int, tuple]:
    return {user: (user, "Basic", None) for user in USERS}


@pytest.fixture(scope="module")
def whole(matinee: Matinee, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A warehouse of one file per table that holds the right rows."""
    folder = tmp_path_factory.mktemp("whole")
    rated, seen, named, listed = ratings(), views(), titles(), users()
    rated[1, 1] = (1, 1, 5, "2024-03-01T10:00:00Z")  # corrected
    rated[61, 1] = (61, 1, 4, "2023-12-01T10:00:00Z")  # late
    del seen[3, 1]  # deleted
    seen[4, 4] = (4, 4, "2024-02-05 20:15:00", 99, None)  # corrected
    named[2] = (2, "Title Two", "Comedy", None)
    del named[12]
    listed[5] = (5, "Premium", None)
    del listed[7]
    for table, rows in {"ratings": rated, "views": seen, "titles": named, "users": listed}.items():
        write(folder / "source", table, list(rows.values()))
    run = matinee(
        "run", "--job", "sql_layer", "--source", declare(folder / "source"), warehouse=folder / "wh"
    )
    assert run.exit_code == 0, run.said
    return folder / "wh"


@pytest.fixture(scope="module")
def in_pieces(matinee: Matinee, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A warehouse of older files, and two days of files that came through the drop folder."""
    folder = tmp_path_factory.mktemp("pieces")
    for table, rows in {"ratings": ratings(), "views": views(), "titles": titles(), "users": users()}.items():
        write(folder / "source", table, list(rows.values()))
    incoming = WarehouseLayout(folder / "wh").incoming
    run = ("run", "--job", "sql_layer", "--source", declare(folder / "source"))
    rated = ratings()
    repeated = [rated[2, 2], rated[2, 3]]
    write(incoming / "ratings", "ratings", [*repeated, (1, 1, 2, "2024-02-01T10:00:00Z")], "first.csv")
    write(incoming / "views", "views", [views()[4, 4], (4, 4, "2024-02-05 20:15:00", 50, None)], "first.csv")
    write(incoming / "titles", "titles", [(2, "Title 2 again", "War", None)], "first.csv")
    write(incoming / "users", "users", [(5, "Premium", None), (7, "Premium", None)], "first.csv")
    (incoming / "users" / "bad.csv").write_text("name,city\nAda,Paris\n")
    first = matinee(*run, warehouse=folder / "wh")
    assert first.exit_code == 3, first.said
    assert "users/bad.csv cannot be used and lies in failed/" in first.said
    corrected, late = (1, 1, 5, "2024-03-01T10:00:00Z"), (61, 1, 4, "2023-12-01T10:00:00Z")
    write(incoming / "ratings", "ratings", [corrected, late, repeated[0]], "second.csv")
    gone = (3, 1, "2024-02-02 20:15:00", None, "true")
    write(incoming / "views", "views", [gone, (4, 4, "2024-02-05 20:15:00", 99, None)], "second.csv")
    write(
        incoming / "titles",
        "titles",
        [(2, "Title Two", "Comedy", None), (12, None, None, "true")],
        "second.csv",
    )
    write(incoming / "users", "users", [(7, None, "true")], "second.csv")
    second = matinee(*run, warehouse=folder / "wh")
    assert second.exit_code == 0, second.said
    assert "ratings/second.csv arrived: 3 rows landed." in second.said
    return folder / "wh"


def tables(warehouse: Path) -> dict[str, list[tuple]]:
    """The rows of every table that is built of what landed, but for how often somebody repeated themselves."""
    with duckdb.connect(warehouse / "matinee.duckdb", read_only=True) as connection:
        names = connection.execute(
            "select schema_name, table_name from duckdb_tables() where schema_name in ('intermediate', 'features') "
            # Who corrects a rating did something on that day, and is more active for it.
            "and table_name not in ('int_users__active_days', 'user_rfm')"
        ).fetchall()
        found = {}
        for schema, name in sorted(names):
            columns = "columns(lambda c: c not in ('rating_count', 'ratings', 'total_ratings'))"
            found[f"{schema}.{name}"] = connection.execute(
                f"select {columns} from {schema}.{name} order by all"
            ).fetchall()
        return found


def test_late_repeated_corrected_and_deleted_rows_give_what_one_file_of_the_right_rows_gives(
    whole, in_pieces
):
    expected, found = tables(whole), tables(in_pieces)
    assert len(expected["features.user_genre_stats"]) == 61
    assert found.keys() == expected.keys()
    for name, rows in expected.items():
        assert found[name] == rows, name


def test_a_bad_file_lies_in_failed_with_its_reason_while_the_others_landed(in_pieces):
    layout = WarehouseLayout(in_pieces)
    (reason,) = layout.failed.glob("*/users/bad.csv.reason.txt")
    assert reason.read_text().startswith("bad.csv: column 'user_id' is missing")
    assert reason.with_name("bad.csv").exists()
    assert len(list(layout.processed.glob("*/*/first.csv"))) == 4
    assert not [path for path in layout.incoming.rglob("*") if path.is_file()]


def test_a_file_that_is_removed_leaves_the_tables_with_the_next_run(matinee, in_pieces, tmp_path):
    warehouse = tmp_path / "wh"
    shutil.copytree(in_pieces, warehouse, symlinks=True)
    answer = matinee("remove", "users", "second.csv", warehouse=warehouse)
    assert answer.exit_code == 0, answer.said
    assert "follow with the next `matinee run`" in answer.said
    run = matinee(
        "run",
        "--job",
        "sql_layer",
        "--source",
        in_pieces.parent / "source",
        "--full-refresh",
        warehouse=warehouse,
    )
    assert run.exit_code == 0, run.said
    with duckdb.connect(warehouse / "matinee.duckdb", read_only=True) as connection:
        listed = "select subscription from staging.stg_viewing__users where user_id = 7"
        assert connection.execute(listed).fetchall() == [("Premium",)]
    again = matinee("remove", "users", "second.csv", warehouse=warehouse)
    assert again.exit_code == 1
    assert "users/first.csv." in again.said


def test_what_failed_is_read_again_since_its_day(matinee, in_pieces, tmp_path):
    warehouse = tmp_path / "wh"
    shutil.copytree(in_pieces, warehouse, symlinks=True)
    layout = WarehouseLayout(warehouse)
    (layout.incoming / "matinee.yaml").write_text("users: {columns: {user_id: name, region: city}}\n")
    ((day, *_),) = [
        path.parts for path in (p.relative_to(layout.failed) for p in layout.failed.glob("*/users/bad.csv"))
    ]
    run = matinee(
        "run",
        "--job",
        "sql_layer",
        "--source",
        in_pieces.parent / "source",
        "--since",
        day,
        warehouse=warehouse,
    )
    assert run.exit_code == 0, run.said
    assert "users/bad.csv arrived: 1 row landed." in run.said


@pytest.mark.long  # step by step: `test_gate`, `test_recommender_nights`
def test_between_nights_members_stay_where_the_model_in_force_has_them(
    matinee, demo_warehouse, demo_world, tmp_path
):
    warehouse = tmp_path / "wh"
    shutil.copytree(demo_warehouse, warehouse, symlinks=True)
    rated = (demo_world / "ratings.csv").read_text().splitlines()
    mine = [line.replace(f"{line.split(',')[0]},", "900001,", 1) for line in rated[1:12]]
    folder = WarehouseLayout(warehouse).incoming / "ratings"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "new.csv").write_text("\n".join([rated[0], *mine]) + "\n")
    models = {path.parent.parent.name: path.read_bytes() for path in warehouse.glob("models/*/*/model.json")}
    before = {
        name: mart(warehouse, name) for name in ("segment_members", "recommendations", "segment_promotions")
    }
    run = matinee("run", "--job", "update", "--if-new", "--source", demo_world, warehouse=warehouse)
    assert run.exit_code == 0, run.said
    assert "ratings/new.csv arrived" in run.said
    after = {path.parent.parent.name: path.read_bytes() for path in warehouse.glob("models/*/*/model.json")}
    assert after == models
    assert mart(warehouse, "segment_promotions").equals(before["segment_promotions"])
    keys = ["segmentation", "entity_id"]
    members = mart(warehouse, "segment_members")
    assert (
        members.join(before["segment_members"], on=keys, how="semi")
        .sort(keys)
        .equals(before["segment_members"].sort(keys))
    )
    assert "900001" in members["entity_id"].to_list()
    lists = mart(warehouse, "recommendations")
    assert lists.filter(user_id="900001").height > 0
    # What is popular with a segment may have changed by one user; the titles and their order have not.
    titles = ["user_id", "rank", "title_id"]
    others = lists.filter(pl.col("user_id") != "900001").select(titles).sort(titles)
    assert others.equals(before["recommendations"].select(titles).sort(titles))
    again = matinee("run", "--job", "update", "--if-new", "--source", demo_world, warehouse=warehouse)
    assert "Nothing is new" in again.said
