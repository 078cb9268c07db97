"""How many rows of a table are others than they were, told by hashes of some of them.

Belongs here: the sample of hashes that is kept, the share of rows that changed since. Does not belong here: where a
sample is kept, what follows from a share (`orchestration.tasks`).
"""

from collections.abc import Mapping

import polars as pl

CHANGED_SHARE = 0.05
"""Share of rows that must be new, gone or different before what was trained on them is judged and trained again."""
_SAMPLED = 100_000


def sample(frames: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Return hashes of some rows of each frame, always of the same rows: of all rows, those that `every` divides.

    Returns
    -------
    of (the name of the frame), every, hash. About 100,000 rows of a frame at most.
    """
    sampled = []
    for name, frame in frames.items():
        hashes, every = frame.hash_rows(), 1 << (frame.height // _SAMPLED).bit_length()
        sampled.append(pl.DataFrame({"of": name, "every": every, "hash": hashes.filter(hashes % every == 0)}))
    return pl.concat(sampled)


def changed_share(before: pl.DataFrame, now: pl.DataFrame) -> float:
    """Return the share of rows that are new, gone or different, of the frame of which most are; to 1 in 100 or so.

    Parameters
    ----------
    before, now
        What `sample` returned then and now of frames of the same names.
    """
    shares = []
    for (name,), then in before.group_by("of"):
        today = now.filter(of=name)
        coarser = pl.col("hash") % pl.concat([then, today])["every"].max() == 0
        old, new = (sampled.filter(coarser)["hash"] for sampled in (then, today))
        unchanged = int(old.is_in(new.implode()).sum())
        shares.append((max(len(old), len(new)) - unchanged) / max(len(old), 1))
    return max(shares)
