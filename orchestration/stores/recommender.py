"""Where the trained recommender is kept: versioned folders of arrays, settings and tables.

Belongs here: reading and writing `models/recommender/`. Does not belong here: the pointers to versions
(`orchestration.stores.versions`), training, recommending.

    models/recommender/<version>/settings.json      the settings that were chosen, and what judging found
                                 titles.parquet     id, name and genres of the titles, in the order of the arrays
                                 ids.parquet        number and id of users whose id is no number, sorted by id
                                 arrays/*.npy       the trained model, who rated what, the genres of titles
                                 recommender_metrics.parquet, recommender_user_ndcg.parquet,
                                 recommendations.parquet, similar_titles.parquet

Arrays are single files that are mapped, not read: a recommendation for one user touches a few pages of them.
"""

import json
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
import scipy.sparse as sp

from ingest.cells import FIRST_TEXT_ID
from ml.recommendation.interactions import Interactions, positions
from ml.recommendation.ranking import Fitted
from ml.recommendation.state import from_arrays, to_arrays
from orchestration.stores.layout import write_atomically
from orchestration.stores.versions import VersionedStore, parquet_bytes

_SEEN = "seen"
_PLAIN_NUMBER = re.compile("0|[1-9][0-9]{0,12}")


@dataclass(frozen=True)
class StoredRecommender:
    """A trained recommender, read lazily.

    Attributes
    ----------
    fitted : the trained model.
    users : (users,) int64, ascending
    titles : title_id as the source writes it, title, genres; one row per column of the matrix.
    ids : number, id; of the users whose id is no number, sorted by id.
    """

    fitted: Fitted
    users: np.ndarray
    titles: pl.DataFrame
    ids: pl.LazyFrame
    _seen: Mapping[str, np.ndarray]

    def row(self, user_id: str) -> sp.csr_array | None:
        """Return what a user rated, (1, titles); None for a user who rated nothing."""
        number = self._number(user_id)
        place = int(np.searchsorted(self.users, number))
        if place == len(self.users) or self.users[place] != number:
            return None
        start, end = (int(at) for at in self._seen["indptr"][place : place + 2])
        return sp.csr_array(
            (self._seen["data"][start:end], self._seen["indices"][start:end], [0, end - start]),
            shape=(1, len(self.titles)),
        )

    def _number(self, user_id: str) -> int:
        """Return the number that stands for a user; -1, which nobody has, where there is none."""
        found = self.ids.filter(pl.col("id") == user_id).select("number").collect()
        if len(found):
            return found.item()
        number = int(user_id) if _PLAIN_NUMBER.fullmatch(user_id) else -1
        return number if number < FIRST_TEXT_ID else -1

    @property
    def numbers(self) -> np.ndarray:
        """The users whose ids are numbers, ascending."""
        return self.users[: np.searchsorted(self.users, FIRST_TEXT_ID)]

    def example_id(self) -> str | None:
        """Return the id of a user that is no number; None where all are numbers."""
        first = self.ids.select("id").head(1).collect()
        return first.item() if len(first) else None

    def popularity(self) -> np.ndarray:
        """Return how many users rated each title, (titles,) int64."""
        return np.bincount(self._seen["indices"], minlength=len(self.titles))

    def row_of_liked(self, columns: list[int]) -> sp.csr_array:
        """Return the row of a new user who likes the titles of these columns: each at the highest rating there is."""
        liked = np.unique(columns)
        best = np.full(len(liked), self._seen["data"].max(), dtype=np.float32)
        return sp.csr_array((best, liked, [0, len(liked)]), shape=(1, len(self.titles)))


@dataclass(frozen=True)
class RecommenderStore(VersionedStore):
    """The versions of the recommender."""

    def write_settings(self, settings: dict[str, Any]) -> None:
        """Store the chosen settings and what judging them found."""
        write_atomically(
            self.home / "settings.json", json.dumps(settings, indent=1, ensure_ascii=False) + "\n"
        )

    def settings(self) -> dict[str, Any]:
        """Return the chosen settings and what judging them found."""
        return json.loads((self.home / "settings.json").read_text(encoding="utf-8"))

    def write_model(
        self, fitted: Fitted, interactions: Interactions, titles: pl.DataFrame, ids: pl.DataFrame
    ) -> None:
        """Store a trained model, who rated what, names and genres of the titles, and the written ids of users."""
        ratings = interactions.ratings
        arrays = to_arrays(fitted) | {
            f"{_SEEN}.data": ratings.data,
            f"{_SEEN}.indices": ratings.indices.astype(np.int32, copy=False),
            f"{_SEEN}.indptr": ratings.indptr.astype(np.int64, copy=False),
            f"{_SEEN}.users": interactions.users.to_numpy(),
        }
        unfinished, finished = self.home / ".arrays", self.home / "arrays"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        for name, array in arrays.items():
            np.save(unfinished / f"{name}.npy", array, allow_pickle=False)
        write_atomically(self.home / "titles.parquet", parquet_bytes(_in_order(titles, interactions.items)))
        write_atomically(self.home / "ids.parquet", parquet_bytes(ids))
        unfinished.rename(finished)

    def read_model(self) -> StoredRecommender:
        """Return the trained model; its arrays are mapped into memory and read when used."""
        arrays = {path.stem: np.load(path, mmap_mode="r") for path in (self.home / "arrays").glob("*.npy")}
        seen = {
            name.partition(".")[2]: array for name, array in arrays.items() if name.startswith(f"{_SEEN}.")
        }
        model = {name: array for name, array in arrays.items() if not name.startswith(f"{_SEEN}.")}
        titles = pl.read_parquet(self.home / "titles.parquet").cast({"title_id": pl.String})
        # A version of an earlier Matinee knows numbers only.
        ids = (
            pl.scan_parquet(self.home / "ids.parquet")
            if self.has("ids.parquet")
            else pl.LazyFrame(schema={"number": pl.Int64, "id": pl.String})
        )
        return StoredRecommender(from_arrays(model), np.asarray(seen["users"]), titles, ids, seen)


def _in_order(titles: pl.DataFrame, items: pl.Series) -> pl.DataFrame:
    """Return written id, name and genres of the titles in the order of the matrix."""
    place = pl.Series("place", positions(items, titles["title_id"]))
    shown = titles.select(pl.col("title_key").alias("title_id"), "title", "genres")
    return shown.filter(place >= 0).sort(place.filter(place >= 0))
