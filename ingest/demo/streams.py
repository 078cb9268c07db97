"""Where every random number comes from, and how a file comes to exist only when it is whole.

Belongs here: one random generator per purpose and chunk; writing through a temporary name.
Does not belong here: what is drawn or written.
"""

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO
from zlib import crc32

import numpy as np
import polars as pl


def stream(seed: int, purpose: str, chunk: int = 0) -> np.random.Generator:
    """Give the generator of one purpose, independent of every other purpose and chunk.

    Parameters
    ----------
    seed
        Seed of the world, ≥ 0.
    purpose
        What the numbers are for, e.g. ``"ratings"``. Adding a purpose changes no other file.
    chunk
        Number of the chunk, so that chunks can be drawn in any order.

    Examples
    --------
    >>> bool(stream(0, "ratings").random() == stream(0, "ratings").random())
    True
    >>> bool(stream(0, "ratings").random() == stream(0, "titles").random())
    False
    """
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(crc32(purpose.encode()), chunk)))


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """Open `path` for writing under a temporary name; it takes its own name when all is written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    try:
        with partial.open("wb") as file:
            yield file
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def write_frame(path: Path, frame: pl.DataFrame, separator: str = ",") -> int:
    """Write a table as CSV; give the number of rows."""
    with whole_file(path) as file:
        frame.write_csv(file, separator=separator, datetime_format="%Y-%m-%d %H:%M:%S")
    return len(frame)


@contextmanager
def csv_file(
    path: Path, columns: Sequence[str], line_end: str = "\r\n"
) -> Iterator[Callable[[Sequence[str]], object]]:
    """Open a CSV file with its header written; what it gives writes one row.

    Most of the real files end their lines with CR LF.
    """
    with whole_file(path) as file:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="")
        writer = csv.writer(text, lineterminator=line_end)
        writer.writerow(columns)
        yield writer.writerow
        text.detach()
