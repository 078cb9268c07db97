"""Tables as CSV for people, whose spreadsheet must not run what stands in a cell.

Belongs here: the one way to write such a file. Does not belong here: which table is written, and where to.
"""

import polars as pl

_SIGN = r"[=+\-@\x{FF1D}\x{FF0B}\x{FF0D}\x{FF20}]"
_UNSEEN = r"[\s\pC]*"
_RUNS_AS_FORMULA = rf"^({_UNSEEN}{_SIGN}|[\t\r\n])"
"""What a spreadsheet may take for a formula, full-width characters too; some leave out what is not seen before it."""
_RUNS_WHERE_DIVIDED = rf"([;\t\r\n])([\s\pC\"]*{_SIGN})"
"""The same within a text: where a spreadsheet divides cells at semicolons, its quotes mean nothing behind a comma."""


def to_csv(frame: pl.DataFrame, *, mark: bool = True) -> bytes:
    """Return a table as CSV in UTF-8, formulas neutralised.

    A text that a spreadsheet would run gets an apostrophe before it. Numbers stay numbers, negative ones too.

    Parameters
    ----------
    frame
        The table.
    mark
        Begin with the mark of UTF-8, by which spreadsheets read accents; other programs stumble over it.
    """
    texts = [name for name, kind in frame.schema.items() if kind in (pl.String, pl.Categorical)]
    safe = frame.with_columns(neutralised(pl.col(name).cast(pl.String)).alias(name) for name in texts)
    headers = {name: pl.select(neutralised(pl.lit(name))).item() for name in frame.columns}
    return safe.rename(headers).write_csv(include_bom=mark).encode()


def neutralised(text: pl.Expr) -> pl.Expr:
    """Return text that no spreadsheet runs."""
    inner = text.str.replace_all(_RUNS_WHERE_DIVIDED, "${1}'${2}")
    return pl.when(text.str.contains(_RUNS_AS_FORMULA)).then(pl.lit("'") + inner).otherwise(inner)
