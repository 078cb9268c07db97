"""What is sent to Spark's executors runs where nothing of Matinee but `ml` is, on blocks that divide no user."""

import json
import os
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest

from ml.segmentation.model import SegmentationModel
from ml.segmentation.prepare import Preparation
from orchestration.tasks import everybody
from tests.conftest import PROJECT_ROOT

cloudpickle = pytest.importorskip("pyspark.cloudpickle")


class Table:
    """Stands for Spark and a table of it: keeps what is to be mapped over its rows."""

    columns, dtypes = ("user_id", "x"), (("user_id", "bigint"), ("x", "double"))

    def __init__(self) -> None:
        self.sparkContext = SimpleNamespace(broadcast=lambda value: SimpleNamespace(value=value))

    def table(self, _: str) -> "Table":
        return self

    def select(self, *_: str) -> "Table":
        return self

    def mapInArrow(self, work, _: str) -> "Table":
        self.work = work
        return self


def test_an_executor_needs_ml_alone(tmp_path, monkeypatch):
    one = Preparation(
        ("x",),
        *(np.array([value]) for value in (np.nan, -np.inf, np.inf)),
        np.array([False]),
        *(np.array([value]) for value in (0.0, 1.0)),
        (),
    )
    model = SegmentationModel(
        "s", "user_id", one, np.array([[0.0], [9.0]], np.float32), ("low", "high"), 2, 0
    )
    monkeypatch.setattr(everybody, "_write", lambda *_: None)
    monkeypatch.setattr(everybody.ModelStore, "read_embedding", lambda _: None)
    table = Table()
    store = SimpleNamespace(model=lambda: model, home=tmp_path)
    everybody.place_everybody(table, None, store, "features.t", pairs=None, target=tmp_path)

    (tmp_path / "work").write_bytes(cloudpickle.dumps(table.work))
    batch = pa.record_batch({"user_id": [7, 8], "x": [8.0, 1.0]})
    with pa.ipc.new_file(tmp_path / "rows", batch.schema) as file:
        file.write_batch(batch)
    (tmp_path / "ml").symlink_to(PROJECT_ROOT / "ml")
    code = (
        "import json, pickle, sys, pyarrow as pa;"
        "sys.modules.update(dict.fromkeys(('orchestration', 'ingest', 'published')));"
        "rows = pa.ipc.open_file('rows').read_all(); work = pickle.load(open('work', 'rb'));"
        "found = pa.Table.from_batches(work(iter(rows.to_batches())));"
        "print(json.dumps(found.to_pylist()))"
    )
    said = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.returncode == 0, said.stderr
    names = [(row["entity_id"], row["segment_name"]) for row in json.loads(said.stdout)]
    assert names == [("7", "high"), ("8", "low")]


def test_no_user_is_divided_between_blocks(monkeypatch):
    monkeypatch.setattr(everybody, "_BLOCK_ROWS", 5)
    users = [1, 1, 1, 2, 3, 3, 3, 3, 3, 3, 3, 3, 4, 5, 5]
    seen = []

    def work(frames):
        for frame in frames:
            seen.append(frame["user_id"].to_list())
            yield frame

    over = everybody._on_frames(work, whole="user_id")
    batches = pa.table({"user_id": users}).to_batches(max_chunksize=2)
    assert pa.Table.from_batches(over(iter(batches)))["user_id"].to_pylist() == users
    assert [block for block in seen if block] == seen
    assert len(seen) > 1
    assert not any(set(one) & set(other) for place, one in enumerate(seen) for other in seen[:place])
    assert list(over(iter([]))) == []
