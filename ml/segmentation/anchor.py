"""Groups that are declared, not found: the column a segmentation is anchored to.

Belongs here: reading the groups off the feature frame, and what makes them unfit to start from.
Does not belong here: who decides the groups (a feature model), K-Means (`kmeans`).
"""

from collections.abc import Sequence

import numpy as np
import polars as pl

from ml.errors import SegmentationError


def anchor_groups(frame: pl.DataFrame, column: str, names: Sequence[str]) -> np.ndarray:
    """Return each row's group, (n,) int32: the position of its value among the names.

    Parameters
    ----------
    frame
        One row per entity.
    column
        The text column that says the group.
    names
        Its values, in the order of segment ids.

    Raises
    ------
    SegmentationError
        When the column is absent, not text, empty in some row, has a value that is not a name, or a name has
        no row.
    """
    if column not in frame.columns:
        msg = f"clustering.anchor: no column {column!r}; there are: {', '.join(frame.columns)}"
        raise SegmentationError(msg)
    if frame.schema[column] not in (pl.String, pl.Categorical, pl.Enum):
        msg = f"clustering.anchor: {column} must be text, the name of a group; it is {frame.schema[column]}"
        raise SegmentationError(msg)
    values = frame[column].cast(pl.String)
    if values.null_count():
        msg = f"clustering.anchor: {column} is empty in {values.null_count():,} rows; each must have a group"
        raise SegmentationError(msg)
    found = set(values.unique())
    if unknown := sorted(found.difference(names)):
        msg = f"clustering.anchor: {column} has {_quoted(unknown)}, which naming.names does not list"
        raise SegmentationError(msg)
    if absent := [name for name in names if name not in found]:
        msg = (
            f"clustering.anchor: no row of {column} is {_quoted(absent)}; a segment starts from its group's rows, "
            "so take the name out of naming.names, or bring data that has it"
        )
        raise SegmentationError(msg)
    codes = values.replace_strict(list(names), range(len(names)), return_dtype=pl.Int32)
    return codes.to_numpy()


def require_kept(groups: np.ndarray, labels: np.ndarray, names: Sequence[str]) -> None:
    """Refuse segments that none of their group's rows stayed in: their names would mean nothing.

    Raises
    ------
    SegmentationError
        When there is one.
    """
    kept = np.bincount(groups[groups == labels], minlength=len(names))
    if lost := [name for name, rows in zip(names, kept, strict=True) if rows == 0]:
        msg = (
            f"clustering.anchor: every row of {_quoted(lost)} is nearer to another segment; "
            "the clustered columns do not tell this group from the others"
        )
        raise SegmentationError(msg)


def _quoted(values: Sequence[str]) -> str:
    return ", ".join(repr(value) for value in values)
