"""How large each demo world is, and which forms of it there are.

Belongs here: row counts of every file at each scale. Does not belong here: what the rows hold.
"""

from dataclasses import dataclass
from typing import Literal, get_args

Scale = Literal["small", "medium", "full"]

Form = Literal["movies", "service"]
"""``movies``: the public files' names and shapes, with ratings; ``service``: a service's own, with plays alone."""

REAL_TITLE_ROWS = 45_466
"""Rows of Kaggle's `movies_metadata.csv`; the counts of its quirks are scaled from this."""


@dataclass(frozen=True)
class Sizes:
    """Row counts of one demo world."""

    users: int
    """Users who rate, and rows of `users.csv`; in the form of a service, its accounts."""
    ratings: int
    """Rows of `ratings.csv`."""
    title_rows: int
    """Rows of `movies_metadata.csv`, the shifted and the repeated ones included."""
    customers: int
    """Rows of `customer_segmentation_data.csv`, repeated rows included."""
    catalogue_rows: int
    """Rows of `netflix_titles.csv`, repeated rows included."""
    watch_events: int
    """Rows of `watch_events.csv`."""
    plays: int
    """Rows of `plays/`, in the form of a service; drawn day by day, so that the number is about met."""
    shows: int
    """Rows of `titles.jsonl`, in the form of a service."""

    def rows(self, form: Form) -> int:
        """About how many rows all files of a form have."""
        if form == "service":
            return self.plays + self.shows + 2 * self.users
        once = self.ratings + self.catalogue_rows + self.watch_events
        return once + 2 * (self.title_rows + self.customers) + 3 * self.users

    def quirks(self, real: int, least: int) -> int:
        """Scale a count of the real catalogue's quirks to this world, but keep at least a few."""
        return max(least, round(real * self.title_rows / REAL_TITLE_ROWS))


_SIZES: dict[Scale, Sizes] = {
    "small": Sizes(3_000, 165_000, 2_000, 3_834, 1_500, 30_000, 60_000, 600),
    "medium": Sizes(30_000, 2_400_000, 10_000, 3_834, 5_000, 300_000, 1_500_000, 2_500),
    # Users, ratings and titles of the full Movies Dataset; customers and catalogue rows of the real files.
    "full": Sizes(270_896, 26_024_289, REAL_TITLE_ROWS, 3_834, 15_480, 2_000_000, 26_000_000, 9_000),
}


def sizes_of(scale: str) -> Sizes:
    """Give the row counts of a scale.

    Raises
    ------
    ValueError
        When `scale` is none of ``small``, ``medium``, ``full``.
    """
    if scale not in get_args(Scale):
        raise ValueError(f"scale is {scale!r}; it must be one of {', '.join(get_args(Scale))}")
    return _SIZES[scale]  # type: ignore[index]
