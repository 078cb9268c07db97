"""A trained segmentation: preparation, centroids and names together, so that scoring never refits.

Belongs here: the model, its JSON form, assigning rows to segments.
Does not belong here: training (`train`), files.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import polars as pl

from ml.segmentation.assignment import assign
from ml.segmentation.levels import Levels
from ml.segmentation.prepare import Preparation

FORMATS = (1, 2, 3)
"""Of the JSON; a new one comes when an old reader would misread it. 3 has segment ids that are not 0 to k - 1, 2 has
limits (winsorize), 1 has neither."""


@dataclass(frozen=True)
class SegmentationModel:
    """What is needed to tell anybody's segment.

    Attributes
    ----------
    segmentation, entity : names from the declaration.
    preparation : fitted on the training rows.
    centroids : (k, d) float32, in segment id order; the number of a row is the segment's place.
    segment_names : k names, in segment id order.
    trained_on : number of training rows.
    seed : of the sweep.
    segment_ids : k ids, increasing; the places themselves where none are given. Ids outlive refits (`identity`), so
        that one may be missing.
    levels : how much, beside what, where that is declared.
    """

    segmentation: str
    entity: str
    preparation: Preparation
    centroids: np.ndarray
    segment_names: tuple[str, ...]
    trained_on: int
    seed: int
    segment_ids: tuple[int, ...] = ()
    levels: Levels | None = None

    def __post_init__(self) -> None:
        """Let places be the ids where none are given."""
        if not self.segment_ids:
            object.__setattr__(self, "segment_ids", tuple(range(self.k)))

    @property
    def k(self) -> int:
        """Number of segments."""
        return len(self.centroids)

    def nearest(self, X: np.ndarray) -> np.ndarray:
        """Return the place of the segment of each prepared row, (n,) int32, for X (n, d) float32."""
        return assign(X, self.centroids)[0]

    def with_ids(self, table: pl.DataFrame) -> pl.DataFrame:
        """Return a table with the ids of segments in `segment_id`, where it has their places."""
        ids = pl.Series(self.segment_ids, dtype=pl.Int32)
        return table.with_columns(ids.gather(table["segment_id"]).alias("segment_id"))

    def identified(self, segment_ids: Sequence[int], segment_names: Sequence[str]) -> Self:
        """Return the same segments under other ids and names, given in the order of places."""
        order = np.argsort(segment_ids)
        return replace(
            self,
            centroids=self.centroids[order],
            segment_ids=tuple(segment_ids[i] for i in order),
            segment_names=tuple(segment_names[i] for i in order),
        )

    def members(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Return one row per row of the frame: entity_id (text), segment_id, segment_name, level.

        The level is null where none are declared, or the frame lacks their column.

        Raises
        ------
        SegmentationError
            When a feature column is absent, not numeric, or misses a value that no rule fills.
        """
        return self.members_at(frame, self.preparation.transform(frame))

    def members_at(self, frame: pl.DataFrame, X: np.ndarray) -> pl.DataFrame:
        """Return what `members` does, for a frame whose rows (n, d) are prepared already."""
        places = self.nearest(X)
        names = pl.Series(self.segment_names, dtype=pl.String)
        is_known = self.levels is not None and self.levels.by in frame.columns
        return self.with_ids(
            pl.DataFrame(
                {
                    "entity_id": frame[self.entity].cast(pl.String),
                    "segment_id": places,
                    "segment_name": names.gather(places),
                    "level": self.levels.of(frame[self.levels.by])
                    if self.levels and is_known
                    else pl.Series([None] * len(frame), dtype=pl.String),
                }
            )
        )

    def exemplars(self, entities: pl.Series, X: np.ndarray, most: int) -> pl.DataFrame:
        """Return who is most like each segment: its members nearest to the centroid, of equally near ones the first.

        Parameters
        ----------
        entities
            The entity of each row.
        X : (n, d) float32
            Prepared rows.
        most
            How many of each segment.

        Returns
        -------
        One row per segment and exemplar: entity_id (text), segment_id (the place), rank (1 for the nearest).
        """
        places, distances = assign(X, self.centroids)
        found = pl.DataFrame({"row": np.arange(len(X)), "segment_id": places, "distance": distances})
        nearest = found.sort("segment_id", "distance", "row").filter(
            pl.int_range(pl.len()).over("segment_id") < most
        )
        return nearest.select(
            entities.gather(nearest["row"]).cast(pl.String).alias("entity_id"),
            "segment_id",
            (pl.int_range(pl.len(), dtype=pl.Int32).over("segment_id") + 1).alias("rank"),
        )

    def confidence(self, X: np.ndarray) -> pl.Series:
        """Say how clearly each prepared row, (n, d) float32, belongs to its segment: 1 - d1 / d2.

        d1 and d2 are its distances to the nearest centroid and to the next one: 1 at a centroid, 0 halfway between two.
        It is no probability.
        """
        distances = np.stack([np.linalg.norm(X - centroid, axis=1) for centroid in self.centroids], axis=1)
        nearest, second = np.partition(distances, 1, axis=1)[:, :2].T.astype(np.float64)
        return pl.Series("confidence", 1 - nearest / np.maximum(second, np.finfo(np.float32).tiny))

    def to_json(self) -> str:
        """Return the model as JSON text; equal models give equal text."""
        kept = self.segment_ids != tuple(range(self.k))
        state = {
            "format": 3 if kept else 1 + self.preparation.has_limits,
            "segmentation": self.segmentation,
            "entity": self.entity,
            "trained_on": self.trained_on,
            "seed": self.seed,
            **({"segment_ids": list(self.segment_ids)} if kept else {}),
            "segment_names": list(self.segment_names),
            "preparation": self.preparation.to_dict(),
            "centroids": self.centroids.tolist(),
            **({"levels": self.levels.to_dict()} if self.levels else {}),
        }
        return json.dumps(state, indent=1, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Rebuild the model that `to_json` wrote, bit for bit.

        Raises
        ------
        ValueError
            When the text is not a model of this format, or its parts do not fit together.
        """
        state: dict[str, Any] = json.loads(text)
        if state.get("format") not in FORMATS:
            msg = f"model format {state.get('format')!r}; this version reads formats 1 to {FORMATS[-1]}"
            raise ValueError(msg)
        found = cls(
            segmentation=state["segmentation"],
            entity=state["entity"],
            preparation=Preparation.from_dict(state["preparation"]),
            centroids=np.array(state["centroids"], dtype=np.float32),
            segment_names=tuple(state["segment_names"]),
            trained_on=state["trained_on"],
            seed=state["seed"],
            segment_ids=tuple(state.get("segment_ids", ())),
            levels=Levels.from_dict(state["levels"]) if "levels" in state else None,
        )
        k, d = len(found.segment_names), len(found.preparation.columns)
        if found.centroids.shape != (k, d) or len(found.segment_ids) != k:
            msg = f"{k} names and {d} columns, but centroids of shape {found.centroids.shape}"
            raise ValueError(msg)
        return found
