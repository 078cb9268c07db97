import shutil
import threading
import time
from datetime import UTC, datetime, timedelta

import duckdb
import polars as pl
import pytest

from published.contract import Column, Table, write_contract
from published.errors import NothingPublishedError, SetVanishedError, TableError
from published.finding import age_in_words, current_set, set_before
from tests.unit.published.conftest import SEGMENTS


def test_before_the_first_run_it_says_that_nothing_is_published(tmp_path):
    with pytest.raises(NothingPublishedError, match="Nothing is published"):
        current_set(tmp_path)


def test_a_warehouse_that_is_not_there_is_said_to_be_not_there(tmp_path):
    with pytest.raises(NothingPublishedError, match="no warehouse"):
        current_set(tmp_path / "nowhere")


def test_a_first_run_under_way_is_said_to_be_under_way(tmp_path):
    (tmp_path / ".run.json").write_text("{}")
    with pytest.raises(NothingPublishedError, match="first run"):
        current_set(tmp_path)


def test_an_empty_folder_is_nothing_published(publish):
    with pytest.raises(NothingPublishedError):
        current_set(publish())


def test_the_age_of_a_set_is_in_the_name_of_its_folder(data):
    assert data.published_at == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_a_set_stays_itself_when_a_newer_one_is_published(publish):
    warehouse = publish(segments=SEGMENTS)
    older = current_set(warehouse)
    publish("20260103T030405-0123abcd", segments=SEGMENTS.head(1))
    assert len(older.ask("select * from segments")) == 3
    assert len(current_set(warehouse).ask("select * from segments")) == 1


def test_a_set_that_was_removed_while_it_was_read_says_so(data):
    shutil.rmtree(data.folder)
    with pytest.raises(SetVanishedError):
        data.ask("select * from segments")


def test_a_half_written_file_leaves_the_others_readable(publish):
    warehouse = publish(segments=SEGMENTS, users=SEGMENTS)
    file = warehouse / "published" / "users.parquet"
    file.write_bytes(file.read_bytes()[:100])
    data = current_set(warehouse)
    assert data.has("segments")
    assert not data.has("users")
    with pytest.raises(TableError, match=r"users cannot be read.*matinee run"):
        data.ask("select * from users")


def test_a_file_that_breaks_after_it_was_opened_is_said_to_be_unreadable(data):
    (data.folder / "segments.parquet").write_bytes(b"PAR1 is not all it takes")
    with pytest.raises(TableError, match="cannot be read"):
        data.ask("select segment_name from segments")


def test_a_file_whose_end_is_whole_and_whose_rows_are_not_is_said_to_be_unreadable(publish):
    warehouse = publish(segments=SEGMENTS)
    file = warehouse / "published" / "segments.parquet"
    whole = bytearray(file.read_bytes())
    whole[4:120] = b"\xff" * 116
    file.write_bytes(bytes(whole))
    with pytest.raises(TableError, match="cannot be read"):
        current_set(warehouse).ask("select * from segments")


CONTRACT = {"segments": Table("One row per segment.", (Column("segment_id", "integer", "Its number."),))}


def test_a_set_says_what_its_tables_and_columns_mean(publish):
    warehouse = publish(segments=SEGMENTS)
    write_contract(CONTRACT, warehouse / "published")
    assert current_set(warehouse).contract == CONTRACT


@pytest.mark.parametrize("written", [None, "", "[]", "{half", '{"segments": {"description": "no columns"}}'])
def test_a_set_without_a_contract_or_with_a_damaged_one_can_be_read(publish, written):
    warehouse = publish(segments=SEGMENTS)
    if written is not None:
        (warehouse / "published" / "contract.json").write_text(written)
    data = current_set(warehouse)
    assert data.contract == {}
    assert len(data.ask("select * from segments")) == 3


@pytest.mark.parametrize("question", ["select * from recommendations", "select score from segments"])
def test_a_set_of_an_older_version_says_which_command_publishes_a_new_one(data, question):
    with pytest.raises(TableError, match=r"older Matinee.*matinee run"):
        data.ask(question)


@pytest.mark.parametrize(
    "text",
    [
        "'; drop table segments; --",
        "' or 1=1 --",
        'a "quoted" name',
        "<script>alert(1)</script>",
        "%_\\",
        "\0",
    ],
)
def test_what_a_person_types_is_a_value_and_never_sql(data, text):
    assert len(data.ask("select * from segments where segment_name = $text", text=text)) == 0
    assert len(data.ask("select * from segments")) == 3


@pytest.mark.parametrize(
    "question", ["select * from read_text('/etc/hostname')", "attach '/tmp/other.db'", "install httpfs"]
)
def test_the_connection_reads_nothing_but_its_set(data, question):
    with pytest.raises(duckdb.Error):
        data.ask(question)


def test_a_question_asked_again_is_answered_from_memory(data):
    assert data.ask("select * from segments") is data.ask("select * from segments")
    assert data.ask("select 1 where $x = 1", x=1) is not data.ask("select 1 where $x = 1", x=2)


def test_a_table_without_rows_or_without_a_column_does_not_count_as_there(publish):
    data = current_set(
        publish(segments=SEGMENTS, users=pl.DataFrame({"user_id": []}, schema={"user_id": pl.Int64}))
    )
    assert data.has("segments", "segment_name")
    assert not data.has("segments", "colour")
    assert not data.has("users")
    assert not data.has("absent")


@pytest.mark.parametrize(
    ("age", "words"),
    [
        (timedelta(seconds=5), "just now"),
        (timedelta(seconds=-5), "just now"),
        (timedelta(minutes=1), "1 minute ago"),
        (timedelta(hours=5, minutes=50), "5 hours ago"),
        (timedelta(days=3), "3 days ago"),
    ],
)
def test_the_age_is_told_in_words(age, words):
    now = datetime(2026, 1, 2, tzinfo=UTC)
    assert age_in_words(now - age, now) == words


def test_readers_see_one_set_or_another_and_never_a_mixture_while_sets_are_switched(publish):
    def tables(number: int) -> dict[str, pl.DataFrame]:
        return {name: pl.DataFrame({"number": [number]}) for name in ("one", "two")}

    warehouse = publish("20260101T000000-0", **tables(0))
    stop, seen, problems = threading.Event(), set(), []

    def read() -> None:
        while not stop.is_set():
            try:
                data = current_set(warehouse)
                pair = [data.ask(f"select number from {table}").item() for table in ("one", "two")]
                seen.add(pair[0])
                if pair[0] != pair[1]:
                    problems.append(pair)
            except SetVanishedError:
                continue  # the app resolves the link again
            except Exception as error:
                problems.append(error)

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for number in range(1, 25):
        publish(f"20260101T0000{number:02d}-0", **tables(number))
        for old in sorted((warehouse / "published.d").iterdir())[:-3]:
            shutil.rmtree(old)
        deadline = time.monotonic() + 30
        while number % 8 == 0 and number not in seen and time.monotonic() < deadline:
            time.sleep(0.01)
    stop.set()
    for reader in readers:
        reader.join()
    assert not problems
    assert {8, 16, 24} <= seen


def test_the_set_before_is_the_newest_of_the_older_ones(tmp_path):
    sets = tmp_path / "published.d"
    for name in ("20251119T000000-aa", "20251120T000000-bb", "20251121T000000-cc", ".20251120T235959-dd"):
        (sets / name).mkdir(parents=True)
    assert set_before(sets / "20251121T000000-cc") == sets / "20251120T000000-bb"
    assert set_before(sets / "20251119T000000-aa") is None


def test_a_source_gave_nothing_only_where_its_tables_can_be_read_and_have_no_row(publish):
    warehouse = publish(segments=SEGMENTS, users=SEGMENTS.clear(), titles=SEGMENTS.clear())
    (warehouse / "published" / "runs.parquet").write_bytes(b"PAR1")
    data = current_set(warehouse)
    assert data.is_empty("users")
    assert data.is_empty("users", "titles")
    assert not any(data.is_empty("users", table) for table in ("segments", "runs", "never_published"))
