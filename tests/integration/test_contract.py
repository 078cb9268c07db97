"""A published set says of every table and column what it means."""

import polars as pl

from published.finding import current_set


def test_every_published_table_says_what_a_row_is_and_every_column_what_it_means(demo_warehouse):
    data = current_set(demo_warehouse)
    assert set(data.contract) == {file.stem for file in data.folder.glob("*.parquet")}
    for name, table in data.contract.items():
        assert table.description, name
        in_file = pl.read_parquet_schema(data.folder / f"{name}.parquet").names()
        assert [column.name for column in table.columns] == in_file, name
        assert all(column.description for column in table.columns), name


def test_the_types_of_the_contract_are_those_of_the_tables(demo_warehouse):
    data = current_set(demo_warehouse)
    for name, table in data.contract.items():
        found = data.ask(f"select column_name, lower(column_type) from (describe {name})")
        assert [(column.name, column.type) for column in table.columns] == found.rows(), name
