"""What the adapter says of files, from which a table that grows on Spark knows what it holds."""

import os
from pathlib import Path
from types import SimpleNamespace

import polars as pl
import pytest

from orchestration.stores.layout import WarehouseLayout

adapter = pytest.importorskip(
    "orchestration.tools.spark_adapter.adapter", reason="dbt-spark is not installed"
).MatineeSparkAdapter


def test_a_file_that_landed_again_under_its_name_is_another(tmp_path: Path) -> None:
    for name in ("00001-b.parquet", "00000-a.parquet"):
        pl.DataFrame({"user_id": [1]}).write_parquet(tmp_path / name)
    before = adapter.landed_files(None, str(tmp_path))
    assert before["files"] == ["00000-a.parquet", "00001-b.parquet"]
    os.utime(tmp_path / "00001-b.parquet", ns=(1, 1))
    after = adapter.landed_files(None, str(tmp_path))
    assert after["files"] == before["files"]
    assert after["written"][0] == before["written"][0]
    assert after["written"][1] != before["written"][1]


def test_a_table_is_whole_where_spark_knows_it_and_its_files_are_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MATINEE_WAREHOUSE", str(tmp_path))
    home = WarehouseLayout(tmp_path).spark
    table = SimpleNamespace(schema="features", identifier="user_genre_stats")
    rows = home / "features.db" / "user_genre_stats" / "part.parquet"
    rows.parent.mkdir(parents=True)
    rows.touch()
    assert not adapter.is_whole(None, table), "there is no catalog"
    (home / ".metastore").mkdir()
    (home / ".metastore" / "service.properties").touch()
    (home / ".place").write_text(str(home))
    assert adapter.is_whole(None, table)
    rows.unlink()
    assert not adapter.is_whole(None, table)
