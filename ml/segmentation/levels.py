"""How much, beside what: every segment divided a second time by one column that has no part in finding segments.

Belongs here: where one level ends and the next begins, the level of a row. Does not belong here: segments.
"""

from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
import polars as pl

from ml.segmentation.spec import LevelsSpec

SCHEMA = {
    "segment_id": pl.Int32,
    "level": pl.String,
    "feature": pl.String,
    "above": pl.Float64,
    "up_to": pl.Float64,
    "members": pl.Int64,
    "share": pl.Float64,
}


@dataclass(frozen=True)
class Levels:
    """Levels of everybody, so that one means the same in every segment.

    Attributes
    ----------
    by : the column.
    names : from the least to the most.
    cuts : one fewer, increasing; a value of the lower level is at most the cut.
    """

    by: str
    names: tuple[str, ...]
    cuts: tuple[float, ...]

    @classmethod
    def fit(cls, values: pl.Series, declared: LevelsSpec) -> Self:
        """Cut everybody's values into parts of the same size, as far as equal values allow."""
        shares = np.arange(1, len(declared.names)) / len(declared.names)
        known = values.cast(pl.Float64).drop_nulls().to_numpy()
        cuts = np.quantile(known, shares, method="inverted_cdf") if len(known) else np.zeros(len(shares))
        return cls(values.name, declared.names, tuple(cuts.tolist()))

    @classmethod
    def from_dict(cls, state: dict[str, Any]) -> Self:
        """Rebuild what `to_dict` gave."""
        return cls(state["by"], tuple(state["names"]), tuple(state["cuts"]))

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)

    def of(self, values: pl.Series) -> pl.Series:
        """Return the level of each value, (n,) text; null where there is no value."""
        known = values.cast(pl.Float64)
        place = pl.Series(np.searchsorted(self.cuts, known.fill_null(0).to_numpy(), side="left"))
        names = pl.Series("level", self.names, dtype=pl.String).gather(place)
        return pl.select(pl.when(known.is_not_null()).then(names).alias("level")).to_series()

    def table(self, members: pl.DataFrame) -> pl.DataFrame:
        """Count the levels of each segment.

        Parameters
        ----------
        members
            segment_id and level, one row per entity.

        Returns
        -------
        segment_id, level, feature, above and up_to (null at either end), members, share (of the segment's): one row per
        segment and level, levels without members too.
        """
        ends = pl.DataFrame(
            {
                "level": list(self.names),
                "above": [None, *self.cuts],
                "up_to": [*self.cuts, None],
            }
        ).with_columns(feature=pl.lit(self.by))
        counted = members.group_by("segment_id", "level").len("members")
        return (
            members.select(pl.col("segment_id").unique().sort())
            .join(ends, how="cross", maintain_order="left_right")
            .join(counted, on=["segment_id", "level"], how="left", maintain_order="left")
            .with_columns(pl.col("members").fill_null(0).cast(pl.Int64))
            .with_columns(share=pl.col("members") / pl.col("members").sum().over("segment_id"))
            .cast(SCHEMA)  # type: ignore[arg-type]
            .select(SCHEMA.keys())
        )
