"""Whether a person is anywhere in a folder: in names, in the bytes of every file, and in what compressed files hold."""

import gzip
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path

import duckdb
import numpy as np
import polars as pl


def files_with(folder: Path, written: Iterable[str], numbers: Iterable[int] = ()) -> list[str]:
    """Return the files below a folder that hold an id as text, or a number in an array or a column of whole numbers.

    So does the name of a file or of a folder.

    A file that cannot be read as what its name says is an error.
    """
    texts, wanted = list(written), set(numbers)
    return sorted(
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if any(text in str(path.relative_to(folder)) for text in texts)
        or (path.is_file() and (_in_bytes(path, texts) or _in_values(path, texts, wanted)))
    )


def _in_bytes(path: Path, texts: list[str]) -> bool:
    content = path.read_bytes()
    if path.suffix == ".gz":
        content += gzip.decompress(content)
    return any(text.encode() in content for text in texts)


def _in_values(path: Path, texts: list[str], numbers: set[int]) -> bool:
    if path.suffix in (".npy", ".npz"):
        return any(np.isin(array, list(numbers)).any() for array in _arrays(path))
    return any(
        any(text in cell for text in texts) or cell in {str(number) for number in numbers}
        for cell in _cells(path)
    )


def _arrays(path: Path) -> Iterator[np.ndarray]:
    loaded = np.load(path, allow_pickle=False)
    yield from (loaded.values() if path.suffix == ".npz" else [loaded])


def _cells(path: Path) -> Iterator[str]:
    """Yield every distinct value of every column of a table, as text."""
    if path.suffix == ".parquet":
        yield from _texts_of(pl.read_parquet(path))
    elif path.suffix == ".duckdb":
        with duckdb.connect(str(path), read_only=True) as connection:
            tables = "select table_schema, table_name from information_schema.tables"
            for schema, table in connection.execute(tables).fetchall():
                yield from _texts_of(connection.sql(f'from "{schema}"."{table}"').pl())
    elif path.read_bytes()[:6] == b"SQLite":
        with closing(sqlite3.connect(path)) as connection:
            for (table,) in connection.execute(
                "select name from sqlite_master where type = 'table'"
            ).fetchall():
                for row in connection.execute(f'select * from "{table}"'):
                    yield from (str(value) for value in row)


def _texts_of(frame: pl.DataFrame) -> Iterator[str]:
    for column in frame.iter_columns():
        values = column.explode() if isinstance(column.dtype, pl.List) else column
        yield from values.cast(pl.String).unique().drop_nulls()
