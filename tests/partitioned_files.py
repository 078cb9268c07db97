"""A source of many files in folders, in every format, and what became of it."""

import gzip
import io
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ingest.ids import segments
from ingest.landing import LandedFile, land
from ingest.running import RunEach, in_turn
from ingest.sources import resolve_source

DECLARATION = """
ratings:
  files: ratings
  columns: {user_id: account, title_id: item, rating: stars, rated_at: day}
titles:
  files: titles/*.jsonl
  columns: {title_id: item, title: name}
"""


ORDER_KNOWN = "{value: day, order: day first}"
"""A declaration of `day` with which nobody has to look at all files first."""


def rows_of_day(day: int, users: int = 60) -> list[tuple[str, str, str]]:
    """Ratings of a day: ids that are numbers and that are not, some of every day, some new, one line that is bad."""
    names = [f"{'Ann' if number % 7 else 'ann'}{(number * 31 + day * 13) % 90}" for number in range(users)]
    rows = [
        (str(number) if number % 3 else name, f"t{(number + day) % 17}", f"{number % 5 + 1}")
        for number, name in enumerate(names)
    ]
    return [*rows, (f"rejected{day}", "t1", "many")] if day % 2 else rows


def packed(day: int) -> tuple[str, bytes]:
    """Name and content of a day's file: CSV, CSV in gzip, JSON lines or Parquet, by the day."""
    rows, header = rows_of_day(day), ("account", "item", "stars")
    text = "\n".join(",".join(row) for row in (header, *rows)) + "\n"
    if day % 4 == 0:
        columns = {name: [row[at] for row in rows] for at, name in enumerate(header)}
        pq.write_table(pa.table(columns), to := io.BytesIO())
        return "part.parquet", to.getvalue()
    if day % 4 == 1:
        return "part.csv", text.encode()
    if day % 4 == 2:
        return "part.csv.gz", gzip.compress(text.encode(), mtime=0)
    lines = [json.dumps(dict(zip(header, row, strict=True))) for row in rows]
    return "part.jsonl", "\n".join(lines).encode()


def files_of(days: int, day: str = "day") -> dict[str, bytes]:
    """Files of so many days by their path, with the declaration; the first two titles files hold the same."""
    files = {"matinee.yaml": DECLARATION.replace("rated_at: day", f"rated_at: {day}").encode()}
    for number in range(1, days + 1):
        name, content = packed(number)
        files[f"ratings/day=2026-01-{number:02}/{name}"] = content
    for part in range(3):
        rows = [json.dumps({"item": f"t{n}", "name": f"Title {n}"}) for n in range(max(part, 1) * 5)]
        files[f"titles/part-{part}.jsonl"] = "\n".join(rows).encode()
    return files


def write_files(folder: Path, files: dict[str, bytes]) -> Path:
    """Write files below a folder, and return it."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def land_files(source: Path | str, landing: Path, run_each: RunEach = in_turn) -> tuple[LandedFile, ...]:
    """Land a source, with as many rejects as may be."""
    found = resolve_source(str(source), run_each=run_each)
    return land(found, landing, max_rejected_share=0.1, run_each=run_each)


_WHEN_AND_HOW = ("landed_at", "landed_sha256")


def all_of(landing: Path, landed: tuple[LandedFile, ...]) -> dict[str, Any]:
    """Everything that landed, but for the times and how Parquet writes it."""
    files = {
        f"{file.table} {file.source}": {
            "rows": pq.read_table(file.path).to_pylist(),
            "types": [(column.name, str(column.type)) for column in pq.read_schema(file.path)],
            "rejects": pq.read_table(file.rejects_path).to_pylist(),
            "manifest": [
                {name: value for name, value in row.items() if name not in _WHEN_AND_HOW}
                for row in pq.read_table(file.manifest_path).to_pylist()
            ],
            "notes": file.notes,
            "is known": file.was_already_landed,
        }
        for file in landed
    }
    return {"files": files, "ids": [pq.read_table(path).to_pylist() for path in segments(landing)]}
