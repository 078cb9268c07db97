"""A folder, here or in storage, gets whole files: first everybody, then what changed."""

import errno
import hashlib
import json
import os
import shutil
from pathlib import Path

import polars as pl
import pytest

from ingest.forgetting import Person
from ingest.suppressing import settle, suppress
from orchestration.stores import deliveries
from orchestration.stores.deliveries import DeliveryStore
from orchestration.stores.layout import WarehouseLayout
from orchestration.tasks.exporting.delivering import plan
from orchestration.tasks.exporting.destinations.files import Files
from orchestration.tasks.exporting.errors import DestinationError, ExportError, ExportRefusedError
from orchestration.tasks.forgetting_places import forget_deliveries
from tests.storage import BUCKET, KEYS, served


def received(folder) -> list[str]:
    """What a reader of the folder finds, file after file in their order."""
    return [file.read_text() for file in sorted(folder.glob("*.csv"))]


def test_the_first_delivery_is_everybody_and_the_next_what_changed(world):
    export = world.export()
    world.publish(range(1, 9), held_out=[8])
    first = world.deliver(export).manifests[0]
    assert (first["kind"], first["added"], first["held_out"], first["before"]) == ("full", 7, 1, None)
    world.publish([1, 2, 3, 4, 5, 6, 9], regions={"2": "South"})
    second = world.deliver(export).manifests[0]
    assert received(world.out)[1] == ("change,user_id,region\nupdated,2,South\nremoved,7,\nadded,9,North\n")
    assert (second["kind"], second["before"], second["left"]) == ("changes", first["id"], 7)
    assert world.deliver(export).manifests == (), "nothing is new, so nothing is sent"


def test_a_manifest_comes_last_and_names_files_with_their_hashes(world):
    world.publish(range(5))
    sent = world.deliver(world.export()).manifests[0]
    file = world.out / sent["files"][0]["name"]
    assert hashlib.sha256(file.read_bytes()).hexdigest() == sent["files"][0]["sha256"]
    there = json.loads((world.out / f"loyal-{sent['id']}.manifest.json").read_text())
    assert (there["id"], there["run"], there["added"]) == (sent["id"], "00000001", 5)


@pytest.mark.parametrize(("form", "read"), [("jsonl", pl.read_ndjson), ("parquet", pl.read_parquet)])
def test_json_lines_and_parquet_hold_the_same_rows(world, form, read):
    world.publish([1, 2])
    columns = [{"segment": "user_taste", "as": "taste"}, {"recommendations": 1}]
    world.deliver(world.export(format=form, columns=columns))
    (file,) = world.out.glob(f"*.{form}")
    assert read(file).rows() == [
        ("added", "1", "Crime", '=HYPERLINK("x")', "t1"),
        ("added", "2", "Crime", None, None),
    ]


def test_in_csv_no_spreadsheet_runs_what_stands_in_a_title(world):
    world.publish([1])
    world.deliver(world.export(columns=[{"recommendations": 1}]))
    assert "'=HYPERLINK" in received(world.out)[0]


def test_ad_platforms_get_hashes_alone_and_who_is_removed_in_a_file_of_its_own(world):
    export = world.export(format="ads", columns=[{"email": "user_id"}], most_removed=1)
    world.publish([" Ann@X.org", "bob@x.org", "17"])
    world.deliver(export)
    world.publish(["bob@x.org", "carl@x.org"])
    world.deliver(export)
    hashes = {name: hashlib.sha256(f"{name}@x.org".encode()).hexdigest() for name in ("ann", "bob", "carl")}
    first, added, removed = received(world.out)
    assert sorted(first.split()) == sorted(["email", hashes["ann"], hashes["bob"]])
    assert added.split() == ["email", hashes["carl"]]
    assert removed.split() == ["email", hashes["ann"]]
    world.publish([1, 2])
    with pytest.raises(ExportError, match="nobody's user_id is an e-mail address"):
        world.deliver(export)


def test_numbers_are_hashed_with_their_country(world):
    numbers = ["+44 1632 960001", "0044(1632)960001", "01632 960001", "none"]
    world.publish([1, 2, 3, 4], regions=dict(zip("1234", numbers, strict=True)))
    world.deliver(
        world.export(columns=[{"phone": "region", "calling_code": "44"}, {"phone": "region", "as": "plain"}])
    )
    said = hashlib.sha256(b"+441632960001").hexdigest()
    assert [line.split(",")[2:] for line in received(world.out)[0].splitlines()[1:]] == [
        [said, said],
        [said, said],
        [said, ""],
        ["", ""],
    ]


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"audiences": ["loyl"]}, "no audience 'loyl' is published; there are: loyal"),
        ({"columns": [{"attribute": "regoin"}]}, "no attribute 'regoin' is published; there are: region"),
        ({"columns": [{"segment": "taste"}]}, "no segmentation 'taste' is published; there are: user_taste"),
    ],
)
def test_what_is_not_published_is_answered_with_the_nearest_names(world, said, words):
    world.publish([1])
    with pytest.raises(ExportError, match=words):
        plan(world.export(**said), world.settings())


def test_segments_of_another_entity_are_told_of_nobody(world):
    world.publish([1])
    segments = pl.DataFrame({"segmentation": ["user_taste"], "entity": ["customer_id"]})
    segments.write_parquet(world.root / "published" / "segments.parquet")
    with pytest.raises(ExportError, match="user_taste is of customer_id; members here are known by user_id"):
        plan(world.export(columns=[{"segment": "user_taste"}]), world.settings())


def test_a_set_without_audiences_is_refused_in_words(world):
    world.publish([1])
    (world.root / "published" / "audience_members.parquet").unlink()
    with pytest.raises(ExportError, match="the published set has no audiences"):
        world.deliver(world.export())


def test_a_plan_sends_nothing_and_says_what_would_be_refused(world):
    world.publish(range(10))
    made = plan(world.export(least=11), world.settings())
    assert made.refused == "10 of the audience loyal would be left there; at least 11 must be"
    assert plan(world.export(), world.settings()).rows.columns == ["change", "user_id", "region"]
    assert not (world.root / "deliveries").exists()
    assert not world.out.exists()


def test_a_list_that_would_lose_too_many_stays_as_it_is_even_when_its_columns_change(world):
    world.publish(range(10))
    world.deliver(world.export())
    world.publish(range(5))
    for columns in ([{"attribute": "region"}], []):
        with pytest.raises(ExportRefusedError, match=r"5 of 10 would be removed \(50%\).*Nothing was sent"):
            world.deliver(world.export(columns=columns))
    assert len(received(world.out)) == 1
    assert world.deliver(world.export(), full=True).manifests[0]["kind"] == "full"


def test_an_audience_that_became_one_of_customers_is_sent_anew_and_no_user_is_kept(world):
    export = world.export(columns=[], most_removed=1)
    world.publish([1, 2])
    world.deliver(export)
    world.publish([1, 3])
    now = pl.DataFrame({"audience": ["loyal"], "entity": ["customer_id"]})
    now.write_parquet(world.root / "published" / "audiences.parquet")
    sent = world.deliver(export).manifests[0]
    assert (sent["kind"], sent["entity"], sent["added"]) == ("full", "customer_id", 2)
    treated = DeliveryStore(WarehouseLayout(world.root), "loyal").treated()
    assert treated["entity_id"].sort().to_list() == ["1", "3"]


def test_forgotten_people_are_never_sent_and_their_removal_goes_out_even_from_a_refused_delivery(world):
    export = world.export()
    world.publish(range(10))
    suppress(world.root / "landing", [("user", "9")], [], world.settings().today)
    settle(world.root / "landing")
    world.deliver(export)
    assert "added,9," not in received(world.out)[0]
    store = DeliveryStore(WarehouseLayout(world.root), "loyal")
    suppress(world.root / "landing", [("user", "8")], [], world.settings().today)
    store.forget(["8"])
    assert store.sent().filter(entity_id="8").row(0)[2:] == (None, True), "only whom to remove is kept"
    world.publish(range(3))
    with pytest.raises(ExportRefusedError, match="Only people who were forgotten were removed there"):
        world.deliver(export)
    assert received(world.out)[1] == "change,user_id,region\nremoved,8,\n"
    assert "8" not in store.sent()["entity_id"]


def test_a_pending_delivery_forgets_too_and_keeps_its_order(world, killed):
    export = world.export(most_removed=1)
    world.publish(range(4))
    killed(Files, "send")
    with pytest.raises(KeyboardInterrupt):
        world.deliver(export)
    suppress(world.root / "landing", [("user", "2")], [], world.settings().today)
    DeliveryStore(WarehouseLayout(world.root), "loyal").forget(["2"])
    world.deliver(export)
    first, second = received(world.out)
    assert "removed,2,\n" in first
    assert second == "change,user_id,region\nremoved,2,\n"


@pytest.mark.parametrize(
    ("module", "writes"),
    [(deliveries, "_written"), (Path, "rename"), (Path, "replace")],
)
def test_what_a_kill_left_half_written_of_an_account_stops_no_forgetting_and_holds_nobody(
    world, killed, monkeypatch, module, writes
):
    world.publish(range(4))
    killed(module, writes)
    with pytest.raises(KeyboardInterrupt):
        world.deliver(world.export())
    monkeypatch.setattr(os, "getpid", lambda: 0)  # of the next process
    world.deliver(world.export())
    DeliveryStore(WarehouseLayout(world.root), "loyal").forget(["2"])
    assert not list((world.root / "deliveries").rglob(".*"))


def test_a_file_that_a_kill_left_unfinished_below_the_warehouse_goes_when_somebody_is_forgotten(
    world, monkeypatch
):
    world.publish(range(4))
    with monkeypatch.context() as patch:
        patch.setattr(Files, "_write", lambda self, name, content: _unfinished(world.root, name, content))
        with pytest.raises(KeyboardInterrupt):
            world.deliver(world.export(destination={"folder": "lists"}))
    assert list((world.root / "lists").iterdir())
    DeliveryStore(WarehouseLayout(world.root), "loyal").forget(["2"])
    assert not list((world.root / "lists").iterdir())


def _unfinished(root, name, content):
    (root / "lists" / f".{name}.unfinished").write_bytes(content)
    raise KeyboardInterrupt


def test_files_below_the_warehouse_that_held_somebody_go_and_everybody_is_sent_anew(world):
    export = world.export(destination={"folder": "lists"})
    world.publish(range(4))
    world.deliver(export)
    people = [Person("customer", "2", None), Person("user", "7", 7)]
    assert forget_deliveries(WarehouseLayout(world.root), people) == []
    (touched,) = forget_deliveries(WarehouseLayout(world.root), [Person("user", "2", 2)])
    assert touched.file == "deliveries/loyal"
    assert not list((world.root / "lists").iterdir())
    world.publish([0, 1, 3])
    sent = world.deliver(export).manifests[0]
    assert (sent["kind"], sent["number"], sent["added"]) == ("full", 2, 3)


@pytest.mark.parametrize(
    ("where", "method", "after"), [(Files, "_write", 0), (Files, "_write", 1), (DeliveryStore, "finish", 0)]
)
def test_a_killed_delivery_is_resumed_and_sent_once(world, killed, where, method, after):
    export = world.export()
    world.publish(range(6))
    killed(where, method, after)
    with pytest.raises(KeyboardInterrupt):
        world.deliver(export)
    world.publish(range(7))
    rest, new = world.deliver(export).manifests
    assert (rest["added"], new["added"], new["before"]) == (6, 1, rest["id"])
    assert len(received(world.out)) == 2


def test_a_reader_who_took_the_files_away_gets_none_again(world, killed):
    world.publish(range(6))
    killed(DeliveryStore, "finish")
    with pytest.raises(KeyboardInterrupt):
        world.deliver(world.export())
    (file,) = world.out.glob("*.csv")
    file.unlink()
    world.deliver(world.export())
    assert received(world.out) == []


def test_a_warehouse_that_was_restored_does_not_send_differences_to_an_older_state(world):
    export = world.export()
    world.publish(range(6))
    world.deliver(export)
    shutil.copytree(world.root / "deliveries", world.root / "kept")
    world.publish(range(7))
    world.deliver(export)
    shutil.rmtree(world.root / "deliveries")
    (world.root / "kept").rename(world.root / "deliveries")
    world.publish(range(8))
    with pytest.raises(ExportError, match=r"was restored from a backup.*--full"):
        world.deliver(export)
    assert world.deliver(export, full=True).manifests[0]["number"] == 3


def test_a_folder_that_cannot_be_written_is_named_and_the_next_call_goes_on(world):
    world.publish(range(3))
    world.out.write_text("a file where the folder should be")
    with pytest.raises(DestinationError, match=r"out: .*Nothing is lost"):
        world.deliver(world.export())
    world.out.unlink()
    assert world.deliver(world.export()).manifests[0]["added"] == 3


@pytest.mark.parametrize("writes", ["begin", "acknowledge", "finish"])
def test_a_warehouse_that_is_full_is_named_and_the_next_call_goes_on(world, monkeypatch, writes):
    def is_full(*_, **__):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    world.publish(range(4))
    monkeypatch.setattr(Files, "send", lambda _, delivery: delivery.acknowledge(4) or {})
    with monkeypatch.context() as patch:
        patch.setattr(DeliveryStore, writes, is_full)
        with pytest.raises(ExportError, match=r"deliveries: No space left on device\. Nothing is lost"):
            world.deliver(world.export())
    assert [sent["added"] for sent in world.deliver(world.export()).manifests] == [4]


def test_who_was_sent_and_who_held_out_is_kept_with_the_day_since_when(world):
    export = world.export(most_removed=1)
    world.publish([1, 2, 3], held_out=[3])
    world.deliver(export)
    world.publish([2, 3, 4], held_out=[3])
    world.deliver(export)
    kept = DeliveryStore(WarehouseLayout(world.root), "loyal").treated().sort("entity_id")
    assert kept.select("entity_id", "held_out").rows() == [
        ("1", False),
        ("2", False),
        ("3", True),
        ("4", False),
    ]
    assert kept["first_on"].unique().to_list() == [world.settings().today]


def test_storage_of_s3_gets_the_same_files_and_its_refusals_are_words(world, monkeypatch):
    with served() as storage:
        for name, value in {**KEYS, "AWS_ENDPOINT_URL": storage.straight}.items():
            monkeypatch.setenv(name, value)
        storage.put("", {})
        export = world.export(destination={"folder": f"s3://{BUCKET}/lists"}, most_removed=1)
        world.publish([1, 2])
        sent = world.deliver(export).manifests[0]
        assert Files(f"s3://{BUCKET}/lists", "loyal", "csv").last() == sent["id"]
        there, root = Files(f"s3://{BUCKET}/lists", "loyal", "csv")._opened()
        with there.open_input_stream(f"{root}/{sent['files'][0]['name']}") as stream:
            assert stream.read() == b"change,user_id,region\nadded,1,North\nadded,2,North\n"
        world.publish([1])
        with pytest.raises(DestinationError, match=r"no such bucket"):
            world.deliver(world.export(destination={"folder": "s3://another/lists"}, most_removed=1))
        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
        with pytest.raises(DestinationError, match=r"the connection to 127\.0\.0\.1 failed") as caught:
            world.deliver(export)
        assert KEYS["AWS_SECRET_ACCESS_KEY"] not in str(caught.value)
        monkeypatch.setenv("AWS_ENDPOINT_URL", storage.straight)
        assert world.deliver(export).manifests[0]["removed"] == 1


def test_other_storage_is_reached_by_its_address_and_what_is_lacking_is_named(world):
    world.publish([1, 2])
    world.deliver(world.export(destination={"folder": "memory://lists"}))
    assert Files("memory://lists", "loyal", "csv").last().startswith("000001-")
    with pytest.raises(DestinationError, match=r"gs:// needs a package .*gcsfs"):
        world.deliver(world.export(destination={"folder": "gs://lists"}))
