"""Groups that are declared, not found: the column a segmentation is anchored to.

Belongs here: reading the groups off the feature frame, and what makes them unfit to start from.
Does not belong here: who decides the groups (a feature model), K-Means (`kmeans`).
"""

from collections.abc import Sequence

import numpy as np
import polars as pl

from ml.segmentation.errors import SegmentationError, UntrainableError


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
            "so bring data that has it, or take the name out of naming.names and lower clustering.publish"
        )
        raise UntrainableError(msg)
    codes = values.replace_strict(list(names), range(len(names)), return_dtype=pl.Int32)
    return codes.to_numpy()


def require_kept(groups: np.ndarray, labels: np.ndarray, names: Sequence[str]) -> None:
    """Refuse segments that end up with more rows of another group than of their own: their names would be wrong.

    Raises
    ------
    SegmentationError
        When there is one.
    """
    k = len(names)
    rows = np.bincount(labels.astype(np.int64) * k + groups, minlength=k * k).reshape(k, k)
    most = rows.argmax(axis=1)
    taken = [
        f"{names[segment]!r} ends with more rows of {names[group]!r} than of its own"
        if rows[segment, group]
        else f"{names[segment]!r} ends without rows"
        for segment, group in enumerate(most)
        if rows[segment, group] > rows[segment, segment] or not rows[segment].any()
    ]
    if taken:
        msg = (
            f"clustering.anchor: {'; '.join(taken)}; the clustered columns do not follow the declared groups: "
            "cluster on others, or leave the anchor out"
        )
        raise UntrainableError(msg)


def _quoted(values: Sequence[str]) -> str:
    return ", ".join(repr(value) for value in values)
