"""Tables as files to take away, silent about small groups of people.

Belongs here: what a file may hold and is called. Does not belong here: which table is offered, the button, CSV
(`published`).
"""

import io
import re
import unicodedata
import zipfile
from collections.abc import Mapping, Sequence

import polars as pl

from published.spreadsheets import to_csv

SUPPRESSED = "suppressed"
"""The column that marks such a group."""


def to_parquet(frame: pl.DataFrame) -> bytes:
    """Return a table as Parquet, for programs: texts are as published, for nothing runs them there."""
    buffer = io.BytesIO()
    frame.write_parquet(buffer, compression="zstd")
    return buffer.getvalue()


def to_zip(frames: Mapping[str, pl.DataFrame]) -> bytes:
    """Return tables as one archive with a CSV for each, by their names; the same tables give the same bytes."""
    buffer, named = io.BytesIO(), set[str]()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, frame in frames.items():
            file = plain_name(name)
            while file in named:
                file += "-too"
            named.add(file)
            archive.writestr(zipfile.ZipInfo(f"{file}.csv"), to_csv(frame), zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def plain_name(text: str) -> str:
    """Return text as the name of a file that any system takes: `Crime, 1990s: niche` is `crime-1990s-niche`."""
    letters = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", letters)[:80].strip("-") or "list"


def suppress_small(frame: pl.DataFrame, size: pl.Expr, *, keys: Sequence[str], minimum: int) -> pl.DataFrame:
    """Return a table that says of a small group only that it is there.

    Parameters
    ----------
    frame
        One or several rows per group.
    size
        Members of the row's group.
    keys
        Columns that name the group; all others of a small group are emptied, and its rows become one.
    minimum
        Members from which a group is told of.

    Returns
    -------
    The table with the column `suppressed`, true where the rest of the row was emptied. A group of no members is
    nobody and hides nothing.
    """
    kept = [name for name in frame.columns if name not in keys]
    marked = frame.with_columns(((size > 0) & (size < minimum)).fill_null(value=False).alias(SUPPRESSED))
    emptied = marked.with_columns(
        pl.when(pl.col(SUPPRESSED)).then(None).otherwise(pl.col(name)).alias(name) for name in kept
    )
    whole, small = emptied.filter(~pl.col(SUPPRESSED)), emptied.filter(SUPPRESSED)
    return pl.concat([whole, small.unique(maintain_order=True)])
