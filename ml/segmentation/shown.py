"""How the columns of features are spoken of in rules.

Belongs here: which columns people understand, what they are called and what kind of value they hold. Does not belong
here: the rules (`surrogate`).
"""

from collections.abc import Mapping

import polars as pl

from ml.segmentation.spec import SegmentationSpec, select_columns
from ml.segmentation.surrogate import Kind, Shown

_KINDS = {"avg_": " (mean)", "cnt_": " (count)"}
_YEARS = (1800, 2200)


def shown_columns(frame: pl.DataFrame, spec: SegmentationSpec, labels: Mapping[str, str]) -> dict[str, Shown]:
    """Return the columns that segments are explained by, and how each is spoken of.

    These are the columns that are clustered on; where they are dimensions of taste, which nobody can read, those that
    stand beside them. A code that is there as a column per value too is left out: 1 is not half of 2.

    Parameters
    ----------
    frame
        One row per entity.
    spec
        The declaration.
    labels
        Every column to what it is called.
    """
    numeric = [c for c in frame.columns if c != spec.entity and frame.schema[c].is_numeric()]
    clustered = select_columns(spec.features.columns, numeric)
    told = [c for c in numeric if c not in clustered] if spec.features.embedding else clustered
    codes = {c for c in told if any(other.startswith(f"{c}_") for other in told)}
    return {c: Shown(_label(c, labels), _kind(frame[c].drop_nulls(), c)) for c in told if c not in codes}


def _label(column: str, labels: Mapping[str, str]) -> str:
    return labels[column] + _KINDS.get(column[:4], "")


def _kind(values: pl.Series, column: str) -> Kind:
    if not len(values):
        return "number"
    least, most = float(values.min()), float(values.max())  # type: ignore[arg-type]
    is_whole = bool((values == values.floor()).all())
    if is_whole and least >= 0 and most <= 1:
        return "flag"
    if "year" in column and _YEARS[0] <= least and most <= _YEARS[1]:
        return "year"
    if least >= 0 and most <= 1:
        return "share"
    return "count" if is_whole else "number"
