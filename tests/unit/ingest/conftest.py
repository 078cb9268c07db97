"""Small raw files, and a look at what became of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from typing import Any

import pyarrow.parquet as pq
import pytest

from ingest.contracts import CONTRACTS, DELETED
from ingest.landing import LandedFile, land, land_file, stage, switch
from ingest.sources import resolve_source

RATINGS_HEADER = "userId,movieId,rating,timestamp\n"
FILES = {
    "ratings": "ratings.csv",
    "links": "links.csv",
    "titles": "movies_metadata.csv",
    "customers": "customers.csv",
    "users": "users.csv",
    "views": "watch_events.csv",
    "catalogue": "catalogue.csv",
}
"""How a file of each table is called in the layouts that these tests use."""


@dataclass(frozen=True)
class Folder:
    """A folder for raw files beside a landing folder."""

    root: Path

    @property
    def landing(self) -> Path:
        return self.root / "landing"

    def write(self, name: str, content: str | bytes) -> Path:
        path = self.root / "raw" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def land(self, table: str, path: Path, *, share: float = 1.0) -> LandedFile:
        return land_file(CONTRACTS[table], path, self.landing, max_rejected_share=share)

    def land_text(self, table: str, content: str | bytes, *, share: float = 1.0) -> LandedFile:
        return self.land(table, self.write(FILES[table], content), share=share)

    def put_in_force(self, files: Sequence[LandedFile], source: str = "files") -> Path:
        """Make these files the current set, and return its folder."""
        staged = stage(self.landing, files, {"description": source})
        switch(self.landing)
        return staged

    def land_all(self, source: Path, *, share: float = 0.01) -> dict[str, LandedFile]:
        """Land a source; the (last) file of each table by its name."""
        landed = land(resolve_source(str(source)), self.landing, max_rejected_share=share)
        return {file.table: file for file in landed}

    def declare(self, text: str) -> Path:
        """Write a declaration beside the raw files."""
        return self.write("matinee.yaml", dedent(text))


def rows_of(landed: LandedFile) -> list[dict[str, Any]]:
    """The rows as they landed, without the flag of deletions where it says nothing."""
    rows = pq.read_table(landed.path).to_pylist()
    return [
        {name: cell for name, cell in row.items() if name != DELETED.name or cell is not None} for row in rows
    ]


def rejects_of(landed: LandedFile) -> list[dict[str, Any]]:
    return pq.read_table(landed.rejects_path).to_pylist()


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


@pytest.fixture
def rows() -> Callable[[LandedFile], list[dict[str, Any]]]:
    return rows_of


@pytest.fixture
def rejects() -> Callable[[LandedFile], list[dict[str, Any]]]:
    return rejects_of


@pytest.fixture
def ratings_text() -> Callable[..., str]:
    """A ratings file of good lines with these lines at the end."""

    def build(*extra: str, good: int = 1) -> str:
        lines = [f"{user},{user + 30},3.5,1260759144" for user in range(1, good + 1)]
        return RATINGS_HEADER + "".join(f"{line}\n" for line in [*lines, *extra])

    return build


@pytest.fixture
def titles_text() -> Callable[..., str]:
    """A catalogue of lines `id,imdb_id,title,genres` with these lines."""
    return lambda *lines: "id,imdb_id,title,genres\n" + "".join(f"{line}\n" for line in lines)
