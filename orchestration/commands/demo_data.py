"""`matinee demo-data`: the demo world as raw files.

Belongs here: its options and what it says. Does not belong here: the world (`ingest.demo`).
"""

from pathlib import Path
from typing import Annotated, Literal

import typer

from ingest.errors import counted
from orchestration.commands.shared import fail, say
from orchestration.progress import counting


def demo_data(
    out: Annotated[Path, typer.Option(help="Folder to write the raw files to.")],
    scale: Annotated[Literal["small", "medium", "full"], typer.Option(help="How large a world.")] = "small",
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same files.")] = 0,
    form: Annotated[
        Literal["movies", "service"],
        typer.Option(
            help="movies: the public files, with ratings; service: a service's own files, with plays."
        ),
    ] = "movies",
) -> None:
    """Write the demo world as raw files, in the shape of the public ones or a service's."""
    from ingest.demo import write_demo_world

    try:
        with counting("writing", "rows") as tell:
            world = write_demo_world(out, scale=scale, seed=seed, form=form, tell=tell)
    except OSError as error:
        fail(f"cannot write to {out}: {error.strerror or error}")
    say(f"The {world.scale} demo world, seed {world.seed}, in {world.seconds:.0f} s:")
    for file, rows in world.rows.items():
        say(f"  {world.folder / file}  {counted(rows, 'row')}")
