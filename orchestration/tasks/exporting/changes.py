"""What is new, changed and gone since the last delivery, and whether it may go out: frames in, frames and words out.

Belongs here: comparing and refusing. Does not belong here: where the rows come from, where they go.

A frame of an export has `audience`, `entity_id` and the declared columns. Keys tell which row is which at the
destination: audience and id; of lists of hashes the hashes, for who reads them knows nothing else.
"""

import hashlib
from collections.abc import Mapping, Sequence

import polars as pl

ADDED, UPDATED, REMOVED = "added", "updated", "removed"
WHO = ("audience", "entity_id")
FORGOTTEN = "forgotten"
"""Marks a row of somebody who was forgotten since it was sent: it holds what tells the destination whom to remove."""


def compare(before: pl.DataFrame | None, now: pl.DataFrame, keys: Sequence[str]) -> pl.DataFrame:
    """Return what must be told, each row with its `change` and whether it is of somebody forgotten, ordered by keys.

    Removed rows hold their keys alone. Where there is nothing before, all is added.
    """
    now = now.with_columns(pl.lit(False).alias(FORGOTTEN))
    values = [name for name in now.columns if name not in {*keys, *WHO, FORGOTTEN}]
    then = now.clear() if before is None else before.select(now.columns)
    added = now.join(then, on=keys, how="anti", nulls_equal=True)
    gone = then.join(now, on=keys, how="anti", nulls_equal=True)
    removed = gone.with_columns(pl.lit(None, now.schema[name]).alias(name) for name in values)
    both = now.join(then, on=keys, how="inner", nulls_equal=True, suffix=" before")
    is_other = [pl.col(name).ne_missing(pl.col(f"{name} before")) for name in values]
    updated = both.filter(pl.any_horizontal(is_other) if values else pl.lit(False)).select(now.columns)
    parts = {ADDED: added, UPDATED: updated, REMOVED: removed}
    return pl.concat(
        frame.select(pl.lit(change).alias("change"), pl.all()) for change, frame in parts.items()
    ).sort(*keys, "change")


def apply(before: pl.DataFrame | None, changes: pl.DataFrame, keys: Sequence[str]) -> pl.DataFrame:
    """Return what a destination has after a delivery; the same one twice makes no difference."""
    told = changes.filter(pl.col("change") != REMOVED).drop("change")
    if before is None:
        return told.sort(keys)
    kept = before.join(changes, on=keys, how="anti", nulls_equal=True)
    return pl.concat([kept, told.select(kept.columns)]).sort(keys)


def counted(changes: pl.DataFrame) -> dict[str, int | str]:
    """Return how many rows there are of each change, and the hash of them all."""
    counts = dict(changes["change"].value_counts().iter_rows())
    told = {change: counts.get(change, 0) for change in (ADDED, UPDATED, REMOVED)}
    return {**told, "sha256": hashlib.sha256(changes.drop("entity_id").write_csv().encode()).hexdigest()}


def why_refused(
    before: pl.DataFrame | None,
    now: pl.DataFrame,
    changes: pl.DataFrame,
    *,
    least: Mapping[str, int],
    most_removed: float,
) -> str | None:
    """Return why changes must not go out; None where they may.

    Parameters
    ----------
    before, now, changes
        As `compare` has them; who was forgotten counts neither as sent nor as removed.
    least
        Audience to the fewest members of it that may be left at the destination.
    most_removed
        Largest share of what was sent that may be removed at once.
    """
    sizes = dict(now["audience"].value_counts().iter_rows())
    for audience, minimum in least.items():
        if (size := sizes.get(audience, 0)) < minimum:
            return f"{size:,} of the audience {audience} would be left there; at least {minimum:,} must be"
    sent = 0 if before is None else len(before.filter(~pl.col(FORGOTTEN)))
    removed = len(changes.filter((pl.col("change") == REMOVED) & ~pl.col(FORGOTTEN)))
    if removed > most_removed * sent:
        share = f"{removed:,} of {sent:,} would be removed ({removed / sent:.0%})"
        return f"{share}; at most {most_removed:.0%} may be at once"
    return None
