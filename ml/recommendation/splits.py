"""Cuts of a frame of ratings into what is learned from and what is held out.

Belongs here: the cuts. Does not belong here: judging on them (`evaluate`).
"""

import numpy as np
import polars as pl

from ml.recommendation.errors import RecommendationError

SPLITS = ("user", "time", "item")


def split(
    frame: pl.DataFrame, by: str, *, test_share: float, rng: np.random.Generator
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Hold out a share of each user's ratings, of each title's, or the newest of all.

    Parameters
    ----------
    frame
        user_id, item_id; timestamp to cut by time.
    by
        One of `SPLITS`.
    test_share
        Share held out, between 0 and 1.
    rng
        Draws, but for a cut by time; the result depends on the order of the rows.

    Returns
    -------
    train, test

    Raises
    ------
    RecommendationError
        When there is no such cut, or none by time can be made.
    """
    if by not in SPLITS:
        msg = f"no split by {by!r}; there are: {', '.join(SPLITS)}"
        raise RecommendationError(msg)
    if by == "time":
        return time_split(frame, test_share=test_share)
    return stratified_split(frame, test_share=test_share, rng=rng, user=f"{by}_id")


def random_split(
    frame: pl.DataFrame, *, test_share: float, rng: np.random.Generator
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Hold out each rating with the same chance, whoever's it is.

    Parameters
    ----------
    frame
        One row per rating.
    test_share
        Chance of being held out, between 0 and 1.
    rng
        Draws; the result depends on the order of the rows.

    Returns
    -------
    train, test
    """
    _require_share(test_share)
    held_out = pl.Series(rng.random(frame.height) < test_share)
    return frame.filter(~held_out), frame.filter(held_out)


def stratified_split(
    frame: pl.DataFrame, *, test_share: float, rng: np.random.Generator, user: str = "user_id"
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Hold out the same share of each user's ratings, drawn at random.

    Of n ratings, n × share are held out, rounded half to even; a user always keeps one.

    Parameters
    ----------
    frame
        One row per rating.
    test_share
        Share of each user, between 0 and 1.
    rng
        Draws; the result depends on the order of the rows.
    user
        Name of the column with the user's id.

    Returns
    -------
    train, test
    """
    _require_share(test_share)
    drawn = pl.DataFrame({"user": frame[user], "draw": rng.random(frame.height)})
    ratings = pl.len().over("user")
    count = (ratings * test_share).round(mode="half_to_even").clip(upper_bound=ratings - 1)
    held_out = drawn.select(pl.col("draw").rank("ordinal").over("user") <= count).to_series()
    return frame.filter(~held_out), frame.filter(held_out)


def time_split(frame: pl.DataFrame, *, test_share: float) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Hold out the newest ratings of all: what comes after one moment.

    Ratings of that moment itself stay in training, so the share is reached from below.

    Parameters
    ----------
    frame
        One row per rating, with a timestamp.
    test_share
        Share of all ratings, between 0 and 1.

    Returns
    -------
    train, test

    Raises
    ------
    RecommendationError
        When there is no timestamp, or every rating is of the same moment.
    """
    _require_share(test_share)
    if "timestamp" not in frame.columns or frame["timestamp"].null_count() > 0:
        msg = "a split by time needs a timestamp for every rating"
        raise RecommendationError(msg)
    moment = frame["timestamp"].sort()[min(int(np.ceil(frame.height * (1 - test_share))), frame.height) - 1]
    held_out = frame["timestamp"] > moment
    if not held_out.any():
        msg = "no rating is newer than the others: there is nothing to hold out by time"
        raise RecommendationError(msg)
    return frame.filter(~held_out), frame.filter(held_out)


def _require_share(share: float) -> None:
    if not 0 < share < 1:
        msg = f"the share held out must lie between 0 and 1, not {share}"
        raise RecommendationError(msg)
