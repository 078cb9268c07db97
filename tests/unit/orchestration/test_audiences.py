"""All audiences of a warehouse together, from night to night."""

import shutil
from datetime import datetime, timedelta

import dagster as dg
import duckdb
import polars as pl
import pytest
import yaml

from ingest.forgetting import Person
from ml.audiences.compile import compile_audience
from ml.audiences.holdout import place
from ml.audiences.members import waterfall
from ml.audiences.spec import AudienceError, check_together
from orchestration.components.audience import AudienceComponent
from orchestration.settings import HoldoutSettings, SettingsError, load_holdout_settings
from orchestration.stores.layout import WarehouseLayout
from orchestration.tasks import audiences
from orchestration.tasks.forgetting_places import forget_snapshots
from orchestration.tools.dbt import ml_table_definitions
from orchestration.tools.warehouse import WarehouseResource
from tests.conftest import Matinee
from tests.unit.audiences.worlds import DDL, rule

NOW = datetime(2026, 11, 30, 3)
PEOPLE = 400
HALF = HoldoutSettings(share=0.5)


class Nights:
    """A warehouse of users 1 to 400, each of whom watched as many minutes, and runs of audiences on it."""

    def __init__(self, folder):
        self.layout = WarehouseLayout(folder)
        folder.mkdir()
        self.nights = 0
        with duckdb.connect(str(self.layout.database)) as connection:
            connection.execute(DDL)
            connection.execute(
                "insert into marts.users select range, 'Basic', null, range from range(1, ?)", [PEOPLE + 1]
            )

    def run(self, settings=HALF, *, publish=True, **declared):
        specs = {name: rule(**{"name": name, **more}) for name, more in declared.items()}
        check_together(specs)
        self.nights += 1
        with duckdb.connect(str(self.layout.database)) as connection:
            for name, spec in specs.items():
                store = audiences.store_of(self.layout, name)
                try:
                    compiled = compile_audience(spec, audiences.tables_of(connection), specs)
                except AudienceError as error:
                    store.skip(str(error))
                    continue
                members, kept = audiences.find_members(connection, compiled)
                facts = {
                    "everybody": kept[0],
                    "warning": audiences.doubts(compiled, kept),
                    "sql": compiled.sql,
                }
                audiences.store_members(
                    store, f"night{self.nights:03}", members, waterfall(compiled.steps, kept), facts
                )
            at = NOW + timedelta(days=self.nights)
            tables = audiences.account(self.layout, specs, settings, connection, at)
        if publish:
            self.layout.published.mkdir(exist_ok=True)
            for table, frame in tables.items():
                frame.write_parquet(self.layout.published / f"{table}.parquet")
        return tables


@pytest.fixture
def nights(tmp_path):
    return Nights(tmp_path / "w")


def above(minutes, **more):
    return {"include": {"attribute": {"column": "minutes", "above": minutes}}, **more}


def members_of(tables, audience):
    return set(
        tables["audience_matches"].filter(pl.col("taken_by").is_null(), audience=audience)["entity_id"]
    )


def row_of(tables, audience):
    return tables["audiences"].filter(audience=audience).row(0, named=True)


def test_nobody_stays_when_a_rule_changes(nights):
    nights.run(heavy=above(100), gone=above(300))
    tables = nights.run(heavy=above(200))
    assert members_of(tables, "heavy") == {str(user) for user in range(201, PEOPLE + 1)}
    assert set(tables["audience_matches"]["audience"]) == {"heavy"}
    left = tables["audience_history"].filter(pl.col("left_at").is_not_null())
    assert dict(left["audience"].value_counts().iter_rows()) == {"heavy": 100, "gone": 100}
    assert row_of(tables, "heavy") | {"sql": None} == {
        "audience": "heavy",
        "description": "Tested",
        "entity": "user_id",
        "priority": None,
        "everybody": PEOPLE,
        "members": 200,
        "held_out": row_of(tables, "heavy")["held_out"],
        "share": 0.5,
        "members_before": 300,
        "share_before": 0.75,
        "warning": None,
        "sql": None,
        "salt": row_of(tables, "heavy")["salt"],
    }


def test_a_run_that_does_not_publish_changes_no_history(nights):
    first = nights.run(heavy=above(100))
    nights.run(heavy=above(399), publish=False)
    again = nights.run(heavy=above(100))
    assert again["audience_history"].sort(pl.all()).equals(first["audience_history"].sort(pl.all()))


def test_the_waterfall_adds_up_from_everybody_to_those_who_are_sent_something(nights):
    tables = nights.run(
        first=above(350, priority=1),
        second=above(200, priority=2, exclude=[{"attribute": {"column": "minutes", "is": [201, 380]}}]),
    )
    falls = tables["audience_waterfall"].filter(audience="second").sort("step")
    assert falls["side"].to_list() == ["include", "include", "exclude", "priority", "hold-out"]
    assert falls["kept"].to_list()[:4] == [400, 200, 198, 149]
    assert (falls["kept"].shift(1) - falls["dropped"] == falls["kept"])[1:].all()
    row = row_of(tables, "second")
    assert falls["kept"][-1] == row["members"] - row["held_out"]
    assert members_of(tables, "second").isdisjoint(members_of(tables, "first"))


def test_who_is_held_out_hangs_on_salt_and_id_alone(nights):
    first = nights.run(heavy=above(100), own=above(0, holdout=0.3))["audience_matches"]
    held = dict(first.filter(audience="heavy").select("entity_id", "held_out").iter_rows())
    assert held == {one: place(one, "matinee") < 0.5 for one in held}
    own = dict(first.filter(audience="own").select("entity_id", "held_out").iter_rows())
    assert own == {one: place(one, "matinee") < 0.5 or place(one, "matinee", "own") < 0.3 for one in own}
    later = nights.run(heavy=above(50), other=above(10))["audience_matches"]
    for audience in ("heavy", "other"):
        now = dict(later.filter(audience=audience).select("entity_id", "held_out").iter_rows())
        assert {one: now[one] for one in held} == held
    nobody = nights.run(heavy=above(100), settings=HoldoutSettings(share=0))
    assert not nobody["audience_matches"]["held_out"].any()


def test_another_salt_is_refused_until_it_is_meant(nights, monkeypatch):
    audiences.check_salt(nights.layout, load_holdout_settings())
    nights.run(heavy=above(100))
    audiences.check_salt(nights.layout, load_holdout_settings())
    monkeypatch.setenv("MATINEE_HOLDOUT_SALT", "another secret")
    with pytest.raises(SettingsError, match="MATINEE_HOLDOUT_SALT is not the salt") as refused:
        audiences.check_salt(nights.layout, load_holdout_settings())
    assert "another secret" not in str(refused.value)
    monkeypatch.setenv("MATINEE_HOLDOUT_REDRAW", "true")
    audiences.check_salt(nights.layout, load_holdout_settings())


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [("SALT", "another secret", "is not the salt"), ("SHARE", "2", "Input should be less than 1")],
)
def test_a_run_by_which_others_would_be_held_out_ends_before_it_begins(
    nights, matinee: Matinee, monkeypatch, name, value, said
):
    nights.run(heavy=above(100))
    monkeypatch.setenv(f"MATINEE_HOLDOUT_{name}", value)
    done = matinee("run", warehouse=nights.layout.root)
    assert done.exit_code == 2
    assert done.said.startswith(f"error: setting refused: MATINEE_HOLDOUT_{name}")
    assert said in done.said


def test_an_audience_that_the_source_has_nothing_for_is_skipped_in_words(nights):
    column = {"feature": {"table": "features.user_viewing", "column": "device_tv", "above": 1}}
    tables = nights.run(tv={"include": column}, heavy=above(100))
    assert row_of(tables, "tv")["members"] == 0
    assert "has no column 'device_tv'" in row_of(tables, "tv")["warning"]
    assert set(tables["audience_waterfall"]["audience"]) == {"heavy"}
    assert row_of(tables, "heavy")["members"] == 300


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        (above(PEOPLE), "nobody is in it"),
        ({}, "everybody is in it"),
        (
            {"include": {"attribute": {"column": "subscription", "is": "Basics"}}},
            "nobody is in it; nobody has the subscription",
        ),
    ],
)
def test_an_audience_of_nobody_or_of_everybody_is_warned_of(nights, declared, said):
    assert row_of(nights.run(odd=declared), "odd")["warning"].startswith(said)


def test_no_audiences_are_no_rows(nights):
    nights.run(heavy=above(100))
    tables = nights.run()
    assert {name: len(frame) for name, frame in tables.items()} == {
        "audiences": 0,
        "audience_matches": 0,
        "audience_waterfall": 0,
        "audience_history": 300,
    }


def test_what_ml_has_made_by_now_is_asked_and_not_what_the_run_before_left(nights):
    placed = pl.DataFrame(
        {"segmentation": ["taste"], "entity_id": ["7"], "segment_name": ["A"], "level": ["x"]}
    )
    store = audiences.VersionedStore(nights.layout.models / "taste")
    store.begin_candidate("v1")
    store.write_table("segment_members", placed)
    spec = rule(include={"segment": {"of": "taste", "is": "A"}})
    with duckdb.connect(str(nights.layout.database), read_only=True) as connection:
        shown = audiences.show_made(
            connection, nights.layout, ["taste", "never_trained"], ml_table_definitions
        )
        compiled = compile_audience(spec, audiences.tables_of(connection, shown), {})
        assert audiences.find_members(connection, compiled)[0]["entity_id"].to_list() == ["7"]
        assert not compiled.doubts


@pytest.mark.parametrize(
    ("condition", "table"),
    [({"segment": {"of": "taste"}}, "ml.segment_members"), ({"score": {"above": 0.5}}, "ml.departure")],
)
def test_of_what_this_run_skipped_the_rows_of_the_run_before_count_for_nobody(nights, condition, table):
    spec = rule(include=condition)
    audiences.VersionedStore(nights.layout.models / "taste").skip("too few")
    audiences.VersionedStore(nights.layout.departure).skip("too few")
    with duckdb.connect(str(nights.layout.database)) as connection:
        connection.execute("insert into ml.segment_members values ('taste', '7', 'A', 'x')")
        connection.execute("insert into ml.departure values (7, 0.9, 1)")
        shown = audiences.show_made(connection, nights.layout, ["taste"], ml_table_definitions)
        compiled = compile_audience(spec, audiences.tables_of(connection, shown), {})
        members, kept = audiences.find_members(connection, compiled)
    assert members.is_empty()
    assert audiences.lack(compiled, kept) == f"1 table without rows: {table}"


def test_segments_of_another_entity_are_refused_for_equal_ids_are_not_equal_people(tmp_path):
    for name, component, attributes in (
        ("reception", "Segmentation", "name: reception, entity: title_id"),
        (
            "well_received",
            "Audience",
            "name: well_received, description: A, include: {segment: {of: reception}}",
        ),
    ):
        file = tmp_path / name / "defs.yaml"
        file.parent.mkdir()
        file.write_text(
            f"type: orchestration.components.{component}Component\nattributes: {{{attributes}}}\n"
        )
    with pytest.raises(AudienceError, match="of user_id, and the segmentation 'reception' of title_id"):
        audiences.read_audiences(tmp_path)


def test_a_declaration_is_refused_by_its_file_and_field(tmp_path):
    file = tmp_path / "a" / "defs.yaml"
    file.parent.mkdir()
    declared = "type: orchestration.components.AudienceComponent\nattributes: {name: a, description: A, %s}\n"
    file.write_text(declared % "include: {watched: {at_leest: 3}}")
    with pytest.raises(AudienceError, match=r"a/defs.yaml: include.0.watched.at_leest: .*nearest: at_least"):
        audiences.read_audiences(tmp_path)
    file.write_text(declared % "priority: 3")
    assert audiences.read_audience(file) == rule(name="a", description="A", priority=3)
    shutil.copytree(file.parent, tmp_path / "b")
    with pytest.raises(AudienceError, match="there is an audience 'a' already"):
        audiences.read_audiences(tmp_path)
    file.write_text("type: [")
    with pytest.raises(AudienceError, match="is no YAML"):
        audiences.read_audience(file)


def test_the_demo_declares_eight_audiences_that_go_together():
    assert len(audiences.read_audiences()) == 8


def test_files_are_named_in_the_sql_of_no_audience(nights):
    tables = nights.run(heavy=above(100))
    assert str(nights.layout.root) not in row_of(tables, "heavy")["sql"]


def written(folder, condition):
    file = folder / "draft.yaml"
    attributes = {"name": "draft", "description": "Draft", "include": condition}
    declared = {"type": f"orchestration.components.{audiences.COMPONENT}", "attributes": attributes}
    file.write_text(yaml.safe_dump(declared))
    return file


def test_a_file_is_counted_and_explained_before_it_is_saved(nights, matinee: Matinee, tmp_path):
    file = written(tmp_path, {"attribute": {"column": "minutes", "above": 100}})
    done = matinee("audience", "check", file, warehouse=nights.layout.root)
    assert done.exit_code == 0, done.said
    assert "minutes is above 100" in done.out
    assert "draft: 300 of 400 by the rule, before priority and hold-out." in done.out
    sql = matinee("audience", "check", file, "--sql", warehouse=nights.layout.root).out
    with duckdb.connect(str(nights.layout.database), read_only=True) as connection:
        assert len(connection.sql(sql).fetchall()) == 300


def test_for_lack_of_what_nobody_is_found_is_told(nights, matinee: Matinee, tmp_path):
    file = written(tmp_path, [{"recency": {"at_most": 9}}])
    done = matinee("audience", "check", file, warehouse=nights.layout.root)
    said = " ".join(done.said.split())
    assert "warning: nobody is in it" in said
    assert "2 tables without rows: features.user_title_ratings, intermediate.int_views__watched" in said
    assert done.exit_code == 0


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ({"attribute": {"column": "minuts", "above": 1}}, "has no column 'minuts'; nearest: minutes"),
        ({"audience": "draft"}, "audiences go in a circle: draft → draft"),
        ({"audience": "quiet_premum"}, "there is no audience 'quiet_premum'; nearest: quiet_premium"),
        (
            {"attribute": {"column": "subscription", "is": "Basics"}},
            "nobody has the subscription 'Basics'; nearest: Basic",
        ),
    ],
)
def test_a_file_with_a_name_that_is_not_known_is_refused_with_the_nearest(
    nights, matinee: Matinee, tmp_path, condition, said
):
    done = matinee("audience", "check", written(tmp_path, condition), warehouse=nights.layout.root)
    assert done.exit_code == 1
    assert said in " ".join(done.said.split())


def test_a_snapshot_keeps_the_members_of_the_day_whatever_comes_after(nights, matinee: Matinee):
    root = nights.layout.root
    assert "no audience is published" in matinee("audience", "snapshot", "heavy", warehouse=root).said
    tables = nights.run(heavy=above(100))
    members = tables["audience_matches"].select("audience", "entity_id", "held_out")
    members.write_parquet(nights.layout.published / "audience_members.parquet")
    done = matinee("audience", "snapshot", "heavy", warehouse=root)
    assert "heavy: 300 members pinned in" in " ".join(done.out.split())
    assert "pinned already" in matinee("audience", "snapshot", "heavy", warehouse=root).out
    (file,) = nights.layout.audience_snapshots.glob("heavy/*.parquet")
    kept = pl.read_parquet(file)
    assert kept.columns == ["user_id", "held_out"]
    assert set(kept["user_id"]) == members_of(tables, "heavy")
    assert "where step_1" in file.with_suffix(".json").read_text()
    assert f"Pinned of heavy: {file.stem}" in matinee("audience", "list", warehouse=root).out
    refused = matinee("audience", "snapshot", "heavi", warehouse=root)
    assert "no audience 'heavi' is published; nearest: heavy" in refused.said


@pytest.mark.parametrize(
    ("table", "fails"), [("marts.users", True), ("features.user_viewing", False)], ids=["rows", "no rows"]
)
def test_a_column_that_a_table_with_rows_lacks_is_warned_of_by_the_run(nights, tmp_path, table, fails):
    kind = {"attribute": {}} if fails else {"feature": {"table": table}}
    ((key, given),) = kind.items()
    spec = rule(name="odd", include={key: {**given, "column": "subscripton", "is": "Basic"}})
    (asset,) = AudienceComponent(spec).build_defs(None).assets
    (tmp_path / "home").mkdir()
    with dg.DagsterInstance.local_temp(str(tmp_path / "home")) as instance:
        done = dg.materialize(
            [asset],
            instance=instance,
            resources={"warehouse": WarehouseResource(path=str(nights.layout.root))},
        )
    (found,) = done.get_asset_check_evaluations()
    assert found.passed is not fails
    assert f"{table} has no column 'subscripton'" in found.description
    assert f"{table} has no column" in audiences.store_of(nights.layout, "odd").skipped


def test_a_forgotten_user_leaves_the_snapshots_too(nights):
    file = nights.layout.audience_snapshots / "heavy" / "20261130.parquet"
    file.parent.mkdir(parents=True)
    pl.DataFrame({"user_id": ["7", "8"], "held_out": [True, False]}).write_parquet(file)
    (touched,) = forget_snapshots(nights.layout, [Person("user", "7", 7)])
    assert touched.rows == 1
    assert pl.read_parquet(file)["user_id"].to_list() == ["8"]


def test_where_the_tables_of_ml_are_not_there_yet_a_rule_finds_them_empty(tmp_path):
    with duckdb.connect() as connection:
        shown = audiences.show_made(connection, WarehouseLayout(tmp_path), [], ml_table_definitions)
        tables = audiences.tables_of(connection, shown)
        assert {"segmentation", "segment_name", "level"} <= tables.columns["ml.segment_members"].keys()
        assert not any(tables.has_rows(table) for table in shown)
