"""From a published set to the frames that sections are made of, and what of the set could not be read.

Belongs here: what the page asks, questions that only the page asks. Does not belong here: what is made of an answer
(`sections`), questions that others ask too (`published.questions`).

A table that is absent or damaged is no error: the report is also what people open to see why. Of large tables, such as
members and recommendations, it asks for a few rows.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import polars as pl

from published.errors import PublishedError
from published.questions import segments, users
from published.sets import PublishedSet

_ALWAYS = (
    "segments",
    "k_metrics",
    "segment_profiles",
    "segment_genre_ratings",
    "pca_loadings",
    "start_agreement",
    "free_segments",
    "segment_separation",
    "segment_claims",
    "data_funnel",
    "landing_manifest",
    "rejects",
    "genre_counts",
)
"""What every set has, also one that is older than contracts; others are missed where the set's contract names them."""
_EXAMPLES = 3
_Answer = TypeVar("_Answer")
Rows = Sequence[Mapping[str, Any]]
"""Rows of a table as a template shows them, by the names of its columns."""


def rows_of(frame: pl.DataFrame | None) -> Rows:
    """Return the rows of a table; none of one that cannot be read."""
    return () if frame is None else frame.rows(named=True)


@dataclass(frozen=True)
class SegmentationTables:
    """The rows of one segmentation; a table that cannot be read has none."""

    segments: pl.DataFrame
    k_metrics: pl.DataFrame
    starts: Mapping[str, Any] | None
    free: pl.DataFrame
    decisions: pl.DataFrame
    migration: pl.DataFrame
    history: pl.DataFrame
    of_cards: Mapping[str, pl.DataFrame]
    """What cards of segments are made of, by published table."""

    @property
    def has_means(self) -> bool:
        """Whether genres have mean ratings: not where views alone count, or its members rate nothing."""
        genres = self.of_cards["segment_genre_ratings"]
        return bool(len(genres)) and genres["published_mean_rating"].count() > 0


class Reading:
    """A published set that answers, or stays silent and remembers which table it lacks."""

    def __init__(self, data: PublishedSet) -> None:
        self._data = data
        self._unread: set[str] = set()

    def ask(self, table: str, question: Callable[..., _Answer], *given: object) -> _Answer | None:
        """Return the answer to a question; None where the table it hangs on cannot be read."""
        try:
            return question(self._data, *given)
        except PublishedError:
            self._unread.add(table)
            return None

    def table(self, name: str) -> pl.DataFrame | None:
        """Return a whole table, which is to be a small one."""
        return self.ask(name, lambda data: data.ask(f"select * from {name}"))

    def tables(self, *names: str) -> dict[str, pl.DataFrame]:
        """Return those of a few small tables that can be read."""
        found = {name: self.table(name) for name in names}
        return {name: frame for name, frame in found.items() if frame is not None}

    def segmentation(self, name: str) -> SegmentationTables:
        """Return what the set knows of one segmentation."""

        def rows(table: str) -> pl.DataFrame:
            answer = self.ask(table, segments.of, table, name)
            if answer is None:
                return pl.DataFrame()
            # Of users no ids: the page is mailed.
            return answer.filter(pl.col("title").is_not_null()) if table == "segment_exemplars" else answer

        return SegmentationTables(
            segments=rows("segments"),
            k_metrics=rows("k_metrics"),
            starts=self.ask("start_agreement", segments.start_agreement, name),
            free=rows("free_segments"),
            decisions=rows("segment_promotions"),
            migration=rows("segment_migration"),
            history=rows("segment_history"),
            of_cards={table: rows(table) for table in segments.OF_CARDS},
        )

    def example_users(self, names: Sequence[str]) -> dict[str, tuple[str, int]]:
        """Return the first user of the first, the middle and the last segment of the foremost segmentation of users."""
        of_users = self.ask("segments", _of_users) or []
        name = next((name for name in names if name in of_users), None)
        firsts = self.ask("segment_members", _first_users, name)
        rows = [] if firsts is None else firsts.rows(named=True)
        places = sorted({0, len(rows) // 2, len(rows) - 1}) if rows else []
        return {rows[i]["user_id"]: (rows[i]["segment_name"], rows[i]["segment_id"]) for i in places}

    def recommendations(self, whose: Sequence[str]) -> pl.DataFrame | None:
        """Return what a few users are recommended; without any named, the first ones that are recommended anything."""
        asked = whose or self.ask("recommendations", _first_recommended) or []
        answers = {user: self.ask("recommendations", users.recommendations, user) for user in asked}
        lists = [
            rows.with_columns(pl.lit(user, dtype=pl.String).alias("user_id"))
            for user, rows in answers.items()
            if rows is not None
        ]
        return pl.concat(lists) if lists else None

    def scored_users(self) -> Mapping[str, Any] | None:
        """Return of how many users departure was scored, the mean, and of how many days it speaks."""
        return self.ask("departure", _scored_users)

    @property
    def absent(self) -> list[str]:
        """The tables that the page had need of and could not read."""
        always = [name for name in _ALWAYS if name not in self._data.columns or name in self._unread]
        return always + sorted((self._unread & set(self._data.contract)) - set(_ALWAYS))


def _of_users(data: PublishedSet) -> list[str]:
    return data.ask("select distinct segmentation from segments where entity = 'user_id'")[
        "segmentation"
    ].to_list()


def _first_users(data: PublishedSet, segmentation: str | None) -> pl.DataFrame:
    return data.ask(
        """
        select segment_id, segment_name, first(entity_id order by try_cast(entity_id as bigint), entity_id) as user_id
        from segment_members
        where segmentation = $segmentation
        group by segment_id, segment_name
        order by segment_id
        """,
        segmentation=segmentation,
    )


def _scored_users(data: PublishedSet) -> Mapping[str, Any]:
    return data.ask(
        "select count(*) as users, avg(score) as mean_score, max(horizon_days) as horizon_days from departure"
    ).row(0, named=True)


def _first_recommended(data: PublishedSet) -> list[str]:
    rows = data.ask(
        "select user_id from recommendations group by user_id"
        " order by try_cast(user_id as bigint), user_id limit $most",
        most=_EXAMPLES,
    )
    return rows["user_id"].to_list()
