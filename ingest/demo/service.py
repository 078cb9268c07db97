"""The second form of the demo world: a streaming service that has its own files and no ratings.

Belongs here: which file is made of what, and the declaration by which Matinee reads them. Does not belong
here: what any one file holds.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

import polars as pl

from ingest.demo.audience import GROUPS, draw_accounts, write_accounts
from ingest.demo.plays import Service, eagerness, months, write_plays
from ingest.demo.shows import draw_shows, write_shows
from ingest.demo.sizes import Sizes
from ingest.demo.streams import whole_file, write_frame

DECLARATION: Final = """\
# What Matinee finds in the files of this service: matinee run --source service.yaml
views:
  files: plays/*.parquet
  columns: {user_id: account, title_id: content, watched_at: epoch_ms(started_ms),
            minutes_watched: watched_seconds / 60, device: device_type}
titles:
  files: titles.jsonl
  columns: {title_id: content_id, title: name, genres: tags, release_year: year,
            runtime_minutes: length_minutes, original_language: language}
users:
  files: accounts.csv
  columns: {user_id: account, subscription: plan, region: country, joined_on: joined}
"""


def service_writers(seed: int, sizes: Sizes) -> dict[str, Callable[[Path], int]]:
    """Say which file is made of what; each writer takes the path and gives the number of rows."""
    accounts, shows = draw_accounts(seed, sizes.users), draw_shows(seed, sizes.shows)
    service = Service(accounts, shows, eagerness(accounts, sizes.plays))
    group = pl.Series([group.name for group in GROUPS]).gather(accounts.group)
    truth = pl.DataFrame({"account": accounts.id, "group": group}).sort("account")
    return {
        "service.yaml": _write_declaration,
        "titles.jsonl": lambda path: write_shows(path, seed, shows),
        "accounts.csv": lambda path: write_accounts(path, seed, accounts),
        **{
            f"plays/{month}.parquet": partial(write_plays, seed=seed, days=days, service=service)
            for month, days in months()
        },
        "truth/viewing_groups.csv": lambda path: write_frame(path, truth),
    }


def _write_declaration(path: Path) -> int:
    with whole_file(path) as file:
        file.write(DECLARATION.encode())
    return DECLARATION.count("\n")
