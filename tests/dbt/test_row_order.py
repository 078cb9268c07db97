"""What models are trained on does not hang on the order in which rows come, nor on that in which threads add them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl

from .conftest import Warehouse, _landed

WITHOUT_TESTS = ("--exclude-resource-type", "unit_test", "--exclude-resource-type", "test")

FEATURES = ("build", "--select", "+path:models/features", *WITHOUT_TESTS)
NO_BINARY_FRACTION = {"ratings": "rating", "views": "minutes_watched", "titles": "vote_average"}
"""Columns that get digits which a DOUBLE cannot hold, so that their sums show in which order they add up."""


def test_features_are_the_same_to_the_last_digit_in_whatever_order_rows_come(
    demo_world: Path, tmp_path: Path, manifest: Any
) -> None:
    one = _landed(demo_world, tmp_path / "one", manifest)
    _rewrite(one, _with_many_digits)
    other = one.copy(tmp_path)
    _rewrite(other, lambda _, rows: rows.sample(fraction=1, shuffle=True, seed=1))
    tables = _built(one)
    assert {"user_genre_stats", "user_taste", "user_viewing", "title_features", "user_interactions"} <= set(
        tables
    )
    again = _built(other)
    assert {name for name in tables if not tables[name].equals(again[name])} == set()


def _with_many_digits(table: str, rows: pl.DataFrame) -> pl.DataFrame:
    column = NO_BINARY_FRACTION.get(table)
    return rows.with_columns(pl.col(column) * 0.99) if column in rows.columns else rows


def _rewrite(warehouse: Warehouse, change: Callable[[str, pl.DataFrame], pl.DataFrame]) -> None:
    for file in sorted((warehouse.folder / "landing" / "candidate").glob("*/*.parquet")):
        rows = change(file.parent.name, pl.read_parquet(file))
        file.unlink()  # what landed is a link to the one file of its kind
        rows.write_parquet(file)


def _built(warehouse: Warehouse) -> dict[str, pl.DataFrame]:
    built = warehouse.dbt(*FEATURES)
    assert built.success, built.message
    named = warehouse.query(
        "select table_name from information_schema.tables where table_schema = 'features'"
    )
    return {name: _sorted(warehouse, name) for (name,) in sorted(named)}


def _sorted(warehouse: Warehouse, table: str) -> pl.DataFrame:
    rows = warehouse.query(f"select * from features.{table} order by all")
    return pl.DataFrame(rows, orient="row", infer_schema_length=None)
