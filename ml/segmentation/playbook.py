"""What is said of a segment by its name, as far as its figures bear it out.

Belongs here: conditions of the playbook and of names, judged on profiles. Does not belong here: the sentences, which
are declared (`spec`); profiles (`profile`); what is said of any segment whatever its name (`ml.plots.segment_words`).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import polars as pl

from ml.plots.words import in_kind, within_sentence
from ml.segmentation.spec import OF_THE_SEGMENT, Bounds, Play, Relation, Sayings, SegmentationSpec, When

_SAID = {
    "segment_id": pl.Int32,
    "audience": pl.String,
    "content_strategy": pl.String,
    "marketing_strategy": pl.String,
    "name_doubt": pl.String,
}
_SIDES: Mapping[str, str] = {"above": "above", "highest": "above", "below": "below", "lowest": "below"}


def conditioned_columns(spec: SegmentationSpec) -> Iterator[tuple[str, str]]:
    """Yield name and column of every condition of the playbook that speaks of a column."""
    for name, play in spec.playbook.items():
        for when in play.conditions:
            yield from ((name, column) for column in when if column not in OF_THE_SEGMENT)


def said_of_segments(
    spec: SegmentationSpec, names: Mapping[int, str], members: Mapping[int, int], profiles: pl.DataFrame
) -> pl.DataFrame:
    """Return what the playbook says of each segment: sentences whose condition holds, and whether its name does.

    A condition holds only where the segment's interval says so: what may be chance is not said.

    Parameters
    ----------
    spec
        The declaration.
    names, members
        Segment id to name and to number of members.
    profiles
        segment_id, feature, feature_label, kind, segment_mean, base_mean, index_low, index_high, is_apart.

    Returns
    -------
    One row per segment: segment_id, audience, content_strategy, marketing_strategy (null where nothing is said) and
    name_doubt (why the name is not borne out, with the figure; null where it is, or promises nothing).
    """
    figures = _figures(profiles)
    rows = []
    for segment_id, name in names.items():
        play = spec.playbook.get(name, Play())
        size = {"members": members[segment_id], "share": members[segment_id] / max(sum(members.values()), 1)}
        segment = _Segment(segment_id, size, figures)
        rows.append(
            (
                segment_id,
                segment.told(play.audience),
                segment.told(play.content_strategy),
                segment.told(play.marketing_strategy),
                _doubt(segment.doubts(play.name_when), spec.naming.origin),
            )
        )
    return pl.DataFrame(rows, schema=_SAID, orient="row")


def _doubt(doubts: list[str], origin: str | None) -> str | None:
    if not doubts:
        return None
    return f"name {f'of {origin}' if origin else 'as declared'}, not borne out here: {'; '.join(doubts)}"


@dataclass(frozen=True)
class _Figure:
    """A segment's mean of a column, beside everybody's; `place` counts from the highest mean of all segments."""

    label: str
    kind: str
    mean: float
    base: float
    low: float | None
    high: float | None
    is_apart: bool
    place: int
    segments: int

    def fails(self, wanted: Relation | Bounds) -> str | None:
        """Return why the figure does not bear something out; None where it does."""
        said = f"{within_sentence(self.label)} {in_kind(self.mean, self.kind)}"
        doubt = self._beyond(wanted) if isinstance(wanted, Bounds) else self._misplaced(wanted)
        return f"{said}, {doubt}" if doubt else None

    def _beyond(self, bounds: Bounds) -> str | None:
        least, most = bounds.at_least, bounds.at_most
        if least is not None and (self.low is None or self.low < least):
            is_beyond = self.high is not None and self.high < least
            return f"{'less than' if is_beyond else 'not surely at least'} {in_kind(least, self.kind)}"
        if most is not None and (self.high is None or self.high > most):
            is_beyond = self.low is not None and self.low > most
            return f"{'more than' if is_beyond else 'not surely at most'} {in_kind(most, self.kind)}"
        return None

    def _misplaced(self, wanted: Relation) -> str | None:
        everybody = in_kind(self.base, self.kind)
        if wanted == "not_apart":
            return f"everybody {everybody}" if self.is_apart else None
        side, lies = _SIDES[wanted], "above" if self.mean > self.base else "below"
        if not self.is_apart:
            return f"not surely {side} everybody's {everybody}"
        if lies != side:
            return f"{lies} everybody's {everybody}"
        if self.place not in {"highest": (1,), "lowest": (self.segments,)}.get(wanted, (self.place,)):
            return f"not the {wanted} of the {self.segments} segments"
        return None


@dataclass(frozen=True)
class _Segment:
    segment_id: int
    size: Mapping[str, float]
    figures: Mapping[tuple[int, str], _Figure]

    def told(self, sayings: Sayings) -> str | None:
        """Return the sentences that may be said, as one text."""
        said = [saying.say.rstrip(".") for saying in sayings if not self.doubts(saying.when)]
        return ". ".join(said) or None

    def doubts(self, when: When) -> list[str]:
        """Return why conditions do not hold: none where all do."""
        found = (self._figure(column).fails(wanted) for column, wanted in when.items())
        return [doubt for doubt in found if doubt]

    def _figure(self, column: str) -> _Figure:
        if column in self.size:
            value = self.size[column]
            kind = "share" if column == "share" else "count"
            return _Figure(column, kind, value, value, value, value, is_apart=False, place=1, segments=1)
        return self.figures[self.segment_id, column]


def _figures(profiles: pl.DataFrame) -> dict[tuple[int, str], _Figure]:
    placed = profiles.with_columns(
        pl.col("segment_mean").rank("min", descending=True).over("feature").alias("place"),
        pl.len().over("feature").alias("segments"),
        *((pl.col(f"index_{end}") * pl.col("base_mean") / 100).alias(end) for end in ("low", "high")),
    )
    return {
        (row["segment_id"], row["feature"]): _Figure(
            label=row["feature_label"],
            kind=row["kind"],
            mean=row["segment_mean"],
            base=row["base_mean"],
            low=row["low"],
            high=row["high"],
            is_apart=row["is_apart"],
            place=int(row["place"]),
            segments=int(row["segments"]),
        )
        for row in placed.iter_rows(named=True)
    }
