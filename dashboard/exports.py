"""Tables as files to take away: safe to open in a spreadsheet, and silent about small groups of people.

Belongs here: what a file may hold. Does not belong here: which table is offered, the button.
"""

import io
from collections.abc import Sequence

import polars as pl

MINIMUM_MEMBERS = 50
"""Groups of fewer people are left out of files unless a setting says otherwise."""
SUPPRESSED = "suppressed"
"""The column that marks such a group."""

_RUNS_AS_FORMULA = r"^(\s*[=+\-@\x{FF1D}\x{FF0B}\x{FF0D}\x{FF20}]|[\t\r\n])"
"""What a spreadsheet may take for a formula, full-width characters too; leading blanks are trimmed by some."""


def to_csv(frame: pl.DataFrame) -> bytes:
    """Return a table as CSV: UTF-8 with its mark, so that spreadsheets read accents; formulas neutralised.

    A text that a spreadsheet would run gets an apostrophe before it. Numbers stay numbers, negative ones too.
    """
    texts = [name for name, kind in frame.schema.items() if kind in (pl.String, pl.Categorical)]
    safe = frame.with_columns(neutralised(pl.col(name).cast(pl.String)).alias(name) for name in texts)
    headers = {name: pl.select(neutralised(pl.lit(name))).item() for name in frame.columns}
    return safe.rename(headers).write_csv(include_bom=True).encode()


def neutralised(text: pl.Expr) -> pl.Expr:
    """Return text that no spreadsheet runs."""
    return pl.when(text.str.contains(_RUNS_AS_FORMULA)).then(pl.lit("'") + text).otherwise(text)


def to_parquet(frame: pl.DataFrame) -> bytes:
    """Return a table as Parquet, for programs: texts are as published, for nothing runs them there."""
    buffer = io.BytesIO()
    frame.write_parquet(buffer, compression="zstd")
    return buffer.getvalue()


def suppress_small(
    frame: pl.DataFrame, size: pl.Expr, *, keys: Sequence[str], minimum: int = MINIMUM_MEMBERS
) -> pl.DataFrame:
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
