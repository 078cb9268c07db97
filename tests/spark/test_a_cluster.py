"""The same on a cluster: a master and two workers in processes of their own."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestration.settings import SettingsError, load_settings
from orchestration.tools.spark import check_spark
from tests.conftest import PROJECT_ROOT

pyspark = pytest.importorskip("pyspark")

# In a process of its own: the session of this one is another warehouse's.
PLACED = """
from polars.testing import assert_frame_equal
from orchestration.components.segmentation import build_segmentation_defs
from orchestration.settings import load_settings
from orchestration.stores.segmentations import ModelStore
from orchestration.tools import spark
from tests.spark.conftest import OnSpark
from tests.spark.test_segments_of_everybody import BLOBS, STEPS, blobs

on = OnSpark(load_settings())
on.layout.root.mkdir(parents=True)
on.query("create schema intermediate")
on.query("create table intermediate.int_features__labels (feature varchar, feature_label varchar)")
on.table("features.user_blobs", blobs())
assets = list(build_segmentation_defs(BLOBS).assets)
on.make(assets, *(f"{BLOBS.name}/{step}" for step in STEPS), learned_from=2_000)
store = ModelStore(on.layout.models / BLOBS.name)
members = store.read_table("segment_members").drop("segmentation")
assert store.model().trained_on == 2_000
assert_frame_equal(members, store.model().members(blobs().sort("user_id")))
print("everybody is placed")
"""


@pytest.fixture
def master(tmp_path) -> Iterator[str]:
    """The address of a cluster on this machine, whose workers know nothing of Matinee."""
    try:
        check_spark(load_settings(engine="spark", warehouse=tmp_path))
    except SettingsError as error:
        pytest.skip(str(error))
    home = Path(pyspark.__file__).parent
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environment |= {"SPARK_HOME": str(home), "PYSPARK_PYTHON": sys.executable}
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address, deploy = f"spark://127.0.0.1:{port}", "org.apache.spark.deploy"
    here = ("--host", "127.0.0.1", "--webui-port", "0")
    worker = (f"{deploy}.worker.Worker", *here, "-c", "1", "-m", "1g", address)
    started = []

    def start(name: str, *args: str) -> None:
        with (tmp_path / f"{name}.log").open("wb") as log:
            command = [home / "bin" / "spark-class", *args]
            started.append(subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=log, stderr=log))

    try:
        start("master", f"{deploy}.master.Master", *here, "--port", str(port))
        _wait_for(port)
        start("one", *worker, "-d", str(tmp_path / "one"))
        start("other", *worker, "-d", str(tmp_path / "other"))
        yield address
    finally:
        for process in reversed(started):
            process.terminate()
            process.wait()


def _wait_for(port: int) -> None:
    for _ in range(120):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.5)
        else:
            return
    pytest.fail("the master did not start")


@pytest.mark.long
def test_workers_elsewhere_place_everybody_by_the_model_of_a_sample(master, tmp_path):
    options = {"executor.memory": "600m", "driver.host": "127.0.0.1", "sql.shuffle.partitions": "4"}
    own = {
        "MATINEE_ENGINE": "spark",
        "MATINEE_WAREHOUSE": str(tmp_path / "warehouse"),
        "MATINEE_SPARK_MASTER": master,
        "MATINEE_SPARK_MEMORY": "1g",
        "MATINEE_SPARK_OPTIONS": " ".join(f"spark.{name}={value}" for name, value in options.items()),
        "PYTHONPATH": str(PROJECT_ROOT),
    }
    done = subprocess.run(
        [sys.executable, "-c", PLACED],
        cwd=tmp_path,
        env={**os.environ, **own},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.endswith("everybody is placed\n"), done.stderr[-2_000:]
