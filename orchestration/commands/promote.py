"""`matinee promote`: segments put in force by a person, over the head of the gate.

Belongs here: its options and what it says. Does not belong here: what becomes of a version (`tasks.promotion`).
"""

from typing import Annotated

import typer

from orchestration.commands.shared import WarehouseOption, answer, failing, read_settings


def promote(
    segmentation: Annotated[str, typer.Argument(help="Name of a trained segmentation, e.g. user_taste.")],
    reason: Annotated[str, typer.Option("--reason", help="Why; stands beside the segments from then on.")],
    version: Annotated[
        str | None, typer.Option("--version", help="Which version; the one refused last when left out.")
    ] = None,
    warehouse: WarehouseOption = None,
) -> None:
    """Put segments in force that fell short of their thresholds.

    The tables follow with the next run.
    """
    from datetime import UTC, datetime

    from orchestration.stores.layout import ModelNotFoundError, WarehouseLayout

    layout = WarehouseLayout(read_settings(warehouse=warehouse).warehouse)
    with failing(ModelNotFoundError):
        folder = layout.trained(segmentation)

    from orchestration.stores.lock import WarehouseError, lock_warehouse, switching
    from orchestration.stores.segmentations import ModelDamagedError, ModelStore
    from orchestration.tasks import promotion

    store = ModelStore(folder)
    at = datetime.now(UTC).replace(tzinfo=None)
    with (
        failing(promotion.PromotionError, ModelDamagedError, ModelNotFoundError, WarehouseError),
        lock_warehouse(layout, "matinee promote"),
        switching(layout),
    ):
        promoted = promotion.promote(store, version, reason, at)
    answer(
        f"{segmentation}: version {promoted} is in force, and `matinee score` uses it. "
        "Tables, plots and report follow with the next `matinee run`."
    )
