"""The files of the trained recommender: what lies in a version's folder, and which version is in force.

Belongs here: reading the files, and saying in words what is wrong with them. Does not belong here: what the arrays mean
(`ml.recommendation.stored`), writing them (`orchestration.stores.recommender`).

Arrays are single files that are mapped, not read: a recommendation for one user touches a few pages of them.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from published.errors import NothingPublishedError, PublishedError, SchemaError
from published.schema import why_unreadable


@dataclass(frozen=True)
class ModelFiles:
    """What a version holds.

    Attributes
    ----------
    arrays : by name, mapped into memory.
    titles : title_id, title, genres; in the order of the arrays' columns.
    ids : number, id; of the users whose id is no number.
    """

    arrays: dict[str, np.ndarray]
    titles: pl.DataFrame
    ids: pl.LazyFrame


def version_in_force(warehouse: Path) -> Path:
    """Return the folder of the recommender in force.

    Raises
    ------
    NothingPublishedError
        When none was trained; the message says why, where a run said so.
    SchemaError
        When this Matinee does not read warehouses of its shape.
    """
    if why := why_unreadable(warehouse):
        raise SchemaError(why)
    folder = warehouse / "models" / "recommender"
    version = _pointed(folder / "current.json").get("version")
    if version:
        return folder / version
    why = why_skipped(warehouse)
    msg = f"No recommender is trained here: {why}." if why else "No recommender is trained here yet."
    raise NothingPublishedError(msg)


def why_skipped(warehouse: Path) -> str | None:
    """Return why the last run trained no recommender; None where it did."""
    return _pointed(warehouse / "models" / "recommender" / "candidate.json").get("skipped")


def read_files(version: Path) -> ModelFiles:
    """Return what a version holds.

    Raises
    ------
    PublishedError
        When a file is absent or damaged.
    """
    ids = version / "ids.parquet"
    try:
        arrays = {path.stem: np.load(path, mmap_mode="r") for path in (version / "arrays").glob("*.npy")}
        titles = pl.read_parquet(version / "titles.parquet").cast({"title_id": pl.String})
        # A version of an earlier Matinee knows numbers only.
        known = ids.exists()
        users = pl.scan_parquet(ids) if known else pl.LazyFrame(schema={"number": pl.Int64, "id": pl.String})
        users.collect_schema()
    except (OSError, ValueError, EOFError, pl.exceptions.PolarsError) as error:
        said = str(error).partition("\n")[0]
        msg = f"The stored recommender cannot be read ({said}). `matinee run` trains it anew."
        raise PublishedError(msg) from error
    if not arrays:
        msg = f"The stored recommender {version.name} has no arrays. `matinee run` trains it anew."
        raise PublishedError(msg)
    return ModelFiles(arrays, titles, users)


def _pointed(file: Path) -> dict:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
