"""Files that a person gives to a command, and the files a command gives back.

Belongs here: telling how a CSV is written (what divides it, whether its first line names the columns), empty cells,
writing. Does not belong here: what the columns mean to a command.
"""

import csv
import gzip
import io
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import duckdb
import polars as pl

from ingest.sql import path_literal, text_literal
from published.spreadsheets import to_csv

_DIVIDERS = ("::", "\t", ";", "|", ",")
_EMPTY = ("", r"\N", "NULL", "null", "NaN", "nan", "NA", "N/A", "None")
"""What programs write where there is nothing."""


class FrameError(ValueError):
    """A file cannot be read; the message names it and says why."""


def read_frame(
    path: Path, *, text: Sequence[str] = (), names_if_absent: Callable[[list[str]], list[str]] | None = None
) -> pl.DataFrame:
    r"""Read a CSV, however it is divided, or a Parquet file.

    A column of a CSV is whole numbers, numbers or text, by all of its cells.

    Parameters
    ----------
    path
        `.parquet`, or text divided by commas, semicolons, tabs, bars or `::`, compressed with gzip or not.
    text
        Columns to keep as they are written.
    names_if_absent
        Given the cells of the first line, returns the columns' names where that line is a row and not a header, else an
        empty list. When left out, the first line is the header.

    Raises
    ------
    FrameError
        When the file is absent, empty or not of its format.
    """
    if not path.is_file():
        msg = f"no such file: {path}"
        raise FrameError(msg)
    kind = "Parquet" if path.suffix == ".parquet" else "CSV"
    try:
        if kind == "Parquet":
            return pl.read_parquet(path, glob=False)
        return _read_csv(path, text, names_if_absent)
    except (pl.exceptions.PolarsError, duckdb.Error, UnicodeDecodeError) as error:
        msg = f"{path.name}: cannot be read as {kind}: {str(error).partition(chr(10))[0]}"
        raise FrameError(msg) from None


def _read_csv(
    path: Path, text: Sequence[str], names_if_absent: Callable[[list[str]], list[str]] | None
) -> pl.DataFrame:
    divider, first = _first_line(path)
    if not first:
        msg = f"{path.name}: cannot be read as CSV: it is empty"
        raise FrameError(msg)
    absent = names_if_absent(first) if names_if_absent else []
    names = absent or first
    kept = ", ".join(f"{text_literal(name)}: 'VARCHAR'" for name in dict.fromkeys(text) if name in names)
    options = [
        f"delim = {text_literal(divider)}",
        f"header = {'false' if absent else 'true'}",
        f"names = [{', '.join(text_literal(name) for name in names)}]",
        f"nullstr = [{', '.join(text_literal(word) for word in _EMPTY)}]",
        "auto_type_candidates = ['BIGINT', 'DOUBLE', 'VARCHAR']",
        "quote = '\"'",
        "sample_size = -1",
        *([f"types = {{{kept}}}"] if kept else []),
    ]
    with duckdb.connect() as connection:
        return connection.sql(f"from read_csv({path_literal(path)}, {', '.join(options)})").pl()


def _first_line(path: Path) -> tuple[str, list[str]]:
    """Return what divides the cells of a file, and those of its first line that is not blank."""
    with path.open("rb") as raw:
        is_zipped = raw.read(2) == b"\x1f\x8b"
    with (gzip.open if is_zipped else open)(path, "rt", encoding="utf-8-sig", newline="") as file:
        line = next((line for line in file if line.strip()), "").rstrip("\r\n")
    divider = max(_DIVIDERS, key=line.count)
    if not line:
        return divider, []
    cells = line.split(divider) if divider == "::" else next(csv.reader([line], delimiter=divider), [])
    return divider, [cell.strip() for cell in cells]


def write_frame(frame: pl.DataFrame, path: Path | None) -> None:
    """Write a frame as CSV or Parquet by the file's ending; to standard output as CSV when there is no path."""
    if path is not None and path.suffix == ".parquet":
        buffer = io.BytesIO()
        frame.write_parquet(buffer)
        path.write_bytes(buffer.getvalue())
        return
    content = to_csv(frame.with_columns(_numbers(column) for column in frame), mark=False)
    if path is None:
        sys.stdout.buffer.write(content)
    else:
        path.write_bytes(content)


def _numbers(column: pl.Series) -> pl.Series:
    """Return a column of whole numbers that are kept as text as the numbers they are: `-5` is no formula then."""
    if column.dtype != pl.String:
        return column
    numbers = column.cast(pl.Int64, strict=False)
    return numbers if numbers.cast(pl.String).equals(column, null_equal=True) else column
