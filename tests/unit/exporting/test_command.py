"""`matinee export`, and the same as an asset of Dagster."""

import dagster as dg
import pytest

from orchestration.assets.exports import build_exports
from orchestration.definitions import DeclarationError, build_defs
from orchestration.settings import PROJECT_ROOT, load_settings
from orchestration.stores import archive
from orchestration.stores.deliveries import DeliveryStore
from orchestration.stores.layout import WarehouseLayout
from orchestration.tasks import nothing_new
from orchestration.tasks.backup import back_up
from orchestration.tasks.exporting.declaration import read_exports
from orchestration.tasks.exporting.destinations import webhook
from orchestration.tools.run_ends import PUBLISHED
from orchestration.tools.warehouse import WarehouseResource
from tests.conftest import Matinee

LOYAL = """
description: Loyal viewers
audiences: [loyal]
columns: [{attribute: region}]
destination: {folder: lists}
least: 1
"""


@pytest.fixture
def call(world, matinee: Matinee, monkeypatch, tmp_path):
    (tmp_path / "exports").mkdir()
    (tmp_path / "exports" / "loyal.yaml").write_text(LOYAL)
    monkeypatch.setenv("MATINEE_EXPORTS", str(tmp_path / "exports"))
    monkeypatch.setenv("MATINEE_MINIMUM_MEMBERS", "2")
    return lambda *said: matinee("export", *said, warehouse=world.root)


def test_a_plan_shows_what_a_delivery_would_be_and_the_delivery_says_what_it_was(world, call):
    world.publish(["ann@x.org", 2, 3], held_out=[3])
    planned = call("loyal", "--plan")
    assert "would send (everybody anew: 2 added, 0 updated, 0 removed; 2 there, 1 held out)" in planned.out
    assert "added,2,North" in planned.out
    assert "ann@x.org" not in planned.out
    assert not (world.root / "lists").exists()
    assert "delivery 000001-" in call("loyal").out
    for said in ((), ("--plan",)):
        assert call("loyal", *said).out == "loyal: nothing is new since the last delivery; 2 are there.\n"
    listed = call("--list").out
    assert "loyal" in listed
    assert "000001-" in listed


def test_no_id_of_a_plan_steers_the_terminal(world, call):
    world.publish(["\x1b[2J1", "é"])
    planned = call("loyal", "--plan").out
    assert "added,\\x1b[2J1,North\nadded,é,North" in planned


@pytest.mark.parametrize(
    ("said", "code", "words"),
    [
        ((), 2, "give the name of an export, or --list"),
        (("loyl",), 1, "no export 'loyl'; there are: loyal"),
        (("loyal",), 1, "1 of the audience loyal would be left there; at least 2 must be"),
    ],
)
def test_what_cannot_be_done_is_said_and_ends_with_a_code(world, call, said, code, words):
    world.publish([1])
    done = call(*said)
    assert done.exit_code == code
    assert words in done.error


def test_a_plan_that_would_be_refused_shows_what_was_asked_for_and_ends_with_a_code(world, call):
    world.publish(range(10))
    call("loyal")
    world.publish([*range(4), 11])
    planned = call("loyal", "--plan")
    assert planned.exit_code == 1
    assert (
        "would be refused (1 added, 0 updated, 6 removed; 5 there, 0 held out): 6 of 10 would be"
        in planned.out
    )
    assert "would send" not in planned.out


def test_names_are_listed_in_one_piece_so_that_they_can_be_copied(call, tmp_path):
    long = "people_on_televisions"
    (tmp_path / "exports" / f"{long}_weekly.yaml").write_text(
        LOYAL.replace("loyal]", f"loyal, {long}_at_night]")
    )
    listed = call("--list").out
    assert f"{long}_weekly" in listed
    assert f"{long}_at_night" in listed


def test_before_anything_is_published_the_command_says_what_to_do(world, call):
    world.root.mkdir()
    assert "Nothing is published" in call("loyal").error


def test_an_asset_sends_after_publishing_and_no_secret_is_in_its_records(world, monkeypatch, tmp_path):
    monkeypatch.setattr(webhook, "PAUSE_SECONDS", 0)
    monkeypatch.setenv("CRM_HOOK", "http://127.0.0.1:9/s3cret")
    monkeypatch.setenv("CRM_TOKEN", "hunter2")
    place = {"webhook": "$CRM_HOOK", "headers": {"Authorization": "$CRM_TOKEN"}}
    there, down = world.export(), world.export(name="down", destination=place)
    sending, failing = build_exports({"loyal": there, "down": down})
    world.publish(range(60))
    resources = {"warehouse": WarehouseResource(path=str(world.root))}
    (tmp_path / "home").mkdir()
    with dg.DagsterInstance.local_temp(str(tmp_path / "home")) as instance:
        done = dg.materialize([sending], instance=instance, resources=resources)
        assert (
            done.asset_materializations_for_node(sending.op.name)[0].metadata["dagster/row_count"].value == 60
        )
        failed = dg.materialize([failing], instance=instance, resources=resources, raise_on_error=False)
        assert not failed.success
    assert DeliveryStore(WarehouseLayout(world.root), "down").begun
    assert sending.asset_deps[sending.key] == {PUBLISHED}
    for file in (path for path in tmp_path.rglob("*") if path.is_file()):
        assert b"hunter2" not in file.read_bytes(), file
        assert b"s3cret" not in file.read_bytes(), file


def test_a_backup_takes_along_what_was_delivered(world, tmp_path):
    world.publish(range(4))
    world.deliver(world.export())
    back_up(WarehouseLayout(world.root), tmp_path / "home", tmp_path / "kept.tar.zst")
    archive.unpack(tmp_path / "kept.tar.zst", tmp_path / "back")
    kept = sorted(path.name for path in (tmp_path / "back" / "warehouse" / "deliveries").rglob("*"))
    assert kept == ["000001", "loyal", "manifest.json", "sent.parquet", "treated.parquet"]


def test_the_exports_that_come_along_are_sent_on_demand_and_no_scheduled_run_needs_them():
    ours = read_exports(PROJECT_ROOT / "exports")
    assert len(ours) == 2
    assert not any(export.schedule for export in ours.values())


def test_a_night_on_which_nothing_else_is_new_sends_what_is_pending(world, monkeypatch):
    monkeypatch.setattr(nothing_new, "_made_of", lambda _layout: "the same")
    layout, assets = WarehouseLayout(world.root), ["published/tables", "exports/loyal"]
    world.publish([1])
    nothing_new.remember(layout, assets)
    assert nothing_new.is_nothing_new(layout, assets)
    (layout.deliveries / "loyal" / "pending").mkdir(parents=True)
    assert not nothing_new.is_nothing_new(layout, assets)
    assert nothing_new.is_nothing_new(layout, assets[:1]), "of an export on demand no night knows"


@pytest.mark.parametrize(
    ("said", "goes_on"), [({"destination": {"folder": "$LISTS"}}, True), ({"least": 99}, False)]
)
def test_a_night_on_which_nothing_else_is_new_begins_what_could_not_begin(world, monkeypatch, said, goes_on):
    monkeypatch.setattr(nothing_new, "_made_of", lambda _layout: "the same")
    layout, assets = WarehouseLayout(world.root), ["published/tables", "exports/loyal"]
    world.publish(range(60))
    nothing_new.remember(layout, assets)
    monkeypatch.delenv("LISTS", raising=False)
    export = world.export(**said)
    resources = {"warehouse": WarehouseResource(path=str(world.root))}
    with dg.DagsterInstance.ephemeral() as instance:
        assert not dg.materialize(
            build_exports({"loyal": export}), instance=instance, resources=resources, raise_on_error=False
        ).success
    assert not DeliveryStore(layout, "loyal").begun
    assert nothing_new.is_nothing_new(layout, assets) is not goes_on


def test_the_refresh_sends_what_is_scheduled_and_nothing_that_is_on_demand(tmp_path):
    (tmp_path / "nightly.yaml").write_text(LOYAL + "schedule: true\n")
    (tmp_path / "by_hand.yaml").write_text(LOYAL)
    defs = build_defs(load_settings(exports=tmp_path))
    for job in ("refresh", "update"):
        made = defs.resolve_job_def(job).asset_layer.executable_asset_keys
        assert {key.path[1] for key in made if key.path[0] == "exports"} == {"nightly"}
    assert {spec.key.path[1] for spec in defs.resolve_all_asset_specs() if spec.key.path[0] == "exports"} == {
        "nightly",
        "by_hand",
    }
    (tmp_path / "by_hand.yaml").write_text("audiences: [x]")
    with pytest.raises(DeclarationError, match=r"by_hand.yaml: description: Field required"):
        build_defs(load_settings(exports=tmp_path))


def test_an_account_that_is_damaged_is_named(world, call):
    world.publish(range(5))
    call("loyal")
    (world.root / "deliveries" / "loyal" / "000001" / "sent.parquet").write_bytes(b"PAR1")
    done = call("loyal")
    assert done.exit_code == 1
    assert "sent.parquet is damaged. Put it back from a backup" in done.error
