"""`matinee score` at the command line.

Belongs here: its options and where its answer goes. Does not belong here: what is answered (`answers`).
"""

from pathlib import Path
from typing import Annotated

import typer

from orchestration.commands.shared import USAGE, WarehouseOption, answer, fail, failing, read_settings, say


def score(
    segmentation: Annotated[str, typer.Argument(help="Name of a trained segmentation, e.g. user_ratings.")],
    input_file: Annotated[
        Path | None,
        typer.Option(
            "--input",
            exists=True,
            help="CSV or Parquet with the entity and the features, or with what users chose: user_id and title_id.",
        ),
    ] = None,
    sql: Annotated[
        bool, typer.Option("--sql", help="Print the model as one SQL statement over the feature table.")
    ] = False,
    output: Annotated[
        Path | None, typer.Option("--output", help="CSV or Parquet to write; standard output when left out.")
    ] = None,
    warehouse: WarehouseOption = None,
) -> None:
    """Tell the segment of new entities with the stored model; nothing is refitted."""
    from orchestration.stores.layout import ModelNotFoundError, WarehouseLayout, write_atomically

    if sql == (input_file is not None):
        fail("give either --input FILE, whose rows are to be scored, or --sql", USAGE)
    layout = WarehouseLayout(read_settings(warehouse=warehouse).warehouse)
    with failing(ModelNotFoundError):
        layout.trained(segmentation)

    from ml.segmentation.errors import SegmentationError
    from orchestration.commands.frames import FrameError, write_frame
    from orchestration.commands.score.answers import ScoringError, score_file, sql_of
    from orchestration.stores.segmentations import ModelDamagedError

    with failing(ScoringError, FrameError, SegmentationError, ModelDamagedError, ModelNotFoundError, OSError):
        if input_file is not None:
            write_frame(score_file(layout, segmentation, input_file, say), output)
        elif output is None:
            answer(sql_of(layout, segmentation))
        else:
            write_atomically(output, sql_of(layout, segmentation) + "\n")
