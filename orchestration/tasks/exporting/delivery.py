"""What a destination gets, and what it must be able to do.

Belongs here: the two shapes. Does not belong here: any destination.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import polars as pl


@dataclass(frozen=True)
class Delivery:
    """A delivery as it goes out.

    Attributes
    ----------
    manifest : what is told of it: export, id, number, kind, before, counts.
    rows : `change`, the keys, the declared columns; of removed rows the keys alone.
    keys : columns that tell which row is which.
    acknowledged : how many rows were taken before.
    acknowledge : remembers how many rows are taken.
    """

    manifest: Mapping[str, Any]
    rows: pl.DataFrame
    keys: list[str]
    acknowledged: int
    acknowledge: Callable[[int], None]

    @property
    def is_full(self) -> bool:
        """Whether it takes the place of all that was there before."""
        return bool(self.manifest["kind"] == "full")


class Destination(Protocol):
    """A place that deliveries go to."""

    def last(self) -> str | None:
        """Return the id of the last delivery that is whole there; None where none is, or nobody can tell."""

    def send(self, delivery: Delivery) -> Mapping[str, Any]:
        """Send a delivery, or the rest of it, and return what the manifest tells of it.

        Raises
        ------
        DestinationError
            When it does not get there; called again, it goes on.
        """
