"""Writing a whole demo world.

Belongs here: which file is made of what, where it goes, and the planted truth. Does not belong here: what
any one file holds. The truth is for scoring recovery; nothing but a score may read it.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import polars as pl

from ingest.demo.movie_files import write_links, write_movies
from ingest.demo.personas import PERSONAS, Users
from ingest.demo.ratings import draw_setting, write_ratings
from ingest.demo.sizes import Scale, sizes_of
from ingest.demo.streams import whole_file


@dataclass(frozen=True)
class DemoWorld:
    """What was written."""

    folder: Path
    scale: Scale
    seed: int
    rows: dict[str, int]
    """Rows without the header, by path relative to `folder`."""
    seconds: float

    @property
    def files(self) -> tuple[Path, ...]:
        """The files written, in the order of writing."""
        return tuple(self.folder / name for name in self.rows)


def write_demo_world(out: Path, *, scale: Scale, seed: int = 0) -> DemoWorld:
    """Write a demo world as raw files; the same scale and seed give the same bytes.

    Parameters
    ----------
    out
        Folder to write to; made if it is not there. Files of the same name are replaced, each in one step.
    scale
        ``"small"`` (3,000 users), ``"medium"`` (30,000) or ``"full"`` (26,024,289 ratings).
    seed
        Any whole number ≥ 0.

    Returns
    -------
    DemoWorld
        Files, rows and seconds.

    Raises
    ------
    ValueError
        When `scale` is unknown or `seed` negative.
    OSError
        When `out` cannot be written.
    """
    sizes = sizes_of(scale)
    if seed < 0:
        raise ValueError(f"seed is {seed}; it must be 0 or more")
    began = time.perf_counter()
    setting = draw_setting(seed, sizes)
    writers: dict[str, Callable[[Path], int]] = {
        "movies_metadata.csv": lambda path: write_movies(path, seed, sizes, setting.titles, setting.items),
        "links.csv": lambda path: write_links(path, setting.titles, setting.items),
        "ratings.csv": lambda path: write_ratings(path, seed, setting),
        "truth/personas.csv": lambda path: _write_personas(path, setting.users),
    }
    rows = {name: write(out / name) for name, write in writers.items()}
    return DemoWorld(out, scale, seed, rows, time.perf_counter() - began)


_PERSONA_NAMES: Final = [persona.name for persona in PERSONAS]


def _write_personas(path: Path, users: Users) -> int:
    """Write the planted persona of each user."""
    names = pl.Series(_PERSONA_NAMES).gather(pl.Series(users.persona).cast(pl.UInt32))
    frame = pl.DataFrame({"user_id": range(1, len(users.persona) + 1), "persona": names})
    with whole_file(path) as file:
        frame.write_csv(file)
    return len(frame)
