"""Score a file with a stored model.

Belongs here: reading and writing files for `matinee score`. Does not belong here: assignment (`ml`).
"""

import io
import sys
from pathlib import Path

import polars as pl

from orchestration.stores.models import ModelStore


class ScoringError(ValueError):
    """The input cannot be scored; the message says why."""


def score_file(models: Path, segmentation: str, input_file: Path) -> pl.DataFrame:
    """Return entity_id, segment_id and segment_name for each row of a CSV or Parquet file.

    Raises
    ------
    ScoringError
        When the segmentation is unknown, or the file is absent, unreadable or lacks a column.
    """
    known = sorted({path.parents[1].name for path in models.glob("*/*/model.json")})
    if segmentation not in known:
        there_are = (
            f"there are: {', '.join(known)}" if known else "none is trained yet: run `matinee run` first"
        )
        msg = f"no trained segmentation {segmentation!r}; {there_are}"
        raise ScoringError(msg)
    model = ModelStore(models / segmentation, "current").model()
    frame = read_frame(input_file)
    if model.entity not in frame.columns:
        msg = f"{input_file.name}: no column {model.entity!r}; found: {', '.join(frame.columns)}"
        raise ScoringError(msg)
    return model.members(frame)


def read_frame(path: Path) -> pl.DataFrame:
    """Read a CSV or Parquet file.

    Raises
    ------
    ScoringError
        When the file is absent, empty or not of its format.
    """
    if not path.is_file():
        msg = f"no such file: {path}"
        raise ScoringError(msg)
    try:
        return pl.read_parquet(path) if path.suffix == ".parquet" else pl.read_csv(path)
    except pl.exceptions.PolarsError as error:
        msg = f"{path.name}: cannot be read as {'Parquet' if path.suffix == '.parquet' else 'CSV'}: {error}"
        raise ScoringError(msg) from None


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
