"""`matinee score`: the segment of new entities, by the stored model.

Belongs here: its options, and which model and column a file is scored with. Does not belong here: assignment (`ml`).
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from orchestration.commands.shared import WarehouseOption, failing, read_settings

if TYPE_CHECKING:
    import polars as pl


def score(
    segmentation: Annotated[str, typer.Argument(help="Name of a trained segmentation, e.g. user_ratings.")],
    input_file: Annotated[
        Path, typer.Option("--input", help="CSV or Parquet with the entity and the features.")
    ],
    output: Annotated[
        Path | None, typer.Option("--output", help="CSV or Parquet to write; standard output when left out.")
    ] = None,
    warehouse: WarehouseOption = None,
) -> None:
    """Tell the segment of new entities with the stored model; nothing is refitted."""
    from ml.segmentation.errors import SegmentationError
    from orchestration.commands.frames import FrameError, write_frame
    from orchestration.stores.layout import WarehouseLayout
    from orchestration.stores.versions import ModelNotFoundError

    layout = WarehouseLayout(read_settings(warehouse=warehouse).warehouse)
    with failing(ScoringError, FrameError, SegmentationError, ModelNotFoundError, OSError):
        write_frame(score_file(layout.models, segmentation, input_file), output)


class ScoringError(ValueError):
    """The input cannot be scored; the message says why."""


def score_file(models: Path, segmentation: str, input_file: Path) -> "pl.DataFrame":
    """Return entity_id, segment_id and segment_name for each row of a CSV or Parquet file.

    Raises
    ------
    ScoringError, FrameError
        When the segmentation is unknown, or the file is absent, unreadable or lacks a column.
    """
    from orchestration.commands.frames import read_frame
    from orchestration.stores.segmentations import ModelStore

    known = sorted({path.parents[1].name for path in models.glob("*/*/model.json")})
    if segmentation not in known:
        there_are = (
            f"there are: {', '.join(known)}" if known else "none is trained yet: run `matinee run` first"
        )
        msg = f"no trained segmentation {segmentation!r}; {there_are}"
        raise ScoringError(msg)
    model = ModelStore(models / segmentation, "current").model()
    frame = read_frame(input_file, text=[model.entity])
    if model.entity not in frame.columns:
        msg = f"{input_file.name}: no column {model.entity!r}; found: {', '.join(frame.columns)}"
        raise ScoringError(msg)
    return model.members(frame)
