"""A warehouse of the version before is read and carried on; one of another Matinee's shape is refused in words."""

import json
import shutil
from pathlib import Path

import polars as pl
import pytest
from streamlit.testing.v1 import AppTest

from orchestration.stores.layout import WarehouseLayout
from orchestration.stores.lock import WarehouseError, lock_warehouse
from published import schema
from published.errors import SchemaError
from published.finding import current_set, set_before, set_of_run
from published.recommender import version_in_force
from published.sets import open_set
from tests.conftest import PROJECT_ROOT, Matinee
from tests.version_1 import RUN, SEGMENTS, SET, write_version_1

NEWER, OLDER = schema.SCHEMA + 1, schema.OLDEST - 1
SAID = {
    NEWER: f"was made by a newer Matinee (schema version {NEWER}; this one knows {schema.SCHEMA}). Update Matinee",
    OLDER: f"was made by an older Matinee (schema version {OLDER}; this one reads {schema.OLDEST} to {schema.SCHEMA}). "
    "Choose another folder with --warehouse: `matinee run` makes everything anew",
}


@pytest.fixture
def old(tmp_path: Path) -> Path:
    return write_version_1(tmp_path / "warehouse")


def number(folder: Path, version: object) -> None:
    (folder / "schema.json").write_text(json.dumps({"version": version}))


def test_a_set_of_the_version_before_is_read(old: Path):
    data = current_set(old)
    assert data.ask("select * from segments").equals(SEGMENTS)
    assert data.contract["segments"].description == "One row per segment."


def test_a_model_of_the_version_before_places_users(old: Path, matinee: Matinee):
    pl.DataFrame({"user_id": [7, 8], "habit_1": [1.0, 9.0], "habit_2": [2.0, 7.0]}).write_csv(old / "new.csv")
    scored = matinee("score", "habits", "--input", old / "new.csv", warehouse=old)
    assert scored.exit_code == 0, scored.said
    assert pl.read_csv(scored.out.encode())["segment_name"].to_list() == ["Few Ratings", "Many Ratings"]


def test_who_writes_to_a_warehouse_of_the_version_before_gives_it_todays_number_and_changes_nothing_else(
    old: Path,
):
    before = {path: path.read_bytes() for path in old.rglob("*") if path.is_file()}
    with lock_warehouse(WarehouseLayout(old), "a run"):
        assert json.loads((old / "schema.json").read_text()) == {"version": schema.SCHEMA}
    after = {path: path.read_bytes() for path in old.rglob("*") if path.is_file()}
    assert after == before | {old / "schema.json": (old / "schema.json").read_bytes()}


@pytest.mark.parametrize("version", SAID)
def test_a_set_of_another_shape_is_refused_in_words(old: Path, version):
    number(old / "published.d" / SET, version)
    with pytest.raises(SchemaError) as refused:
        current_set(old)
    assert SAID[version] in str(refused.value)


@pytest.mark.parametrize("version", SAID)
def test_the_dashboard_says_so_instead_of_pages(old: Path, version, monkeypatch):
    number(old / "published.d" / SET, version)
    monkeypatch.setenv("MATINEE_WAREHOUSE", str(old))
    page = AppTest.from_file(str(PROJECT_ROOT / "dashboard" / "app.py"), default_timeout=60).run()
    assert not page.exception
    assert [SAID[version] in error.value for error in page.error] == [True]


@pytest.mark.parametrize("version", SAID)
@pytest.mark.parametrize(
    "command",
    [
        ["run", "--source", PROJECT_ROOT],
        ["score", "habits", "--sql"],
        ["promote", "habits", "--reason", "why"],
        ["recommend", "--user", "1"],
        ["backup", "--to", "backup.tar"],
    ],
)
def test_every_command_refuses_a_warehouse_of_another_shape_in_words_and_changes_nothing(
    old: Path, matinee: Matinee, version, command, monkeypatch
):
    number(old, version)
    before = {path: path.read_bytes() for path in old.rglob("*") if path.is_file()}
    monkeypatch.chdir(old.parent)
    done = matinee(*command, warehouse=old)
    assert done.exit_code == 1, done.said
    assert f"error: {old} {SAID[version]}" in done.error
    assert {path: path.read_bytes() for path in old.rglob("*") if path.is_file()} == before


def test_the_recommender_of_a_newer_warehouse_is_not_opened(old: Path):
    number(old, NEWER)
    with pytest.raises(SchemaError, match="newer Matinee"):
        version_in_force(old)


def test_a_set_of_another_shape_is_none_to_compare_with(old: Path):
    sets = old / "published.d"
    shutil.copytree(sets / SET, sets / "20260103T030405-cd")
    assert set_before(sets / "20260103T030405-cd") == sets / SET
    data = open_set(sets / "20260103T030405-cd")
    number(sets / SET, OLDER)
    assert set_before(sets / "20260103T030405-cd") is None
    assert set_of_run(data, RUN) is None


@pytest.mark.parametrize("damaged", ["", "{}", "[2]", '{"version": "two"}'])
def test_a_damaged_number_is_named_with_its_file(old: Path, damaged):
    (old / "schema.json").write_text(damaged)
    with (
        pytest.raises(WarehouseError, match=r'schema\.json is damaged: .* as in \{"version": 2\}'),
        lock_warehouse(WarehouseLayout(old), "a run"),
    ):
        pass
