"""What Spark would stumble over is refused at the start, in words that say what helps."""

import shutil
import socket
from importlib.metadata import PackageNotFoundError

import pytest

from orchestration.settings import SettingsError, load_settings
from orchestration.stores.layout import WarehouseLayout
from orchestration.tools import spark
from orchestration.tools.spark import SparkError, check_spark, in_words, spark_options


@pytest.fixture
def on_spark(tmp_path, monkeypatch):
    """Settings of a warehouse on Spark, where nothing is amiss: each test says what is."""
    monkeypatch.setattr(spark, "version", lambda _: "4.3.0")
    monkeypatch.delenv("JAVA_HOME", raising=False)
    java(tmp_path / "java17", monkeypatch, 'openjdk version "17.0.15" 2025-04-15')
    return lambda **given: load_settings(engine="spark", warehouse=tmp_path / "warehouse", **given)


def java(folder, monkeypatch, said: str, code: int = 0):
    """Put a stand-in for Java, which says its version as Java does, on standard error, where `java` is looked for."""
    program = folder / "bin" / "java"
    program.parent.mkdir(parents=True)
    program.write_text(f"#!/bin/sh\necho '{said}' >&2\nexit {code}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent))
    return folder


def test_nothing_is_looked_for_where_duckdb_is_the_engine(monkeypatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(spark, "version", lambda _: pytest.fail("asked for Spark"))
    check_spark(load_settings())


@pytest.mark.parametrize("said", ['openjdk version "17.0.15" 2025-04-15', 'java version "21" 2023-09-19 LTS'])
def test_java_17_or_later_will_do(said, on_spark, tmp_path, monkeypatch):
    java(tmp_path / "another", monkeypatch, said)
    check_spark(on_spark())


@pytest.mark.parametrize("package", ["pyspark", "dbt-spark"])
def test_a_missing_package_is_named_with_what_installs_it(package, on_spark, monkeypatch):
    def version(asked):
        if asked == package:
            raise PackageNotFoundError(package)
        return "4.3.0"

    monkeypatch.setattr(spark, "version", version)
    with pytest.raises(SettingsError, match=rf"{package} is not installed: pip install 'matinee\[spark\]'"):
        check_spark(on_spark())


def test_no_java_is_told_of(on_spark, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(
        SettingsError, match="MATINEE_ENGINE='spark': there is no Java: install Java 17 or later"
    ):
        check_spark(on_spark())


@pytest.mark.parametrize(
    ("said", "found"), [('java version "1.8.0_402"', "Java 8"), ('openjdk version "11.0.22"', "Java 11")]
)
def test_an_old_java_is_refused_by_its_version(said, found, on_spark, tmp_path, monkeypatch):
    java(tmp_path / "old", monkeypatch, said)
    with pytest.raises(SettingsError, match=rf"old/bin/java is {found}: install Java 17"):
        check_spark(on_spark())


def test_java_home_comes_before_the_path_as_it_does_for_spark(on_spark, tmp_path, monkeypatch):
    old = java(tmp_path / "old", monkeypatch, 'openjdk version "11.0.22"')
    java(tmp_path / "new", monkeypatch, 'openjdk version "21.0.2"')
    monkeypatch.setenv("JAVA_HOME", str(old))
    with pytest.raises(SettingsError, match=r"JAVA_HOME=.*old is Java 11"):
        check_spark(on_spark())
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "nowhere"))
    with pytest.raises(SettingsError, match=r"no Java that runs.*JAVA_HOME=.*nowhere"):
        check_spark(on_spark())


def test_a_java_that_does_not_start_is_no_java(on_spark, tmp_path, monkeypatch):
    java(tmp_path / "broken", monkeypatch, "Error: could not find libjava.so", code=2)
    with pytest.raises(SettingsError, match=r"no Java that runs.*broken"):
        check_spark(on_spark())


def test_a_master_that_nobody_answers_at_is_told_of_at_once(on_spark):
    with socket.socket() as taken:  # bound, and nobody listens
        taken.bind(("127.0.0.1", 0))
        address = f"spark://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(SettingsError, match=f"nobody answers at MATINEE_SPARK_MASTER={address}"):
            check_spark(on_spark(spark_master=address))


@pytest.mark.parametrize("address", ["spark://a..b:7077", "spark://127.0.0.1:99999999"])
def test_an_address_that_cannot_be_one_is_told_of_alike(address, on_spark):
    with pytest.raises(SettingsError, match=f"nobody answers at MATINEE_SPARK_MASTER={address}"):
        check_spark(on_spark(spark_master=address))


def test_one_master_of_several_is_enough(on_spark):
    with socket.create_server(("127.0.0.1", 0)) as master:
        port = master.getsockname()[1]
        check_spark(on_spark(spark_master=f"spark://127.0.0.1:1,127.0.0.1:{port}"))


@pytest.mark.parametrize("sign", list("[]{}*?;,"))
def test_a_warehouse_whose_path_spark_would_not_take_for_a_name_is_refused(sign, on_spark):
    there = on_spark().model_copy(update={"warehouse": on_spark().warehouse / f"of {sign} 2026"})
    with pytest.raises(SettingsError, match="another warehouse"):
        check_spark(there)


def test_a_catalog_that_was_killed_in_the_making_or_made_elsewhere_is_none(on_spark):
    layout = WarehouseLayout(on_spark().warehouse)
    (layout.spark / ".metastore" / "log").mkdir(parents=True)
    (layout.spark / ".place").write_text(str(layout.spark))
    assert not spark.has_catalog(layout)
    (layout.spark / ".metastore" / "service.properties").touch()
    assert spark.has_catalog(layout)
    (layout.spark / ".place").write_text("/before/it/was/moved/spark")
    assert not spark.has_catalog(layout)


def test_too_little_room_for_what_spark_sorts_names_the_folder_and_the_way_out(on_spark, monkeypatch):
    usage = shutil.disk_usage("/")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=300_000_000))
    with pytest.raises(SettingsError, match=r"0\.3 GB are free in .*, 2 GB are the least.*spark\.local\.dir"):
        check_spark(on_spark())


@pytest.mark.parametrize(
    ("setting", "value", "why"),
    [
        ("engine", "flink", "'duckdb' or 'spark'"),
        ("spark_master", "localhost:7077", "spark://host:7077"),
        ("spark_master", "spark://host", "spark://host:7077"),
        ("spark_memory", "256m", "512m or more"),
        ("spark_memory", "2 GB", "512m or more"),
        ("spark_options", "executor.memory=8g", "is no option of Spark"),
        ("spark_options", "spark.executor.memory", "is no option of Spark"),
        ("spark_options", "spark.a='open", "No closing quotation"),
        ("spark_options", "spark.sql.ansi.enabled=false", "decided by Matinee"),
        ("spark_options", "spark.master=yarn", "what MATINEE_SPARK_MASTER is for"),
        ("learned_from", "99", "greater than or equal to 100"),
        ("recommender_learned_from", "all", "valid integer"),
    ],
)
def test_a_value_that_cannot_be_used_is_refused_by_name(setting, value, why):
    with pytest.raises(SettingsError, match=f"MATINEE_{setting.upper()}=.*{why}"):
        load_settings(**{setting: value})


def test_options_given_come_last_and_may_hold_commas_and_blanks(on_spark):
    options = spark_options(
        on_spark(spark_options="spark.jars.packages=a:b:1,c:d:2 'spark.local.dir=/a disk'", threads=3)
    )
    assert options["spark.jars.packages"] == "a:b:1,c:d:2"
    assert options["spark.local.dir"] == "/a disk"
    assert options["spark.master"] == "local[3]"


def test_catalog_and_tables_are_of_one_warehouse(on_spark):
    settings = on_spark()
    options = spark_options(settings)
    assert options["spark.sql.warehouse.dir"] == str(settings.warehouse / "spark")
    assert str(settings.warehouse / "spark") in options["spark.hadoop.javax.jdo.option.ConnectionURL"]
    assert (options["spark.sql.ansi.enabled"], options["spark.sql.session.timeZone"]) == ("true", "UTC")


def raised(said: str) -> Exception:
    """Return an error as Spark raises it."""
    return type("PythonException", (Exception,), {"__module__": "pyspark.errors.exceptions.captured"})(said)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (
            "java.io.IOException: No space left on device\n\tat java.base",
            r"ran out of room in .*spark\.local\.dir",
        ),
        ("XSDB6: Another instance of Derby may have already booted the database", "another process"),
        ("java.lang.OutOfMemoryError: Java heap space", "MATINEE_SPARK_MEMORY is 2g"),
        ("[TABLE_OR_VIEW_NOT_FOUND] The table or view `features`.`x`", "--full-refresh"),
        ("[FAILED_READ_FILE.FILE_NOT_EXIST] Encountered error while reading file", "--full-refresh"),
        (
            "An exception was thrown from the Python worker:\nTraceback (most recent call last):\n  File ...\n"
            "ml.segmentation.errors.SegmentationError: missing values in x (3)\n\n\tat org.apache.spark",
            r"^Spark: missing values in x \(3\) \(more in .*spark\.log\)$",
        ),
        (
            "[DIVIDE_BY_ZERO] Division by zero.\n== SQL ==\nselect 1/0",
            r"^Spark: \[DIVIDE_BY_ZERO\] Division by zero\. \(",
        ),
    ],
)
def test_what_spark_raises_is_told_in_words_and_without_its_stack(said, words, on_spark):
    with pytest.raises(SparkError, match=words) as caught, in_words(on_spark()):
        raise raised(said)
    assert "\n" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_errors_of_others_stay_what_they_are(on_spark):
    with pytest.raises(KeyError), in_words(on_spark()):
        raise KeyError("x")
