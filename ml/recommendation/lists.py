"""What every user is recommended, with the reasons: the table that is published.

Belongs here: the lists of all users at once, within bounds of time and memory. Does not belong here: one user's
(`ranking.recommend`, `reasons.reasons`), names of titles, sentences.
"""

import numpy as np
import polars as pl
import scipy.sparse as sp

from ml.progress import Tell, untold
from ml.recommendation.interactions import Interactions
from ml.recommendation.ranking import Fitted, best, blocks, in_threads
from ml.recommendation.reasons import strongest


def lists(
    fitted: Fitted,
    interactions: Interactions,
    n: int,
    *,
    candidates: np.ndarray | None = None,
    reasons: int = 2,
    threads: int | None = None,
    tell: Tell = untold,
) -> pl.DataFrame:
    """Return the n best titles that each user has not seen, and the seen ones that speak for them.

    Memory beside the model: per thread a few times `ranking.BLOCK_CELLS` scores, and 4 × (2 + reasons) bytes for
    each row. The result does not depend on the number of cores.

    Parameters
    ----------
    fitted
        A trained model.
    interactions
        What all users have seen, with the columns the model was trained on.
    n
        Titles per user; fewer where a user has seen almost everything.
    candidates : (items,) bool, optional
        The only titles that may be recommended; others are not even scored, and a blend puts its parts on the scale
        of these.
    reasons
        Seen titles named for each recommended one, at most.
    threads
        At work beside each other; the machine's cores where None.
    tell
        Takes how many users are done, and of how many.

    Returns
    -------
    user_id, rank (1 to n, int32), item_id, score (float32), because (list of item_id, the strongest first; empty
    where popularity recommends), in the order of users and ranks.
    """
    rows = interactions.ratings
    columns = None if candidates is None else np.flatnonzero(candidates)
    width = rows.shape[1] if columns is None else len(columns)
    scorer = fitted.scorer(columns)

    def listed(block: slice) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        part = rows[block]
        ranked = best(scorer(part), part if columns is None else part[:, columns], n)
        items = ranked.items if columns is None else _original(ranked.items, columns)
        tell(block.stop, rows.shape[0])
        return items, ranked.scores, _because(fitted, part, items, reasons)

    if width == 0 or rows.shape[0] == 0:
        return _frame(interactions, np.full((rows.shape[0], n), -1), np.zeros((rows.shape[0], n)), None)
    found = in_threads(listed, blocks(rows.shape[0], width), threads)
    items, scores, because = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return _frame(interactions, items, scores, because)


def published(found: pl.DataFrame) -> pl.DataFrame:
    """Return what `lists` found as it is published: a column for each of two reasons, null where there are fewer."""
    because = pl.col("because").list
    return found.select(
        "user_id",
        "rank",
        pl.col("item_id").cast(pl.String).alias("title_id"),
        pl.col("score").cast(pl.Float64),
        because.get(0, null_on_oob=True).cast(pl.String).alias("because_title_id"),
        because.get(1, null_on_oob=True).cast(pl.String).alias("because_other_title_id"),
    )


def _original(places: np.ndarray, columns: np.ndarray) -> np.ndarray:
    return np.where(places >= 0, columns[places], -1).astype(np.int32)


def _because(fitted: Fitted, rows: sp.csr_array, items: np.ndarray, most: int) -> np.ndarray:
    """Return columns of the seen titles that speak for each recommended one, (n, m, most) int32, -1 past the end."""
    added = fitted.contributions(rows, np.maximum(items, 0)) if most and rows.nnz else None
    if added is None:
        return np.full((*items.shape, most), -1, dtype=np.int32)
    places = strongest(added, rows, most)
    return np.where(places >= 0, rows.indices[places], -1).astype(np.int32)


def _frame(
    interactions: Interactions, items: np.ndarray, scores: np.ndarray, because: np.ndarray | None
) -> pl.DataFrame:
    user, place = np.nonzero(items >= 0)
    ids = interactions.items
    named = (
        [] if because is None else [_ids(ids, because[user, place, turn]) for turn in range(because.shape[2])]
    )
    table = pl.DataFrame(
        {
            "user_id": interactions.users.gather(user),
            "rank": (place + 1).astype(np.int32),
            "item_id": ids.gather(items[user, place]),
            "score": scores[user, place].astype(np.float32),
        }
        | {f"because_{turn}": titles for turn, titles in enumerate(named)}
    )
    listed = (
        pl.concat_list(f"because_{turn}" for turn in range(len(named))).list.drop_nulls()
        if named
        else pl.lit([], dtype=pl.List(ids.dtype))
    )
    return table.select("user_id", "rank", "item_id", "score", because=listed)


def _ids(ids: pl.Series, columns: np.ndarray) -> pl.Series:
    """Return the id of each column, null for -1."""
    return ids.gather(pl.Series(columns.astype(np.int64)).replace(-1, None).cast(pl.UInt32))
