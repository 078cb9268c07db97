"""Where the trained recommender is kept: versioned folders of arrays, settings and tables.

Belongs here: writing `models/recommender/`. Does not belong here: the pointers to versions
(`orchestration.stores.versions`), reading the files (`published.recommender`), training, recommending.

    models/recommender/<version>/settings.json      the settings that were chosen, what judging found, and in which
                                                    version and of which ratings the model was trained
                                 titles.parquet     id, name and genres of the titles, in the order of the arrays
                                 ids.parquet        number and id of users whose id is no number, sorted by id
                                 arrays/*.npy       the trained model, who rated what, the genres of titles
                                 recommender_metrics.parquet, recommender_user_ndcg.parquet,
                                 recommender_long_tail.parquet,
                                 judged_on.parquet: hashes of a sample of what models were judged on,
                                 recommendations.parquet, similar_titles.parquet
"""

import json
import shutil
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from ml.recommendation.interactions import Interactions, positions
from ml.recommendation.ranking import Fitted
from ml.recommendation.stored import StoredRecommender, arrays_of
from orchestration.stores.layout import ModelNotFoundError, write_atomically
from orchestration.stores.versions import VersionedStore, parquet_bytes
from published.errors import PublishedError
from published.recommender import read_files

_JUDGING = ("recommender_metrics", "recommender_user_ndcg", "recommender_long_tail", "judged_on")
"""Tables of a judging, the last one written last."""
_WHOLE = (
    *("settings.json", f"{_JUDGING[-1]}.parquet", "arrays"),
    *("recommendations.parquet", "similar_titles.parquet"),
)


@dataclass(frozen=True)
class RecommenderStore(VersionedStore):
    """The versions of the recommender."""

    def begin_candidate(self, version: str) -> None:
        """Make a version, new or known, the candidate; one that is damaged is made anew."""
        folder = self.folder / version
        if (folder / "settings.json").exists() and not _is_readable(folder):
            shutil.rmtree(folder)
        super().begin_candidate(version)

    def write_settings(self, settings: dict[str, Any]) -> None:
        """Store the chosen settings and what judging them found."""
        write_atomically(
            self.home / "settings.json", json.dumps(settings, indent=1, ensure_ascii=False) + "\n"
        )

    def settings(self) -> dict[str, Any]:
        """Return the chosen settings and what judging them found."""
        return json.loads((self.home / "settings.json").read_text(encoding="utf-8"))

    def last_judging(self) -> Path | None:
        """Return the folder of the last version, trained or in force, whose models were judged; None where none is."""
        for pointer in ("candidate", "current"):
            with suppress(ModelNotFoundError):
                folder = replace(self, pointer=pointer).home
                # The settings are written last: a run that was killed before has judged nothing.
                if (folder / f"{_JUDGING[-1]}.parquet").exists() and _is_readable(folder):
                    return folder
        return None

    def keep_judging(self, earlier: Path) -> dict[str, Any]:
        """Take settings and figures over from another version and return the settings."""
        for table in _JUDGING:
            self.write_table(table, pl.read_parquet(earlier / f"{table}.parquet"))
        self.write_settings(json.loads((earlier / "settings.json").read_text(encoding="utf-8")))
        return self.settings()

    def in_force(self) -> "RecommenderStore | None":
        """Return the whole version in force that this one can take over from; None where there is none."""
        current = replace(self, pointer="current")
        with suppress(ModelNotFoundError, PublishedError):
            is_whole = all((current.home / name).exists() for name in _WHOLE) and _is_readable(current.home)
            if current.home != self.home and is_whole:
                read_files(current.home)
                return current
        return None

    def write_model(
        self, fitted: Fitted, interactions: Interactions, titles: pl.DataFrame, ids: pl.DataFrame
    ) -> None:
        """Store a trained model, who rated what, names and genres of the titles, and the written ids of users."""
        arrays = arrays_of(fitted, interactions)
        unfinished, finished = self.home / ".arrays", self.home / "arrays"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        for name, array in arrays.items():
            np.save(unfinished / f"{name}.npy", array, allow_pickle=False)
        write_atomically(self.home / "titles.parquet", parquet_bytes(in_order(titles, interactions.items)))
        write_atomically(self.home / "ids.parquet", parquet_bytes(ids))
        unfinished.rename(finished)

    def read_model(self) -> StoredRecommender:
        """Return the trained model; its arrays are mapped into memory and read when used."""
        files = read_files(self.home)
        return StoredRecommender.of(files.arrays, files.titles, files.ids)


def _is_readable(version: Path) -> bool:
    """Whether settings and tables of a version, those that there are, can be read."""
    try:
        json.loads((version / "settings.json").read_text(encoding="utf-8"))
        for table in version.glob("*.parquet"):
            # All of it is read, a part at a time: lists are of everybody.
            pl.scan_parquet(table).select(pl.all().null_count()).collect(engine="streaming")
    except (OSError, ValueError, pl.exceptions.PolarsError):
        return False
    return True


def in_order(titles: pl.DataFrame, items: pl.Series) -> pl.DataFrame:
    """Return written id, name and genres of the titles in the order of the matrix."""
    place = pl.Series("place", positions(items, titles["title_id"]))
    shown = titles.select(pl.col("title_key").alias("title_id"), "title", "genres")
    return shown.filter(place >= 0).sort(place.filter(place >= 0))
