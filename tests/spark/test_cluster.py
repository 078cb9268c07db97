"""A run on a standalone cluster: a master and two workers, processes of their own on this machine."""

import os
import re
import shlex
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from ..integration.nights import write_small_world
from .published_sets import differences
from .whole_runs import Warehouse

_LONGEST_START = 60


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def master(spark_works: None, tmp_path: Path) -> Iterator[str]:
    """The address of a master at which two workers of one core each have signed on."""
    import pyspark  # noqa: PLC0415 - an extra

    home = Path(pyspark.__file__).parent
    port, said = _free_port(), tmp_path / "master.log"
    address = f"spark://127.0.0.1:{port}"
    common = {**os.environ, "SPARK_HOME": str(home), "SPARK_LOCAL_IP": "127.0.0.1"}
    of_master = ["org.apache.spark.deploy.master.Master", "--host", "127.0.0.1", "--port", str(port)]
    of_worker = ["org.apache.spark.deploy.worker.Worker", "--cores", "1", "--memory", "1g", address]
    commands = [[*of_master, "--webui-port", "0"]]
    commands += [
        [*of_worker, "--webui-port", "0", "--work-dir", str(tmp_path / f"worker_{at}")] for at in (1, 2)
    ]
    started = []
    try:
        with said.open("wb") as log:
            for command in commands:
                spark_class = str(home / "bin" / "spark-class")
                started.append(
                    subprocess.Popen(
                        [spark_class, *command], env=common, stdout=log, stderr=subprocess.STDOUT
                    )
                )
        until = time.monotonic() + _LONGEST_START
        while len(re.findall("Registering worker", said.read_text(errors="replace"))) < 2:
            assert time.monotonic() < until, said.read_text(errors="replace")
            time.sleep(0.2)
        yield address
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.wait(timeout=30)


@pytest.mark.long
def test_a_cluster_publishes_what_one_machine_does_and_places_everybody(tmp_path: Path, master: str) -> None:
    world = write_small_world(tmp_path / "raw")
    alone, on_cluster = (Warehouse(tmp_path / engine, engine, world) for engine in ("duckdb", "spark"))
    cluster = {
        "MATINEE_SPARK_MASTER": master,
        "MATINEE_SPARK_OPTIONS": "spark.executor.memory=512m spark.driver.host=127.0.0.1 "
        f"spark.sql.shuffle.partitions=4 spark.pyspark.python={shlex.quote(sys.executable)}",
    }
    alone.night()
    on_cluster.night(**cluster)
    assert differences(alone.folder, on_cluster.folder) == []

    on_cluster.night("--full-refresh", **cluster, MATINEE_LEARNED_FROM="100")
    members = [
        pl.read_parquet(warehouse.folder / "published" / "segment_members.parquet")
        .filter(pl.col("segmentation") == "user_ratings")["entity_id"]
        .sort()
        for warehouse in (alone, on_cluster)
    ]
    assert members[0].equals(members[1])
