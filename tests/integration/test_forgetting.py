"""A person who was forgotten is in no file, and does not come back with the raw files that still hold them."""

import json
import re
import shutil
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from ingest import ids
from orchestration.stores.layout import WarehouseLayout
from orchestration.stores.lock import lock_warehouse
from tests.conftest import Matinee, _dagster_home, once
from tests.finding import files_with
from tests.integration.conftest import mart

TEXT, NUMBER, TWIN = "user-zq81x", "734512908", "USER-ZQ81X"
WAS = {"5": TEXT, "6": NUMBER, "7": TWIN}
"""Users of the demo world to the ids that they have here; two that differ by case alone make a note that tells both."""
TOLD_OF_RUNS = {"checks", "data_funnel", "landing_manifest", "rejects", "run_ledger", "runs"}
"""Tables of what was read and done, not of people."""
OF_EARLIER_NIGHTS = {
    *("membership_history", "segment_history", "segment_migration", "segment_promotions"),
    *("audiences", "audience_history"),  # what was before is told beside what is
    "strategic_recommendations",  # sentences that call segments by names which outlive a fit
}


class KilledError(BaseException):
    """The end of a process, which no handler of errors may make good."""


@pytest.fixture(scope="module")
def world(demo_world: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo world with ids that can be searched for, in good lines and in bad ones."""

    def write(folder: Path) -> None:
        shutil.copytree(demo_world, folder)
        shutil.rmtree(folder / "truth")
        _rename(folder / "ratings.csv", "userId")
        for path in (folder / "viewing").glob("*.csv"):
            _rename(path, pl.read_csv(path, n_rows=1).columns[0])
        with (folder / "ratings.csv").open("a") as ratings:
            ratings.write(f"{TEXT},1,many,964982703\n{TEXT},2\n{NUMBER},3\n")

    return once(tmp_path_factory, "world_of_ids", write)


def _rename(path: Path, column: str) -> None:
    table = pl.read_csv(path, infer_schema=False)
    assert column in table.columns
    table.with_columns(pl.col(column).replace(WAS)).write_csv(path)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _dagster_home(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def before(matinee: Matinee, world: Path, home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A warehouse with everybody in it; the dashboard's sets before are there, too."""
    warehouse = tmp_path_factory.mktemp("forgetting") / "before"
    for name, content in ((TEXT, f"user_id,region\n{TEXT},NO\n"), (f"user_{NUMBER}", "no table")):
        dropped = warehouse / "incoming" / "users" / f"{name}.csv"
        dropped.parent.mkdir(parents=True, exist_ok=True)
        dropped.write_text(content)
    done = matinee("run", "--source", world, "--allow-rejects", warehouse=warehouse, home=home)
    assert done.exit_code == 0, done.said
    return warehouse


@pytest.fixture(scope="module")
def forgotten(matinee: Matinee, before: Path, home: Path) -> tuple[Path, dict, str, int]:
    """A copy of it after the command, its receipt, what was said, and the number that stood for the text."""
    warehouse = before.with_name("forgotten")
    shutil.copytree(before, warehouse, symlinks=True)
    number = ids.number_of(warehouse / "landing", TEXT)
    done = matinee("forget", "--user", TEXT, "--user", NUMBER, warehouse=warehouse, home=home)
    assert done.exit_code == 0, done.said
    (receipt,) = (warehouse / "receipts").glob("*.json")
    return warehouse, json.loads(receipt.read_text()), done.said, number


@pytest.fixture(scope="module")
def again(matinee: Matinee, forgotten, world: Path, home: Path) -> Path:
    """The same warehouse after a run on the raw files that still hold them, by another hash."""
    warehouse = forgotten[0]
    with (world / "ratings.csv").open("a") as ratings:
        ratings.write("8,1,3.5,964982703\n")
    done = matinee("run", "--source", world, "--allow-rejects", warehouse=warehouse, home=home)
    assert done.exit_code == 0, done.said
    return warehouse


def found(warehouse: Path, home: Path, number: int) -> list[str]:
    """Return the files that hold them; the number alone stays where ids were given, so that nobody gets it again."""
    held = files_with(warehouse, [TEXT, NUMBER]) + files_with(home, [TEXT, NUMBER])
    inside = files_with(warehouse, [], [number, int(NUMBER)])
    return held + [file for file in inside if not re.search(r"\bids\b|\bmanifest\b|\.duckdb$", file)]


def test_before_the_command_they_are_in_many_files(before):
    held = files_with(before, [TEXT, NUMBER])
    assert "matinee.duckdb" in held
    assert any(file.startswith("landing/files/ratings") for file in held)
    assert any(file.startswith("published.d") for file in held)
    assert any(re.fullmatch(rf"processed/.*/{TEXT}\.csv", file) for file in held)
    assert any(re.fullmatch(rf"failed/.*/user_{NUMBER}\.csv", file) for file in held)


def test_they_are_in_no_file_of_the_warehouse_and_of_dagster(forgotten, home):
    warehouse, _, _, number = forgotten
    assert found(warehouse, home, number) == []


def test_the_receipt_says_where_they_were_what_learned_from_them_and_what_is_to_be_done(forgotten, world):
    _, receipt, said, _ = forgotten
    places = {each["file"].partition("/")[0].partition("-")[0] for each in receipt["touched"]}
    assert {"published.d", "models", "ratings", "users", "views", "ids", "matinee.duckdb"} <= places
    assert {"recommender", "user_ratings", "user_taste"} <= set(receipt["models_to_refit"])
    assert "customer_acquisition" not in receipt["models_to_refit"]
    assert [each["kind"] for each in receipt["people"]] == ["user", "user"]
    by_hand = " ".join(receipt["by_hand"])
    assert "ratings.csv" in by_hand
    assert str(world) in by_hand
    assert "2 people are forgotten" in said


def test_readers_find_a_whole_set_without_them_at_once(forgotten, before):
    warehouse = forgotten[0]
    assert (warehouse / "published").resolve() != (before / "published").resolve()
    for name in ("users", "segment_members", "recommendations", "membership_history"):
        then, now = mart(before, name), mart(warehouse, name)
        column = "entity_id" if "entity_id" in then.columns else "user_id"
        assert now.equals(then.filter(~pl.col(column).is_in([TEXT, NUMBER]))), name
        assert TWIN in now[column]


def test_the_recommender_in_force_answers_everybody_else(matinee, forgotten):
    warehouse = forgotten[0]
    assert matinee("recommend", "--user", TWIN, warehouse=warehouse).exit_code == 0
    refused = matinee("recommend", "--user", NUMBER, warehouse=warehouse)
    assert refused.exit_code == 1


@pytest.mark.long  # that they do not land again: the unit tests of `ingest.forgetting`
def test_old_raw_files_do_not_bring_them_back_and_every_row_is_counted(again, forgotten, home):
    assert found(again, home, forgotten[3]) == []
    manifest = mart(again, "landing_manifest")
    counts = pl.col("rows_landed") + pl.col("rows_rejected") + pl.col("rows_left_out")
    assert manifest.filter(pl.col("rows_read") != counts).is_empty()
    (ratings,) = manifest.filter(table_name="ratings").iter_rows(named=True)
    assert ratings["rows_left_out"] > 2
    assert ratings["rows_rejected"] == 2  # two lines that nobody can tell the cells of


@pytest.mark.long
def test_results_are_those_of_raw_files_that_never_held_them(matinee, again, world, home, tmp_path):
    never = tmp_path / "world"
    shutil.copytree(world, never)
    for path in (never / "ratings.csv", *(never / "viewing").glob("*.csv")):
        lines = path.read_text().splitlines(keepends=True)
        path.write_text("".join(line for line in lines if not line.startswith((f"{TEXT},", f"{NUMBER},"))))
    done = matinee("run", "--source", never, "--allow-rejects", warehouse=tmp_path / "never", home=home)
    assert done.exit_code == 0, done.said
    tables = (
        {path.stem for path in (again / "published").glob("*.parquet")} - TOLD_OF_RUNS - OF_EARLIER_NIGHTS
    )
    assert {"recommendations", "segment_members", "user_genres"} <= tables
    for name in sorted(tables):
        one, other = (_by_rank(mart(warehouse, name)) for warehouse in (again, tmp_path / "never"))
        assert_frame_equal(one, other, check_row_order=False, rel_tol=1e-6, abs_tol=1e-6)


def _by_rank(table: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of segmentations in which a segment is who it is by rank or rule, not by what was in force."""
    by_rank = pl.col("segmentation").is_in(["user_ratings", "customer_acquisition"])
    return table.filter(by_rank) if "segmentation" in table.columns else table


def test_while_a_run_goes_the_command_is_refused_in_words(matinee, before):
    layout = WarehouseLayout(before)
    with lock_warehouse(layout, "matinee run"):
        refused = matinee("forget", "--user", TEXT, warehouse=before)
    assert refused.exit_code == 1
    assert "a run is already writing" in refused.said
    assert not (before / "landing" / "suppressed.json").exists()


def test_who_is_nowhere_is_kept_out_all_the_same(matinee, before, tmp_path, home):
    listed = tmp_path / "ids.txt"
    listed.write_text("\ufeffnobody@nowhere\n\n")
    warehouse = tmp_path / "w"
    shutil.copytree(before, warehouse, symlinks=True)
    done = matinee("forget", "--file", listed, warehouse=warehouse, home=home)
    assert done.exit_code == 0
    assert "1 person is nowhere in this warehouse, and kept out from now on." in done.said
    assert len(json.loads((warehouse / "landing" / "suppressed.json").read_text())["entries"]) == 1


def test_nobody_is_nobody(matinee, before):
    refused = matinee("forget", warehouse=before)
    assert refused.exit_code == 2
    assert "nobody was named" in refused.said


@pytest.fixture
def pictures_as_they_are(monkeypatch) -> None:
    """Put pictures into the report as large as they are: to make them smaller takes half of what forgetting takes."""
    monkeypatch.setattr("report.pictures._shrunk", lambda originals, budget: originals)


@pytest.mark.parametrize("place", ["list", "records", "raw", "published", "models", "landing"])
def test_a_kill_at_any_place_is_made_good_by_the_same_command(
    matinee, before, home, tmp_path, monkeypatch, pictures_as_they_are, place
):
    warehouse = tmp_path / "w"
    shutil.copytree(before, warehouse, symlinks=True)
    names = {
        "list": "find_pending",
        "records": "forget_raw",
        "raw": "forget_published",
        "published": "forget_pictures",
        "models": "forget_landed",
        "landing": "settle",
    }

    def killed(*args: object, **named: object) -> None:
        raise KilledError

    draft = (
        warehouse / "models" / "user_ratings" / f".{place}" / "segment_members.parquet"
    )  # of a run that was killed
    draft.parent.mkdir()
    pl.DataFrame({"entity_id": [TEXT]}).write_parquet(draft)
    with monkeypatch.context() as patch:
        patch.setattr(f"orchestration.tasks.forgetting.{names[place]}", killed)
        with pytest.raises(KilledError):
            matinee("forget", "--user", TEXT, "--user", NUMBER, warehouse=warehouse, home=home)
    done = matinee("forget", "--user", TEXT, "--user", NUMBER, warehouse=warehouse, home=home)
    assert done.exit_code == 0
    assert files_with(warehouse, [TEXT, NUMBER]) == []
    entries = json.loads((warehouse / "landing" / "suppressed.json").read_text())["entries"]
    assert [entry["pending"] for entry in entries] == [False, False]
    assert list((warehouse / "published.d").iterdir()) == [(warehouse / "published").resolve()]
