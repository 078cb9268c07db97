"""Ratings on scales that go below zero.

Belongs here: what a negative rating counts as. Does not belong here: what a rating weighs (`interactions`).
"""

import polars as pl

_NOT_RATED = -1.0


def on_one_scale(train: pl.DataFrame, test: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame, str | None]:
    """Return both frames with ratings from zero up, and in words what was done; None where nothing was.

    Where -1 is the one rating below zero, it marks what was seen and not rated: no rating, and no title to be found.
    Otherwise the scale itself goes below zero, and is moved up as a whole until its lowest rating is 0, so that what a
    rating weighs grows from its lowest to its highest.
    """
    if any("rating" not in frame.columns for frame in (train, test)):
        return train, test, None
    frames = [frame.with_columns(pl.col("rating").cast(pl.Float64, strict=False)) for frame in (train, test)]
    ratings = pl.concat([frame["rating"] for frame in frames])
    found = ratings.filter(ratings.is_finite()).unique().sort()
    below = found.filter(found < 0)
    if below.is_empty():
        return train, test, None
    if below.to_list() == [_NOT_RATED] and len(found) > 1:
        rated = pl.when(pl.col("rating") != _NOT_RATED).then(pl.col("rating"))
        said = (
            f"{(ratings == _NOT_RATED).sum():,} ratings of -1, the only one below zero, count as not rated."
        )
    else:
        lowest, highest = found[0], found[-1]
        rated = pl.col("rating") - lowest
        said = (
            f"Ratings go from {lowest:g} to {highest:g}: the lowest weighs least, the highest most. "
            "What was rated low was seen too, and is a title to be found."
        )
    one, two = (frame.with_columns(rated.alias("rating")) for frame in frames)
    return one, two, said
