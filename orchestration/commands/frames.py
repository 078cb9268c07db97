"""Frames that people hand to a command and get from it.

Belongs here: CSV and Parquet by the file's ending. Does not belong here: which columns a command needs.
"""

import io
import sys
from pathlib import Path

import polars as pl


class FrameError(ValueError):
    """The file cannot be read; the message says why."""


def read_frame(path: Path) -> pl.DataFrame:
    """Read a CSV or Parquet file.

    Raises
    ------
    FrameError
        When the file is absent, empty or not of its format.
    """
    if not path.is_file():
        msg = f"no such file: {path}"
        raise FrameError(msg)
    try:
        return pl.read_parquet(path) if path.suffix == ".parquet" else pl.read_csv(path)
    except pl.exceptions.PolarsError as error:
        msg = f"{path.name}: cannot be read as {'Parquet' if path.suffix == '.parquet' else 'CSV'}: {error}"
        raise FrameError(msg) from None


def write_frame(frame: pl.DataFrame, path: Path | None) -> None:
    """Write a frame as CSV or Parquet by the file's ending; to standard output as CSV when there is no path."""
    if path is None:
        sys.stdout.write(frame.write_csv())
        return
    buffer = io.BytesIO()
    if path.suffix == ".parquet":
        frame.write_parquet(buffer)
    else:
        frame.write_csv(buffer)
    path.write_bytes(buffer.getvalue())
