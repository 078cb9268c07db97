"""Writing a whole demo world.

Belongs here: which file is made of what, where it goes, and the planted truth. Does not belong here: what
any one file holds. The truth is for scoring recovery; nothing but a score may read it.
"""

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, get_args

import polars as pl
from numpy.typing import NDArray

from ingest.demo.catalogue import write_catalogue
from ingest.demo.customers import SEGMENTS, draw_customers, write_customers
from ingest.demo.movie_files import write_links, write_movies
from ingest.demo.personas import PERSONAS, TASTES
from ingest.demo.ratings import draw_setting, write_ratings
from ingest.demo.service import service_writers
from ingest.demo.sizes import Form, Scale, Sizes, sizes_of
from ingest.demo.streams import write_frame
from ingest.demo.viewing import draw_viewing, draw_views_after


@dataclass(frozen=True)
class DemoWorld:
    """What was written."""

    folder: Path
    scale: Scale | Sizes
    seed: int
    rows: dict[str, int]
    """Rows without the header (of a declaration: lines), by path relative to `folder`."""
    seconds: float

    @property
    def files(self) -> tuple[Path, ...]:
        """The files written, in the order of writing."""
        return tuple(self.folder / name for name in self.rows)


def write_demo_world(
    out: Path,
    *,
    scale: Scale | Sizes,
    seed: int = 0,
    form: Form = "movies",
    tell: Callable[[int, int], None] = lambda _done, _of: None,
) -> DemoWorld:
    """Write a demo world as raw files; the same scale and seed give the same bytes.

    Parameters
    ----------
    out
        Folder to write to; made if it is not there. Files of the same name are replaced, each in one step.
    scale
        ``"small"`` (3,000 users), ``"medium"`` (30,000) or ``"full"`` (26,024,289 ratings); or sizes of
        one's own.
    seed
        Any whole number ≥ 0.
    form
        ``"movies"``, in the shape of the public files, or ``"service"``, in one that a declaration describes.
    tell
        Takes how many rows are written, and of about how many.

    Returns
    -------
    DemoWorld
        Files, rows and seconds.

    Raises
    ------
    ValueError
        When `scale` or `form` is unknown or `seed` negative.
    OSError
        When `out` cannot be written.
    """
    sizes = scale if isinstance(scale, Sizes) else sizes_of(scale)
    if seed < 0:
        raise ValueError(f"seed is {seed}; it must be 0 or more")
    if form not in get_args(Form):
        raise ValueError(f"form is {form!r}; it must be one of {', '.join(get_args(Form))}")
    began = time.perf_counter()
    rows: dict[str, int] = {}

    def tell_of(part: int = 0) -> None:
        tell(sum(rows.values()) + part, sizes.rows(form))

    writers = service_writers(seed, sizes) if form == "service" else _movie_writers(seed, sizes, tell_of)
    for name, write in writers.items():
        rows[name] = write(out / name)
        tell_of()
    return DemoWorld(out, scale, seed, rows, time.perf_counter() - began)


def write_views_after(
    path: Path,
    *,
    scale: Scale | Sizes,
    seed: int = 0,
    newest: datetime | None,
    sent: Collection[int],
    on: date,
) -> int:
    """Write what everybody watches in the weeks after a campaign; give the number of rows.

    Parameters
    ----------
    path, scale, seed
        The file, in the shape of `watch_events.csv`, and the world, in the form of movies.
    newest, sent, on
        Time of the newest view that is known, ids of whom the campaign reached, and the day: the world's last.

    Raises
    ------
    ValueError
        When the newest view is not the world's, or the day not its last one.
    OSError
        When `path` cannot be written.
    """
    sizes = scale if isinstance(scale, Sizes) else sizes_of(scale)
    setting = draw_setting(seed, sizes)
    viewing = draw_viewing(seed, sizes, setting)
    last: datetime = viewing.events["watched_at"][-1]
    if newest != last:
        raise ValueError(f"the newest view is of {newest}; that of the {scale} demo world is of {last}")
    if on != last.date():
        raise ValueError(f"it was sent on {on}; in the demo world something follows only on {last.date()}")
    return write_frame(path, draw_views_after(seed, setting, viewing, sent))


def _movie_writers(seed: int, sizes: Sizes, tell: Callable[[int], None]) -> dict[str, Callable[[Path], int]]:
    """Say which file is made of what; each writer takes the path and gives the number of rows.

    The largest tells how many rows it has so far.
    """
    setting = draw_setting(seed, sizes)
    titles, items, users = setting.titles, setting.items, setting.users
    customers = draw_customers(seed, sizes)
    viewing = draw_viewing(seed, sizes, setting)
    personas = _named(users.persona, [persona.name for persona in PERSONAS])
    tastes = _named(users.taste, [taste.name.lower() for taste in TASTES])
    segments = _named(customers.segment, [segment.name for segment in SEGMENTS])
    return {
        "movies_metadata.csv": lambda path: write_movies(path, seed, sizes, titles, items),
        "links.csv": lambda path: write_links(path, titles, items),
        "ratings.csv": lambda path: write_ratings(path, seed, setting, tell),
        "customers/customer_segmentation_data.csv": lambda path: write_customers(path, customers),
        "catalogue/netflix_titles.csv": lambda path: write_catalogue(path, seed, sizes),
        "viewing/users.csv": lambda path: write_frame(path, viewing.users),
        "viewing/watch_events.csv": lambda path: write_frame(path, viewing.events),
        "truth/personas.csv": lambda path: _write_truth(path, "user_id", persona=personas),
        "truth/tastes.csv": lambda path: _write_truth(path, "user_id", taste=tastes),
        "truth/customer_segments.csv": lambda path: _write_truth(path, "customer_id", segment=segments),
    }


def _named(labels: NDArray[Any], names: list[str]) -> pl.Series:
    return pl.Series(names).gather(pl.Series(labels).cast(pl.UInt32))


def _write_truth(path: Path, key: str, **planted: pl.Series) -> int:
    """Write what was planted; keys count from 1."""
    (labels,) = planted.values()
    return write_frame(path, pl.DataFrame({key: range(1, len(labels) + 1), **planted}))
