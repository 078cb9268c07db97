"""`matinee demo-data`: the demo world as raw files.

Belongs here: its options and what it says. Does not belong here: the world (`ingest.demo`).
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ingest.errors import counted
from orchestration.commands.shared import USAGE, WarehouseOption, fail, failing, read_settings, say
from orchestration.progress import counting

if TYPE_CHECKING:
    from ingest.demo import Scale


def demo_data(
    *,
    out: Annotated[
        Path | None, typer.Option(help="Folder to write to; after an export, else the drop folder.")
    ] = None,
    scale: Annotated[Literal["small", "medium", "full"], typer.Option(help="How large a world.")] = "small",
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same files.")] = 0,
    form: Annotated[
        Literal["movies", "service"],
        typer.Option(
            help="movies: the public files, with ratings; service: a service's own files, with plays."
        ),
    ] = "movies",
    after_export: Annotated[
        str | None,
        typer.Option(help="Write what everybody watches in the five weeks after this export was sent."),
    ] = None,
    warehouse: WarehouseOption = None,
) -> None:
    """Write the demo world as raw files, in the shape of the public ones or a service's."""
    if after_export and form == "movies":
        _write_after(after_export, out, scale, seed, warehouse)
        return
    if out is None or after_export:
        fail("give --out, a folder to write to; or --after-export in the form movies.", USAGE)
    from ingest.demo import write_demo_world

    try:
        with counting("writing", "rows") as tell:
            world = write_demo_world(out, scale=scale, seed=seed, form=form, tell=tell)
    except OSError as error:
        fail(f"cannot write to {out}: {error.strerror or error}")
    say(f"The {world.scale} demo world, seed {world.seed}, in {world.seconds:.0f} s:")
    for file, rows in world.rows.items():
        say(f"  {world.folder / file}  {counted(rows, 'row')}")


def _write_after(export: str, out: Path | None, scale: "Scale", seed: int, warehouse: Path | None) -> None:
    import duckdb
    import polars as pl

    from ingest.demo import EFFECT, write_views_after
    from orchestration.stores.deliveries import DeliveryStore
    from orchestration.stores.layout import WarehouseLayout
    from orchestration.stores.lock import WarehouseError

    layout = WarehouseLayout(read_settings(warehouse=warehouse).warehouse)
    with failing(WarehouseError, duckdb.Error, ValueError, OSError):
        store = DeliveryStore(layout, export)
        treated = store.treated()
        if treated.is_empty() or store.manifests[-1]["entity"] != "user_id":
            fail(f"{export} has sent no users from {layout.root}: `matinee export {export}` first.")
        with duckdb.connect(str(layout.database), read_only=True) as connection:
            views = connection.sql("select max(watched_at) as newest from intermediate.int_views__watched")
            newest = views.pl()["newest"][0]
        on = treated["first_on"].sort()[0]
        sent = treated.filter(~pl.col("held_out"), first_on=on)["entity_id"].cast(pl.Int64, strict=False)
        path = (out or layout.incoming) / "views" / f"after_{export}.csv"
        rows = write_views_after(path, scale=scale, seed=seed, newest=newest, sent=sent, on=on)
    say(f"{path}  {counted(rows, 'row')}")
    say(f"Planted: the {len(sent):,} who were sent watch {EFFECT:.0%} more than before, the others as much.")
